"""What happens between the steps of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from apps.core.models import OutboxMessage

_WATCH_SECONDS: Final = 1.0


class TakenBack(Exception):
    """Nobody wants any more what is being measured: it was cancelled, or it failed in another worker's hands."""


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of so many steps; `what` they are."""

    done: int
    of: int
    what: str


@dataclass(slots=True)
class Watch:
    """The lease is renewed at each step; about once a second `report` stores how far it is and says whether it is wanted."""

    message: OutboxMessage
    report: Callable[[Progress], bool]
    seen: float = 0.0
    told: Progress = Progress(0, 0, "")

    def tick(self) -> None:
        """Raises Conflict where another worker has taken over, and TakenBack where nobody wants it any more."""
        self.message.renew()
        if time.monotonic() - self.seen < _WATCH_SECONDS:
            return
        self.seen = time.monotonic()
        if not self.report(self.told):
            raise TakenBack

    def progress(self, done: int, of: int, what: str) -> None:
        """Kept until the next look."""
        self.told = Progress(done, of, what)
