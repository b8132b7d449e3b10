"""Replay the ledger's events and compare them with the stored assessments, their signatures and notifications.

Compared: every row has its event and every event its row, with the same values; bytes hash to their digests; what was
signed is the score that the answers have by the formula. Not compared: whether the answers are true.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.core import canonical
from apps.core.errors import Tampered
from apps.impact import questionnaire as questionnaires
from apps.impact import revisions, scoring
from apps.impact.models import AssessmentRevision, AssessmentSignature, AuthorityNotification

Told = dict[int, Mapping[str, Any]]


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the assessments, each naming its model."""
    yield from _revisions()
    yield from _signatures()
    yield from _notifications()


def _told(event_type: str, key: str) -> Told:
    return {int(event.payload[key]): event.payload for event in replay(event_type)}


def _gone(told: Told, what: str) -> Iterator[Difference]:
    for payload in told.values():
        yield Difference(
            f"model:{payload['model']}",
            f"{what} of assessment {payload['number']} is in the ledger and not in the table",
        )


def _differing(
    subject: str, what: str, said: Mapping[str, Any] | None, now: Mapping[str, Any]
) -> Iterator[Difference]:
    if said is None:
        yield Difference(subject, f"{what} has no event")
        return
    for name, value in now.items():
        if said[name] != value:
            yield Difference(subject, f"{what}: {name} is {value}, the ledger says {said[name]}")


def _revisions() -> Iterator[Difference]:
    told = _told("impact.assessment.saved", "revision")
    for row in AssessmentRevision.objects.select_related("model").iterator(chunk_size=200):
        subject, what = f"model:{row.model_id}", f"impact assessment {row.number}"
        now = {
            "model": row.model_id,
            "number": row.number,
            "digest": row.digest,
            "questionnaire": row.questionnaire,
        }
        yield from _differing(subject, what, told.pop(row.pk, None), now)
        try:
            if revisions.verified(row) != row.content:
                yield Difference(subject, f"{what}: the copy for queries was changed")
        except Tampered as error:
            yield Difference(subject, error.message)
    yield from _gone(told, "a revision")


def _signatures() -> Iterator[Difference]:
    told = _told("impact.assessment.signed", "signature")
    rows = AssessmentSignature.objects.select_related("revision__model")
    for row in rows.iterator(chunk_size=200):
        subject, what = (
            f"model:{row.model_id}",
            f"the signature of assessment {row.revision.number}",
        )
        now = {
            "revision": row.revision_id,
            "total": row.total,
            "level": row.level,
            "tier": row.tier,
            "due_on": row.due_on.isoformat(),
            "statement_digest": row.statement_digest,
        }
        yield from _differing(subject, what, told.pop(row.pk, None), now)
        wrong = _wrong(row)
        if wrong:
            yield Difference(subject, f"{what}: {wrong}")
    yield from _gone(told, "a signature")


def _wrong(row: AssessmentSignature) -> str:
    """What of the signed statement does not fit, in a clause."""
    data = bytes(row.statement)
    if canonical.digest(data) != row.statement_digest:
        return "the statement is not what its digest says"
    said = json.loads(data)
    if said["digest"] != row.revision.digest or said["score"]["formula"] != row.formula:
        return "it is about another revision"
    try:
        asked = questionnaires.load(row.revision.questionnaire)
        found = scoring.score(asked, revisions.answers(row.revision))
    except Tampered as error:
        return error.message
    shown = (said["score"]["total"], said["score"]["level"], said["score"]["tier"])
    if row.formula == scoring.FORMULA and shown != (found.total, found.level, found.tier):
        return f"the answers make level {found.level} ({found.total}), {shown[1]} ({shown[0]}) was signed"
    return "" if shown == (row.total, row.level, row.tier) else "the row is not what was signed"


def _notifications() -> Iterator[Difference]:
    told = _told("impact.authority.notified", "notification")
    for row in AuthorityNotification.objects.select_related("signature__revision").iterator():
        now = {
            "revision": row.signature.revision_id,
            "authority": row.authority,
            "reference": row.reference,
            "notified_on": row.notified_on.isoformat(),
        }
        subject = f"model:{row.signature.model_id}"
        yield from _differing(subject, f"notification {row.pk}", told.pop(row.pk, None), now)
    yield from _gone(told, "a notification")
