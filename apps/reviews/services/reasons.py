"""The reasons people give with an act."""

from __future__ import annotations

from apps.core.errors import Invalid

MAX_TEXT = 10_000


def check_text(value: str, field: str) -> str:
    """Text that must be given, at most 10,000 characters, no NUL."""
    if not value.strip():
        raise Invalid("Give a reason.", fields={field: "required"})
    if len(value) > MAX_TEXT or "\x00" in value:
        raise Invalid("The text is too long.", fields={field: f"at most {MAX_TEXT} characters"})
    return value
