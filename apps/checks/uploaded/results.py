"""Our own form of results as JSON, `results.v1.schema.json`: the schema that is published is the one that judges.

Beyond the schema: an interval's ends are in order, a metric stands there once, a time names its zone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from apps.checks.uploaded import moments, schemas
from apps.checks.uploaded.malformed import Malformed
from apps.checks.uploaded.reading import (
    COUNTED,
    LONGEST_MESSAGE,
    LONGEST_NAME,
    Format,
    Item,
    Metric,
    Outcome,
    Reading,
    Subject,
    clipped,
    outcome_of,
    shown,
)
from apps.checks.uploaded.strictjson import Document

READER: Final = "results/1"
TYPE: Final = "countersign.results.v1"
SCHEMA: Final = "results.v1"


def read(document: Document) -> Reading:
    """What the document says; raises Malformed with line and reason."""
    schemas.require(document, SCHEMA)
    said = document.value
    metrics = tuple(_metrics(document, said.get("metrics", ())))
    items = said.get("items", ())
    counts = Counter(item["outcome"] for item in items)
    counted = {key: counts[key] for key in COUNTED}
    first, left = shown(_items(document, items))
    return Reading(
        reader=READER,
        format=Format.RESULTS.value,
        outcome=_outcome(counted, metrics, judged=bool(items)).value,
        counts=counted,
        name=said["name"],
        tool=said["tool"],
        tool_version=said.get("tool_version", ""),
        ran_at=_ran_at(document, said),
        seconds=_seconds(items),
        items=first,
        items_left=left,
        metrics=metrics,
        subjects=tuple(_subjects(document, said.get("subjects", ()))),
    )


def _outcome(counts: Mapping[str, int], metrics: Sequence[Metric], *, judged: bool) -> Outcome:
    """The items and the metrics that carry a verdict decide; numbers alone are no verdict."""
    verdicts = [metric.passed for metric in metrics if metric.passed is not None]
    total = dict(counts)
    total["passed"] += sum(verdicts)
    total["failed"] += len(verdicts) - sum(verdicts)
    return outcome_of(total) if judged or verdicts else Outcome.UNJUDGED


def _metrics(document: Document, rows: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    known: set[str] = set()
    for number, row in enumerate(rows):
        interval, line = row.get("interval", {}), document.line(("metrics", number))
        if row["name"] in known:
            raise Malformed(f"the metric {clipped(row['name'], 60)!r} stands there twice", line)
        known.add(row["name"])
        if interval and interval["low"] > interval["high"]:
            raise Malformed("the interval's low end is above its high end", line)
        yield Metric(
            name=row["name"],
            value=written(row["value"]),
            unit=row.get("unit", ""),
            n=int(row["n"]) if "n" in row else None,
            low=written(interval["low"]) if interval else "",
            high=written(interval["high"]) if interval else "",
            level=written(interval["level"]) if interval else "",
            limit=row.get("limit", ""),
            passed=row.get("passed"),
        )


def _items(document: Document, rows: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    for number, row in enumerate(rows):
        if row["outcome"] != "passed":
            message = clipped(row.get("message", ""), LONGEST_MESSAGE)
            line = document.line(("items", number))
            yield Item(clipped(row["name"], LONGEST_NAME), row["outcome"], message, line)


def _subjects(document: Document, rows: Sequence[Mapping[str, Any]]) -> Iterator[Subject]:
    for number, row in enumerate(rows):
        line = document.line(("subjects", number))
        yield Subject(clipped(row.get("name", ""), LONGEST_NAME), row["sha256"], line)


def _ran_at(document: Document, said: Mapping[str, Any]) -> str:
    if "ran_at" not in said:
        return ""
    line = document.line(("ran_at",))
    found = moments.read(said["ran_at"], line)
    if found.assumed:
        raise Malformed("ran_at names no time zone", line)
    return found.at.isoformat()


def _seconds(rows: Sequence[Mapping[str, Any]]) -> str:
    timed = [row["seconds"] for row in rows if "seconds" in row]
    return written(sum(map(Decimal, timed), Decimal(0))) if timed else ""


def written(number: int | Decimal) -> str:
    """The digits as they were written."""
    return str(number)
