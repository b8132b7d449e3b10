"""The checks as the document shows them, and as check-results.json holds them."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

from apps.checks.library.judging import Row
from apps.checks.models import Measurement, MeasurementStatus
from apps.checks.numbers import MISSING, grouped, shown
from apps.checks.selectors import CheckResult
from apps.compliance.assembly.pinned import Evidence
from apps.core.parts import Cell, Column, Table, Tone
from apps.modelcards.collect import moment
from apps.modelcards.dossier import CheckView
from apps.registry.models import ModelVersion

_HEAD = (
    Column("Requirement"),
    Column("Of"),
    Column("Value", numeric=True),
    Column("Interval", numeric=True),
    Column("n", numeric=True),
    Column("Limit"),
    Column("Verdict"),
)


def views(version: ModelVersion, evidence: Evidence) -> tuple[CheckView, ...]:
    """Each demanded check with the verdict that the evidence has, its rows and its source."""
    return tuple(_view(version, result) for result in evidence.results)


def _view(version: ModelVersion, result: CheckResult) -> CheckView:
    row = result.measurement
    if row is None:
        return CheckView(
            kind=result.kind,
            title=result.title,
            verdict=result.verdict.label,
            tone=_tone(result.verdict.tone),
            sentence=result.sentence,
        )
    recalled = row.status == MeasurementStatus.RECALLED
    return CheckView(
        kind=result.kind,
        title=result.title,
        verdict="Recalled" if recalled else result.verdict.label,
        tone="bad" if recalled else _tone(result.verdict.tone),
        sentence=_recalled(row, result.sentence) if recalled else result.sentence,
        measurement=str(row.uuid),
        link=f"/models/{quote(version.model.name, safe='')}/{version.number}/checks/{row.uuid}/",
        measured_at=row.finished_at.isoformat() if row.finished_at else "",
        result_digest=row.result_digest,
        code_version=row.code_version,
        rows=_rows(result),
        record=record(row, result.sentence),
    )


def _recalled(row: Measurement, sentence: str) -> str:
    at = f" on {moment(row.recalled_at)}" if row.recalled_at else ""
    return f"Recalled{at}: {row.recall_reason}. It had said: {sentence}"


def _rows(result: CheckResult) -> Table | None:
    if result.assessment is None or not result.assessment.rows:
        return None
    rows = tuple(_row(row) for row in result.assessment.rows)
    return Table("Held against the policy's limits", _HEAD, rows)


def _row(row: Row) -> tuple[Cell, ...]:
    interval = MISSING if row.low is None else f"{shown(row.low)}–{shown(row.high)}"
    return (
        Cell(row.title),
        Cell(row.of or "all rows"),
        Cell(shown(row.value)),
        Cell(interval),
        Cell(MISSING if row.n is None else grouped(row.n)),
        Cell(row.limit or MISSING),
        Cell(row.verdict.label, tone=_tone(row.verdict.tone)),
    )


def record(row: Measurement, sentence: str) -> dict[str, Any]:
    """What a program needs to compute every published number again."""
    return {
        "key": row.key,
        "params": row.params,
        "inputs": row.inputs,
        "libraries": row.libraries,
        "statistics": row.statistics,
        "result": row.result,
        "status": row.status,
        "sentence": sentence,
    }


def _tone(tone: str) -> Tone:
    """The document's tones are a subset of the interface's."""
    return cast("Tone", tone if tone in {"good", "bad", "warn", "info", "unknown"} else "")
