"""The rules of a policy beyond checks, card and signatures: how old results may be, committed code, conditions of
one's own, days on which nothing moves. Each is evaluated on facts that the server read itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apps.checks import selectors as checks
from apps.checks.verdicts import Verdict
from apps.core import clock
from apps.experiments import selectors as experiments
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews.policies import conditions

# Logged by the client when it runs inside a git repository; a claim, like everything a client logs.
_COMMIT, _DIRTY = "mlflow.source.git.commit", "mlflow.source.git.dirty"


def broken(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> Iterator[str]:
    """Each rule of the terms that does not hold now, as a sentence without its full stop; nothing if all hold."""
    today = clock.now().date()
    yield from _frozen(terms.get("freeze_windows", ()), today)
    ages = terms.get("max_age_days") or {}
    if ages.get("results"):
        yield from _stale(version, terms["checks"], ages["results"])
    if ages.get("data"):
        yield from _old_data(version, ages["data"])
    if terms.get("against_incumbent"):
        yield from _worse(version, targets, terms["against_incumbent"])
    written = terms.get("conditions", ())
    if not (written or terms.get("clean_commit")):
        return
    found = facts(version, targets, terms)
    if terms.get("clean_commit") and not (found["run"]["commit"] and not found["run"]["dirty"]):
        yield (
            "the run was made from uncommitted changes"
            if found["run"]["commit"]
            else "no run says from which commit of the code the model was made"
        )
    for condition in written:
        holds, why = conditions.holds(condition["expression"], found)
        if not holds:
            yield f"{condition['title']} does not hold{f' ({why})' if why else ''}"


def _frozen(windows: Sequence[Mapping[str, str]], today: dt.date) -> Iterator[str]:
    for window in windows:
        if dt.date.fromisoformat(window["first"]) <= today <= dt.date.fromisoformat(window["last"]):
            yield f"nothing is promoted until {window['last']} ({window['title']})"


def _stale(version: ModelVersion, demanded: Mapping[str, Any], days: int) -> Iterator[str]:
    oldest = clock.now() - dt.timedelta(days=days)
    for result in checks.results(version, demanded):
        row = result.measurement
        if row is not None and row.finished_at is not None and row.finished_at < oldest:
            yield (
                f"{result.title.lower()} was measured on {row.finished_at:%d %b %Y}, more than {days} days ago"
            )


def _old_data(version: ModelVersion, days: int) -> Iterator[str]:
    """Data sets are as old as their attachment here: what they hold may be older."""
    oldest = clock.now() - dt.timedelta(days=days)
    rows = checks.datasets_in_force(version).values()
    if not rows:
        yield "no data are attached whose age could be told"
    for row in sorted(rows, key=lambda row: row.role):
        if row.created_at < oldest:
            yield f"the {row.role} data {row.name} were attached on {row.created_at:%d %b %Y}, more than {days} days ago"


def _worse(
    version: ModelVersion, targets: Sequence[Target], limits: Mapping[str, Any]
) -> Iterator[str]:
    """What the version loses against each version that it would take the place of."""
    holders = {
        held.pk: held for target in targets if (held := registry.holder(version.model, target))
    }
    for held in holders.values():
        if held.pk == version.pk:
            continue
        found = checks.against_incumbent(version, held, limits)
        if isinstance(found, Verdict):
            yield (
                f"v{version.number} and v{held.number}, which it would replace, were not both measured on the same "
                "data"
                if limits.get("same_data", True)
                else f"v{version.number} and v{held.number}, which it would replace, were not both measured"
            )
            continue
        yield from (row.sentence.removesuffix(".") for row in found if not row.verdict.satisfies)


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
        "run": _run(version),
        "data": {
            str(row.role): {"rows": row.rows, "age_days": (now - row.created_at).days}
            for row in checks.datasets_in_force(version).values()
        },
        "checks": {
            result.kind: result.verdict.value for result in checks.results(version, terms["checks"])
        },
        "targets": [str(target) for target in targets],
        "today": now,
    }


def _run(version: ModelVersion) -> dict[str, Any]:
    told = experiments.run_facts(version.run) if version.run is not None else {}
    tags = told.get("tags", {})
    return {
        "params": told.get("params", {}),
        "metrics": {key: float(m["value"]) for key, m in told.get("metrics", {}).items()},
        "commit": tags.get(_COMMIT, ""),
        "dirty": str(tags.get(_DIRTY, "")).lower() == "true",
    }
