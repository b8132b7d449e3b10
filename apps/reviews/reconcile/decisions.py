"""Compare decisions, rounds and reviews with the ledger's events (invariant 5).

Names: a decision whose envelope is missing, is not that of the event, or does not verify; a decision without its event, with another statement than the event's, made by another user, or
whose statement is not about its round; a round whose manifest changed; a status the events do not tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from apps.audits import keys
from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.core import canonical
from apps.core.errors import Tampered
from apps.reviews import envelopes
from apps.reviews.models import Decision, DecisionEnvelope, Review, Round

_STATUS = {
    "reviews.review.submitted": "open",
    "reviews.review.changes_requested": "changes_requested",
    "reviews.review.signed": "signed",
    "reviews.review.reopened": "open",
    "reviews.review.expired": "expired",
    "reviews.round.voided": "open",
    "reviews.round.made": "open",
}


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the rows of reviews, each naming its row."""
    decided: dict[int, tuple[int | None, str, str, int]] = {}
    made: dict[int, str] = {}
    sealed: dict[int, str] = {}
    voided: set[int] = set()
    status: dict[int, str] = {}
    for event in replay(*_STATUS, "reviews.decision.recorded", "reviews.review.closed"):
        payload = event.payload
        if event.type == "reviews.decision.recorded":
            sealed[int(payload["decision"])] = str(payload.get("envelope", ""))
            decided[int(payload["decision"])] = (
                event.actor_id,
                str(payload["statement_digest"]),
                str(payload["evidence_digest"]),
                int(payload["round"]),
            )
        elif event.type == "reviews.round.made":
            made[int(payload["round"])] = str(payload["digest"])
        elif event.type == "reviews.round.voided":
            voided.add(int(payload["round"]))
        review = int(payload["review"])
        status[review] = str(payload.get("status") or _STATUS.get(event.type) or status.get(review))
    yield from _decisions(decided)
    yield from _envelopes(sealed)
    yield from _rounds(made, voided)
    yield from _reviews(status)


def _decisions(told: dict[int, tuple[int | None, str, str, int]]) -> Iterator[Difference]:
    for row in Decision.objects.select_related("round", "on_behalf_of").iterator():
        subject = f"review:{row.review_id}"
        said = told.pop(row.pk, None)
        shown = (row.user_id, row.statement_digest, row.evidence_digest, row.round_id)
        if said is None:
            yield Difference(subject, f"decision {row.pk} has no event in the ledger")
        elif said != shown:
            yield Difference(
                subject, f"decision {row.pk}: the table says {shown}, the ledger says {said}"
            )
        if not _statement_fits(row):
            yield Difference(
                subject, f"decision {row.pk}: its statement is not about this decision"
            )
    for pk in told:
        yield Difference(f"decision:{pk}", f"decision {pk} is in the ledger and not in the table")


def _envelopes(told: dict[int, str]) -> Iterator[Difference]:
    """What the events say of envelopes; decisions of before there were keys have none (schema 2)."""
    known = keys.public_keys()
    rows = DecisionEnvelope.objects.select_related("decision__review__version")
    for row in rows.iterator():
        subject = f"review:{row.decision.review_id}"
        said = told.pop(row.decision_id, "")
        if said != canonical.digest(bytes(row.data)) or said != row.digest:
            yield Difference(
                subject, f"decision {row.decision_id}: its envelope is not the one in the ledger"
            )
            continue
        try:
            envelopes.verified(row, known)
        except Tampered as error:
            yield Difference(subject, f"decision {row.decision_id}: {error.message}")
    for pk, digest in told.items():
        if digest:
            yield Difference(f"decision:{pk}", f"decision {pk}: its envelope is gone")


def _statement_fits(row: Decision) -> bool:
    data = bytes(row.statement)
    if canonical.digest(data) != row.statement_digest:
        return False
    statement = json.loads(data)
    return (
        statement["review"],
        statement["round"],
        statement["evidence_digest"],
        statement["outcome"],
        statement["comment"],
        statement["step"],
        statement["role"],
        statement.get("on_behalf_of"),
        statement.get("delegation"),
    ) == (
        row.review_id,
        row.round.number,
        row.evidence_digest,
        row.outcome,
        row.comment,
        row.step,
        row.role,
        str(row.on_behalf_of.uuid) if row.on_behalf_of else None,
        row.delegation_id,
    )


def _rounds(told: dict[int, str], voided: set[int]) -> Iterator[Difference]:
    for row in Round.objects.iterator():
        subject = f"review:{row.review_id}"
        said = told.pop(row.pk, None)
        if said != row.digest or canonical.digest(bytes(row.manifest)) != row.digest:
            yield Difference(subject, f"round {row.pk}: its manifest is not the one in the ledger")
        if (row.pk in voided) == row.is_live:
            yield Difference(subject, f"round {row.pk}: void in one of table and ledger only")
    for pk in told:
        yield Difference(f"round:{pk}", f"round {pk} is in the ledger and not in the table")


def _reviews(told: dict[int, str]) -> Iterator[Difference]:
    for pk, status in Review.objects.values_list("pk", "status"):
        said = told.pop(pk, None)
        if said != status:
            yield Difference(
                f"review:{pk}", f"REV-{pk}: the table says {status}, the ledger says {said}"
            )
    for pk in told:
        yield Difference(f"review:{pk}", f"REV-{pk} is in the ledger and not in the table")
