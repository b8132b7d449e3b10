"""The moment at which a file says that something ran."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from apps.checks.uploaded.malformed import Malformed
from apps.checks.uploaded.reading import clipped


@dataclass(frozen=True, slots=True)
class Moment:
    """In UTC; `assumed` where the file named no zone."""

    at: dt.datetime
    assumed: bool = False


def read(text: str, line: int) -> Moment:
    """An ISO 8601 date and time; raises Malformed for any other writing."""
    try:
        found = dt.datetime.fromisoformat(text.strip())
        at = found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Malformed(f"{clipped(text, 60)!r} is no time as ISO 8601 writes it", line) from None
    return Moment(at, assumed=found.tzinfo is None)
