"""From an event of the ledger to notices. Run twice it makes them once: the constraints say so."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import quote

from django.db import transaction

from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.notices import recipients
from apps.notices.kinds import KINDS, Kind
from apps.notices.models import Notice
from apps.notices.recipients import Happened
from apps.notices.services import mailing
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import policy_notices
from apps.reviews import selectors as reviews
from apps.reviews.models import Review

LONGEST_PART = 500
DUE = ("reviews.review.due", "reviews.review.overdue")


def make_for(event_seq: int) -> None:
    """Tell everybody whom this event concerns; who was told already is not told again.

    Refuses (NotFound) an event that the ledger does not have.
    """
    event = audits.event(event_seq)
    happened = Happened(event, _review(event))
    with transaction.atomic():
        for kind in KINDS:
            if kind.concerns(event.type, event.payload):
                _tell(kind, happened)
        mailing.queue_for(event_seq)


def _tell(kind: Kind, happened: Happened) -> None:
    event, told = happened.event, parts(happened)
    rows = [
        Notice(
            recipient_id=person,
            kind=kind.key,
            event_seq=event.seq,
            once=_once(kind, event),
            subject=event.subject,
            scopes=event.scopes,
            caused_by_id=event.actor_id,
            parts=told,
        )
        for person in sorted(recipients.of(kind, happened))
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def parts(happened: Happened) -> dict[str, Any]:
    """What the words of a notice may be made of: plain fields of the event, and names as they are now."""
    personal = happened.event.commitments
    found: dict[str, Any] = {
        name: _plain(value)
        for name, value in happened.event.payload.items()
        if name not in personal
    }
    if "due" in found and happened.event.type in DUE:
        found |= _day_and_time(str(found["due"]))
    if happened.event.type.startswith("reviews.policy."):
        change = policy_notices.find(happened.event.payload.get("change"))
        told = policy_notices.told(change) if change else {}
        found |= {name: _plain(text) for name, text in told.items()}
    review = happened.review
    if review is None:
        found |= _names(happened.event)
    else:
        found |= {
            "review": review.key,
            "review_id": review.pk,
            "model": review.version.model.name,
            "version": review.version.number,
            "targets": ", ".join(Target.parse(text).label for text in review.targets),
        }
    return found


def _names(event: EventView) -> dict[str, Any]:
    """What the registry calls the model and version that an event names by their ids."""
    model = RegisteredModel.objects.filter(pk=event.payload.get("model", 0)).first()
    if model is None or not event.type.startswith(("registry.", "checks.", "impact.")):
        return {}
    found: dict[str, Any] = {"model": model.name, "model_path": quote(model.name, safe="")}
    version = ModelVersion.objects.filter(pk=event.payload.get("version", 0)).first()
    return found if version is None else found | {"version": version.number}


def _day_and_time(moment: str) -> dict[str, str]:
    """ "24 Nov 2026" and "17:05" of a moment as events write it, which is in UTC."""
    at = dt.datetime.fromisoformat(moment)
    return {"due_day": f"{at:%d %b %Y}", "due_time": f"{at:%H:%M}"}


def _plain(value: object) -> str | int | None:
    """A value as part of a sentence: lists in a row, nothing longer than a paragraph."""
    if value is None or isinstance(value, int):
        return value
    text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= LONGEST_PART else text[: LONGEST_PART - 1] + "…"


def _once(kind: Kind, event: EventView) -> str:
    return f"round:{event.payload['round']}" if kind.once == "round" else f"event:{event.seq}"


def _review(event: EventView) -> Review | None:
    number = event.payload.get("review")
    return reviews.find_review(number) if isinstance(number, int) else None
