"""Disparities between groups: rates per group with intervals, gaps over the groups, the worst named."""

from __future__ import annotations

from collections.abc import Iterator

from apps.checks.library.estimates import Estimate
from apps.checks.library.groups import (
    RATES,
    TITLES,
    FairnessResult,
    Group,
    Grouping,
    group_label,
)
from apps.checks.numbers import CROSS, grouped, listed, plural, shown
from apps.checks.shown.words import bar, counted, interval
from apps.core.parts import Chart, Column, Missing, Part, Table, Text, cells
from apps.modelcards.card import Computed, Source
from apps.modelcards.computed import groupscores
from apps.modelcards.computed.performance import (
    ends,
    interval_title,
    resampled_ends,
    resampling_note,
)


def fairness(result: FairnessResult | None, source: Source | None, why_not: str) -> Computed:
    """Every grouping that was measured; one that was refused is a visible gap with its reason."""
    if result is None or source is None:
        return Computed((Missing(why_not),))
    favourable = result.labels.favourable
    parts: list[Part] = [
        Text(_sentence(result)),
        Text(
            f"{counted(result.rows)} Favourable means “{favourable}”; whoever is predicted to have it counts as selected."
        ),
    ]
    if result.scores_refused:
        parts.append(Missing(f"Scores were not measured by group: {result.scores_refused}."))
    for grouping in result.groupings:
        parts += _grouping(grouping, result)
    parts += [
        Missing(f"{CROSS.join(entry.features)} was not measured: {entry.reason}.")
        for entry in result.refused
    ]
    if result.cross_check:
        check = result.cross_check
        parts.append(
            Text(
                f"{check.compared} of these numbers were computed again with {check.library} {check.version}; "
                f"the largest difference is {float(check.largest_difference):.1g}."
            )
        )
    return Computed(tuple(parts), (source,))


def _sentence(result: FairnessResult) -> str:
    """The largest difference in selection, and what was not measured."""
    found = [
        (grouping, gap)
        for grouping in result.groupings
        if (gap := grouping.gaps["demographic_parity_difference"]).value is not None
    ]
    missed = [CROSS.join(entry.features) for entry in result.refused]
    rest = f"; {listed(missed)} {'was' if len(missed) == 1 else 'were'} not measured" if missed else ""  # fmt: skip
    if not found:
        return f"No difference in selection rates is defined, n = {grouped(result.rows.counted)}{rest}."
    grouping, gap = max(found, key=lambda pair: pair[1].exact)
    return (
        f"Largest difference in selection rates: {shown(gap.value)} ({interval(gap)}), between the "
        f"{plural(len(grouping.groups), 'group')} of {grouping.label}, n = {grouped(result.rows.counted)}{rest}."
    )


def _grouping(grouping: Grouping, result: FairnessResult) -> Iterator[Part]:
    yield Text(_headline(grouping), heading=f"By {grouping.label}")
    groups = sorted(grouping.groups, key=lambda group: (-group.n, group.label))
    confidence = interval_title(result.confidence)
    yield _selected_chart(grouping, groups, confidence)
    yield _selection(grouping, groups, confidence)
    yield _errors_chart(grouping, groups, confidence)
    yield _errors(grouping, groups, confidence)
    yield from groupscores.parts(grouping, groups, result.confidence)
    yield _gaps_chart(grouping, confidence)
    yield _gaps(grouping, result, confidence)


def _selected_chart(grouping: Grouping, groups: list[Group], confidence: str) -> Chart:
    """Each group's rate, with the rate of the reference group across."""
    reference = next(group for group in groups if group.values == grouping.reference)
    return Chart(
        f"Selection rate by {grouping.label}, with {confidence} intervals",
        "selection rate",
        tuple(bar(group.label, group.rates["selection_rate"]) for group in groups),
        limit=reference.rates["selection_rate"].value or "",
        limit_label=f"the reference group, {reference.label}",
        neutral=True,
        dots=True,
        empty="no group has a selection rate. The table says why.",
    )


def _errors_chart(grouping: Grouping, groups: list[Group], confidence: str) -> Chart:
    """Who is rightly and who is wrongly selected: the two rates of equalized odds."""
    rates = ("true_positive_rate", "false_positive_rate")
    return Chart(
        f"True and false positive rates by {grouping.label}, with {confidence} intervals",
        "rate",
        tuple(bar(group.label, group.rates[key], RATES[key]) for group in groups for key in rates),
        dots=True,
    )


