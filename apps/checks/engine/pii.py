"""Reading texts for personal data. All rows are looked through in SQL; what could hold something is read by the recognisers,
each different value once. Values stay in this module: what leaves it are counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from apps.checks.engine.compute import DataSet, Workshop
from apps.checks.engine.source import Column, Source
from apps.checks.library.pii import ColumnScan, KindCount, Named, Params, PiiStatistics
from apps.checks.library.recognisers import LONGEST, TITLES, Recogniser, named

# What no recogniser could say yes to is not read: a text without @, without seven digits close together, and so on.
_COULD = r"@|[0-9](?:[ ().\-/]{0,3}[0-9]){6,}|[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,}|[0-9]\.[0-9]+\.[0-9]+\.[0-9]|[0-9A-Fa-f]*:[0-9A-Fa-f]*:"
_COULD_WITH_IDENTITY = r"(?s)@|[0-9].*[0-9].*[0-9].*[0-9]|[0-9A-Fa-f]*:[0-9A-Fa-f]*:"
_WHOLE = r"[0-9]{8,19}(?:\.0)?"


def read_columns(data: DataSet) -> list[Column]:
    """The columns whose values are read: texts, whole numbers, nested values."""
    return [
        column for column in data.columns if column.kind in {"text", "number", "other", "empty"}
    ]


def scan(data: DataSet, workshop: Workshop, params: Params, places: range) -> PiiStatistics:
    """Every column by its name; those of `read_columns` at these places by their values."""
    readable = read_columns(data)
    read = [readable[place] for place in places]
    recogniser = Recogniser(params.countries)
    step = workshop.steps(max(1, len(read)), "columns")
    scans = []
    with workshop.open(data) as opened:
        source = opened.held([column.name for column in read])
        for column in read:
            scans.append(_scanned(source, column, recogniser, params, workshop.tick))
            step()
    speaking = tuple(Named(each.name, kind) for each in data.columns if (kind := named(each.name)))
    others = tuple(each.name for each in data.columns if each not in readable)
    return PiiStatistics(tuple(scans), speaking, others)


def join(pieces: Sequence[PiiStatistics]) -> PiiStatistics:
    """The scans of all pieces, in their order; what the names say is the same in each."""
    scans = tuple(scan for piece in pieces for scan in piece.columns)
    return PiiStatistics(scans, pieces[0].named, pieces[0].by_name_only)


def _scanned(
    source: Source, column: Column, recogniser: Recogniser, params: Params, tick: Callable[[], None]
) -> ColumnScan:
    text = f"CAST({source.raw(column.name)} AS VARCHAR)"
    could = (
        "regexp_full_match(v, $could)" if column.kind == "number" else "regexp_matches(v, $could)"
    )
    pattern = _pattern(column, params)
    texts = f"SELECT {text} AS v FROM {{data}}"
    rows, present, cut, possible = source.fetch(
        f"SELECT count(*), count(v), count(CASE WHEN length(v) > {LONGEST} THEN 1 END), "
        f"count(DISTINCT CASE WHEN {could} THEN v END) FROM ({texts}) AS t",
        could=pattern,
    )[0]
    chosen = f"SELECT v, count(*) AS n FROM ({texts}) AS t WHERE {could} GROUP BY v"
    if possible > params.most_values:
        # The same values on every machine: in the order of a digest of seed and value.
        chosen += f" ORDER BY md5('{params.seed:d}:' || v), v LIMIT {params.most_values:d}"
    found: Counter[str] = Counter()
    for batch in source.stream(chosen, could=pattern):
        for value, count in batch:
            for kind in recogniser.kinds(value):
                found[kind] += count
        tick()
    counts = tuple(KindCount(kind, found[kind]) for kind in TITLES if found[kind])
    read = min(possible, params.most_values)
    return ColumnScan(column.name, rows, present, possible, read, counts, cut)


def _pattern(column: Column, params: Params) -> str:
    if column.kind == "number":
        return _WHOLE
    return _COULD_WITH_IDENTITY if params.countries else _COULD
