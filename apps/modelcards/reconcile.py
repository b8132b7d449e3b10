"""Replay the ledger's events and compare them with the stored card revisions.

Compared: every revision has its event and every event its revision, with the same version, number and
digest, and the stored bytes hash to that digest. The answer to somebody who edits the table or adds
a row by hand. Not compared: whether the prose is true.
"""

from __future__ import annotations

from collections.abc import Iterator

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.core.errors import Tampered
from apps.modelcards import layouts, revisions
from apps.modelcards.models import CardRevision, CardTemplateChoice, CardTemplateVersion


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the card revisions, templates and choices, each naming its row."""
    yield from _revisions()
    yield from _templates()
    yield from _choices()


def _revisions() -> Iterator[Difference]:
    recorded = {
        int(event.payload["revision"]): event.payload for event in replay("modelcards.card.saved")
    }
    for row in CardRevision.objects.select_related("version__model").iterator(chunk_size=200):
        yield from _compare(row, recorded.pop(row.pk, None))
    for payload in recorded.values():
        yield Difference(
            f"version:{payload['version']}",
            f"card revision {payload['number']} is in the ledger and not in the table",
        )


def _templates() -> Iterator[Difference]:
    recorded = {
        int(event.payload["template"]): event.payload
        for event in replay("modelcards.template.defined")
    }
    for row in CardTemplateVersion.objects.order_by("pk"):
        subject, said = f"cardtemplate:{row.key}", recorded.pop(row.pk, None)
        is_now = {"key": row.key, "number": row.number, "digest": row.digest}
        if said is None or any(said[name] != value for name, value in is_now.items()):
            yield Difference(subject, f"the card template {row} is not as the ledger tells it")
        try:
            layouts.read(row)
        except Tampered as error:
            yield Difference(subject, error.message)
    for payload in recorded.values():
        name = f"{payload['key']}/{payload['number']}"
        message = f"the card template {name} is in the ledger and not in the table"
        yield Difference(f"cardtemplate:{payload['key']}", message)


def _choices() -> Iterator[Difference]:
    recorded = {
        int(event.payload["choice"]): event.payload
        for event in replay("modelcards.template.chosen")
    }
    for row in CardTemplateChoice.objects.order_by("pk"):
        said = recorded.pop(row.pk, None)
        is_now = {"model": row.model_id, "key": row.key, "reason": row.reason}
        if said is None or any(said[name] != value for name, value in is_now.items()):
            message = f"choice {row.pk} of a card template is not as the ledger tells it"
            yield Difference(f"model:{row.model_id}", message)
    for payload in recorded.values():
        message = f"choice {payload['choice']} of a card template is not in the table"
        yield Difference(f"model:{payload['model']}", message)


def _compare(row: CardRevision, said: dict[str, object] | None) -> Iterator[Difference]:
    subject = f"version:{row.version_id}"
    if said is None:
        yield Difference(subject, f"card revision {row.number} has no event")
        return
    for name, is_now in (
        ("version", row.version_id),
        ("number", row.number),
        ("digest", row.digest),
    ):
        if said[name] != is_now:
            message = (
                f"card revision {row.number}: {name} is {is_now}, the ledger says {said[name]}"
            )
            yield Difference(subject, message)
    try:
        document = revisions.verified(row)
    except Tampered as error:
        yield Difference(subject, error.message)
        return
    if document != row.content:
        yield Difference(subject, f"card revision {row.number}: the copy for queries was changed")
