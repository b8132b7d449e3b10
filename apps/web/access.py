"""The one way from a request to who acts and what about. A stranger gets 404, a member without the verb 403.

Views fetch through here and nowhere else; whoever may not see a thing learns nothing about it.
Every function also notes what the request is about, so that a refusal is recorded under the right subject.
"""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.models import Team, User
from apps.core.actor import Actor
from apps.core.errors import Forbidden

REQUEST_ID = "countersign.request_id"
ACTOR = "countersign.actor"
SUBJECT = "countersign.subject"


def find_actor(request: HttpRequest) -> Actor | None:
    """Whoever is signed in, or None for a stranger. Asked once a request."""
    if ACTOR not in request.META:
        request.META[ACTOR] = _actor_of(request)
    return cast("Actor | None", request.META[ACTOR])


def actor(request: HttpRequest) -> Actor:
    """Whoever is signed in. LoginRequiredMiddleware has sent strangers to sign in before any view asks."""
    found = find_actor(request)
    if found is None:
        raise Forbidden("Sign in first.", hint="Your session has ended.")
    return found


def user(request: HttpRequest) -> User:
    """The signed-in person's own row: for her account pages only."""
    actor(request)
    return cast("User", request.user)


def require(request: HttpRequest, verb: str) -> Actor:
    """The actor, if she holds the verb on the whole site; else Forbidden."""
    who = actor(request)
    policy.require(who, verb)
    return who


def subject(request: HttpRequest) -> str:
    """What the request is about, as an id ("version:12"), as far as it was found."""
    return str(request.META.get(SUBJECT, ""))


def person_for(request: HttpRequest, user_id: int) -> User:
    """A person, for those who manage people; a stranger to the whole area is told so."""
    require(request, "people.manage")
    person = accounts.get_user(user_id)
    _about(request, f"user:{person.pk}")
    return person


def team_for(request: HttpRequest, key: str) -> Team:
    """A team, for those who manage people."""
    require(request, "people.manage")
    team = accounts.get_team(key)
    _about(request, f"team:{team.pk}")
    return team


def _actor_of(request: HttpRequest) -> Actor | None:
    if not request.user.is_authenticated:
        return None
    request_id = str(request.META.get(REQUEST_ID, ""))
    return accounts.actor_for(cast("User", request.user), door="web", request_id=request_id)


def _about(request: HttpRequest, subject_id: str) -> None:
    request.META[SUBJECT] = subject_id
