"""What still blocks a promotion? Gates are pure reads given by settings.PROMOTION_GATES; all must pass.

A gate answers with a tree: `children` say why, and each unmet leaf which acts would meet it. `explain` finds the
smallest set of acts in it.
"""

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
class Fix:
    """One act that helps: in words, by whom, where. Two with one key are the same act.

    `cost` orders acts by effort, 1 the least: a signature, a run of a check; more for new data or another version; most
    for a waiver, which is no way to meet a requirement but to put it aside.
    """

    key: str
    act: str
    who: str = ""
    url: str = ""
    cost: int = 1


@dataclass(frozen=True, slots=True)
class GateResult:
    """One requirement: `fact` says in a sentence how it stands, `act_*` what a person can do next.

    With `children` it passes when `needs` of them pass, all where `needs` is None. Without, `fixes` are the acts that
    together meet it; none for an unmet one means that nothing done here would. `reason` is the fact as a clause.
    """

    key: str
    title: str
    state: GateState
    fact: str
    act_label: str = ""
    act_url: str = ""
    children: tuple[GateResult, ...] = ()
    needs: int | None = None
    fixes: tuple[Fix, ...] = ()
    reason: str = ""

    @property
    def passes(self) -> bool:
        return self.state == "pass"

    @property
    def clause(self) -> str:
        """Why, to be put after `because`."""
        return self.reason or self.fact.removesuffix(".")


def state_of(children: Sequence[GateResult], needs: int | None = None) -> GateState:
    """How a requirement stands that is made of these: `missing` if all that is unmet only waits to be done.

    Of nothing at all: missing, which is not passing.
    """
    met = sum(child.passes for child in children)
    if children and met >= (len(children) if needs is None else needs):
        return "pass"
    return "fail" if any(child.state == "fail" for child in children) else "missing"


def all_of(
    key: str, title: str, fact: str, children: Sequence[GateResult], **more: Any
) -> GateResult:
    """A requirement that holds when all of these do."""
    return GateResult(key, title, state_of(children), fact, children=tuple(children), **more)


def some_of(
    needs: int, key: str, title: str, fact: str, children: Sequence[GateResult], **more: Any
) -> GateResult:
    """A requirement that holds when so many of these do."""
    state = state_of(children, needs)
    return GateResult(key, title, state, fact, children=tuple(children), needs=needs, **more)


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
