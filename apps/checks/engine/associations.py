"""Features against sensitive attributes, one feature at a time: one sort for numbers, one group-by for categories.

In memory is one column with the groups of its rows (about 30 bytes a row), however many columns there are. Attributes
are told by small numbers that lie in tables of the connection, made once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.checks.associations import Association, ProxyStatistics, Unmeasured
from apps.checks.engine.source import Source
from apps.checks.numbers import grouped, plural
from apps.checks.statistics import RowCount
from apps.core.canonical import decimal
from apps.core.errors import Invalid

BINS = 20
MOST_GROUPS = 50
UNKNOWN = "attribute unknown"
SMALL = "in a group that is too small"
INFINITE = "value infinite"
WHOLE_DOUBLES = 1 << 53  # below it every whole number is a double

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Feature:
    """A column whose values may tell a group: a feature or the score."""

    name: str
    role: str
    categorical: bool = False


@dataclass(frozen=True, slots=True)
class _Attribute:
    """A sensitive column. `groups` are those with rows enough; code i + 1 is the i-th of `labels`, 0 is unknown."""

    name: str
    table: str
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    rows: int
    unknown: int
    small: int

    @property
    def codes(self) -> list[int]:
        """The codes of `groups`, in their order."""
        return [self.labels.index(label) + 1 for label in self.groups]

    def row_count(self, infinite: int = 0) -> RowCount:
        """All rows of the file; what is left out, with the reasons."""
        gone = {INFINITE: infinite, SMALL: self.small, UNKNOWN: self.unknown}
        excluded = {why: count for why, count in gone.items() if count}
        return RowCount(self.rows, self.rows - sum(excluded.values()), excluded)


def association_statistics(
    source: Source,
    attributes: Sequence[str],
    features: Sequence[Feature],
    *,
    min_n: int,
    tick: Callable[[], None] = lambda: None,
) -> ProxyStatistics:
    """Every feature against every attribute; what cannot be measured is told with its reason.

    Groups of fewer than `min_n` rows are left out and counted. `tick` is called after each feature.
    """
    held = source.held([*attributes, *(feature.name for feature in features)])
    rows = held.rows()
    unmeasured: list[Unmeasured] = []
    usable: list[_Attribute] = []
    for place, name in enumerate(attributes):
        found = _attribute(held, name, f"groups_{place}", rows, min_n)
        if isinstance(found, _Attribute):
            usable.append(found)
        else:
            unmeasured.append(Unmeasured("", "", name, found))
    associations: list[Association] = []
    for feature in features:
        for result in _feature(held, feature, usable):
            if isinstance(result, Association):
                associations.append(result)
            else:
                unmeasured.append(result)
        tick()
    return ProxyStatistics(rows, tuple(associations), tuple(unmeasured))


def _attribute(source: Source, name: str, table: str, rows: int, min_n: int) -> _Attribute | str:
    """The groups of a column, or why it cannot be used."""
    try:
        counted = dict(source.counted([name], most=MOST_GROUPS + 2))
    except Invalid as error:
        return str(error)
    unknown = counted.pop(None, 0)
    if len(counted) > MOST_GROUPS:
        return f"more than {MOST_GROUPS} groups; combine values before measuring"
    labels = tuple(sorted(counted))
    large = tuple(label for label in labels if counted[label] >= min_n)
    if len(large) < 2:
        return f"{plural(len(large), 'group')} of {grouped(min_n)} rows or more; telling apart takes two"
    small = sum(counted.values()) - sum(counted[label] for label in large)
    _number_groups(source, name, table, labels)
    return _Attribute(name, table, labels, large, rows, unknown, small)


def _number_groups(source: Source, name: str, table: str, labels: tuple[str, ...]) -> None:
    """A table of the connection from each raw value to the number of its group."""
    raw = f"SELECT DISTINCT {source.raw(name)} AS r FROM {{data}}"
    text = source.text(name, "r")
    numbered = {f"label_{place}": label for place, label in enumerate(labels)}
    cases = " ".join(f"WHEN $label_{place} THEN {place + 1}" for place in range(len(labels)))
    source.fetch(
        f"CREATE TEMP TABLE {table} AS SELECT r, CAST(CASE {text} {cases} ELSE 0 END AS UTINYINT) AS code FROM ({raw})",
        most=0,
        **numbered,
    )


def _feature(
    source: Source, feature: Feature, attributes: Sequence[_Attribute]
) -> Iterator[Association | Unmeasured]:
    """One feature against every attribute."""
    try:
        numeric = source.kind(feature.name) == "number" and not feature.categorical
        if numeric:
            yield from _numeric(source, feature, attributes)
        else:
            yield from _categorical(source, feature, attributes)
    except Invalid as error:
        for attribute in attributes:
            yield Unmeasured(feature.name, feature.role, attribute.name, str(error))


def _categorical(
    source: Source, feature: Feature, attributes: Sequence[_Attribute]
) -> Iterator[Association | Unmeasured]:
    if source.kind(feature.name) == "empty":
        raise Invalid("it holds no values")
    most = source.caps.max_categories
    if len(source.counted([feature.name], most=most + 2)) > most:
        raise Invalid(
            f"more than {grouped(most)} different values: an identifier or free text, not a category"
        )
    for attribute in attributes:
        counts: dict[tuple[str | None, str | None], int] = {}
        for value, group, count in source.counted([feature.name, attribute.name]):
            counts[value, group] = count
        present = {value for value, group in counts if group in attribute.groups}
        categories = sorted(present, key=lambda value: (value is None, value or ""))
        yield Association(
            feature=feature.name,
            role=feature.role,
            attribute=attribute.name,
            rows=attribute.row_count(),
            groups=attribute.groups,
            categories=tuple(categories),
            counts=tuple(
                tuple(counts.get((value, group), 0) for group in attribute.groups)
                for value in categories
            ),
        )


def _numeric(
    source: Source, feature: Feature, attributes: Sequence[_Attribute]
) -> Iterator[Association]:
    if not attributes:
        return
    values, codes = _read(source, feature.name, attributes)
    finite = np.isfinite(values)
    if finite.all():
        order = np.argsort(values)
    else:
        order = np.flatnonzero(finite)
        order = order[np.argsort(values[order])]
    ordered = values[order]
    for attribute, code in zip(attributes, codes, strict=True):
        missing = _by_code(code[np.isnan(values)], attribute)
        infinite = int(_by_code(code[np.isinf(values)], attribute).sum())
        yield _binned(feature, attribute, ordered, code[order], missing, infinite)


def _read(
    source: Source, name: str, attributes: Sequence[_Attribute]
) -> tuple[Floats, list[Codes]]:
    """The numbers of a column, NaN where missing, and for each attribute the codes of their rows."""
    raws = "".join(f", {source.raw(a.name)} AS r{i}" for i, a in enumerate(attributes))
    codes = "".join(f", coalesce(m{i}.code, 0) AS g{i}" for i in range(len(attributes)))
    joins = "".join(
        f" LEFT JOIN {a.table} AS m{i} ON d.r{i} = m{i}.r" for i, a in enumerate(attributes)
    )
    found: dict[str, Any] = source.arrays(
        f"SELECT coalesce(v, 'nan'::DOUBLE) AS v{codes} "
        f"FROM (SELECT {source.number(name)} AS v{raws} FROM {{data}}) AS d{joins}"
    )
    values = np.asarray(found["v"], dtype=np.float64)
    return values, [np.asarray(found[f"g{i}"], dtype=np.uint8) for i in range(len(attributes))]


def _by_code(codes: Codes, attribute: _Attribute) -> NDArray[np.int64]:
    """How many rows each of the attribute's groups has among these."""
    counts = np.bincount(codes, minlength=len(attribute.labels) + 1)
    return np.asarray(counts[attribute.codes], dtype=np.int64)


