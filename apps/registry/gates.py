"""What still blocks a promotion? Gates are pure reads given by settings.PROMOTION_GATES; all must pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.utils.module_loading import import_string

from apps.registry.models import ModelVersion
from apps.registry.targets import Target

GateState = Literal["pass", "fail", "missing"]


@dataclass(frozen=True, slots=True)
class GateResult:
    """One requirement: `fact` says in a sentence how it stands, `act_*` what a person can do next."""

    key: str
    title: str
    state: GateState
    fact: str
    act_label: str = ""
    act_url: str = ""

    @property
    def passes(self) -> bool:
        return self.state == "pass"


Gate = Callable[[ModelVersion, Sequence[Target], Mapping[str, Any]], GateResult]


def load() -> list[Gate]:
    """The configured gates; an empty list or an import error is an exception, never 'nothing blocks'."""
    if not settings.PROMOTION_GATES:
        msg = "PROMOTION_GATES is empty: every promotion would be free"
        raise RuntimeError(msg)
    return [import_string(path) for path in settings.PROMOTION_GATES]


def evaluate(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> list[GateResult]:
    """Every gate's answer for moving this version into these targets under the policy's `terms`."""
    return [gate(version, targets, terms) for gate in load()]
