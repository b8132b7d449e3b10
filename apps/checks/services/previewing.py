"""What a check would say of the first rows: by the same engine, at once, and kept nowhere.

Limits, not to hold up a page: so many rows and values, less memory, one thread, a deadline between steps, and no more than a
few at a time in one process. Whatever is beyond them has no preview, with the reason; the check itself has other limits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from apps.accounts import policy
from apps.checks import choices, kinds, selectors
from apps.checks.engine.compute import DataSet, Workshop
from apps.checks.engine.crosscheck import Disagreement
from apps.checks.engine.sample import first_rows
from apps.checks.kinds.base import Kind, Task
from apps.checks.models import EvaluationDataset
from apps.checks.numbers import grouped
from apps.checks.services import inputs
from apps.checks.services.measurements import fitting_params, parse_params
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.registry.models import ModelVersion

MOST_ROWS: Final = 10_000
MOST_VALUES: Final = 1_000_000
FEWEST_ROWS: Final = 1_000
SECONDS: Final = 4.0
_AT_ONCE: Final = 2
_MEMORY: Final = "256MB"
_places = threading.BoundedSemaphore(_AT_ONCE)


class _TooSlow(Exception):
    """The deadline passed."""


@dataclass(frozen=True, slots=True)
class Part:
    """How many of the rows of a data set were looked at, and which part it plays."""

    part: str
    rows: int
    of: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A result of the first rows, or why there is none. `less` says what else was done less of."""

    result: msgspec.Struct | None
    why_not: str = ""
    parts: tuple[Part, ...] = ()
    less: tuple[str, ...] = ()


def preview(
    actor: Actor, version: ModelVersion, kind: str, params: Mapping[str, Any] | None = None
) -> Preview:
    """The result on the first rows of the data in force. Nothing is written: no row, no event, no file that stays.

    Refuses with Invalid what `request_measurement` would refuse. What is found wrong only while counting is the reason
    why there is no preview: it may be the first rows' fault.
    """
    policy.require(actor, "check.run", version)
    known = kinds.get(kind)
    if known.no_preview:
        parse_params(kind, params or {})
        return Preview(None, known.no_preview)
    rows = _inputs(version, kind)
    chosen = fitting_params(version, kind, params or {})
    columns = max(len(row.columns) for _, row in rows)
    most = min(MOST_ROWS, MOST_VALUES // max(1, columns))
    if most < FEWEST_ROWS:
        return Preview(
            None, f"The data have {grouped(columns)} columns: too many to look at at once."
        )
    data = [inputs.data_set(row, selectors.files_of(row)) for _, row in rows]
    parts = tuple(Part(part, min(most, row.rows), row.rows) for part, row in rows)
    lighter, less = choices.lighter(chosen, known.choices)
    return _counted(
        known, lighter, data, most, replace(Preview(None), parts=parts, less=tuple(less))
    )


def _inputs(version: ModelVersion, kind: str) -> Sequence[tuple[str, EvaluationDataset]]:
    in_force = selectors.datasets_in_force(version)
    try:
        selectors.require_inputs(kind, in_force)
        return selectors.inputs_of(kind, in_force)
    except NotFound as error:
        raise Invalid(f"{error.message} {error.hint}") from error


def _counted(
    kind: Kind, params: msgspec.Struct, data: Sequence[DataSet], most: int, about: Preview
) -> Preview:
    if not _places.acquire(blocking=False):
        return replace(about, why_not="Other previews are being computed; try again in a moment.")
    try:
        with inputs.scratch() as folder:
            workshop = _in_time(folder)
            sample = tuple(first_rows(each, most, folder) for each in data)
            task = Task(workshop, sample, asked_on=clock.now().date())
            _, result = kind.run(task, params)
            return replace(about, result=result)
    except _TooSlow:
        return replace(
            about, why_not=f"It takes longer than {SECONDS:.0f} seconds on the first rows."
        )
    except (DomainError, Disagreement) as error:
        return replace(about, why_not=f"On the first rows: {error}")
    except MemoryError:
        return replace(about, why_not="It takes more memory than a preview may.")
    finally:
        _places.release()


def _in_time(folder: Path) -> Workshop:
    """A workshop that stops at its next step once the time is over."""
    end = time.monotonic() + SECONDS

    def tick() -> None:
        if time.monotonic() > end:
            raise _TooSlow

    caps = replace(selectors.caps(), memory=_MEMORY, threads=1)
    return Workshop(caps, folder, tick)
