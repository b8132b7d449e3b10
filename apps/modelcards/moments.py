"""Which moment somebody asks about, from what they wrote."""

from __future__ import annotations

import datetime as dt

from apps.core.errors import Invalid


def asked(text: str) -> dt.datetime:
    """The end of a day such as 2026-03-02, or a moment; without an offset it is UTC. Raises Invalid for anything else."""
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time.max, dt.UTC)
    except ValueError:
        pass
    try:
        at = dt.datetime.fromisoformat(text.replace(" ", "+"))
        return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        said = f"{text[:40]!r} is no day such as 2026-03-02, nor a moment."
        raise Invalid(said, fields={"at": said}) from None


def spoken(at: dt.datetime) -> str:
    """The end of a day as that day, anything else to the second; UTC."""
    if at.time() == dt.time.max:
        return f"the end of {at:%Y-%m-%d} (UTC)"
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
