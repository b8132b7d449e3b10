"""Drift between the reference and the current data, column by column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from apps.checks.library.columns import ColumnDrift
from apps.checks.library.drift import DriftResult
from apps.checks.library.estimates import Estimate
from apps.checks.library.parted import Part as PartOf
from apps.checks.library.parted import Parted
from apps.checks.numbers import grouped, listed, plural, shown
from apps.core.parts import (
    Bar,
    Chart,
    Column,
    Curve,
    Heat,
    Line,
    Missing,
    Part,
    Point,
    Table,
    Text,
    cells,
)
from apps.modelcards.card import Computed, Source
from apps.modelcards.computed import distributions

MOST_LINES: Final = 4
MOST_COLUMNS: Final = 8


def drift(result: DriftResult | None, source: Source | None, why_not: str) -> Computed:
    """Effect sizes with the test beside them; what could not be compared says why."""
    if result is None or source is None:
        return Computed((Missing(why_not),))
    compared = [column for column in result.columns if column.kind != "unusable"]
    unusable = [column for column in result.columns if column.kind == "unusable"]
    parts: list[Part] = [Text(_sentence(result, compared))]
    if compared:
        parts += [_chart(compared), _table(compared, result)]
        parts += distributions.parts(compared)
        parts.append(_distances(compared))
    if result.windows is not None:
        parts += _windows(result.windows)
    for each in result.slices:
        parts += _slices(each)
    parts += [Missing(f"{column.name} was not compared: {column.reason}.") for column in unusable]
    if result.unmeasured:
        names = listed(list(result.unmeasured), 12)
        parts.append(Text(f"In both data sets and not compared: {names}."))
    return Computed(tuple(parts), (source,))


def _sentence(result: DriftResult, compared: list[ColumnDrift]) -> str:
    sizes = f"{grouped(result.reference_rows)} rows of reference against {grouped(result.current_rows)} rows now"
    if not compared:
        return f"No column could be compared; {sizes}."
    first = max(compared, key=_psi)
    if first.psi is None or first.psi.value is None:
        return f"{plural(len(compared), 'column')} compared, no distance is defined; {sizes}."
    chance = f" ({shown(first.noise_floor, 4)} by chance)" if first.noise_floor else ""
    return (
        f"Of {plural(len(compared), 'column')} compared, {first.name} moved most: PSI {shown(first.psi.value, 4)}"
        f"{chance}; {sizes}."
    )


def _chart(columns: list[ColumnDrift]) -> Chart:
    ordered = sorted(columns, key=lambda c: (-_psi(c), c.name))
    bars = tuple(
        Bar(c.name, c.psi.value or "" if c.psi else "", mark=c.noise_floor or "") for c in ordered
    )
    title = "Population stability index per column, largest first"
    return Chart(title, "PSI", bars, mark_label="what chance gives at this size")


def _psi(column: ColumnDrift) -> float:
    return float(column.psi.value) if column.psi and column.psi.value else 0.0


def _table(columns: list[ColumnDrift], result: DriftResult) -> Table:
    head = (
        Column("Column", code=True),
        Column("Kind"),
        Column("PSI", numeric=True),
        Column("PSI by chance", numeric=True),
        Column("KS or V", numeric=True),
        Column("p, adjusted", numeric=True),
        Column("Missing, change", numeric=True),
        Column("New categories"),
    )
    rows = tuple(
        cells(
            column.name,
            column.kind,
            shown(column.psi.value, 4) if column.psi else "—",
            shown(column.noise_floor, 4),
            _value(column.ks or column.cramers_v),
            _p_value(column),
            _value(column.missing_rate_increase),
            _new(column),
        )
        for column in columns
    )
    note = (
        f"PSI with the natural logarithm, bins from the reference, empty shares counted as {result.epsilon}. "
        "PSI by chance is what to expect of samples this size where nothing changed. KS distance for "
        "numbers, Cramér's V for categories; p-values adjusted over all columns (Benjamini-Hochberg)."
    )
    return Table("Columns compared", head, rows, note=note)


def _distances(columns: list[ColumnDrift]) -> Table:
    """The other distances: people know different ones, and they weigh a change differently."""
    head = (
        Column("Column", code=True),
        Column("Jensen-Shannon", numeric=True),
        Column("Wasserstein", numeric=True),
        Column("in std. deviations", numeric=True),
        Column("Total variation", numeric=True),
    )
    rows = tuple(
        cells(
            column.name,
            _value(column.js_distance),
            _value(column.wasserstein),
            _value(column.wasserstein_scaled),
            _value(column.total_variation),
        )
        for column in columns
    )
    note = (
        "Jensen-Shannon distance, base 2, over the bins of the PSI. Wasserstein distance of the values in units of the column "
        "and in standard deviations of the reference, for numbers; total variation for categories."
    )
    return Table("Other distances", head, rows, note=note)


def _windows(windows: Parted) -> Iterator[Part]:
    """The curve: for each stretch of time the column that moved most."""
    if windows.refused:
        yield Missing(f"Drift over {windows.by} was not measured: {windows.refused}.")
        return
    dated = [part for part in windows.parts if part.part is not None]
    yield Text(_over_time(dated), heading=f"Over {windows.by}")
    moving = _moving(dated)
    yield _curve(windows, dated, moving)
    yield _matrix(windows, dated, moving)
    note = "Each window of the current data against the whole reference, over the same bins."
    yield _by_part(f"Drift by {windows.by}", windows, note)


def _over_time(dated: list[PartOf]) -> str:
    worst = max(dated, key=lambda part: float(_largest(part) or 0), default=None)
    if worst is None or worst.worst is None:
        return "No row of the current data has a time."
    return (
        f"{len(dated)} windows. The largest is that of {worst.label}: PSI {shown(_largest(worst), 4)} "
        f"of {worst.worst.column}, {grouped(worst.current)} rows."
    )


def _largest(part: PartOf) -> str:
    return (part.worst.psi.value or "") if part.worst else ""


def _slices(slices: Parted) -> Iterator[Part]:
    """Within each group: the current rows of the group against its own rows in the reference."""
    if slices.refused:
        yield Missing(f"Drift within {slices.by} was not measured: {slices.refused}.")
        return
    moving = _moving(slices.parts, MOST_COLUMNS)
    yield Heat(
        f"PSI within {slices.by}, of the columns that moved most",
        tuple(part.label for part in slices.parts),
        tuple(moving),
        tuple(tuple(_psi_of(part, name) for name in moving) for part in slices.parts),
        down=slices.by,
        empty="no group has a distance.",
    )
    yield _matrix(slices, slices.parts, moving)
    note = "Each group of the current data against the same group of the reference, over the same bins."
    yield _by_part(f"Drift within {slices.by}", slices, note)


def _moving(parts: Sequence[PartOf], most: int = MOST_LINES) -> list[str]:
    """The columns whose PSI is largest in some part, the largest first."""
    largest: dict[str, float] = {}
    for part in parts:
        for each in part.columns:
            if each.psi.value is not None:
                psi = float(each.psi.value)
                largest[each.column] = max(psi, largest.get(each.column, psi))
    return sorted(largest, key=lambda name: (-largest[name], name))[:most]


def _psi_of(part: PartOf, name: str) -> str:
    found = next((each for each in part.columns if each.column == name), None)
    return (found.psi.value or "") if found else ""


def _curve(windows: Parted, dated: Sequence[PartOf], moving: Sequence[str]) -> Curve:
    lines = tuple(
        Line(name, tuple(Point(part.label, _psi_of(part, name)) for part in dated))
        for name in moving
    )
    title = f"PSI by {windows.by}, of the columns that moved most"
    names = tuple(part.label for part in dated)
    return Curve(title, windows.by, "PSI", lines, names, empty="no window has a distance.")


def _matrix(parted: Parted, parts: Sequence[PartOf], moving: Sequence[str]) -> Table:
    head = (
        Column(parted.by),
        Column("Rows now", numeric=True),
        *(Column(f"PSI of {name}", numeric=True) for name in moving),
    )
    rows = tuple(
        cells(
            part.label,
            grouped(part.current),
            *(shown(_psi_of(part, name) or None, 4) for name in moving),
        )
        for part in parts
    )
    return Table(f"PSI by {parted.by}, of the columns drawn", head, rows)


def _by_part(caption: str, parted: Parted, note: str) -> Table:
    head = (
        Column(parted.by),
        Column("Rows now", numeric=True),
        Column("Moved most", code=True),
        Column("PSI", numeric=True),
        Column("PSI by chance", numeric=True),
        Column("Jensen-Shannon", numeric=True),
    )
    rows = tuple(
        cells(
            part.label,
            grouped(part.current),
            part.worst.column if part.worst else "—",
            shown(part.worst.psi.value, 4) if part.worst and part.worst.psi.value else "—",
            shown(part.worst.noise_floor, 4) if part.worst and part.worst.noise_floor else "—",
            _value(part.worst.js_distance if part.worst else None),
        )
        for part in parted.parts
    )
    return Table(caption, head, rows, note=note)


def _value(number: Estimate | None) -> str:
    return shown(number.value) if number is not None else "—"


def _p_value(column: ColumnDrift) -> str:
    if column.test is None or not column.test.p_adjusted:
        return "—"
    value = float(column.test.p_adjusted)
    return shown(value) if value >= 0.001 else "< 0.001"


def _new(column: ColumnDrift) -> str:
    if not column.new_categories:
        return ""
    share = column.new_category_share
    names = listed(list(column.new_categories), 5)
    return f"{names} ({shown(share.value)} of the rows)" if share and share.value else names
