"""MRM-04: findings with severity, owner, due date, response and closure evidence, judged by people whose
independence is computed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from apps.accounts import services as accounts
from apps.accounts.services import ReauthProof
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from apps.registry import services as registry
from apps.reviews import selectors, services
from apps.reviews.findings_gate import no_blocking_findings
from apps.reviews.models import EntryKind, Finding, FindingEntry, FindingState, Review
from apps.reviews.reads import findings
from apps.reviews.services import NewFinding
from tests import factories
from tests.experiments import makers
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_forgery import differences, is_whole
from tests.reviews.test_signing import sign
from tests.support.people import as_actor
from tests.support.races import at_once
from tests.support.triggers import triggers_off
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

LINK = "https://example.org/notebooks/12"


def new(cast: Cast, **changes: Any) -> NewFinding:
    """A valid finding, asked of Ana, due in two weeks."""
    values: dict[str, Any] = {
        "title": "Recall drops for applicants under 25",
        "text": "On the 2018 data recall is 0.41 there and 0.63 elsewhere.",
        "severity": "high",
        "owner_id": cast.ana.user_id,
        "due": clock.now().date() + dt.timedelta(days=14),
        "blocking": True,
        "clause": "SR 26-2, effective challenge",
        "reproduction": LINK,
    }
    return NewFinding(**{**values, **changes})


def raised(cast: Cast, actor: Actor | None = None, **changes: Any) -> Finding:
    return services.raise_finding(actor or cast.vera, cast.version, new(cast, **changes))


Act = Callable[[Cast, Actor, Finding], FindingEntry]

ACTS: dict[str, Act] = {
    "responded": lambda _c, who, row: services.respond(who, row, text="Trained again."),
    "retest_passed": lambda _c, who, row: services.retest(who, row, passed=True, text="Held."),
    "retest_failed": lambda _c, who, row: services.retest(who, row, passed=False, text="No."),
    "closed": lambda _c, who, row: services.close_finding(who, row, text="Done", evidence=LINK),
    "accepted": lambda _c, who, row: services.accept_risk(
        who, row, reason="Small exposure.", proof=factories.proof(who)
    ),
    "reopened": lambda _c, who, row: services.reopen(who, row, reason="Seen again."),
}
# How to bring a finding into each state, from open.
PATHS: dict[str, list[tuple[str, str]]] = {
    "open": [],
    "responded": [("ana", "responded")],
    "retest_passed": [("ana", "responded"), ("vera", "retest_passed")],
    "retest_failed": [("ana", "responded"), ("vera", "retest_failed")],
    "closed": [("ana", "responded"), ("vera", "retest_passed"), ("vera", "closed")],
    "accepted": [("rui", "accepted")],
}
# From which states each act is possible: the contract once more, not read from the code.
POSSIBLE = {
    "responded": {"open", "responded", "retest_failed"},
    "retest_passed": {"responded"},
    "retest_failed": {"responded"},
    "closed": {"retest_passed"},
    "accepted": {"open", "responded", "retest_failed"},
    "reopened": {"closed", "accepted"},
}
WHO_DOES = {"responded": "ana", "accepted": "rui"}


def brought(cast: Cast, state: str) -> Finding:
    row = raised(cast)
    for who, act in PATHS[state]:
        ACTS[act](cast, getattr(cast, who), row)
    row.refresh_from_db()
    assert row.state == state
    return row


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("act", ACTS)
def test_each_act_is_possible_from_the_states_of_the_contract_only(
    act: str, state: str, cast: Cast
) -> None:
    row = brought(cast, state)
    who = getattr(cast, WHO_DOES.get(act, "vera"))
    if state in POSSIBLE[act]:
        entry = ACTS[act](cast, who, row)
        row.refresh_from_db()
        assert row.state == ("open" if act == "reopened" else act)
        assert (entry.kind, entry.number) == (act, row.entries.count())
    else:
        with nothing_written(), pytest.raises(Conflict, match="this takes one that is"):
            ACTS[act](cast, who, row)


def test_mrm_04_the_whole_life_of_a_finding_stands_in_the_ledger(cast: Cast) -> None:
    row = brought(cast, "closed")
    ACTS["reopened"](cast, cast.rui, row)
    ACTS["accepted"](cast, cast.rui, row)
    kinds = [entry.kind for entry in findings.history(row)]
    assert kinds == ["raised", "responded", "retest_passed", "closed", "reopened", "accepted"]
    is_whole()


# Who is refused which act although the state allows it, and why.
REFUSED = [
    ("responded", "otto", NotFound, "review.read"),
    ("responded", "vera", Forbidden, "review.submit"),
    ("retest_passed", "ana", Forbidden, "finding.close"),
    ("retest_failed", "omar", Forbidden, "finding.close"),
    ("closed", "omar", Forbidden, "finding.close"),
    ("accepted", "vera", Forbidden, "review.sign.approver"),
    ("accepted", "omar", Forbidden, "review.sign.approver"),
    ("reopened", "ana", Forbidden, "finding.raise"),
]
READY = {
    "responded": "open",
    "retest_passed": "responded",
    "retest_failed": "responded",
    "closed": "retest_passed",
    "accepted": "open",
    "reopened": "closed",
}


@pytest.mark.parametrize(("act", "who", "error", "words"), REFUSED)
def test_the_wrong_role_is_refused(
    act: str, who: str, error: type[DomainError], words: str, cast: Cast
) -> None:
    row = brought(cast, READY[act])
    if error is NotFound:  # a stranger does not even find it
        with pytest.raises(NotFound):
            findings.get_finding(getattr(cast, who), row.pk)
        error = Forbidden
    with nothing_written(), pytest.raises(error, match=words):
        ACTS[act](cast, getattr(cast, who), row)


@pytest.mark.parametrize("act", ["retest_passed", "retest_failed", "closed", "accepted"])
def test_mrm_04_an_author_never_judges_whatever_her_roles(act: str, cast: Cast) -> None:
    for role in ("validator", "approver"):
        accounts.grant_role(factories.SYSTEM, role, factories.user_of(cast.ana))
    row = brought(cast, READY[act])
    with nothing_written(), pytest.raises(Forbidden, match="You made part of this version"):
        ACTS[act](cast, factories.again(cast.ana), row)


def test_mrm_04_an_author_may_answer_and_whoever_answered_does_not_judge(cast: Cast) -> None:
    row = raised(cast, owner_id=cast.rui.user_id)
    ACTS["responded"](cast, cast.rui, row)
    ACTS["responded"](cast, cast.ana, row)
    for act in ("retest_passed", "retest_failed"):
        with nothing_written(), pytest.raises(Forbidden, match="You answered this finding"):
            ACTS[act](cast, cast.rui, row)
    ACTS["retest_passed"](cast, cast.remo, row)


def test_whoever_raises_a_finding_may_judge_its_answer(cast: Cast) -> None:
    row = brought(cast, "closed")
    assert row.raised_by_id == cast.vera.user_id


def test_an_administrator_does_not_judge_even_with_a_signing_role(cast: Cast) -> None:
    both = factories.person("both", "validator", "administrator")
    row = brought(cast, "responded")
    with nothing_written(), pytest.raises(Forbidden, match="signs in no role"):
        ACTS["retest_passed"](cast, both, row)


def test_a_token_neither_raises_nor_judges(cast: Cast) -> None:
    row = brought(cast, "responded")
    token = as_actor(
        factories.user_of(cast.vera), door="api", scopes={"read", "tracking", "registry"}
    )
    with nothing_written(), pytest.raises(Forbidden, match="No token carries this right"):
        raised(cast, token)
    with nothing_written(), pytest.raises(Forbidden, match="No token carries this right"):
        ACTS["retest_passed"](cast, token, row)


def test_the_system_itself_judges_nothing(cast: Cast) -> None:
    row = brought(cast, "responded")
    with nothing_written(), pytest.raises(Forbidden, match="people"):
        services.retest(factories.SYSTEM, row, passed=True, text="by itself")


def test_a_role_revoked_meanwhile_does_not_count(cast: Cast) -> None:
    row = brought(cast, "responded")
    accounts.revoke_role(factories.SYSTEM, "validator", factories.user_of(cast.vera))
    with nothing_written(), pytest.raises(Forbidden, match=r"finding\.close"):
        ACTS["retest_passed"](cast, cast.vera, row)


@pytest.mark.parametrize(
    ("age", "of", "words"),
    [(301, "rui", "You confirmed who you are"), (0, "remo", "confirmed by somebody else")],
)
def test_a_risk_is_accepted_with_a_fresh_proof_of_ones_own_only(
    age: int, of: str, words: str, cast: Cast
) -> None:
    row, whose = raised(cast), getattr(cast, of)
    at = clock.now() - dt.timedelta(seconds=age)
    proof = ReauthProof(method="password", at=at, user_id=whose.user_id)
    with nothing_written(), pytest.raises(Forbidden, match=words):
        services.accept_risk(cast.rui, row, reason="small exposure", proof=proof)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"title": "two\nlines"}, "title"),
    ({"text": " \n "}, "text"),
    ({"text": "x" * 1_000_000}, "text"),
    ({"text": "a\x00b"}, "text"),
    ({"text": "half \ud800 a character"}, "text"),
    ({"severity": "catastrophic"}, "severity"),
    ({"severity": ""}, "severity"),
    ({"clause": "x" * 201}, "clause"),
    ({"reproduction": "javascript:alert(1)"}, "reproduction"),
    ({"reproduction": "data:text/html,x"}, "reproduction"),
    ({"reproduction": "//example.org"}, "reproduction"),
    ({"reproduction": "http://"}, "reproduction"),
    ({"reproduction": "https://[half"}, "reproduction"),
    ({"reproduction": 'https://example.org/"><script>'}, "reproduction"),
    ({"reproduction": "https://example.org/" + "x" * 2_000}, "reproduction"),
    ({"due": dt.date(2020, 1, 1)}, "due"),
    ({"due": dt.date(2999, 1, 1)}, "due"),
    ({"owner_id": 0}, "owner"),
]


@pytest.mark.parametrize(("changes", "field"), BAD)
def test_what_cannot_be_a_finding_is_refused_beside_its_field(
    changes: dict[str, Any], field: str, cast: Cast
) -> None:
    with nothing_written(), pytest.raises(Invalid) as refusal:
        raised(cast, **changes)
    assert set(refusal.value.fields) == {field}


def test_somebody_who_may_not_see_the_model_cannot_own_a_finding(cast: Cast) -> None:
    with nothing_written(), pytest.raises(Invalid) as refusal:
        raised(cast, owner_id=cast.otto.user_id)
    assert refusal.value.fields == {"owner": "Somebody who may see credit."}


def test_an_owner_of_no_other_right_may_answer(cast: Cast) -> None:
    reader = factories.person("reader", "viewer")
    row = raised(cast, owner_id=reader.user_id)
    ACTS["responded"](cast, reader, row)
    other = raised(cast)
    with nothing_written(), pytest.raises(Forbidden, match=r"review\.submit"):
        ACTS["responded"](cast, reader, other)


@pytest.mark.parametrize("who", ["ana", "omar", "otto"])
def test_a_finding_is_raised_by_those_with_the_right_only(who: str, cast: Cast) -> None:
    with nothing_written(), pytest.raises(Forbidden, match=r"finding\.raise"):
        raised(cast, getattr(cast, who))


def test_a_finding_belongs_to_an_open_review_of_its_own_version(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    row = services.raise_finding(cast.vera, cast.version, new(cast), review=review)
    assert row.review_id == review.pk
    other = factories.version(cast.ana, cast.model)
    with nothing_written(), pytest.raises(Conflict, match="is not about"):
        services.raise_finding(cast.vera, other, new(cast), review=review)
    services.withdraw(cast.ana, review, reason="no longer")
    with nothing_written(), pytest.raises(Conflict, match="withdrawn"):
        services.raise_finding(cast.vera, cast.version, new(cast), review=review)
    assert findings.open_findings(cast.version) == [row], "it lives on with the version"


BAD_EVIDENCE = [
    "javascript:alert(1)",
    "a word",
    "x" * 1_000_000,
    "00000000-0000-0000-0000-000000000000",
    "0" * 32,
    "ftp://example.org/x",
]


@pytest.mark.parametrize("given", BAD_EVIDENCE)
def test_evidence_that_is_not_there_or_no_evidence_is_refused(given: str, cast: Cast) -> None:
    row = brought(cast, "retest_passed")
    with nothing_written(), pytest.raises(Invalid) as refusal:
        services.close_finding(cast.vera, row, text="Done", evidence=given)
    assert set(refusal.value.fields) == {"evidence"}


def test_a_finding_is_not_closed_without_evidence(cast: Cast) -> None:
    row = brought(cast, "retest_passed")
    with nothing_written(), pytest.raises(Invalid) as refusal:
        services.close_finding(cast.vera, row, text="Done", evidence="  ")
    assert "closed with evidence" in refusal.value.fields["evidence"]


def test_a_run_that_one_may_see_is_evidence_and_another_is_not(cast: Cast) -> None:
    run = makers.run(cast.ana, makers.experiment(cast.ana, "again"))
    reader = factories.person("reader")
    accounts.grant_role(factories.SYSTEM, "viewer", factories.user_of(reader), on=cast.model)
    row = raised(cast, owner_id=reader.user_id)
    with nothing_written(), pytest.raises(Invalid):
        services.respond(factories.again(reader), row, text="there", evidence=run.run_id)
    entry = services.respond(cast.ana, row, text="there", evidence=run.run_id)
    assert (entry.evidence_kind, entry.evidence) == ("run", run.run_id)


@pytest.mark.parametrize("text", ["", "  ", "x" * 1_000_000, "a\x00b"])
@pytest.mark.parametrize("act", ["respond", "retest", "close", "accept", "reopen"])
def test_each_act_takes_words_that_can_be_kept(act: str, text: str, cast: Cast) -> None:
    row = raised(cast)
    acts: dict[str, Callable[[], object]] = {
        "respond": lambda: services.respond(cast.ana, row, text=text),
        "retest": lambda: services.retest(cast.vera, row, passed=True, text=text),
        "close": lambda: services.close_finding(cast.vera, row, text=text, evidence=LINK),
        "accept": lambda: services.accept_risk(
            cast.rui, row, reason=text, proof=factories.proof(cast.rui)
        ),
        "reopen": lambda: services.reopen(cast.vera, row, reason=text),
    }
    with nothing_written(), pytest.raises(Invalid):
        acts[act]()


def test_two_acts_at_once_are_one_of_the_two_orders(cast: Cast) -> None:
    for _ in range(10):
        row = brought(cast, "responded")
        passed = partial(services.retest, cast.vera, row, passed=True, text="held")
        failed = partial(services.retest, cast.rui, row, passed=False, text="no")
        answers = at_once(passed, failed)
        done = [answer for answer in answers if isinstance(answer, FindingEntry)]
        refused = [answer for answer in answers if isinstance(answer, Conflict)]
        assert (len(done), len(refused)) == (1, 1), answers
        row.refresh_from_db()
        assert row.state == done[0].kind


def test_findings_raised_at_once_have_numbers_of_their_own(cast: Cast) -> None:
    answers = at_once(*[partial(raised, cast)] * 8)
    assert sorted(row.number for row in answers if isinstance(row, Finding)) == list(range(1, 9))


def _gates(settings: Settings) -> None:
    settings.PROMOTION_GATES = [
        "apps.reviews.findings_gate.no_blocking_findings",
        "apps.reviews.gates.quorum_signed",
    ]


def test_a_blocking_finding_raised_after_signing_stops_the_promotion_and_voids_nothing(
    cast: Cast, settings: Settings
) -> None:
    _gates(settings)
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    row = raised(cast)
    sign(cast.rui, review)
    review = Review.objects.get(pk=review.pk)
    round_ = selectors.live_round(review)
    assert review.status == "signed"
    assert review.note == "Findings: F-1 (high, open) blocks the promotion."
    assert round_ is not None
    assert round_.decisions.count() == 2
    with pytest.raises(DomainError, match="F-1"):
        services.promote_signed(cast.ana, review)
    ACTS["accepted"](cast, cast.rui, row)
    assert services.promote_signed(cast.ana, review).status == "promoted"


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("blocking", [True, False])
def test_only_what_blocks_and_is_not_settled_fails_the_gate(
    state: str, blocking: bool, cast: Cast
) -> None:
    row = raised(cast, blocking=blocking)
    for who, act in PATHS[state]:
        ACTS[act](cast, getattr(cast, who), row)
    result = no_blocking_findings(cast.version, [PRODUCTION], {})
    assert result.passes == (not blocking or state in {"closed", "accepted"})
    open_ = findings.open_findings(cast.version)
    assert (row in open_) == (state not in {"closed", "accepted"})


def test_a_finding_racing_the_last_signature_is_one_of_the_two_orders(
    cast: Cast, settings: Settings
) -> None:
    _gates(settings)
    for trial in range(10):
        version = factories.version(cast.ana, cast.model)
        review = cast.submit(PRODUCTION, version=version)
        sign(cast.vera, review)
        found = partial(services.raise_finding, cast.vera, version, new(cast))
        answers = at_once(partial(sign, cast.rui, review), found)
        assert not [answer for answer in answers if isinstance(answer, DomainError)], trial
        review = Review.objects.get(pk=review.pk)
        entry = FindingEntry.objects.get(finding__version=version)
        last = review.decisions.order_by("-pk")[0]
        promoted = review.status == "promoted"
        assert promoted == (last.created_at < entry.created_at), f"trial {trial}"
        if promoted:
            registry.leave_target(
                cast.omar,
                version,
                target=PRODUCTION,
                reason="next trial",
                proof=factories.proof(cast.omar),
            )


def test_what_a_reader_may_do_is_what_the_services_let_her_do(cast: Cast) -> None:
    people = ("ana", "vera", "rui", "omar")
    for state in PATHS:
        for who in people:
            row, actor = brought(cast, state), getattr(cast, who)
            may = {kind.value for kind in findings.possible(actor, row).may}
            done = set()
            for act in ACTS:
                try:
                    with _undone():
                        ACTS[act](cast, actor, row)
                        done.add(act)
                        raise _Undo
                except (DomainError, _Undo):
                    continue
            assert may == done, (state, who)


class _Undo(Exception):
    """Ends a savepoint."""


def _undone() -> transaction.Atomic:
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # what Django's TestCase sets
    return block


def test_ageing_lists_ones_own_and_what_one_raised_overdue_first(cast: Cast) -> None:
    later = raised(cast)
    today = raised(cast, due=clock.now().date(), severity="low")
    settled = raised(cast)
    ACTS["accepted"](cast, cast.rui, settled)
    hers = findings.ageing(cast.ana)
    assert ([*hers.owned], [*hers.raised]) == ([today, later], [])
    veras = findings.ageing(cast.vera)
    assert ([*veras.owned], [*veras.raised]) == ([], [today, later])
    assert not findings.is_overdue(today)
    assert findings.is_overdue(replace_due(today, -1))


def replace_due(row: Finding, days: int) -> Finding:
    """The row as it would look that many days off."""
    row.due = clock.now().date() + dt.timedelta(days=days)
    return row


def test_ageing_shows_nothing_of_a_model_out_of_sight(cast: Cast) -> None:
    reader = factories.person("reader", "viewer")
    raised(cast, owner_id=reader.user_id)
    assert findings.ageing(reader).owned
    accounts.revoke_role(factories.SYSTEM, "viewer", factories.user_of(reader))
    assert not findings.ageing(factories.again(reader)).owned


FORGED = [
    "UPDATE reviews_finding SET severity = 'low'",
    "UPDATE reviews_finding SET blocking = false",
    "UPDATE reviews_finding SET state = 'closed'",
    "DELETE FROM reviews_finding",
    "UPDATE reviews_findingentry SET text = 'never said'",
    "DELETE FROM reviews_findingentry",
    "TRUNCATE reviews_findingentry",
]


@pytest.mark.parametrize("sql", FORGED)
def test_the_sites_own_role_cannot_change_what_was_found(
    sql: str, cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    raised(cast)
    with pytest.raises(psycopg.Error) as refusal:
        runtime_connection.execute(sql)
    assert refusal.value.sqlstate == "42501"
    is_whole()


def test_an_entry_by_an_author_or_without_an_event_is_refused_in_sql(cast: Cast) -> None:
    cast.submit(PRODUCTION)
    row = brought(cast, "responded")
    with pytest.raises(DatabaseError, match="is an author"):
        _insert(row, cast.ana, EntryKind.RETEST_PASSED)
    with pytest.raises(DatabaseError, match="not in the ledger"):
        _insert(row, cast.vera, EntryKind.RETEST_PASSED)
    with pytest.raises(DatabaseError, match="not possible"):
        _insert(row, cast.vera, EntryKind.CLOSED)
    is_whole()


def _insert(row: Finding, actor: Actor, kind: EntryKind) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reviews_findingentry (finding_id, number, kind, text, evidence_kind, evidence,"
            " user_id, role, method, statement, digest, created_at)"
            " VALUES (%s, %s, %s, 'forged', 'link', 'https://x.org', %s, '', '', 'forged',"
            " encode(sha256('forged'), 'hex'), now())",
            [row.pk, row.entries.count() + 1, kind.value, actor.user_id],
        )


TAMPERED: list[tuple[str, str]] = [
    ("UPDATE reviews_finding SET severity = 'low'", "is not what was raised"),
    ("UPDATE reviews_finding SET due = '2035-01-01'", "is not what was raised"),
    ("UPDATE reviews_finding SET state = 'closed'", "the table says closed, the ledger says open"),
    ("UPDATE reviews_findingentry SET text = 'x'", "its statement does not say what its row says"),
    ("UPDATE reviews_findingentry SET digest = repeat('0', 64)", "is not the one in the ledger"),
    ("DELETE FROM reviews_findingentry", "is in the ledger and not in the table"),
]


@pytest.mark.parametrize(("sql", "words"), TAMPERED)
def test_verify_ledger_names_a_row_that_the_owner_of_the_server_edited(
    sql: str, words: str, cast: Cast
) -> None:
    row = raised(cast)
    is_whole()
    with triggers_off("reviews_finding", "reviews_findingentry"), connection.cursor() as cursor:
        cursor.execute(sql)
    found = differences()
    assert words in found
    assert f"finding:{row.pk}" in found


def test_every_state_has_a_path_here() -> None:
    assert set(PATHS) == set(FindingState.values)
    assert {*ACTS, "raised"} == set(EntryKind.values)
