"""What tests of sign-in by OpenID Connect share: people at the provider, and what a browser holds afterwards."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import requests
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from apps.accounts import sso
from apps.accounts.models import User
from apps.accounts.proof import ReauthProof
from apps.audits.selectors import attempts
from tests.support.idp import Idp
from tests.support.visitor import Visitor

SECRET: Final = "heron-lantern-violet-9"


def known(idp: Idp, user_name: str = "nell", *groups: str, email: str = "") -> str:
    """Nell Gray at the provider, in these groups; her `sub`."""
    return idp.person(
        user_name,
        password=SECRET,
        name=f"{user_name.title()} Gray",
        email=email or f"{user_name}@example.org",
        groups=groups,
    )


def signed_in(visitor: Visitor) -> User | None:
    """Whose session the visitor's browser holds."""
    key = visitor.browser.cookies.get("countersign_session")
    user_id = SessionStore(session_key=key).get("_auth_user_id") if key else None
    return None if user_id is None else User.objects.get(pk=user_id)


def changed(address: str, **parameters: str) -> str:
    """The address with parameters replaced."""
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return urlunsplit(parts._replace(query=urlencode({**query, **parameters})))


def refused(answer: requests.Response, visitor: Visitor, status: int = 403) -> None:
    """Refused with a page, recorded, nobody signed in, nobody made."""
    assert answer.status_code == status, answer.text[:500]
    assert signed_in(visitor) is None
    noted = [row for row in attempts() if row.act == "sign-in"]
    assert noted
    assert noted[0].outcome in {"failed", "refused"}


def fresh(visitor: Visitor, user: User) -> ReauthProof:
    """What `sso.fresh_proof` makes of the browser's session."""
    request = HttpRequest()
    request.session = SessionStore(session_key=visitor.browser.cookies.get("countersign_session"))
    request.user = user
    return sso.fresh_proof(request)
