"""Gaps of a regression as a page reads them: the sentence, the errors of each group, the gaps, the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apps.checks.library.errorgaps import (
    METRICS,
    TITLES,
    ErrorGroup,
    ErrorGrouping,
    RegressionGapsResult,
)
from apps.checks.library.estimates import Estimate
from apps.checks.library.groupings import group_label
from apps.checks.numbers import CROSS, MISSING, grouped, listed, plural, shown
from apps.checks.shown.words import bar, counted, interval, percent
from apps.core.parts import Chart, Column, Missing, Part, Table, Text, cells

_OF_VALUES = ("mean_prediction", "mean_outcome")
_OF_ERRORS = ("mae", "rmse", "mean_error")


def parts(result: RegressionGapsResult) -> tuple[Part, ...]:
    """Every grouping that was measured; one that was refused is a visible gap with its reason."""
    found: list[Part] = [
        Text(_sentence(result)),
        Text(
            f"{counted(result.rows)} An error is prediction minus outcome: above 0 predictions are too high."
        ),
    ]
    for grouping in result.groupings:
        found += _grouping(grouping, percent(result.confidence))
    found += [
        Missing(f"{CROSS.join(entry.features)} was not measured: {entry.reason}.")
        for entry in result.refused
    ]
    return tuple(found)


def _sentence(result: RegressionGapsResult) -> str:
    """The grouping in which the errors are furthest apart, as a ratio: units do not matter there."""
    missed = [CROSS.join(entry.features) for entry in result.refused]
    rest = f"; {listed(missed)} {'was' if len(missed) == 1 else 'were'} not measured" if missed else ""  # fmt: skip
    n = f"n = {grouped(result.rows.counted)}{rest}."
    known = [g for g in result.groupings if g.gaps["mae_ratio"].value is not None]
    if not known:
        return f"No gap between groups is defined, {n}"
    first = min(known, key=lambda g: g.gaps["mae_ratio"].exact)
    difference, ratio = first.gaps["mae_difference"], first.gaps["mae_ratio"]
    return (
        f"Largest gap in mean absolute error: {_told(difference)}, a ratio of {_told(ratio)}, between the "
        f"{plural(len(first.groups), 'group')} of {first.label}, {n}"
    )


def _told(number: Estimate) -> str:
    return f"{shown(number.value)} ({interval(number)})" if number.low else shown(number.value)


def _grouping(grouping: ErrorGrouping, confidence: str) -> Iterator[Part]:
    groups = sorted(grouping.groups, key=lambda group: (-group.n, group.label))
    reference = group_label(grouping.reference)
    yield Text(
        f"{plural(len(groups), 'group')}; reference group: {reference} ({grouping.reference_is}).",
        heading=f"By {grouping.label}",
    )
    yield _chart(grouping, groups, "mae", confidence)
    yield _chart(grouping, groups, "mean_error", confidence)
    yield _errors(grouping, groups, confidence)
    yield Chart(
        f"Mean prediction and mean outcome by {grouping.label}, with {confidence} intervals",
        "mean, in units of the outcome",
        tuple(bar(g.label, g.metrics[key], METRICS[key]) for g in groups for key in _OF_VALUES),
        dots=True,
    )
    yield _values(grouping, groups, confidence)
    yield Chart(
        f"Differences between the groups of {grouping.label}, with {confidence} intervals",
        "largest minus smallest, in units of the outcome",
        tuple(bar(TITLES[k].removesuffix(" difference"), grouping.gaps[k]) for k in TITLES if k.endswith("_difference")),
        empty="there are fewer than two groups.",
    )  # fmt: skip
    yield _gaps(grouping, confidence)


def _chart(
    grouping: ErrorGrouping, groups: Sequence[ErrorGroup], key: str, confidence: str
) -> Chart:
    """A metric of each group, with that of the reference group across; for a signed error with 0 across."""
    reference = next(group for group in groups if group.values == grouping.reference)
    signed = key == "mean_error"
    return Chart(
        f"{METRICS[key]} by {grouping.label}, with {confidence} intervals",
        f"{METRICS[key].lower()}, in units of the outcome",
        tuple(bar(group.label, group.metrics[key]) for group in groups),
        limit="0" if signed else reference.metrics[key].value or "",
        limit_label="no error on average" if signed else f"the reference group, {reference.label}",
        neutral=True,
        dots=True,
    )


def _errors(grouping: ErrorGrouping, groups: Sequence[ErrorGroup], confidence: str) -> Table:
    head = (
        Column(grouping.label),
        Column("n", numeric=True),
        *(Column(METRICS[key], numeric=True) for key in _OF_ERRORS),
        Column("MAE against reference", numeric=True),
    )
    rows = tuple(
        cells(
            group.label,
            grouped(group.n),
            *(_told(group.metrics[key]) for key in _OF_ERRORS),
            _against(group, grouping, "mae"),
        )
        for group in groups
    )
    note = f"With {confidence} intervals; a number without one is of a single row, or of errors that are all the same."
    if grouping.empty_count:
        names = listed([group_label(values) for values in grouping.empty[:8]], 8)
        note += f" {grouped(grouping.empty_count)} combinations nobody is in: {names}."
    return Table(f"Errors by {grouping.label}", head, rows, note=note)


def _values(grouping: ErrorGrouping, groups: Sequence[ErrorGroup], confidence: str) -> Table:
    head = (
        Column(grouping.label),
        *(Column(METRICS[key], numeric=True) for key in _OF_VALUES),
        Column("Prediction against reference", numeric=True),
        Column("Outcome against reference", numeric=True),
    )
    rows = tuple(
        cells(
            group.label,
            *(_told(group.metrics[key]) for key in _OF_VALUES),
            *(_against(group, grouping, key) for key in _OF_VALUES),
        )
        for group in groups
    )
    note = f"With {confidence} intervals. Where outcomes differ as predictions do, the model repeats what is in the data."
    return Table(f"Predictions and outcomes by {grouping.label}", head, rows, note=note)


def _against(group: ErrorGroup, grouping: ErrorGrouping, key: str) -> str:
    """Signed, with a minus sign that is as wide as the plus."""
    if group.values == grouping.reference:
        return "reference"
    number = group.differences[key]
    if number.value is None:
        return MISSING
    value = shown(number.value)
    sign = "+" if float(value) > 0 else ""
    return f"{sign}{value} ({interval(number)})".replace("-", "\u2212")


def _gaps(grouping: ErrorGrouping, confidence: str) -> Table:
    head = (
        Column("Gap between groups"),
        Column("Value", numeric=True),
        Column(f"{confidence} from", numeric=True),
        Column("to", numeric=True),
        Column("Interval, or why there is none"),
    )
    rows = tuple(
        cells(
            title,
            shown(grouping.gaps[key].value),
            shown(grouping.gaps[key].low),
            shown(grouping.gaps[key].high),
            grouping.gaps[key].method or grouping.gaps[key].reason,
        )
        for key, title in TITLES.items()
    )
    note = "Over all groups shown, small ones too. A policy may leave small groups out."
    return Table(f"Gaps over {grouping.label}", head, rows, note=note)
