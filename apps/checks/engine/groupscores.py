"""The scores of each group as whole numbers: one pass, whatever the number of rows.

A score is counted in units of 2^-40 (an error below 5e-13), so the sums are exact whatever the order in which two
threads meet the rows, and those of two halves add up to those of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.checks.engine.counts import Outcomes
from apps.checks.engine.joint import MOST_CELLS
from apps.checks.engine.source import Source
from apps.checks.library.groups import UNIT
from apps.checks.numbers import grouped
from apps.checks.statistics import RowCount, ScoreCell, ScoresByGroup

MISSING = "score missing or not a number"
OUTSIDE = "scores outside 0 to 1 are no probabilities"


def group_scores(
    source: Source, outcomes: Outcomes, score: str, groupings: Sequence[tuple[str, ...]]
) -> tuple[tuple[ScoresByGroup, ...], RowCount | None, str]:
    """The scores by each grouping, how many rows they are, or in a sentence why there are none.

    Counted are rows with a known outcome and prediction. Raises Invalid where the score column holds no numbers.
    """
    names = tuple(dict.fromkeys(name for features in groupings for name in features))
    rows = _rows(source, outcomes, score, names)
    if len(rows) > MOST_CELLS:
        return (), None, f"more than {grouped(MOST_CELLS)} combinations of groups and scores"
    counted = missing = 0
    cells: list[ScoreCell] = []
    for *values, state, bin_, positives, count, total, squares in rows:
        if state == "outside":
            return (), None, OUTSIDE
        if state == "missing":
            missing += count
            continue
        counted += count
        cells.append(
            ScoreCell(
                tuple(values), int(bin_), int(count), int(positives), str(total), str(squares)
            )
        )
    excluded = {MISSING: missing} if missing else {}
    return (
        tuple(_by(features, names, cells) for features in groupings),
        RowCount(counted + missing, counted, excluded),
        "",
    )


def _by(
    features: tuple[str, ...], names: tuple[str, ...], cells: Sequence[ScoreCell]
) -> ScoresByGroup:
    places = [names.index(name) for name in features]
    return ScoresByGroup.of(
        features,
        (
            ScoreCell(
                tuple(cell.values[place] for place in places),
                cell.bin,
                cell.count,
                cell.positives,
                cell.total,
                cell.squares,
            )
            for cell in cells
        ),
    )


def _rows(
    source: Source, outcomes: Outcomes, score: str, names: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Grouped by the raw values first, so that a label is formed once per value and not per row."""
    cells = source.score_cells((*names, outcomes.target, outcomes.prediction), score, UNIT)
    target, prediction = f"r{len(names)}", f"r{len(names) + 1}"
    values = [source.text(name, f"r{place}") for place, name in enumerate(names)]
    named = ", ".join(f"{value} AS g{place}" for place, value in enumerate(values))
    positive = f"{source.text(outcomes.target, target)} = $positive"
    return source.fetch(
        f"SELECT {named}, state, bin, sum(CASE WHEN {positive} THEN n ELSE 0 END), sum(n), sum(total), sum(squares) "
        f"FROM {cells} WHERE {source.text(outcomes.target, target)} IS NOT NULL "
        f"AND {source.text(outcomes.prediction, prediction)} IS NOT NULL "
        f"GROUP BY {', '.join(f'g{place}' for place in range(len(names)))}, state, bin",
        most=MOST_CELLS + 1,
        positive=outcomes.labels.positive,
    )
