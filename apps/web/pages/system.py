"""Is anybody working? Workers, queue and record, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.audits import selectors as audits
from apps.audits.selectors import Verification
from apps.core import outbox
from apps.core.models import OutboxMessage
from apps.core.outbox import QueueState
from apps.web import cells, status, words
from apps.web.pages import kept
from apps.web.parts import Action, Column, Empty, Fact, Figure, Notice, PageHeader, Row, Table

SHOWN = 25


@dataclass(frozen=True, slots=True)
class SystemPage:
    header: PageHeader
    notices: Sequence[Notice]
    figures: Sequence[Figure]
    processes: Table
    failed: Table
    kept: Table
    record: Sequence[Fact]


def system() -> SystemPage:
    """Everything an administrator looks at when something does not happen."""
    state = outbox.queue_state()
    return SystemPage(
        header=PageHeader(
            "System",
            lead="Workers, the queue, and the record's own check.",
            actions=[
                Action("Mails", reverse("web:mails"), icon="mail"),
                Action("Webhooks", reverse("web:webhooks"), icon="link"),
            ],
        ),
        notices=[*notices(state), *kept.notices()],
        figures=_figures(state),
        processes=_processes(state),
        failed=_failed(),
        kept=kept.table(),
        record=_record(audits.last_verification()),
    )


def notices(state: QueueState) -> list[Notice]:
    """What is wrong, in sentences; one that says all is well if nothing is."""
    found = []
    if not state.workers:
        waiting = words.plural(state.queued, "task is", "tasks are")
        found.append(
            Notice(
                f"{waiting} waiting. Checks and documents wait until a worker is started.",
                "bad",
                "No worker is running",
            )
        )
    if not state.beat_alive:
        found.append(
            Notice(
                "Nobody sends again what was lost and nobody verifies the record on schedule.",
                "warn",
                "The scheduler (beat) is not running",
            )
        )
    if state.failed:
        found.append(
            Notice(
                "They were tried as often as allowed and are listed below.",
                "bad",
                f"{words.plural(state.failed, 'task')} gave up",
            )
        )
    return found or [Notice("Workers and scheduler are running; nothing has given up.", "good")]


def queue_sentence(state: QueueState, what: str = "Your check") -> str:
    """What to tell somebody who waits: for pages that show queued work."""
    if not state.workers:
        return f"{what} is queued; no worker is running."
    ahead = max(state.queued - 1, 0)
    return (
        f"{what} is queued, {words.plural(ahead, 'task')} before it."
        if ahead
        else f"{what} is queued."
    )


def _figures(state: QueueState) -> list[Figure]:
    oldest = words.duration(state.oldest_seconds) if state.oldest_seconds else "none"
    return [
        Figure("Workers", str(len(state.workers))),
        Figure("Waiting", words.thousands(state.queued), f"oldest that is due: {oldest}"),
        Figure("Running", words.thousands(state.running)),
        Figure("Gave up", words.thousands(state.failed)),
    ]


def _processes(state: QueueState) -> Table:
    rows = [
        Row(
            [
                cells.text("Worker", note=f"process {worker.pid}"),
                cells.chip(status.chip("process", "alive")),
                cells.mono(worker.host),
                cells.when(worker.started_at),
                cells.when(worker.last_seen),
            ]
        )
        for worker in state.workers
    ]
    rows.append(_beat_row(state.beat_last_seen, alive=state.beat_alive))
    columns = [
        Column("Process"),
        Column("State"),
        Column("Host"),
        Column("Started"),
        Column("Last seen"),
    ]
    return Table("Processes", columns, rows)


def _beat_row(seen: dt.datetime | None, *, alive: bool) -> Row:
    chip = status.chip("process", "alive" if alive else "gone")
    absent = cells.missing("not told")
    return Row(
        [
            cells.text("Scheduler", note="beat"),
            cells.chip(chip),
            absent,
            absent,
            cells.when(seen, missing_reason="never seen"),
        ]
    )


def _failed() -> Table:
    found = OutboxMessage.objects.filter(failed=True).order_by("-pk")[:SHOWN]
    rows = [
        Row(
            [
                cells.mono(message.task),
                cells.when(message.created_at),
                cells.number(str(message.attempts)),
                cells.text(_last_line(message.last_error)),
            ]
        )
        for message in found
    ]
    columns = [
        Column("Task"),
        Column("Asked for"),
        Column("Tries", numeric=True),
        Column("Last error"),
    ]
    empty = Empty(
        "clear",
        "Nothing has given up",
        "Work that fails is tried again; what fails every time is listed here.",
    )
    return Table("Tasks that gave up", columns, rows, empty=empty)


def _last_line(error: str) -> str:
    lines = [line for line in error.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _record(last: Verification | None) -> list[Fact]:
    head = audits.head()
    if last is None:
        checked = cells.chip(status.chip("record", "unchecked"))
        when = cells.missing("never verified")
    else:
        checked = cells.chip(status.chip("record", "whole" if last.ok else "broken"))
        when = cells.when(last.finished_at)
    return [
        Fact("Record", checked),
        Fact("Verified", when),
        Fact("Events", cells.number(words.thousands(head.size))),
        Fact("Root", cells.digest(head.root)),
    ]
