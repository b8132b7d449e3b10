"""Which group comes off worst, measure by measure, over single factors and crossed ones.

Worst is lowest for selection, true positives, precision and accuracy, highest for errors (false positives and
negatives): worse for whoever is in the group, where the favourable outcome is what people want. A group whose rate is
not defined is not ranked, and neither are rows of unknown group.
"""

from __future__ import annotations

from collections.abc import Iterator

from apps.checks.library.estimates import Estimate
from apps.checks.library.groups import RATES, FairnessResult, Group, Grouping
from apps.checks.numbers import grouped, shown
from apps.checks.shown.words import interval
from apps.core.parts import Cell, Column, Missing, Part, Table, cells
from apps.modelcards.card import Computed, Source

_HIGH_IS_WORSE = {"false_positive_rate", "false_negative_rate"}


def worst_groups(result: FairnessResult | None, source: Source | None, why_not: str) -> Computed:
    """One table a grouping, the crossed ones after the single."""
    if result is None or source is None:
        return Computed((Missing(why_not),))
    ordered = sorted(result.groupings, key=lambda grouping: len(grouping.features))
    parts: list[Part] = [_table(grouping) for grouping in ordered]
    parts += [
        Missing(f"{' × '.join(each.features)} was not measured: {each.reason}.")
        for each in result.refused
    ]
    return Computed(tuple(parts) or (Missing(why_not),), (source,))


def _table(grouping: Grouping) -> Table:
    head = (
        Column("Measure"),
        Column("Worst group"),
        Column("Its rate", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Best group's", numeric=True),
        Column("Rows", numeric=True),
    )
    crossed = "crossed factors" if len(grouping.features) > 1 else "one factor"
    return Table(f"By {grouping.label} ({crossed})", head, tuple(_rows(grouping)))


def _rows(grouping: Grouping) -> Iterator[tuple[Cell, ...]]:
    for key, title in RATES.items():
        ranked = _ranked(grouping, key)
        if not ranked:
            yield cells(title, "not defined for any group", "—", "—", "—", "—")
            continue
        worst, best = ranked[0], ranked[-1]
        rate = worst.rates[key]
        yield cells(
            title,
            worst.label,
            shown(rate.value),
            interval(rate),
            shown(best.rates[key].value),
            grouped(worst.n),
        )


def _ranked(grouping: Grouping, key: str) -> list[Group]:
    """The worst first; of two that are equal the larger group."""
    groups = [each for each in grouping.groups if each.known and _defined(each.rates.get(key))]
    sign = -1 if key in _HIGH_IS_WORSE else 1
    return sorted(groups, key=lambda each: (sign * each.rates[key].exact, -each.n, each.label))


def _defined(rate: Estimate | None) -> bool:
    return rate is not None and rate.value is not None