def _binned(
    feature: Feature,
    attribute: _Attribute,
    ordered: Floats,
    codes: Codes,
    missing: NDArray[np.int64],
    infinite: int,
) -> Association:
    """From finite values in order with the codes of their rows."""
    if attribute.small or attribute.unknown:
        used = np.isin(codes, attribute.codes)
        ordered, codes = ordered[used], codes[used]
    edges = _edges(ordered)
    starts = [0, *np.searchsorted(ordered, edges, side="right").tolist(), len(ordered)]
    lines = [_by_code(codes[low:high], attribute) for low, high in itertools.pairwise(starts)]
    names: list[str | None] = [*_names(edges)] if len(ordered) else []
    lines = lines if len(ordered) else []
    if missing.any():
        names.append(None)
        lines.append(missing)
    return Association(
        feature=feature.name,
        role=feature.role,
        attribute=attribute.name,
        rows=attribute.row_count(infinite),
        groups=attribute.groups,
        categories=tuple(names),
        counts=tuple(tuple(int(count) for count in line) for line in lines),
        edges=tuple(decimal(float(edge)) for edge in edges),
        numbers=tuple(int(count) for count in _by_code(codes, attribute)),
        twice_u=tuple(str(each) for each in _twice_u(ordered, codes, attribute)),
    )


def _edges(ordered: Floats) -> Floats:
    """Inner edges: each value where there are few, else the twentieths of the values, each once."""
    if not len(ordered):
        return ordered
    distinct = ordered[np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])]
    if len(distinct) <= BINS:
        return np.asarray(distinct[:-1], dtype=np.float64)
    at = (np.arange(1, BINS) * len(ordered)) // BINS
    edges = np.unique(ordered[at])
    return np.asarray(edges[edges < ordered[-1]], dtype=np.float64)


def _names(edges: Floats) -> Iterator[str]:
    """As a person reads them: (low, high]."""
    if not len(edges):
        yield "all"
        return
    yield f"up to {edges[0]:.6g}"
    for low, high in itertools.pairwise(edges):
        yield f"over {low:.6g} up to {high:.6g}"
    yield f"over {edges[-1]:.6g}"


def _twice_u(ordered: Floats, codes: Codes, attribute: _Attribute) -> Iterator[int]:
    """Twice the Mann-Whitney U of each group against all others: from twice the mid-ranks, which are whole numbers."""
    if not len(ordered):
        yield from (0 for _ in attribute.groups)
        return
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(ordered)]
    twice_rank = np.repeat(starts + ends + 1, ends - starts)
    sizes = _by_code(codes, attribute)
    for n, total in zip(sizes, _sums(codes, twice_rank, attribute), strict=True):
        yield total - int(n) * (int(n) + 1)


def _sums(codes: Codes, twice_rank: NDArray[np.int64], attribute: _Attribute) -> Iterator[int]:
    """The sum of the ranks of each group, exactly: in doubles while every sum is a whole number that a double holds, else
    in 64-bit integers."""
    n = len(codes)
    if n * (2 * n + 1) < WHOLE_DOUBLES:
        sums = np.bincount(codes, weights=twice_rank, minlength=len(attribute.labels) + 1)
        yield from (int(sums[code]) for code in attribute.codes)
        return
    for code in attribute.codes:
        yield int(twice_rank[codes == code].sum())
