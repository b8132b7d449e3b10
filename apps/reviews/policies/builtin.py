"""The built-in policy documents, one immutable file a version. Editing policies is not built yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def standard() -> dict[str, Any]:
    """The standard approval for production, version 1, as the migration loads it."""
    document: dict[str, Any] = json.loads((_FOLDER / "standard-1.json").read_text(encoding="utf-8"))
    return document
