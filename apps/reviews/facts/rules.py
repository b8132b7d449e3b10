"""The facts that the rules of a policy are judged on (apps.reviews.judging.rules), as the server reads them now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apps.checks import selectors as checks
from apps.checks.library import performance
from apps.checks.library.performance import PerformanceResult
from apps.checks.models import CheckKind, Measurement
from apps.checks.uploaded import selectors as uploaded
from apps.core import clock
from apps.experiments import selectors as experiments
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews.judging.rules import Attached, Measured, Rival, RuleFacts, needs_values

# Logged by the client when it runs inside a git repository; a claim, like everything a client logs.
_COMMIT, _DIRTY = "mlflow.source.git.commit", "mlflow.source.git.dirty"


def collect(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> RuleFacts:
    """What the rules of these terms ask about, and nothing that none of them asks about."""
    ages = terms.get("max_age_days") or {}
    rivals = _rivals(version, targets) if terms.get("against_incumbent") else ()
    return RuleFacts(
        at=clock.now(),
        number=version.number,
        results=_measured(version, terms["checks"]) if ages.get("results") else (),
        data=_attached(version) if ages.get("data") else (),
        rivals=tuple(rivals),
        values=facts(version, targets, terms) if needs_values(terms) else None,
    )


def _measured(version: ModelVersion, demanded: Mapping[str, Any]) -> list[Measured]:
    return [
        Measured(
            result.kind,
            result.title,
            result.measurement.finished_at if result.measurement else None,
        )
        for result in checks.results(version, demanded)
    ]


def _attached(version: ModelVersion) -> list[Attached]:
    rows = sorted(checks.datasets_in_force(version).values(), key=lambda row: row.role)
    return [Attached(row.role, row.name, row.created_at) for row in rows]


def _rivals(version: ModelVersion, targets: Sequence[Target]) -> Iterator[Rival]:
    """Each version that this one would take the place of."""
    holders = {
        held.pk: held for target in targets if (held := registry.holder(version.model, target))
    }
    for held in holders.values():
        if held.pk != version.pk:
            mine = checks.latest(version, CheckKind.PERFORMANCE)
            theirs = checks.latest(held, CheckKind.PERFORMANCE)
            yield rival(held.number, mine, theirs)


def rival(number: int, mine: Measurement | None, theirs: Measurement | None) -> Rival:
    """The version of that number in a target, with what was measured of both."""
    same = mine is not None and theirs is not None and same_data(mine.inputs, theirs.inputs)
    return compared(number, _result(mine), _result(theirs), same_bytes=same)


def same_data(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> bool:
    """Whether two measurements took the same bytes. What their columns mean may differ: each version's predictions have
    one of their own."""
    first, second = ([(part["part"], part["digest"]) for part in inputs] for inputs in (one, other))
    return first == second


def compared(
    number: int,
    mine: PerformanceResult | None,
    theirs: PerformanceResult | None,
    *,
    same_bytes: bool,
) -> Rival:
    """The two results; on the same data where the bytes are and the outcomes in them can be the same."""
    same = bool(same_bytes and mine and theirs and performance.same_outcomes(mine, theirs))
    return Rival(number, mine, theirs, same)


def _result(row: Measurement | None) -> PerformanceResult | None:
    found = checks.result_of(row) if row is not None else None
    return found if isinstance(found, PerformanceResult) else None


def facts(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> dict[str, Any]:
    """What a condition may speak of: the names of `conditions.VARIABLES`."""
    model, now = version.model, clock.now()
    return {
        "model": {
            "name": model.name,
            "tier": model.risk_tier,
            "team": model.team.key if model.team is not None else "",
            "tags": dict(model.tags.values_list("key", "value")),
        },
        "version": {
            "number": version.number,
            "files": len(version.manifest),
            "size": version.total_size,
            "tags": dict(version.tags.values_list("key", "value")),
        },
        "run": run_values(experiments.run_facts(version.run) if version.run is not None else {}),
        "data": {
            str(row.role): {"rows": row.rows, "age_days": (now - row.created_at).days}
            for row in checks.datasets_in_force(version).values()
        },
        "checks": {
            result.kind: result.verdict.value for result in checks.results(version, terms["checks"])
        },
        "uploaded": uploaded.facts([each.row for each in uploaded.standing(version)], now),
        "targets": [str(target) for target in targets],
        "today": now,
    }


def run_values(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a run recorded (`experiments.run_facts`), as conditions speak of it; {} for a version without a run."""
    tags = told.get("tags", {})
    return {
        "params": told.get("params", {}),
        "metrics": {key: float(m["value"]) for key, m in told.get("metrics", {}).items()},
        "commit": tags.get(_COMMIT, ""),
        "dirty": str(tags.get(_DIRTY, "")).lower() == "true",
    }
