"""A signature says with how many open findings it was given, and is about those that its giver was shown."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from apps.core import clock
from apps.core.errors import Conflict
from apps.reviews import selectors, services
from apps.reviews.models import Decision, Finding, Outcome, Review
from apps.reviews.reads import findings, inbox
from apps.reviews.reads.inbox import InboxRow
from tests import factories
from tests.reviews.conftest import Cast
from tests.reviews.test_findings import raised
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)


def decide(cast: Cast, review: Review, outcome: str = "approve", shown: str = "") -> Decision:
    live = selectors.live_round(review)
    assert live is not None
    return services.decide(
        cast.vera,
        review,
        outcome=outcome,
        evidence_digest=live.digest,
        comment="looked at all of it",
        proof=factories.proof(cast.vera),
        no_conflict=True,
        findings_shown=shown,
    )


def standing(cast: Cast) -> findings.Open:
    return findings.counted(findings.open_findings(cast.version))


@pytest.mark.parametrize(
    ("blocking", "said"),
    [
        ([], "approved"),
        ([False], "approved with 1 open non-blocking finding"),
        ([False, False], "approved with 2 open non-blocking findings"),
        ([True], "approved with 1 open blocking finding"),
        ([False, True, True], "approved with 1 open non-blocking and 2 blocking findings"),
    ],
)
def test_an_approval_counts_what_is_open(cast: Cast, blocking: list[bool], said: str) -> None:
    review = cast.submit()
    rows = [raised(cast, blocking=each) for each in blocking]
    made = decide(cast, review, shown=standing(cast).digest)
    statement = json.loads(bytes(made.statement))
    assert made.meaning == statement["meaning"] == said
    assert statement["open_findings"] == [row.key for row in rows]


def test_what_is_settled_is_not_counted_and_a_rejection_needs_no_count(cast: Cast) -> None:
    review = cast.submit()
    row = raised(cast, blocking=False)
    services.accept_risk(cast.rui, row, reason="small", proof=factories.proof(cast.rui))
    assert standing(cast).sentence == "no open finding"
    raised(cast, blocking=False)
    assert decide(cast, review, "reject").meaning == "rejected"


@pytest.mark.parametrize("change", ["raised", "settled"])
def test_findings_other_than_those_shown_are_a_conflict(cast: Cast, change: str) -> None:
    review = cast.submit()
    row: Finding = raised(cast, blocking=False)
    shown = standing(cast).digest
    if change == "raised":
        raised(cast, blocking=False)
    else:
        services.accept_risk(cast.rui, row, reason="small", proof=factories.proof(cast.rui))
    with nothing_written(), pytest.raises(Conflict, match="findings changed while you read"):
        decide(cast, review, shown=shown)
    assert decide(cast, review, shown=standing(cast).digest).pk


def test_the_longest_meaning_fits_its_column() -> None:
    keys = tuple(f"F-{n}" for n in range(1998))
    said = findings.Open(keys, 999, "").meaning(Outcome.APPROVE)
    assert len(said) <= Decision._meta.get_field("meaning").max_length  # type: ignore[operator]


def test_the_inbox_is_in_the_order_of_due_dates_then_of_risk(cast: Cast) -> None:
    high, low = cast.submit(), cast.submit(version=factories.version(cast.ana, cast.model))
    low.version.model.risk_tier = 3
    soon = clock.now() + dt.timedelta(days=1)
    rows = [
        InboxRow(low, "sign", 0, 2),
        InboxRow(high, "sign", 0, 2),
        InboxRow(low, "sign", 0, 2, soon + dt.timedelta(days=1)),
        InboxRow(low, "sign", 0, 2, soon),
        InboxRow(high, "sign", 0, 2, soon),
    ]
    assert sorted(rows, key=inbox._urgency) == [rows[4], rows[3], rows[2], rows[1], rows[0]]
