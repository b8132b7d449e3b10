"""Where checkpoints are kept outside, and what did not arrive: for the system page."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from apps.audits import checkpoint_selectors as checkpoints
from apps.audits import keeping
from apps.audits import selectors as audits
from apps.audits.keeping import PlaceState
from apps.core import clock
from apps.web import cells, status, words
from apps.web.parts import Column, Empty, Notice, Row, Table


def notices() -> list[Notice]:
    """What is wrong with the checkpoints, in sentences."""
    found = []
    if _overdue():
        found.append(
            Notice(
                "The record has grown since the last one. The log of the worker says why: often the ledger's key is missing.",
                "warn",
                "No checkpoint has been signed for a while",
            )
        )
    found += [
        Notice(each.error, "bad", f"Checkpoints do not arrive: {each.target}")
        for each in keeping.states()
        if each.error
    ]
    return found


def _overdue() -> bool:
    """Two intervals without one, although something happened."""
    if not settings.CHECKPOINT_SECONDS:
        return False
    latest, head = checkpoints.latest_checkpoint(), audits.head()
    if head.size <= (latest.size if latest else 0):
        return False
    since = latest.made_at if latest else audits.event(1).at
    return since < clock.now() - dt.timedelta(seconds=2 * settings.CHECKPOINT_SECONDS)


def table() -> Table:
    """Every place of the settings."""
    columns = [
        Column("Where"),
        Column("State"),
        Column("Events there", numeric=True),
        Column("Arrived"),
        Column("Behind", numeric=True),
        Column("Tries", numeric=True),
        Column("Last error"),
    ]
    empty = Empty(
        "nothing-yet",
        "Checkpoints are kept in this database only",
        "Whoever owns it could rewrite them with the rest. CHECKPOINT_KEPT names folders, mailboxes and buckets outside, CHECKPOINT_WITNESSES who cosigns.",
    )
    return Table("Checkpoints outside", columns, [_row(each) for each in keeping.states()], empty)


def _row(each: PlaceState) -> Row:
    state = "failing" if each.error else "behind" if each.behind else "there"
    return Row(
        [
            cells.mono(each.target),
            cells.chip(status.chip("kept", state)),
            cells.number(words.thousands(each.arrived)),
            cells.when(each.arrived_at, missing_reason="nothing has arrived"),
            cells.number(words.thousands(each.behind)),
            cells.number(str(each.tries)),
            cells.text(each.error) if each.error else cells.missing("none"),
        ]
    )
