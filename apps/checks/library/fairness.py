"""Group fairness of decisions. Pure: count tables in, result out; result and limits in, assessment out.

Steps of `measure`, for each grouping: 1 counts per group, unknown being a group, 2 rates with Wilson's
interval, 3 signed differences to a reference group, 4 gaps over all groups as Fairlearn defines them.
`assess` takes the gaps over the groups that are large enough. Everything is said about the favourable
outcome, which somebody declared. A rate without denominator is null and never passes.

Not said: that a model is "fair" or "unbiased". What was measured shows a disparity above a limit, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from apps.checks.library import bootstrap, intervals
from apps.checks.library.estimates import Estimate, difference, undefined
from apps.checks.library.groupings import MOST_EMPTY, empty_cells, reference_of
from apps.checks.library.groups import (
    RATES,
    TITLES,
    FairnessResult,
    Group,
    Grouping,
    gaps,
    groups_of,
    with_scores,
)
from apps.checks.library.judging import Assessment, Row, Subject, conclude, judged, left_out
from apps.checks.limits import FairnessLimits
from apps.checks.numbers import CROSS, grouped, listed, plural, shown
from apps.checks.statistics import Contingency, FairnessStatistics, ScoresByGroup
from apps.checks.verdicts import Verdict

NAMED = 5


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may choose: which crossings of the declared columns (none: all of them crossed), a
    reference group per column (none: the largest), the confidence, how many resamples are drawn of the counts (0: none)
    and from which seed. Every declared column is measured."""

    crossings: tuple[tuple[str, ...], ...] = ()
    reference: dict[str, str] = {}
    confidence: str = "0.95"
    draws: int = 1000
    seed: int = 1


def measure(statistics: FairnessStatistics, params: Params) -> FairnessResult:
    """The same statistics and parameters give the same result. Refuses a table that lost rows, and a
    declared reference group that does not occur."""
    z = intervals.z_of(float(params.confidence))
    for table in statistics.tables:
        if table.total != statistics.rows.counted:
            raise ValueError(
                f"{table.features}: {table.total} rows, {statistics.rows.counted} expected"
            )
    return FairnessResult(
        rows=statistics.rows,
        labels=statistics.labels,
        confidence=params.confidence,
        groupings=tuple(
            _grouping(table, statistics.scores_of(table.features), params, z)
            for table in statistics.tables
        ),
        refused=statistics.refused,
        draws=params.draws,
        seed=params.seed,
        score_rows=statistics.score_rows,
        scores_refused=statistics.scores_refused,
    )


def _grouping(
    table: Contingency, scores: ScoresByGroup | None, params: Params, z: float
) -> Grouping:
    groups = with_scores(groups_of(table, z), scores, z)
    reference, how = reference_of(table.features, groups, params.reference)
    groups = [_against(group, reference, z) for group in groups]
    empty = empty_cells(table.features, groups)
    return Grouping(
        features=table.features,
        reference=reference.values,
        reference_is=how,
        groups=tuple(groups),
        gaps=gaps(groups, z),
        empty=tuple(empty[:MOST_EMPTY]),
        empty_count=len(empty),
        resampled=bootstrap.resampled(
            groups, draws=params.draws, seed=params.seed, confidence=float(params.confidence)
        ),
    )


def _against(group: Group, reference: Group, z: float) -> Group:
    """Step 3: group minus reference; the reference has none."""
    if group.values == reference.values:
        return group
    return msgspec.structs.replace(
        group,
        differences={key: difference(group.rates[key], reference.rates[key], z) for key in RATES},
    )


# Which rates a gap is made of: one that is not defined in a judged group makes the gap INSUFFICIENT.
_MADE_OF = {
    "demographic_parity_difference": ("selection_rate",),
    "demographic_parity_ratio": ("selection_rate",),
    "equal_opportunity_difference": ("true_positive_rate",),
    "equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
    "equalized_odds_ratio": ("true_positive_rate", "false_positive_rate"),
    "false_positive_rate_difference": ("false_positive_rate",),
    "predictive_parity_difference": ("positive_predictive_value",),
    "accuracy_difference": ("accuracy",),
    "worst_group_accuracy": ("accuracy",),
    "mean_score_difference": (),
}


class Judged(msgspec.Struct, frozen=True):
    """A grouping split by `min_n`."""

    grouping: Grouping
    large: tuple[Group, ...]
    small: tuple[Group, ...]

    @property
    def n(self) -> int:
        return sum(group.n for group in self.large)

    @property
    def known(self) -> int:
        """Rows in judged groups that have a value in every feature."""
        return sum(group.n for group in self.large if group.known)


