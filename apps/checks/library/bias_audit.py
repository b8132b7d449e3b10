"""A bias audit of selections: four fifths with significance, and the tables of New York City's Local Law 144. Pure.

Steps of `measure`: 1 for each grouping the reference group, which is the one with the highest selection rate among the
known groups of at least `min_n` rows (ties: the larger, then the first by name), 2 every known group against it, 3 the
tables of 6 RCNY 5-301(b), selection, and (c), scores above the median, where a category below `exclude_below` of the
rows takes no part in the ratio and can be no reference.

Rows of unknown category are counted and shown and compared with nobody: the rule asks for their number. `assess` needs
the judged groups to hold most of the rows, so that nothing passes because everybody is unknown.

Not said: that a ratio below four fifths is unlawful, or one above it lawful. 29 CFR 1607.4(D) calls it evidence, and
smaller gaps may be adverse where they are significant, larger ones not where numbers are small: hence both, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from apps.checks.library import intervals
from apps.checks.library.estimates import Estimate, estimate, rate
from apps.checks.library.groups import group_label
from apps.checks.library.impact import Comparison, compare
from apps.checks.library.judging import Assessment, Row, between, conclude, left_out
from apps.checks.limits import BiasAuditLimits, Bound
from apps.checks.numbers import CROSS, grouped, listed, plural, shown, shown_against
from apps.checks.selections import BiasAuditStatistics, SelectionCell, Selections, Values
from apps.checks.statistics import Refused, RowCount
from apps.checks.verdicts import Verdict

TITLE = "Impact ratio"
NAMED = 5


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may choose: crossings (none: all columns crossed), confidence, the level of significance and the
    fewest rows of a group that the page goes by, and for the tables of Local Law 144: below which share of the rows a
    category is left out of the ratio and why (`justification`, which the published summary must give), and whether the
    median is over rows with a known category in every sensitive column, or over all rows with a score."""

    crossings: tuple[tuple[str, ...], ...] = ()
    confidence: str = "0.95"
    alpha: str = "0.05"
    min_n: int = 30
    exclude_below: str = "0.02"
    justification: str = ""
    median_over: str = "known"


class AuditGroup(msgspec.Struct, frozen=True):
    """One group; `comparison` is None for the reference, for unknown groups and where there is nothing to compare with."""

    values: Values
    selected: int
    total: int
    rate: Estimate
    comparison: Comparison | None = None

    @property
    def known(self) -> bool:
        return None not in self.values

    @property
    def label(self) -> str:
        return group_label(self.values)


class Audit(msgspec.Struct, frozen=True):
    """One grouping. `reference` is None where no group may be one, or where nobody at all was selected (`reason`)."""

    features: tuple[str, ...]
    min_n: int
    reference: Values | None
    reason: str
    groups: tuple[AuditGroup, ...]

    @property
    def label(self) -> str:
        return CROSS.join(self.features)

    @property
    def large(self) -> tuple[AuditGroup, ...]:
        """The known groups that are judged."""
        return tuple(g for g in self.groups if g.known and g.total >= self.min_n)


class Category(msgspec.Struct, frozen=True):
    """A category of a table of Local Law 144. An `excluded` one has count and rate, and no ratio."""

    values: Values
    total: int
    selected: int
    rate: Estimate
    ratio: Estimate | None = None
    excluded: bool = False

    @property
    def label(self) -> str:
        return group_label(self.values)


class CategoryTable(msgspec.Struct, frozen=True):
    """The categories of some columns. `best` is the most selected of those that are not excluded; `ahead` names the
    excluded ones whose rate is higher still. `unknown` rows lack a value in one of the columns."""

    features: tuple[str, ...]
    categories: tuple[Category, ...]
    best: Values | None
    ahead: tuple[str, ...]
    unknown: int

    @property
    def label(self) -> str:
        return CROSS.join(self.features)


