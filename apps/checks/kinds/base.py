"""What a kind of check is: the pieces that the services, the gate, the policies and the pages put together.

A kind is data about functions. Its numbers come from `run`, which is given the data (or files) and reads nothing else;
its verdict from `assess`, which is pure. Whoever adds a kind writes one module with one `Kind`; see
`apps.checks.kinds` for how it becomes known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

from apps.checks.choices import Choice
from apps.checks.engine.compute import DataSet, Workshop
from apps.checks.figures import Figure
from apps.checks.hints import Hint
from apps.checks.library.judging import Assessment
from apps.checks.mapping import Role
from apps.core.errors import Invalid
from apps.core.parts import Part


@dataclass(frozen=True, slots=True)
class Input:
    """One data set that a check takes: its part in the check, and the roles that may play it, the best first.

    One that is `optional` is taken where it is attached; such inputs stand last, so that the others keep their place.
    """

    part: str
    roles: tuple[Role, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """One file of a version."""

    path: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Task:
    """What one run of a check is given: a data set for each of the kind's inputs, or the version's files.

    `asked_on` is the day on which somebody asked for it, so that nobody gives another day as today; None: not known.
    """

    workshop: Workshop
    data: tuple[DataSet, ...] = ()
    files: tuple[File, ...] = ()
    manifest_digest: str = ""
    asked_on: dt.date | None = None


def _no_figures(_result: Any) -> list[Figure]:
    return []


def _no_parts(_result: Any) -> tuple[Part, ...]:
    return ()


def _same(params: Any) -> Any:
    return params


def _nothing(_mappings: Sequence[Mapping[str, Any]]) -> None:
    """Nothing has to be declared."""


@dataclass(frozen=True, slots=True)
class Divided:
    """How a check is counted in pieces that several workers take, with the same statistics as when it is counted at once.

    `units` says of how many columns it consists, `count` counts those of a range of places, `join` puts the counts of
    all ranges together in their order, `measure` makes the result. `statistics` is what `count` and `join` give.
    """

    statistics: type[msgspec.Struct]
    units: Callable[[Task, Any], int]
    count: Callable[[Task, Any, range], Any]
    join: Callable[[Sequence[Any]], Any]
    measure: Callable[[Any, Any], msgspec.Struct]

    def run(self, task: Task, params: Any) -> tuple[msgspec.Struct, msgspec.Struct]:
        """All at once: the one way to a result where there is one worker."""
        counted = self.join([self.count(task, params, range(self.units(task, params)))])
        return counted, self.measure(counted, params)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of check.

    `params` is what a person may choose, `result` the numbers (a tagged Struct whose tag is `key`), `limits` what a policy
    may demand. `run` counts and measures: the same task and parameters give the same statistics and result; `divided`, if
    given, does so in pieces. `require`
    raises Invalid where the declared meaning of the inputs does not suffice. `parts` show a result;
    `figures` are the numbers that can be put side by side, `hints` what they mean. `choices` are words for `params`; `no_preview`
    says why a part of the data would tell nothing.

    `sources` (patterns under `home`) are the code that can change a number and `libraries` the distributions that take
    part: both go into the key under which a result is stored and found again. `on_engine` says that its data are counted where
    CHECKS_ENGINE says; the others are counted in the worker always.
    """

    key: str
    title: str
    params: type[msgspec.Struct]
    result: type[msgspec.Struct]
    limits: type[BaseModel]
    run: Callable[[Task, Any], tuple[msgspec.Struct, msgspec.Struct]]
    assess: Callable[[Any, Any], Assessment]
    home: Path
    sources: tuple[str, ...]
    libraries: tuple[str, ...]
    inputs: tuple[Input, ...] = (Input("evaluation", (Role.EVALUATION,)),)
    require: Callable[[Sequence[Mapping[str, Any]]], None] = _nothing
    checked: Callable[[Any], Any] = _same
    parts: Callable[[Any], tuple[Part, ...]] = _no_parts
    figures: Callable[[Any], list[Figure]] = _no_figures
    hints: tuple[Hint, ...] = ()
    choices: tuple[Choice, ...] = ()
    no_preview: str = ""
    always_shown: bool = field(default=False)
    divided: Divided | None = None
    on_engine: bool = field(default=False)

    @property
    def of_files(self) -> bool:
        """Whether it looks at the version's files instead of data."""
        return not self.inputs


def share(name: str, text: str, low: float, high: float) -> None:
    """Raise Invalid unless the text is a number from `low` to `high`."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not low <= number <= high:
        reason = f"expected a number from {low} to {high} as text"
        raise Invalid(f"{name}: {reason}.", fields={name: reason})


def require_task(mappings: Sequence[Mapping[str, Any]], task: str) -> None:
    """Raise Invalid unless the first input's outcomes are declared to be of this task."""
    declared = mappings[0].get("task", "binary")
    if declared != task:
        reason = f"the outcomes are declared as {declared}; this check takes {task}"
        raise Invalid(f"task: {reason}.", fields={"task": reason})


def number(name: str, text: str) -> None:
    """Raise Invalid unless the text is a finite decimal number."""
    try:
        finite = Decimal(text).is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        reason = 'expected a decimal number as text, such as "0.4"'
        raise Invalid(f"{name}: {reason}.", fields={name: reason})


MOST_DRAWS = 10_000


def resampling(draws: int, seed: int) -> None:
    """Raise Invalid for more draws than one check may take, and for a seed that is none."""
    if not 0 <= draws <= MOST_DRAWS:
        reason = f"expected a whole number from 0 to {MOST_DRAWS}"
        raise Invalid(f"draws: {reason}.", fields={"draws": reason})
    if not 0 <= seed < 2**63:
        raise Invalid(
            "seed: expected a whole number that is not negative.", fields={"seed": "out of range"}
        )
