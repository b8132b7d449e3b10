"""How a proof fails."""

from __future__ import annotations


class Wrong(Exception):
    """Something does not verify; the message says what was found and what was expected."""


class Unread(Exception):
    """Nothing is wrong, and nothing was shown: it is written in a way that is not read here, or nobody vouches for it."""