class ScoredTables(msgspec.Struct, frozen=True):
    """The same for scores: selected means strictly above the median of `median_rows` rows."""

    rows: RowCount
    median: str
    median_rows: int
    tables: tuple[CategoryTable, ...]


class BiasAuditResult(msgspec.Struct, frozen=True, tag="bias_audit"):
    rows: RowCount
    favourable: str
    unknown: int
    confidence: str
    alpha: str
    exclude_below: str
    justification: str
    median_over: str
    audits: tuple[Audit, ...]
    tables: tuple[CategoryTable, ...]
    scored: ScoredTables | None = None
    refused: tuple[Refused, ...] = ()

    def find(self, features: Iterable[str]) -> Audit | None:
        """The audit by these features, in any order."""
        wanted = frozenset(features)
        return next((each for each in self.audits if frozenset(each.features) == wanted), None)


def measure(statistics: BiasAuditStatistics, params: Params) -> BiasAuditResult:
    """The same statistics and parameters give the same result. Raises ValueError for a table that lost rows."""
    z = intervals.z_of(float(params.confidence))
    _require_whole(statistics.tables, statistics.rows)
    scored = statistics.scored
    if scored is not None:
        _require_whole(scored.tables, scored.rows)
    share = Fraction(params.exclude_below)
    return BiasAuditResult(
        rows=statistics.rows,
        favourable=statistics.favourable,
        unknown=statistics.unknown,
        confidence=params.confidence,
        alpha=params.alpha,
        exclude_below=params.exclude_below,
        justification=params.justification,
        median_over=params.median_over,
        audits=tuple(_audit(table, params.min_n, z) for table in statistics.tables),
        tables=tuple(categories_of(table, share, z) for table in statistics.tables),
        scored=ScoredTables(
            scored.rows,
            scored.median,
            scored.median_rows,
            tuple(categories_of(table, share, z) for table in scored.tables),
        )
        if scored is not None
        else None,
        refused=statistics.refused,
    )


def _require_whole(tables: Sequence[Selections], rows: RowCount) -> None:
    for table in tables:
        if table.total != rows.counted:
            raise ValueError(f"{table.features}: {table.total} rows, {rows.counted} expected")


def _audit(table: Selections, min_n: int, z: float) -> Audit:
    groups = [
        AuditGroup(c.values, c.selected, c.total, rate(c.selected, c.total, z, of="rows"))
        for c in table.cells
    ]
    return against_best(Audit(table.features, min_n, None, "", tuple(groups)), min_n, z)


def against_best(audit: Audit, min_n: int, z: float) -> Audit:
    """Steps 1 and 2 with another `min_n`; what was compared with the same reference already is not computed again."""
    eligible = [g for g in audit.groups if g.known and g.total >= min_n]
    if not eligible:
        reason = f"no group has {plural(min_n, 'row')} or more"
        return _without_reference(audit, min_n, reason)
    best = max(eligible, key=_first_of)
    if not best.selected:
        return _without_reference(audit, min_n, "nobody was selected in any group that is judged")
    if audit.reference == best.values:
        return msgspec.structs.replace(audit, min_n=min_n)
    groups = tuple(
        msgspec.structs.replace(
            group,
            comparison=compare(group.selected, group.total, best.selected, best.total, z)
            if group.known and group.values != best.values
            else None,
        )
        for group in audit.groups
    )
    return Audit(audit.features, min_n, best.values, "", groups)


def _without_reference(audit: Audit, min_n: int, reason: str) -> Audit:
    bare = tuple(msgspec.structs.replace(group, comparison=None) for group in audit.groups)
    return Audit(audit.features, min_n, None, reason, bare)


def _first_of(group: AuditGroup) -> tuple[Fraction, int, tuple[int, ...]]:
    """Largest for the highest rate, then for the most rows, then for the first name."""
    name = group.label
    return Fraction(group.selected, group.total), group.total, tuple(-ord(each) for each in name)


