"""Every route of the table times every kind of visitor, by session and by token. The expectation is computed from the
table's verb and the roles' verbs, so a route without its rule, or a rule that a service does not keep, shows here."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from apps.accounts.models import RoleVerb
from apps.accounts.verbs import SCOPES_OF_VERB, SIGNING_ROLES, VERBS
from apps.api.v1.route import Route
from apps.api.v1.routes import ROUTES
from apps.api.v1.urls import unknown
from tests.api_v1.world import BODIES, path_of
from tests.support.people import PASSWORD, token_for
from tests.web.test_permission_matrix import undone
from tests.web.world import ANONYMOUS, OUTSIDER, VISITORS, World, build

pytestmark = pytest.mark.django_db

# Answered for everybody who is signed in: lists are filtered, the gate denies, the document is the same for all.
FOR_ALL = {
    "reviews", "models", "gate-check", "openapi", "environments", "deployments", "notices", "delegations", "policies",
    "policy", "policy-changes", "policy-change", "policy-simulation", "notices-read", "results-schema", "check-kinds",
    "checkpoint", "checkpoint-at", "consistency", "inclusion", "ledger-keys", "card-schema",
    "issued-documents", "batches", "questionnaires", "questionnaire", "questionnaire-schema", "card-templates",
    "card-template", "card-template-schema", "engagements",
}  # fmt: skip
CREATES = {
    "submit", "new-round", "decide", "recuse", "environment-new", "deployment-record", "question", "roll-back",
    "review-rollback", "finding-raise", "finding-respond", "thread-start", "thread-reply", "model-change", "policy-propose",
    "policy-sign", "recheck", "upload-result", "recall-uploaded", "measure", "define-check", "redefine-check", "document-make",
    "batch-make", "statement-record", "impact-save", "impact-sign", "impact-lower", "impact-notify",
    "card-template-define", "card-template-choose",
}  # fmt: skip
# About no model, so there is nothing to hide: whoever lacks the right is told so.
OF_THE_SITE = {
    "environment-new",
    "environment-change",
    "policy-propose",
    "policy-sign",
    "policy-withdraw",
    "card-template-define",
}
# Having read something is kept for the reader alone.
OF_ONES_OWN = {"notice-read", "notices-read"}
# Whoever may read may have it written down.
READERS_ASK = {"document-make", "bundle", "batch-make", "batch-cancel"}
# A batch is its asker's alone, and the world's maker asked for this one.
ANOTHERS_OWN = {"batch", "batch-items", "batch-archive", "batch-cancel"}
# Not there for anybody but its auditors and whoever reads the whole audit trail.
OF_AUDITORS = {"engagement", "engagement-samples", "engagement-sample"}
# The world's document waits for a worker, and is none that is published as a page.
NOT_THERE = {"document-file": 409, "document-page": 404}
# Whom the standard policy asks; who signs in another role is refused on this review.
ASKED = {"validator", "approver"}


# What the one of a role may that a policy, or the thing itself, names: everybody else who holds the right is refused.
ANOTHERS: dict[str, dict[str, int]] = {
    "finding-accept": {"approver": 201},
    "waive": {"approver": 201},
    "waiver-revoke": {"approver": 201},
    "comment-edit": {},  # another's comment
    "conflict-declare": dict.fromkeys(
        ("owner", *SIGNING_ROLES), 409
    ),  # it stands already; about another
    "conflict-withdraw": {"owner": 201},  # another declared it
    "delegate": {"approver": 201},
    "model-change-sign": {"validator": 201, "approver": 201},
}
# Nothing was signed, retired, answered, settled or resolved that these could act on.
TOO_EARLY = {
    "promote", "bring-back", "finding-retest", "finding-close", "finding-reopen", "thread-reopen", "impact-notify",
    "impact-lower",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), undone():
        yield build()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.label)
def test_each_visitor_in_a_session_gets_the_expected_answer(route: Route, world: World) -> None:
    got = {visitor: _status(route, visitor, world, token=False) for visitor in VISITORS}
    assert got == {visitor: _expected(route, visitor, token=False) for visitor in VISITORS}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.label)
def test_each_visitor_by_token_gets_the_expected_answer(route: Route, world: World) -> None:
    got = {visitor: _status(route, visitor, world, token=True) for visitor in VISITORS}
    assert got == {visitor: _expected(route, visitor, token=True) for visitor in VISITORS}


def _expected(route: Route, visitor: str, *, token: bool) -> int:
    if visitor == ANONYMOUS:
        return 401
    if token and route.interactive:
        return 403
    if route.name == "notice-read" or route.name in ANOTHERS_OWN:  # somebody else's is not there
        return 404
    if visitor == OUTSIDER:
        return 200 if route.name in FOR_ALL else 403 if route.name in OF_THE_SITE else 404
    if (
        route.name == "delegation-end"
    ):  # those it is between, and whoever manages people; to others it is not there
        return 201 if visitor == "administrator" else 404
    if route.name in OF_AUDITORS:
        return 200 if visitor in {"auditor", "administrator"} else 404
    verbs = set(RoleVerb.objects.filter(role_id=visitor).values_list("verb", flat=True))
    if not any(verb.startswith(route.verb) for verb in verbs):
        return 403
    return _by_state(route, visitor)


def _by_state(route: Route, visitor: str) -> int:
    """What whoever holds the right is answered, as the world's things stand."""
    if route.name in {"decide", "recuse", "review-rollback"} and visitor not in ASKED:
        return 403
    if route.name == "retire":  # a review is under way, a version runs
        return 403
    if route.name in ANOTHERS:
        return ANOTHERS[route.name].get(visitor, 403)
    if route.name in TOO_EARLY:
        return 409
    if route.name in NOT_THERE:
        return NOT_THERE[route.name]
    return 201 if route.name in CREATES else 200


