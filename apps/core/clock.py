"""The one clock. Everything that needs the time asks here, so that a test can move it."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone


def now() -> dt.datetime:
    """The current instant, aware, UTC."""
    return timezone.now()


def now_ms() -> int:
    """The current instant as whole milliseconds since the epoch (the unit of the MLflow protocol)."""
    return int(now().timestamp() * 1000)