def _gaps_chart(grouping: Grouping, confidence: str) -> Chart:
    """Differences only: a ratio is read the other way round."""
    keys = [key for key in TITLES if key in grouping.gaps and key.endswith("_difference")]
    return Chart(
        f"Differences between the groups of {grouping.label}, with {confidence} intervals",
        "largest minus smallest",
        tuple(bar(TITLES[key].removesuffix(" difference"), grouping.gaps[key]) for key in keys),
        empty="fewer than two groups have a rate. The table says why.",
    )


def _headline(grouping: Grouping) -> str:
    known = [group for group in grouping.groups if group.rates["selection_rate"].value is not None]
    if len(known) < 2:
        return "Fewer than two groups have a selection rate; there is nothing to compare."
    low = min(known, key=_selected)
    high = max(known, key=_selected)
    return (
        f"Lowest selection rate: {low.label}, {_with_interval(low)}; "
        f"highest: {high.label}, {_with_interval(high)}."
    )


def _selected(group: Group) -> tuple[float, str]:
    return float(group.rates["selection_rate"].exact), group.label


def _with_interval(group: Group) -> str:
    number = group.rates["selection_rate"]
    low, high = ends(number)
    return f"{shown(number.value)} ({low} to {high}, n = {grouped(group.n)})"


def _selection(grouping: Grouping, groups: list[Group], confidence: str) -> Table:
    """Who is selected how often, and by how much more or less than the reference."""
    head = (
        Column(grouping.label),
        Column("n", numeric=True),
        Column("Selection rate", numeric=True),
        Column(f"{confidence} interval", numeric=True),
        Column("Against reference", numeric=True),
        Column(f"{confidence} interval", numeric=True),
    )
    rows = tuple(
        cells(
            group.label,
            grouped(group.n),
            *_pair(group.rates["selection_rate"]),
            *_against(group, grouping),
        )
        for group in groups
    )
    note = (
        f"Against reference: selection rate minus that of {group_label(grouping.reference)} "
        f"({grouping.reference_is})."
    )
    if grouping.empty_count:
        names = listed([group_label(values) for values in grouping.empty[:8]], 8)
        note += f" {grouped(grouping.empty_count)} combinations nobody is in: {names}."
    return Table(f"Selection by {grouping.label}", head, rows, note=note)


_ERROR_RATES = (
    "true_positive_rate",
    "false_positive_rate",
    "positive_predictive_value",
    "accuracy",
)


def _errors(grouping: Grouping, groups: list[Group], confidence: str) -> Table:
    """How often each group is judged rightly and wrongly."""
    head = (Column(grouping.label), *(Column(RATES[key], numeric=True) for key in _ERROR_RATES))
    rows = tuple(
        cells(group.label, *(_in_one(group.rates[key]) for key in _ERROR_RATES)) for group in groups
    )
    note = (
        f"With {confidence} intervals. The false negative rate is 1 minus the true positive rate. "
        "A dash means not defined: the group has nobody whom the rate is about."
    )
    return Table(f"Errors by {grouping.label}", head, rows, note=note)


def _pair(number: Estimate) -> tuple[str, str]:
    if number.value is None:
        return "—", ""
    low, high = ends(number)
    return shown(number.value), f"{low}–{high}"


def _in_one(number: Estimate) -> str:
    value, ends_ = _pair(number)
    return f"{value} ({ends_})" if ends_ else value


def _against(group: Group, grouping: Grouping) -> tuple[str, str]:
    """Signed, with a minus sign that is as wide as the plus."""
    if group.values == grouping.reference:
        return "reference", ""
    number = group.differences.get("selection_rate")
    if number is None or number.value is None:
        return "—", ""
    low, high = ends(number)
    value = shown(number.value)
    sign = "+" if float(value) > 0 else ""
    return _minus(f"{sign}{value}"), _minus(f"{low} to {high}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _gaps(grouping: Grouping, result: FairnessResult, confidence: str) -> Table:
    head = (
        Column("Gap between groups"),
        Column("Value", numeric=True),
        Column(f"{confidence} from", numeric=True),
        Column("to", numeric=True),
        Column("Resampled", numeric=True),
        Column("Interval, or why there is none"),
    )
    rows = tuple(
        cells(
            title,
            shown(grouping.gaps[key].value),
            *ends(grouping.gaps[key]),
            resampled_ends(grouping.resampled.get(key)),
            grouping.gaps[key].method or grouping.gaps[key].reason,
        )
        for key, title in TITLES.items()
        if key in grouping.gaps
    )
    note = "Over all groups shown, small ones too. A policy may leave small groups out: see part B."
    if grouping.resampled:
        note += resampling_note(result.confidence, result.draws, result.seed)
    return Table(f"Gaps over {grouping.label}", head, rows, note=note)