def _status(route: Route, visitor: str, world: World, *, token: bool) -> int:
    user = world.visitors[visitor]
    client, headers = Client(), {}
    with undone():
        if user is not None:
            user.set_password(PASSWORD)
            user.save(update_fields=["password"])
            if token:
                headers = {"Authorization": f"Bearer {token_for(user)}"}
            else:
                client.force_login(user)
        body = BODIES.get(route.name, lambda w: {})(world)
        data = json.dumps(body) if route.method == "POST" else ""
        answer = client.generic(
            route.method, path_of(route, world), data, "application/json", headers=headers
        )
        return answer.status_code


def test_every_address_is_in_the_table_or_refuses() -> None:
    """`docs/` is a page of its own, below."""
    served = {str(pattern.pattern) for pattern in _below("api/v1/")}
    assert served == {route.path for route in ROUTES} | {"docs/"}


def test_a_view_answers_only_to_the_methods_of_the_table(world: World) -> None:
    maker = Client()
    maker.force_login(world.maker)
    for path in {route.path for route in ROUTES}:
        routes = [route for route in ROUTES if route.path == path]
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - {
            route.method for route in routes
        }:
            answer = maker.generic(method, path_of(routes[0], world))
            assert answer.status_code == 405, (method, path)


def test_the_page_of_the_document_is_for_the_signed_in(world: World) -> None:
    client = Client()
    assert client.get("/api/v1/docs/").status_code == 302
    client.force_login(world.maker)
    answer = client.get("/api/v1/docs/")
    assert answer.status_code == 200
    page = answer.content.decode()
    for route in ROUTES:
        assert route.method in page


def test_the_table_names_rights_that_exist_and_scopes_that_carry_them() -> None:
    for route in ROUTES:
        assert any(verb.startswith(route.verb) for verb in VERBS), route.label
        assert route.interactive == (not SCOPES_OF_VERB.get(route.verb)), route.label
        reads = (
            route.verb in {"review.read", "model.read", "audit.read"}
            and route.name not in OF_ONES_OWN | READERS_ASK
        )
        assert route.mutates == (not reads), route.label
    assert len({route.name for route in ROUTES}) == len(ROUTES)


def _below(prefix: str) -> Iterator[URLPattern]:
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver):
            for each in resolver.url_patterns:
                if isinstance(each, URLResolver) and str(each.pattern) == prefix:
                    yield from (
                        p
                        for p in each.url_patterns
                        if isinstance(p, URLPattern) and p.callback is not unknown
                    )
