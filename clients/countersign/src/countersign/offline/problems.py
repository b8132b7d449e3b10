"""How a proof fails."""

from __future__ import annotations


class Wrong(Exception):
    """Something does not verify; the message says what was found and what was expected."""
