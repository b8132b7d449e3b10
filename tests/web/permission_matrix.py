"""Who gets which answer where, as data: one row per route and method.

Add a row for every new route of `apps/web/urls.py`; tests/web/test_permission_matrix.py fails for a route without one.

    Row("web:model-settings", lambda w: [w.model.name], post={}, may=holders("model.manage"), denied=403, unseen=404, ok=422)

`may` are the visitors that get `ok`; of the others an outsider gets `unseen`, a member `denied`, and a stranger is sent
to sign in (302) unless the page is `open`. With `post` the row is about POST with that form (an empty one is the least
harmful: whoever may gets 422). `statuses` overrules for single visitors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.accounts.verbs import ROLES
from tests.web.world import ANONYMOUS, OUTSIDER, VISITORS, World

SIGNED_IN = frozenset(VISITORS) - {ANONYMOUS}
MEMBERS = frozenset(ROLES)
EVERYBODY = frozenset(VISITORS)
ADMINISTRATOR = frozenset({"administrator"})


@dataclass(frozen=True, slots=True)
class Row:
    """One route and method with the expected status of each visitor."""

    route: str
    args: Callable[[World], Sequence[Any]] = field(default=lambda world: ())
    may: frozenset[str] = SIGNED_IN
    ok: int = 200
    denied: int = 403
    unseen: int = 403
    post: Mapping[str, Any] | None = None
    query: str = ""
    statuses: Mapping[str, int] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return "GET" if self.post is None else "POST"

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.method} {self.route}"

    def expected(self, visitor: str) -> int:
        """The status this visitor gets."""
        if visitor in self.statuses:
            return self.statuses[visitor]
        if visitor in self.may:
            return self.ok
        if visitor == ANONYMOUS:
            return 302
        return self.unseen if visitor == OUTSIDER else self.denied


def holders(*roles: str) -> frozenset[str]:
    """The visitors with one of these roles."""
    return frozenset(roles)


def _person(world: World) -> list[Any]:
    return [world.person.pk]


def _team(world: World) -> list[Any]:
    return [world.team.key]


def _only_administrators(
    route: str, args: Callable[[World], Sequence[Any]], *, form: bool
) -> list[Row]:
    rows = [Row(route, args, may=ADMINISTRATOR)]
    return [*rows, Row(route, args, may=ADMINISTRATOR, post={}, ok=422)] if form else rows


def _nothing(world: World) -> list[Any]:
    return []


ACCOUNT = [
    Row("web:health", may=EVERYBODY),
    Row("web:sign-in", may=SIGNED_IN, ok=302, statuses={ANONYMOUS: 200}),
    Row("web:sign-in", may=SIGNED_IN, ok=302, post={}, statuses={ANONYMOUS: 422}),
    Row("web:sign-out", may=SIGNED_IN, ok=302, post={}),
    Row("web:setup", may=EVERYBODY, ok=409),
    Row("web:setup", may=EVERYBODY, ok=409, post={}),
    Row("web:theme", may=EVERYBODY, ok=302, post={"theme": "dark"}),
    Row("web:shortcuts", may=SIGNED_IN, ok=302, post={"off": "1"}),
    Row("web:help"),
    Row("web:search", query="?q=churn"),
    Row("web:account"),
    Row("web:account-password"),
    Row("web:account-password", post={}, ok=422),
    Row("web:tokens"),
    Row("web:tokens", post={}, ok=422),
    Row(
        "web:token-revoke",
        lambda w: [w.token_uuid],
        post={},
        may=ADMINISTRATOR,
        ok=302,
        denied=404,
        unseen=404,
    ),
]

PEOPLE = [
    *_only_administrators("web:people", _nothing, form=False),
    *_only_administrators("web:person-new", _nothing, form=True),
    *_only_administrators("web:service-new", _nothing, form=True),
    *_only_administrators("web:person", _person, form=False),
    *_only_administrators("web:person-edit", _person, form=True),
    *_only_administrators("web:person-owners", lambda w: [w.service.pk], form=True),
    *_only_administrators("web:person-reset", _person, form=True),
    *_only_administrators("web:person-deactivate", _person, form=True),
    Row("web:person-reactivate", _person, may=ADMINISTRATOR, post={}, ok=409),
    Row("web:person-grant", _person, may=ADMINISTRATOR, post={}, ok=422),
    Row("web:person-revoke", _person, may=ADMINISTRATOR, post={}, ok=422),
    *_only_administrators("web:teams", _nothing, form=False),
    *_only_administrators("web:team-new", _nothing, form=True),
    *_only_administrators("web:team", _team, form=True),
    *_only_administrators("web:team-rename", _team, form=True),
    Row("web:team-revoke", _team, may=ADMINISTRATOR, post={}, ok=422),
    *_only_administrators("web:groups", _nothing, form=True),
    Row("web:group-revoke", may=ADMINISTRATOR, post={}, ok=422),
    Row("web:system", may=ADMINISTRATOR),
]

# The identity provider is not configured in the tests: its routes answer that there is none.
PROVIDER = [
    Row("oidc_authentication_init", may=EVERYBODY, ok=409),
    Row("oidc_authentication_callback", may=EVERYBODY, ok=403),
    Row("oidc_logout", may=SIGNED_IN, ok=302, post={}),
]

ROWS: list[Row] = [*ACCOUNT, *PEOPLE, *PROVIDER]
