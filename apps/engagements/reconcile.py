"""Compare engagements and their papers with the ledger's events.

Compared: every engagement, end, sample (with what was drawn), conclusion, note and finding has its event, which says the same, and no
event lacks its row; conclusions and notes are what their digests say. Not compared: the auditors' access, which accounts compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.engagements import services
from apps.engagements.models import (
    Conclusion,
    Engagement,
    EngagementEnd,
    EngagementFinding,
    Note,
    Sample,
)

Told = dict[Any, Any]


def differences() -> Iterator[Difference]:
    """Every difference, each naming its row."""
    yield from _compare("engagement", _opened(), _told("engagement.opened", _as_opened))
    yield from _compare(
        "end of engagement",
        _ended(),
        _told("engagement.ended", lambda p: (p["engagement"], p["how"])),
    )
    yield from _compare("sample", _samples(), _told("sample.drawn", _as_drawn))
    yield from _compare(
        "conclusion",
        _conclusions(),
        _told("conclusion.recorded", lambda p: (p["conclusion"], p["digest"])),
    )
    yield from _compare("note", _notes(), _told("note.written", lambda p: (p["note"], p["digest"])))
    yield from _compare(
        "finding", _findings(), _told("finding.raised", lambda p: (p["finding"], p["engagement"]))
    )


def _told(kind: str, read: Any) -> Told:
    return dict(read(event.payload) for event in replay(f"engagements.{kind}"))


def _compare(what: str, rows: Iterable[tuple[Any, Any]], told: Told) -> Iterator[Difference]:
    for key, said in rows:
        if key not in told:
            yield Difference(f"{what}:{key}", "is there, and the ledger does not tell of it")
        elif told.pop(key) != said:
            yield Difference(f"{what}:{key}", "is not what the ledger tells of it")
    for key in told:
        yield Difference(f"{what}:{key}", "is gone, the ledger tells of it")


def _opened() -> Iterator[tuple[Any, Any]]:
    rows = Engagement.objects.prefetch_related("scoped", "assigned").order_by("pk")
    for row in rows:
        models = sorted(each.model_id for each in row.scoped.all())
        people = sorted(each.user_id for each in row.assigned.all())
        days = tuple(day.isoformat() for day in (row.period_from, row.period_to, row.ends_on))
        yield str(row.uuid), (row.title, row.framework, row.framework_digest, days, models, people)


def _as_opened(p: dict[str, Any]) -> tuple[Any, Any]:
    days = (p["period_from"], p["period_to"], p["ends_on"])
    said = (
        p["title"],
        p["framework"],
        p["framework_digest"],
        days,
        sorted(p["models"]),
        sorted(p["auditors"]),
    )
    return p["engagement"], said


def _ended() -> Iterator[tuple[Any, Any]]:
    for uuid, how in EngagementEnd.objects.values_list("engagement__uuid", "how"):
        yield str(uuid), how


def _samples() -> Iterator[tuple[Any, Any]]:
    for row in Sample.objects.order_by("pk"):
        drawn = list(
            row.items.order_by("position").values_list("decision__statement_digest", flat=True)
        )
        yield str(row.uuid), (row.seed, row.rule, row.population, row.population_digest, drawn)


def _as_drawn(p: dict[str, Any]) -> tuple[Any, Any]:
    said = (p["seed"], p["rule"], p["population"], p["population_digest"], list(p["decisions"]))
    return p["sample"], said


def _conclusions() -> Iterator[tuple[Any, Any]]:
    rows = Conclusion.objects.select_related("author", "item__sample", "item__decision")
    for row in rows.order_by("pk").iterator(chunk_size=500):
        yield row.pk, services.digest_of_conclusion(row)


def _notes() -> Iterator[tuple[Any, Any]]:
    rows = Note.objects.select_related("author", "engagement", "item__sample").order_by("pk")
    for row in rows.iterator(chunk_size=500):
        yield row.pk, services.digest_of_note(row)


def _findings() -> Iterator[tuple[Any, Any]]:
    for finding, uuid in EngagementFinding.objects.values_list("finding_id", "engagement__uuid"):
        yield finding, str(uuid)
