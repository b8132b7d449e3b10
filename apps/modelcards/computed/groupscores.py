"""What the scores say of each group: their mean, and whether they promise what happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apps.checks.library import intervals
from apps.checks.library.estimates import rate
from apps.checks.library.groups import Group, Grouping, GroupScores
from apps.checks.numbers import MISSING, grouped, shown
from apps.checks.shown.words import bar, interval, percent
from apps.core.canonical import decimal
from apps.core.parts import Chart, Column, Curve, Line, Part, Point, Table, cells

MOST = 5

Scored = tuple[Group, GroupScores]


def parts(grouping: Grouping, groups: Sequence[Group], confidence: str) -> Iterator[Part]:
    """Pictures and tables where scores were counted; else nothing."""
    scored = [(group, group.scores) for group in groups if group.scores is not None]
    if not scored:
        return
    yield Chart(
        f"Mean score by {grouping.label}, with {percent(confidence)} intervals",
        "mean score",
        tuple(bar(group.label, scores.mean) for group, scores in scored),
        dots=True,
        empty="no group has rows with a score.",
    )
    yield _table(grouping, scored, confidence)
    largest = [pair for pair in scored if pair[1].bins][:MOST]
    if largest:
        left = len(scored) - len(largest)
        yield _curve(grouping, largest)
        yield _calibration(grouping, largest, confidence, left)


def _table(grouping: Grouping, scored: Sequence[Scored], confidence: str) -> Table:
    head = (
        Column(grouping.label),
        Column("Rows with a score", numeric=True),
        Column("Mean score", numeric=True),
        Column(f"{percent(confidence)} interval", numeric=True),
        Column("Calibration error", numeric=True),
    )
    rows = tuple(
        cells(
            group.label,
            grouped(scores.n),
            shown(scores.mean.value),
            interval(scores.mean),
            shown(scores.calibration_error) if scores.calibration_error else MISSING,
        )
        for group, scores in scored
    )
    note = (
        "Calibration error: how far, over ten bins of the score, what was promised is from what happened, "
        "weighted by rows."
    )
    return Table(f"Scores by {grouping.label}", head, rows, note=note)


def _curve(grouping: Grouping, scored: Sequence[Scored]) -> Curve:
    lines = tuple(
        Line(
            group.label,
            tuple(
                Point(mean, decimal(positives / count)) for count, positives, mean in scores.bins
            ),
        )
        for group, scores in scored
    )
    return Curve(
        f"Calibration by {grouping.label}",
        "mean score",
        "observed rate",
        lines,
        form="points",
        unit=True,
        diagonal=True,
    )


def _calibration(grouping: Grouping, scored: Sequence[Scored], confidence: str, left: int) -> Table:
    z = intervals.z_of(float(confidence))
    head = (
        Column(grouping.label),
        Column("Rows", numeric=True),
        Column("Mean score", numeric=True),
        Column("Observed rate", numeric=True),
        Column(f"{percent(confidence)} interval", numeric=True),
    )
    rows = []
    for group, scores in scored:
        for count, positives, mean in scores.bins:
            observed = rate(positives, count, z, of="rows in this bin")
            rows.append(
                cells(
                    group.label,
                    grouped(count),
                    shown(mean),
                    shown(observed.value),
                    interval(observed),
                )
            )
    note = "The bins of the score, a tenth each, that hold rows."
    if left:
        note += f" The {len(scored)} largest groups; the download has the other {grouped(left)}."
    return Table(f"Calibration by {grouping.label}, in numbers", head, tuple(rows), note=note)
