"""From a request to a handler and back: who, what, and every refusal in the protocol's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from apps.api import auth, errors
from apps.api.mlflow import messages, server, wire
from apps.api.mlflow.call import Answer, Call, Route
from apps.api.mlflow.messages import Fields
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Invalid

View = Callable[..., HttpResponseBase]

_QUERY: Final = frozenset({"GET"})
_PIECE: Final = 1024 * 1024
_DRAINED_OF_KNOWN: Final = 1024 * _PIECE
_DRAINED_OF_STRANGERS: Final = 64 * _PIECE
# Who asks an open route: an actor whose credential carries no right at all.
_NOBODY: Final = Actor(None, ActorKind.SERVICE, "nobody", auth.DOOR, scopes=frozenset())


def view_of(routes: Sequence[Route]) -> View:
    """The view of the routes that share a path, one per method."""
    by_method = {route.method: route for route in routes}

    @csrf_exempt
    @login_not_required
    def view(request: HttpRequest, **path: str) -> HttpResponseBase:
        route = by_method.get(request.method or "")
        if route is None:
            return errors.answer(_no_such(request))
        return _serve(route, request, path)

    return view


@csrf_exempt
@login_not_required
def unknown(request: HttpRequest, path: str = "") -> HttpResponse:
    """Whatever else lies below the prefixes: 404, which clients take as "not supported here"."""
    return errors.answer(_no_such(request))


@csrf_exempt
@login_not_required
def version(request: HttpRequest) -> HttpResponse:
    """/version: which protocol is spoken, as text."""
    return HttpResponse(server.MLFLOW_VERSION, content_type="text/plain")


def _serve(route: Route, request: HttpRequest, path: Mapping[str, str]) -> HttpResponseBase:
    actor: Actor | None = None
    call: Call | None = None
    try:
        actor = _NOBODY if route.open else auth.authenticate(request)
        call = Call(actor, request, {})
        call.fields = _fields(route, request, path)
        return _respond(route.handler(call))
    except Exception as error:  # noqa: BLE001 - the edge of the protocol: every failure has its form
        errors.record(
            request,
            actor,
            error,
            act=route.name[:100],
            subject=call.subject if call else "site:mlflow",
        )
        if route.method == "PUT":
            _drain(request, _DRAINED_OF_KNOWN if actor else _DRAINED_OF_STRANGERS)
        return errors.answer(error)


def _drain(request: HttpRequest, limit: int) -> None:
    """Read the rest of an upload that was refused, up to a limit.

    A client that is still sending when the connection closes sees a broken pipe instead of the refusal,
    and tries again for minutes.
    """
    try:
        while limit > 0 and (piece := request.read(_PIECE)):
            limit -= len(piece)
    except OSError:
        return


def _respond(answer: Answer) -> HttpResponseBase:
    return wire.respond(answer) if isinstance(answer, dict) else answer


def _fields(route: Route, request: HttpRequest, path: Mapping[str, str]) -> Fields:
    """The message of the request: from the address, the query or the body, by method."""
    spec = route.message
    given: dict[str, Any]
    if route.method == "PUT":
        given = {}  # the body is a file
    elif route.method in _QUERY:
        given = messages.from_query(request.GET, spec)
    else:
        _require_json(request)
        if route.decode is not None:
            return route.decode(request, spec)
        given = messages.decode(request.body)
    return messages.parse({**given, **path}, spec)


def _require_json(request: HttpRequest) -> None:
    """A body says that it is JSON; a request without one need not."""
    kind = request.content_type or ""
    if kind.startswith("application/json") or not request.body:
        return
    what = "must be one of ['application/json']" if kind else "header is missing"
    raise Invalid(f"Bad Request. Content-Type {what}.", fields={"Content-Type": kind})


def _no_such(request: HttpRequest) -> errors.NoSuchEndpoint:
    return errors.NoSuchEndpoint(
        f"This server has no endpoint {request.method} {request.path[:200]}"
    )