def assess(result: FairnessResult, limits: FairnessLimits) -> Assessment:
    """Each demanded grouping against each limit. A grouping that was not measured is INSUFFICIENT."""
    rows = left_out(result.rows, limits.max_excluded_share)
    wanted = limits.groupings() or tuple(
        grouping.features for grouping in result.groupings if len(grouping.features) == 1
    )
    wanted += tuple(
        entry.features
        for entry in result.refused
        if not limits.features and len(entry.features) == 1
    )
    if not wanted:
        rows.append(_missing_row("", "No sensitive feature was measured."))
    found: list[Judged] = []
    for features in wanted:
        grouping = result.find(features)
        if grouping is None:
            rows.append(_missing_row(CROSS.join(features), _why_missing(result, features)))
            continue
        split = _split(grouping, limits)
        found.append(split)
        rows += _judge(split, result, limits)
    return conclude(rows, _passed(result, limits, found))


def _missing_row(of: str, sentence: str) -> Row:
    return Row("measured", "Measured", Verdict.INSUFFICIENT, sentence, of=of)


def _why_missing(result: FairnessResult, features: tuple[str, ...]) -> str:
    name = CROSS.join(features)
    for entry in result.refused:
        if frozenset(entry.features) == frozenset(features):
            return f"{name} was not measured: {entry.reason}."
    return f"{name} was not measured."


def _split(grouping: Grouping, limits: FairnessLimits) -> Judged:
    large = tuple(group for group in grouping.groups if group.n >= limits.min_n)
    small = tuple(group for group in grouping.groups if group.n < limits.min_n)
    return Judged(grouping, large, small)


def _judge(split: Judged, result: FairnessResult, limits: FairnessLimits) -> list[Row]:
    shortage = _shortage(split, result, limits)
    if shortage:
        return [_missing_row(split.grouping.label, shortage)]
    over_large = gaps(split.large, intervals.z_of(float(result.confidence)))
    of = f"between the {plural(len(split.large), 'group')} of {split.grouping.label}"
    rows = []
    for key, bound in limits.bounds().items():
        subject = Subject(key, TITLES[key], split.n, split.n, of)
        number = _undefined_in(split.large, key) or over_large[key]
        row = judged(subject, number, bound, min_n=limits.min_n)
        rows.append(msgspec.structs.replace(row, of=split.grouping.label))
    return rows


def _too_small(split: Judged) -> str:
    """` Too small: b (2 rows), c (7 rows).`, the largest first; empty if none is."""
    found = sorted(split.small, key=lambda group: group.n, reverse=True)
    said = [f"{group.label} ({plural(group.n, 'row')})" for group in found[:NAMED]]
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f" Too small: {', '.join(said)}{more}." if said else ""


def _shortage(split: Judged, result: FairnessResult, limits: FairnessLimits) -> str:
    """Why nothing can be said about this grouping; empty if something can."""
    name, least = split.grouping.label, grouped(limits.min_n)
    if len(split.large) < 2:
        have = plural(len(split.large), "group")
        return f"{name}: {have} with {least} rows or more; comparing takes two.{_too_small(split)}"
    total, known = result.rows.counted, split.known
    if Fraction(known, total) < Fraction(limits.min_coverage):
        held = plural(sum(group.known for group in split.large), "group")
        return (
            f"{name}: the {held} with {least} rows or more hold {grouped(known)} of {grouped(total)} rows"
            f"{_unknown(split)}; {shown(limits.min_coverage, 2)} of them are needed."
        )
    return ""


def _unknown(split: Judged) -> str:
    """`, and 400 rows are of unknown group`; empty if none is. They may all belong to one group, so nothing passes over them."""
    rows = sum(group.n for group in split.grouping.groups if not group.known)
    return (
        f", and {plural(rows, 'row')} {'is' if rows == 1 else 'are'} of unknown group"
        if rows
        else ""
    )


def _undefined_in(groups: Sequence[Group], key: str) -> Estimate | None:
    for rate in _MADE_OF[key]:
        for group in groups:
            if group.rates[rate].value is None:
                return undefined(f"not defined for {group.label}: {group.rates[rate].reason}")
    return None


def _passed(result: FairnessResult, limits: FairnessLimits, found: Sequence[Judged]) -> str:
    bounds = limits.bounds()
    tops = {bound.max for bound in bounds.values()}
    limit = next(iter(tops)) if len(tops) == 1 else None
    what = f"No disparity above {limit}" if limit is not None else "No disparity beyond the limits"
    groups = listed(
        [f"the {plural(len(split.large), 'group')} of {split.grouping.label}" for split in found]
    )
    return f"{what} between {groups} measured, n = {grouped(result.rows.counted)}{_unsaid(result, found)}."


def _unsaid(result: FairnessResult, found: Sequence[Judged]) -> str:
    """What the sentence does not cover: groups too small to judge, columns nobody judged."""
    notes = []
    small = sum(len(split.small) for split in found)
    if small:
        least = plural(small, "smaller group")
        notes.append(f"{least} shown and not judged")
    covered = {feature for split in found for feature in split.grouping.features}
    seen = {feature for grouping in result.groupings for feature in grouping.features}
    if left := sorted(seen - covered):
        notes.append(f"{listed(left)} measured and not judged")
    missed = [CROSS.join(entry.features) for entry in result.refused]
    if missed:
        notes.append(f"{listed(missed)} {'was' if len(missed) == 1 else 'were'} not measured")
    return "".join(f"; {note}" for note in notes)