def categories_of(table: Selections, exclude_below: Fraction, z: float) -> CategoryTable:
    """Step 3: the categories of one table, those below the share of its known rows without a ratio."""
    known = [cell for cell in table.cells if None not in cell.values]
    size = sum(cell.total for cell in known)
    kept = [cell for cell in known if cell.total >= exclude_below * size]
    best = max(kept, key=lambda cell: (_rate(cell), cell.total), default=None)
    highest = _rate(best) if best is not None else Fraction()
    left = {cell.values for cell in known} - {cell.values for cell in kept}
    return CategoryTable(
        features=table.features,
        categories=tuple(
            Category(
                values=cell.values,
                total=cell.total,
                selected=cell.selected,
                rate=rate(cell.selected, cell.total, z, of="individuals"),
                ratio=estimate(_rate(cell) / highest, None, "")
                if highest and cell.values not in left
                else None,
                excluded=cell.values in left,
            )
            for cell in known
        ),
        best=best.values if best is not None and highest else None,
        ahead=tuple(
            group_label(c.values) for c in known if c.values in left and _rate(c) > highest
        ),
        unknown=table.total - size,
    )


def _rate(cell: SelectionCell) -> Fraction:
    return Fraction(cell.selected, cell.total)


def assess(result: BiasAuditResult, limits: BiasAuditLimits) -> Assessment:
    """Each demanded grouping, group by group. A grouping that was not measured, or whose judged groups hold too few of
    the rows, is INSUFFICIENT."""
    rows = left_out(result.rows, limits.max_excluded_share)
    wanted = limits.groupings() or _single(result)
    if not wanted:
        rows.append(_insufficient("", "No sensitive feature was measured."))
    judged: list[Audit] = []
    for features in wanted:
        found = result.find(features)
        if found is None:
            rows.append(_insufficient(CROSS.join(features), _why_missing(result, features)))
            continue
        z = intervals.z_of(float(result.confidence))
        audit = against_best(found, limits.min_n, z)
        judged.append(audit)
        rows += _judge(audit, result, limits)
    return conclude(rows, _passed(result, limits, judged))


def _single(result: BiasAuditResult) -> tuple[tuple[str, ...], ...]:
    """Every single column that was to be measured."""
    measured = [audit.features for audit in result.audits]
    return tuple(
        features
        for features in (*measured, *(entry.features for entry in result.refused))
        if len(features) == 1
    )


def _insufficient(of: str, sentence: str) -> Row:
    return Row("measured", "Measured", Verdict.INSUFFICIENT, sentence, of=of)


def _why_missing(result: BiasAuditResult, features: tuple[str, ...]) -> str:
    name = CROSS.join(features)
    for entry in result.refused:
        if frozenset(entry.features) == frozenset(features):
            return f"{name} was not measured: {entry.reason}."
    return f"{name} was not measured."


def _judge(audit: Audit, result: BiasAuditResult, limits: BiasAuditLimits) -> list[Row]:
    shortage = _shortage(audit, result, limits)
    if shortage:
        return [_insufficient(audit.label, shortage)]
    reference = next(group for group in audit.large if group.values == audit.reference)
    return [
        _row(audit, group, group.comparison, reference, limits)
        for group in audit.large
        if group.comparison is not None
    ]


def _shortage(audit: Audit, result: BiasAuditResult, limits: BiasAuditLimits) -> str:
    """Why nothing can be said about this grouping; empty if something can."""
    name, least = audit.label, grouped(limits.min_n)
    held, total = sum(group.total for group in audit.large), result.rows.counted
    if len(audit.large) < 2:
        have = plural(len(audit.large), "group")
        return f"{name}: {have} with {least} rows or more; comparing takes two."
    if audit.reference is None:
        return f"{name}: {audit.reason}; there is no ratio."
    if Fraction(held, total) < Fraction(limits.min_coverage):
        return (
            f"{name}: the {plural(len(audit.large), 'group')} with {least} rows or more hold {grouped(held)} of "
            f"{grouped(total)} rows; {shown(limits.min_coverage, 2)} of them are needed."
        )
    return ""


