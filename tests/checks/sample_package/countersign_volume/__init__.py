"""A check as another package brings it: are there enough rows to speak of? See docs/checks/plugins.md."""

from __future__ import annotations

from pathlib import Path

import msgspec
from pydantic import BaseModel, ConfigDict

from apps.checks.kinds.base import Kind, Task
from apps.checks.library.estimates import Estimate
from apps.checks.library.judging import Assessment, Subject, conclude, judged
from apps.checks.limits import Bound
from apps.core.parts import Part, Text


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class Statistics(msgspec.Struct, frozen=True, tag="volume"):
    rows: int


class Volume(msgspec.Struct, frozen=True, tag="volume"):
    rows: int


class Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: Bound


def run(task: Task, _params: Params) -> tuple[Statistics, Volume]:
    with task.workshop.open(task.data[0]) as source:
        rows = source.rows()
    return Statistics(rows), Volume(rows)


def assess(result: Volume, limits: Limits) -> Assessment:
    exactly = Estimate(str(result.rows), str(result.rows), str(result.rows))
    row = judged(Subject("rows", "Rows", result.rows, result.rows), exactly, limits.rows, min_n=0)
    return conclude([row], row.sentence)


def parts(result: Volume) -> tuple[Part, ...]:
    return (Text(f"{result.rows} rows."),)


KIND = Kind(
    key="volume",
    title="Volume",
    params=Params,
    result=Volume,
    limits=Limits,
    run=run,
    assess=assess,
    parts=parts,
    home=Path(__file__).parent,
    sources=("*.py",),
    libraries=("countersign-volume", "duckdb"),
)
