"""Does the file hold what somebody said its columns mean? All complaints at once, by field."""

from __future__ import annotations

from apps.checks.engine.counts import find_labels
from apps.checks.engine.multiclass import multiclass_statistics
from apps.checks.engine.source import Source
from apps.checks.mapping import Mapping, Role
from apps.checks.numbers import grouped, listed
from apps.core.errors import Invalid


def normal_label(label: object, source: Source, target: str) -> str:
    """An outcome as the counts write it: `1` for 1, 1.0 and "1.0", `true` for True."""
    if isinstance(label, bool):
        return str(label).lower()
    text = str(label).strip()
    if target in source.columns and source.kind(target) == "number":
        try:
            number = float(text)
        except ValueError:
            return text
        return str(int(number)) if number.is_integer() else text
    return text


def check_declared(source: Source, role: Role, mapping: Mapping, favourable: str) -> None:
    """Raises Invalid naming every field that does not fit; returns nothing when all do."""
    fields = _unknown_columns(source, mapping) or {}
    fields |= _lacking(role, mapping, favourable)
    if not fields:
        fields |= _wrong_kinds(source, mapping)
    if fields:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in fields.items())
        raise Invalid(f"The columns do not fit: {reasons}.", fields=fields)
    if role is Role.EVALUATION:
        _check_outcomes(source, mapping, favourable)


def _check_outcomes(source: Source, mapping: Mapping, favourable: str) -> None:
    """Two labels of which one is wanted; or as many as a table may have; or numbers."""
    if mapping.task == "multiclass":
        multiclass_statistics(source, mapping.target, mapping.prediction)
    elif mapping.task == "binary":
        find_labels(
            source,
            target=mapping.target,
            prediction=mapping.prediction,
            favourable=favourable,
            positive=mapping.positive,
        )


def _unknown_columns(source: Source, mapping: Mapping) -> dict[str, str]:
    found = {}
    for field, names in mapping.named().items():
        unknown = [name for name in names if name not in source.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if unknown:
            found[field] = f"no such column: {listed(unknown)}"
        elif twice:
            found[field] = f"named twice: {listed(twice)}"
    return found


def _lacking(role: Role, mapping: Mapping, favourable: str) -> dict[str, str]:
    found = {}
    if role is Role.EVALUATION:
        if not mapping.target:
            found["target"] = "name the column that holds the true outcome"
        if not mapping.prediction:
            found["prediction"] = "name the column that holds the model's decision"
        if not favourable and mapping.task == "binary":
            found["favourable"] = "say which outcome people want; every fairness number needs it"
    elif not (mapping.features or mapping.score or mapping.prediction):
        found["features"] = "name at least one column to compare"
    if mapping.target and mapping.target == mapping.prediction:
        found["prediction"] = "the same column as the true outcome"
    return found


def _wrong_kinds(source: Source, mapping: Mapping) -> dict[str, str]:
    found = _no_numbers(source, mapping)
    for field in ("target", "prediction", "sensitive", "features"):
        for name in mapping.named()[field]:
            if source.kind(name) in {"time", "other"}:
                found[field] = (
                    f"{name!r} holds dates, times, nested or binary values; "
                    "derive a number or a category from it"
                )
    if mapping.time and source.kind(mapping.time) == "other":
        found["time"] = f"{mapping.time!r} holds nested or binary values"
    if not found:
        found |= _too_many_groups(source, mapping)
    return found


def _no_numbers(source: Source, mapping: Mapping) -> dict[str, str]:
    """Scores are numbers, and so are the outcomes and predictions of a regression."""
    found = {}
    fields = ("score", "target", "prediction") if mapping.task == "regression" else ("score",)
    for field in fields:
        for name in mapping.named()[field]:
            if source.kind(name) != "number":
                found[field] = f"{name!r} does not hold numbers only"
            elif not _has_number(source, name):
                found[field] = f"{name!r} holds no number at all, only NaN or infinity"
    return found


def _has_number(source: Source, name: str) -> bool:
    query = f"SELECT 1 FROM {{data}} WHERE isfinite({source.number(name)}) LIMIT 1"
    return bool(source.fetch(query))


def _too_many_groups(source: Source, mapping: Mapping) -> dict[str, str]:
    most = source.caps.max_groups
    for name in mapping.sensitive:
        if len(source.counted([name], most=most + 1)) > most:
            return {
                "sensitive": f"{name!r} has more than {grouped(most)} values; combine them into groups"
            }
    return {}
