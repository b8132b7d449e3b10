"""The kinds of checks that this site knows: its own, and those that installed packages bring.

A package brings a kind by an entry point of the group `countersign.checks` that names a `Kind` (docs/checks/plugins.md).
One that cannot be loaded stops the site from starting: a policy may demand it, and nothing may pass by its absence.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from apps.checks.figures import Figure
from apps.checks.hints import Hint
from apps.checks.kinds import (
    bias_audit,
    drift,
    fairness,
    files,
    leakage,
    multiclass,
    performance,
    pii,
    proxy,
    quality,
    regression,
    regression_gaps,
)
from apps.checks.kinds.base import Kind
from apps.core.errors import Invalid

Result: TypeAlias = msgspec.Struct
GROUP: Final = "countersign.checks"
_BUILT_IN: Final = (
    performance.KIND,
    multiclass.KIND,
    regression.KIND,
    fairness.KIND,
    regression_gaps.KIND,
    bias_audit.KIND,
    proxy.KIND,
    drift.KIND,
    quality.KIND,
    leakage.KIND,
    pii.KIND,
    files.KIND,
)


class Unusable(Exception):
    """A package brings a kind of check that cannot be used; the message says which and why."""


@functools.cache
def registered() -> Mapping[str, Kind]:
    """Every kind by its key, the built-in ones first. Raises Unusable for one that cannot be loaded."""
    found = {kind.key: kind for kind in _BUILT_IN}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        kind = _loaded(point)
        if kind.key in found:
            raise Unusable(f"{point.value}: there is a check called {kind.key} already")
        found[kind.key] = kind
    return MappingProxyType(found)


def _loaded(point: EntryPoint) -> Kind:
    try:
        kind = point.load()
    except Exception as error:  # whatever a foreign module raises, the answer is the same
        raise Unusable(f"{point.value} cannot be loaded: {error}") from error
    if not isinstance(kind, Kind):
        raise Unusable(f"{point.value} is no Kind")
    if kind.result.__struct_config__.tag != kind.key:
        raise Unusable(f"{point.value}: the tag of its result must be {kind.key!r}")
    return kind


def get(key: str) -> Kind:
    """Raises Invalid for a kind that nobody brought."""
    kind = registered().get(key)
    if kind is None:
        known = ", ".join(registered())
        raise Invalid("Unknown check.", fields={"kind": f"expected one of {known}"})
    return kind


def title(key: str) -> str:
    """As people call it; the key itself for a kind whose package was removed."""
    kind = registered().get(key)
    return kind.title if kind else key


def of_result(result: Result) -> Kind:
    """The kind that a result is of."""
    return get(str(type(result).__struct_config__.tag))


def figures(result: Result) -> list[Figure]:
    """Every number of a result that could be put beside another one."""
    return of_result(result).figures(result)


def hint(kind: str, key: str) -> Hint | None:
    """What a measure means; None for one that nobody described."""
    known = registered().get(kind)
    return next((each for each in known.hints if each.key == key), None) if known else None
