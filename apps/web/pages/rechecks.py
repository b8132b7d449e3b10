"""A measurement executed again: the button, what waits, what came of it each time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse

from apps.checks import selectors as checks
from apps.checks.models import Measurement, Recheck, RecheckResult
from apps.core import outbox
from apps.registry.models import ModelVersion
from apps.web import cells, status
from apps.web.parts import Action, Cell, Column, Empty, Notice, Row, Table

SHOWN = 20
ANCHOR = "rechecks"


@dataclass(frozen=True, slots=True)
class Rechecks:
    """The section on the page of a measurement; `live_url` is where it asks how it goes while one waits."""

    notice: Notice | None
    table: Table
    acts: Collection[Action]
    live_url: str


def section(version: ModelVersion, row: Measurement, *, may: bool) -> Rechecks:
    """Its history, newest first, and what the newest says."""
    rows = list(checks.rechecks(row)[:SHOWN])
    waits = bool(rows) and checks.result_of_recheck(rows[0]) is None
    return Rechecks(
        notice=_notice(row, rows[0]) if rows else None,
        table=_table(row, rows),
        acts=[act(version, row)] if may and row.result is not None and not waits else [],
        live_url=url(version, str(row.uuid)) if waits else "",
    )


def url(version: ModelVersion, measurement: str, route: str = "web:measurement") -> str:
    """Of a page of this measurement."""
    return reverse(route, args=[version.model.name, version.number, measurement])


def act(version: ModelVersion, row: Measurement) -> Action:
    """The button that asks for it."""
    where = url(version, str(row.uuid), "web:measurement-recheck")
    return Action("Re-execute and compare", where, icon="running", post=True)


def asked() -> str:
    """What happens next, in a sentence that is true with and without a worker."""
    queue = (
        "" if outbox.queue_state().workers else " No worker is running: it waits until one does."
    )
    return f"It is executed again from the stored bytes and compared.{queue}"


def _notice(measurement: Measurement, newest: Recheck) -> Notice:
    result = checks.result_of_recheck(newest)
    if result is None:
        if not outbox.queue_state().workers:
            text = "No worker is running. It starts as soon as one does."
            return Notice(text, "warn", "Waiting for a worker", url="/system/", url_label="System")
        return Notice("It is being executed again; this section follows.", "info")
    others = checks.other_versions(measurement, result)
    made = f" It was executed with other versions: {'; '.join(others)}." if others else ""
    if result.outcome == "equal":
        text = f"Key, counts and numbers are those that are stored, to the last digit.{made}"
        return Notice(text, "good", "The same came out")
    if result.outcome == "different":
        text = f"First at {result.path}: {result.stored_value} is stored, {result.found_value} came out.{made}"
        return Notice(text, "bad", "Something else came out")
    return Notice(result.reason, "warn", "It could not be re-executed")


def _table(measurement: Measurement, rows: list[Recheck]) -> Table:
    columns = ["Asked by", "Asked", "Outcome", "First difference", "Made with", "Ended"]
    empty = Empty(
        "nothing-yet",
        "Never executed again",
        "A worker measures the stored bytes once more, with the same parameters and seed, and compares exactly.",
    )
    return Table(
        "Executed again",
        [Column(label) for label in columns],
        [_row(measurement, row) for row in rows],
        empty,
    )


def _row(measurement: Measurement, row: Recheck) -> Row:
    result = checks.result_of_recheck(row)
    return Row(
        [
            cells.person(str(row.requested_by)),
            cells.when(row.requested_at),
            cells.chip(
                status.chip("recheck", result.outcome if result else "waiting"),
                note=result.reason if result else "",
            ),
            _difference(result),
            _made_with(measurement, result),
            cells.when(result.finished_at if result else None, missing_reason="not ended"),
        ]
    )


def _difference(result: RecheckResult | None) -> Cell:
    if result is None or not result.path:
        return cells.missing("none named")
    return cells.mono(result.path, note=f"stored {result.stored_value}, now {result.found_value}")


def _made_with(measurement: Measurement, result: RecheckResult | None) -> Cell:
    if result is None or not result.code_version:
        return cells.missing("not executed")
    return cells.text("; ".join(checks.other_versions(measurement, result)) or "the same versions")
