"""How far a measurement that runs is, in words."""

from __future__ import annotations

import datetime as dt

from apps.checks.models import Measurement
from apps.checks.numbers import grouped, plural
from apps.core import clock

_SOON = dt.timedelta(seconds=5)
_LONG = dt.timedelta(seconds=90)


def of(row: Measurement) -> str:
    """`: 12 of 40 columns of 1 000 000 rows, about 20 seconds left`, or nothing where nobody knows."""
    told = row.progress
    if not told.get("of"):
        return ""
    rows = max((int(each.get("rows", 0)) for each in row.inputs), default=0)
    size = f" of {grouped(rows)} rows" if rows and told["what"] == "columns" else ""
    return f": {told['done']} of {told['of']} {told['what']}{size}{_left(row)}"


def _left(row: Measurement) -> str:
    """As long as what is left takes at the pace so far; nothing before there is a pace."""
    done, steps = row.progress["done"], row.progress["of"]
    if not done or row.started_at is None:
        return ""
    left = (clock.now() - row.started_at) * ((steps - done) / done)
    if left < _SOON:
        return ", a few seconds left"
    seconds = left.total_seconds()
    long = (
        plural(round(seconds / 60), "minute") if left > _LONG else plural(round(seconds), "second")
    )
    return f", about {long} left"
