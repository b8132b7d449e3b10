"""Deny by default: a request passes only if the table of routes lists it and its credential could carry the right.

Whether the person holds the right on the thing concerned is asked by the selector (404) and the service (403).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.verbs import SCOPES_OF_VERB, VERBS, is_signing
from apps.api.errors import Unauthenticated
from apps.api.v1.route import Route
from apps.core.actor import Actor
from apps.core.errors import Forbidden

if TYPE_CHECKING:
    from apps.api.v1.base import Door


class Listed(BasePermission):
    """Known callers, on listed routes, with a credential that carries the route's right."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor = request.user
        if not isinstance(actor, Actor):
            raise Unauthenticated
        method = "GET" if request.method == "HEAD" else str(request.method)
        route = cast("Door", view).rules.get(method)
        if route is None:
            raise MethodNotAllowed(method)
        require_carried(actor, route)
        return True


def require_carried(actor: Actor, route: Route) -> None:
    """Refuse a token that could not carry the route's right whatever its holder may do."""
    if actor.scopes is None:
        return
    if route.interactive:
        raise _only_in_person(route)
    carrying = SCOPES_OF_VERB.get(route.verb, frozenset())
    if not actor.scopes & carrying:
        raise Forbidden(
            f"This token does not carry {route.verb}.",
            hint=f"The token needs the scope {' or '.join(sorted(carrying))}.",
        )


def _only_in_person(route: Route) -> Forbidden:
    if route.verb not in VERBS or is_signing(route.verb):
        return Forbidden(
            "A token does not sign: only a person in an interactive session does, with her own password.",
            hint="Sign in to the site and decide there.",
        )
    return Forbidden(
        f"No token may {VERBS[route.verb]} ({route.verb}): only a person in an interactive session does.",
        hint="Sign in to the site and do it there.",
    )