def verdict_of(comparison: Comparison, bound: Bound, alpha: str) -> Verdict:
    """FAIL: below the limit, and the rates differ significantly or the whole interval is below. PASS: the whole interval
    is at the limit or above. INCONCLUSIVE otherwise. The point is compared as a fraction."""
    ratio, limit, ends = comparison.ratio, bound.value, comparison.ratio.interval
    if ends is None:
        return Verdict.INSUFFICIENT
    if ratio.exact < limit:
        certain = significant(comparison, alpha) or Fraction(ends.high) < limit
        return Verdict.FAIL if certain else Verdict.INCONCLUSIVE
    return Verdict.PASS if Fraction(ends.low) >= limit else Verdict.INCONCLUSIVE


def significant(comparison: Comparison, alpha: str) -> bool:
    """Whether the two rates differ at this level by the test that applies."""
    return comparison.p_value is not None and float(comparison.p_value) < float(alpha)


def _row(
    audit: Audit,
    group: AuditGroup,
    comparison: Comparison,
    reference: AuditGroup,
    limits: BiasAuditLimits,
) -> Row:
    bound, ratio = limits.bound, comparison.ratio
    verdict = verdict_of(comparison, bound, limits.alpha)
    return Row(
        key="impact_ratio",
        title=TITLE,
        verdict=verdict,
        sentence=_sentence(audit, group, comparison, reference, limits, verdict),
        of=f"{audit.label}: {group.label}",
        value=ratio.value,
        low=ratio.low,
        high=ratio.high,
        limit=bound.sentence,
        n=group.total,
        method=f"{ratio.method}; {comparison.test}",
    )


def _sentence(
    audit: Audit,
    group: AuditGroup,
    comparison: Comparison,
    reference: AuditGroup,
    limits: BiasAuditLimits,
    verdict: Verdict,
) -> str:
    limit, number = limits.bound.text, comparison.ratio
    value = (
        f"{TITLE} of {group.label} ({audit.label}) to {reference.label} "
        f"{shown_against(str(number.value), limit)}{between(number)}"
    )
    size = f"n = {grouped(group.total)}"
    if verdict is Verdict.PASS:
        return f"{value} is {limits.bound.sentence}, {size}."
    if verdict is Verdict.FAIL:
        return f"{value} is below {limit}, {size}: {_test(comparison)}."
    below = number.exact < limits.bound.value
    said = (
        f"is below {limit}, {size}, but not surely"
        if below
        else f"cannot be told from {limit}, {size}"
    )
    return f"{value} {said}: {_test(comparison)}."


def _test(comparison: Comparison) -> str:
    """`two-proportion z, p 0.0019`."""
    p = "not defined" if comparison.p_value is None else f"{float(comparison.p_value):.2g}"
    return f"{comparison.test}, p {p}"


def _passed(result: BiasAuditResult, limits: BiasAuditLimits, judged: Sequence[Audit]) -> str:
    groups = listed([f"the {plural(len(each.large), 'group')} of {each.label}" for each in judged])
    notes = []
    small = sum(1 for each in judged for g in each.groups if g.known and g.total < limits.min_n)
    if small:
        notes.append(f"{plural(small, 'smaller group')} shown and not judged")
    if result.unknown:
        notes.append(f"{plural(result.unknown, 'row')} of unknown category")
    lower = [
        group.label
        for each in judged
        for group in each.large
        if group.comparison is not None and significant(group.comparison, limits.alpha)
    ]
    if lower:
        notes.append(
            f"the rate of {listed(lower, NAMED)} is lower by less than that, and significantly"
        )
    said = "".join(f"; {note}" for note in notes)
    limit = limits.bound.text
    return f"No impact ratio below {limit} between {groups} measured, n = {grouped(result.rows.counted)}{said}."
