"""Saving a text as its next revision: from which one the writer started, and that something is in it at all. Pure."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from apps.core.errors import Conflict, Invalid


class Numbered(Protocol):
    """A revision: numbers count from 1 without a gap."""

    number: Any

    @property
    def author(self) -> object: ...


R = TypeVar("R")


def require_base(latest: Numbered | None, base: int, what: str = "revision") -> None:
    """Raises Conflict where the writer started from another than the newest (0: none), and says who was faster. The caller
    holds the lock under which the next one is written."""
    number = latest.number if latest else 0
    if number == base:
        return
    if latest is None or base > number:
        raise Conflict(f"You edited {what} {base}, the newest is {number}. Load it again.")
    raise Conflict(
        f"{latest.author} saved {what} {number} while you were editing {what} {base}.",
        hint="What you wrote was not saved and is still in the form: compare it with theirs, then save.",
    )


def unchanged(latest: R | None, empty: str, act: str) -> R:
    """The newest one, for a save that changes nothing. Raises Invalid where there is none: the first must say something."""
    if latest is None:
        raise Invalid(empty, fields={"__all__": act})
    return latest
