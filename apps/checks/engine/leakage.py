"""Counting what evaluation and reference data share, and how far single features tell the outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apps.checks.engine.compute import DataSet, Workshop
from apps.checks.engine.equalrows import BLOCK, Rows, repeats, shared
from apps.checks.engine.source import Source
from apps.checks.library.leakage import LeakageStatistics, Purity, Unlooked
from apps.core.errors import Invalid


def count(evaluation: DataSet, reference: DataSet, workshop: Workshop) -> LeakageStatistics:
    """All that is counted. Raises Invalid where the two data sets have no column in common to compare by."""
    declared = _declared(evaluation, reference)
    here, there = ({column.name for column in data.columns} for data in (evaluation, reference))
    answers = _answers(evaluation, reference)
    compared = tuple(
        name for name in declared or _columns(evaluation) if name in here and name in there
    )
    if not compared:
        reason = "the two data sets have no feature in common by which their rows could be compared"
        raise Invalid(reason, fields={"features": reason})
    features = [name for name in declared or _columns(evaluation) if name in here]
    looked = [name for name in features if name not in _roles(evaluation)]
    step = workshop.steps(3 * -(-len(compared) // BLOCK) + len(looked), "steps")
    with workshop.open(evaluation) as opened, workshop.open(reference) as beside:
        first = opened.held([*compared, *looked, evaluation.mapping.target])
        second = beside.held(compared)
        values = [_comparable(first, second, name) for name in compared]
        rows = Rows(first, [each for each, _ in values], step)
        others = Rows(second, [each for _, each in values], step)
        both, within = shared(rows, others), repeats(others)
        purities, unlooked = _purities(first, looked, evaluation.mapping.target, step)
        outcomes = _outcomes(first, evaluation.mapping.target)
        unlike = tuple(name for name in compared if _unlike(first, second, name))
    return LeakageStatistics(
        compared, bool(declared), both, within, answers, outcomes, purities, unlooked, unlike
    )


def _unlike(first: Source, second: Source, name: str) -> bool:
    """Whether the column holds numbers in one file and something else in the other; an empty one is like all."""
    kinds = {first.kind(name), second.kind(name)} - {"empty"}
    return len(kinds) > 1


def _declared(evaluation: DataSet, reference: DataSet) -> tuple[str, ...]:
    """The features that either data set names, those of the reference first."""
    return tuple(dict.fromkeys([*reference.mapping.features, *evaluation.mapping.features]))


def _roles(data: DataSet) -> tuple[str, ...]:
    mapping = data.mapping
    return tuple(name for name in (mapping.target, mapping.prediction, mapping.score) if name)


def _columns(data: DataSet) -> tuple[str, ...]:
    """Every column that is not the answer of the model or of life."""
    return tuple(column.name for column in data.columns if column.name not in _roles(data))


def _answers(evaluation: DataSet, reference: DataSet) -> tuple[str, ...]:
    """What is declared as outcome, prediction or score, in either data set, and as a feature."""
    roles = {*_roles(evaluation), *_roles(reference)}
    return tuple(name for name in _declared(evaluation, reference) if name in roles)


def _comparable(first: Source, second: Source, name: str) -> tuple[str, str]:
    """The column in both files as values that are equal where they mean the same: 1, 1.0 and the text `1`; NULL for all
    that is missing."""
    kinds = {first.kind(name), second.kind(name)} - {"empty"}
    if kinds == {"number"}:
        return _number(first, name), _number(second, name)
    return _plain(first, name), _plain(second, name)


def _number(source: Source, name: str) -> str:
    """Without NaN, and with one zero only."""
    x = source.number(name)
    return f"CASE WHEN NOT isnan({x}) THEN {x} + 0.0 END"


def _plain(source: Source, name: str) -> str:
    if source.kind(name) in {"number", "empty", "boolean"}:
        return source.text(name)
    text = f"CAST({source.raw(name)} AS VARCHAR)"
    return f"CASE WHEN trim({text}) <> '' THEN {text} END"


def _outcomes(source: Source, target: str) -> int:
    return sum(label is not None for label, _ in source.counted([target], most=1_000))


def _purities(
    source: Source, names: Sequence[str], target: str, step: Callable[[], None]
) -> tuple[tuple[Purity, ...], tuple[Unlooked, ...]]:
    """One group-by of value and outcome for each feature."""
    found: list[Purity] = []
    unlooked: list[Unlooked] = []
    for name in names:
        kind = source.kind(name)
        if kind == "empty":
            unlooked.append(Unlooked(name, "it holds nothing"))
        else:
            found.append(_purity(source, name, kind, target))
        step()
    return tuple(found), tuple(unlooked)


def _purity(source: Source, name: str, kind: str, target: str) -> Purity:
    value = _number(source, name) if kind == "number" else _plain(source, name)
    pairs = (
        f"SELECT v, y, count(*) AS n FROM (SELECT {value} AS v, {source.text(target)} AS y FROM {{data}}) AS d "
        "WHERE v IS NOT NULL AND y IS NOT NULL GROUP BY v, y"
    )
    by_value = f"SELECT v, sum(n) AS n, max(n) AS most FROM ({pairs}) AS p GROUP BY v"
    rows, repeated, pure, values = source.fetch(
        "SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (n > 1), 0), "
        f"coalesce(sum(most) FILTER (n > 1), 0), count(*) FROM ({by_value}) AS q"
    )[0]
    apart = kind == "number" and _apart(source, value, target)
    return Purity(name, int(rows), int(repeated), int(pure), int(values), apart)


def _apart(source: Source, value: str, target: str) -> bool:
    """Whether two outcomes lie on two sides of some number."""
    ends = source.fetch(
        f"SELECT min(v), max(v) FROM (SELECT {value} AS v, {source.text(target)} AS y FROM {{data}}) AS d "
        "WHERE v IS NOT NULL AND y IS NOT NULL GROUP BY y",
        most=3,
    )
    if len(ends) != 2:
        return False
    (low, high), (other_low, other_high) = ends
    return bool(high < other_low or other_high < low)
