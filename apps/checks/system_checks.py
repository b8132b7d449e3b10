"""What must hold before the site starts.

checks.E001  CHECKS_ENGINE names an engine that cannot be used here
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from apps.checks.engine import engines


def engine(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """E001: said now rather than by every check. The engine itself is not connected to."""
    reason = engines.lacking(settings.CHECKS_ENGINE)
    if not reason:
        return []
    hint = "The packages are in requirements/spark.txt, Java in Debian's default-jre-headless; or CHECKS_ENGINE=local."
    return [Error(f"CHECKS_ENGINE cannot be used: {reason}.", hint=hint, id="checks.E001")]
