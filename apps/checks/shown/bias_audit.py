"""A bias audit as a page reads it: the sentence, the ratios, the four cells, the tables of Local Law 144."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apps.checks.library.bias_audit import (
    Audit,
    AuditGroup,
    BiasAuditResult,
    Category,
    CategoryTable,
    significant,
)
from apps.checks.library.groups import group_label
from apps.checks.library.impact import FOUR_FIFTHS, Comparison
from apps.checks.numbers import CROSS, MISSING, grouped, listed, plural, shown, shown_against
from apps.checks.shown.words import bar, counted, interval, p_text, percent
from apps.core.parts import Chart, Column, Missing, Part, Table, Text, cells

LIMIT = str(float(FOUR_FIFTHS))
NAMED = 8
RULE = "6 RCNY 5-301"
FORMULA = (
    "Impact ratio: selection rate of the group divided by that of the reference group, which is the one with the highest "
    "rate among the known groups that are large enough. Below four fifths means less than 4/5, compared as whole "
    "numbers (29 CFR 1607.4(D)). Interval: Katz 1978, on the logarithm. Test: pooled two-proportion z, or Fisher's exact "
    "test where a cell is expected to hold fewer than 5; not corrected for the number of groups."
)
STEPS = (
    "To 4/5 and to parity: how many more of the group would have to be selected, all else as it is. One person: whether "
    "one selection more in the group and one less in the reference would bring the ratio to four fifths "
    "(Questions and Answers 21 on 29 CFR 1607)."
)


def parts(result: BiasAuditResult) -> tuple[Part, ...]:
    """Every grouping that was measured; one that was refused is a visible gap with its reason."""
    found: list[Part] = [Text(_sentence(result)), Text(_whom(result))]
    for audit in result.audits:
        found += _audit(audit, result)
    found += [
        Missing(f"{CROSS.join(entry.features)} was not measured: {entry.reason}.")
        for entry in result.refused
    ]
    found.append(Text(f"{FORMULA} {STEPS}", heading="How to read the ratios"))
    found += _local_law(result)
    return tuple(found)


def _sentence(result: BiasAuditResult) -> str:
    lowest = min(_compared(result), key=lambda found: found[2].ratio.exact, default=None)
    if lowest is None:
        return "No impact ratio is defined: fewer than two groups are large enough, or nobody was selected."
    audit, group, comparison = lowest
    below = [each for _, _, each in _compared(result) if each.below]
    certain = [each for each in below if significant(each, result.alpha)]
    return (
        f"The lowest impact ratio is {_ratio(comparison)} ({interval(comparison.ratio)}): {group.label} to "
        f"{group_label(audit.reference or ())}, by {audit.label}. {plural(len(below), 'ratio')} of "
        f"{grouped(len(_compared(result)))} {'is' if len(below) == 1 else 'are'} below four fifths, "
        f"{grouped(len(certain))} of them significantly."
    )


def _compared(result: BiasAuditResult) -> list[tuple[Audit, AuditGroup, Comparison]]:
    return [
        (audit, group, group.comparison)
        for audit in result.audits
        for group in audit.large
        if group.comparison is not None
    ]


def _ratio(comparison: Comparison) -> str:
    return shown_against(str(comparison.ratio.value), LIMIT)


def _whom(result: BiasAuditResult) -> str:
    return (
        f"{counted(result.rows)} Selected means predicted “{result.favourable}”. {plural(result.unknown, 'row')} of "
        f"unknown category in at least one sensitive column: counted, shown, and compared with nobody."
    )


def _audit(audit: Audit, result: BiasAuditResult) -> Iterator[Part]:
    heading = f"By {audit.label}"
    if audit.reference is None:
        yield Text(f"There is no ratio: {audit.reason}.", heading=heading)
        yield _rates(audit, result)
        return
    small = sum(1 for group in audit.groups if group.known and group.total < audit.min_n)
    note = (
        f" {plural(small, 'group')} of fewer than {grouped(audit.min_n)} rows: shown, not counted among the four cells."
        if small
        else ""
    )
    reference = group_label(audit.reference)
    yield Text(f"Reference group: {reference}, the highest selection rate.{note}", heading=heading)
    groups = sorted(audit.groups, key=lambda group: (-group.total, group.label))
    yield Chart(
        f"Impact ratio by {audit.label} to {reference}, with {percent(result.confidence)} intervals",
        "impact ratio",
        tuple(
            bar(g.label, g.comparison.ratio)
            for g in groups
            if g.comparison is not None and g.total >= audit.min_n
        ),
        limit=LIMIT,
        limit_label="four fifths",
        dots=True,
        empty="no group but the reference is large enough and has a ratio.",
    )
    yield _rates(audit, result)
    yield _matrix(audit, result)
    yield _tests(audit, groups)


def _matrix(audit: Audit, result: BiasAuditResult) -> Table:
    """The four cells: ratio and significance, never one number."""
    cell: dict[tuple[bool, bool], list[str]] = {}
    for group in audit.large:
        if group.comparison is not None:
            key = (group.comparison.below, significant(group.comparison, result.alpha))
            cell.setdefault(key, []).append(group.label)
    rows = tuple(
        cells(title, *(_named(cell.get((below, certain), [])) for certain in (True, False)))
        for below, title in ((True, "Below four fifths"), (False, "Four fifths or more"))
    )
    return Table(
        f"Ratio and significance by {audit.label}",
        (
            Column("Impact ratio"),
            Column(f"Rates differ significantly (p < {result.alpha})"),
            Column("Not significantly"),
        ),
        rows,
        note="A smaller gap may be adverse where it is significant; a larger one need not be where numbers are small.",
    )


def _named(labels: Sequence[str]) -> str:
    return f"{grouped(len(labels))}: {listed(list(labels), NAMED)}" if labels else "none"


def _rates(audit: Audit, result: BiasAuditResult) -> Table:
    head = (
        Column(audit.label),
        Column("Selected", numeric=True),
        Column("n", numeric=True),
        Column("Selection rate", numeric=True),
        Column("Impact ratio", numeric=True),
        Column(f"{percent(result.confidence)} interval", numeric=True),
        Column("To 4/5", numeric=True),
        Column("To parity", numeric=True),
        Column("One person"),
    )
    groups = sorted(audit.groups, key=lambda group: (-group.total, group.label))
    return Table(
        f"Selection by {audit.label}", head, tuple(cells(*_rated(audit, g)) for g in groups)
    )


def _rated(audit: Audit, group: AuditGroup) -> tuple[str, ...]:
    first = (group.label, grouped(group.selected), grouped(group.total), shown(group.rate.value))
    if group.values == audit.reference:
        return (*first, "reference", MISSING, MISSING, MISSING, MISSING)
    comparison = group.comparison
    if comparison is None:
        why = MISSING if group.known else "not compared"
        return (*first, why, MISSING, MISSING, MISSING, MISSING)
    turns = (
        "puts it ahead"
        if comparison.turns
        else "reaches four fifths"
        if comparison.flips
        else "changes nothing"
    )
    return (
        *first,
        _ratio(comparison),
        interval(comparison.ratio),
        grouped(comparison.to_four_fifths),
        grouped(comparison.to_parity),
        turns,
    )


def _tests(audit: Audit, groups: Sequence[AuditGroup]) -> Table:
    head = (
        Column(audit.label),
        Column("z", numeric=True),
        Column("p of z", numeric=True),
        Column("Fisher's p", numeric=True),
        Column("Least expected", numeric=True),
        Column("Decides"),
    )
    rows = tuple(
        cells(
            group.label,
            shown(c.z, 2),
            p_text(c.p_z),
            p_text(c.p_fisher),
            shown(c.least_expected, 1),
            c.test,
        )
        for group in groups
        if (c := group.comparison) is not None
    )
    return Table(f"Tests against {group_label(audit.reference or ())}", head, rows)


def _local_law(result: BiasAuditResult) -> Iterator[Part]:
    yield Text(
        f"Selection rate: selected / individuals of the category. Impact ratio: the rate divided by that of the most "
        f"selected category that is not left out ({RULE}(b)). The rule sets no threshold. {_left_out(result)}",
        heading="Tables of New York City's Local Law 144: selection",
    )
    for table in result.tables:
        yield from _category_table(table, "Selection rate", "Selected")
    scored = result.scored
    if scored is None:
        return
    over = (
        "a known category in every sensitive column" if result.median_over == "known" else "a score"
    )
    yield Text(
        f"Scoring rate: the share of the category with a score above the median; a score at the median is not above it "
        f"({RULE}(c)). The median is {shown(scored.median or None)}, over {plural(scored.median_rows, 'row')} with "
        f"{over}. {counted(scored.rows)}",
        heading="Tables of New York City's Local Law 144: scores",
    )
    for table in scored.tables:
        yield from _category_table(table, "Scoring rate", "Above the median")


def _left_out(result: BiasAuditResult) -> str:
    said = (
        f"A category below {percent(result.exclude_below)} of the rows of known category is shown without a ratio "
        f"({RULE}(d))"
    )
    if float(result.exclude_below) == 0:
        return "No category is left out for its size."
    if not any(c.excluded for table in result.tables for c in table.categories):
        return f"{said}; there is none."
    why = result.justification or "none was given, and the published summary must give one"
    return f"{said}. Justification: {why}."


def _category_table(table: CategoryTable, rate: str, selected: str) -> Iterator[Part]:
    if table.ahead:
        yield Text(
            f"A category that is left out has a higher rate than the reference {group_label(table.best or ())}: "
            f"{listed(list(table.ahead), NAMED)}.",
            tone="warn",
        )
    head = (
        Column(table.label),
        Column("Individuals", numeric=True),
        Column(selected, numeric=True),
        Column(rate, numeric=True),
        Column("Impact ratio", numeric=True),
    )
    rows = tuple(cells(*_category(category)) for category in table.categories)
    note = (
        f"{plural(table.unknown, 'individual')} of unknown category: not in the calculations above."
    )
    yield Table(f"{rate} by {table.label}", head, rows, note=note)


def _category(category: Category) -> tuple[str, ...]:
    ratio = "left out" if category.excluded else MISSING
    return (
        category.label,
        grouped(category.total),
        grouped(category.selected),
        shown(category.rate.value),
        shown(category.ratio.value) if category.ratio is not None else ratio,
    )
