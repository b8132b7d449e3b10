"""How an assessment in force stands, in short and as data: what gates, cards, evidence and the simulation ask. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Assessed:
    """A signed revision without its answers, which `digest` stands for. `tier` is what it demands of the model."""

    number: int
    digest: str
    questionnaire: str
    total: int
    level: str
    tier: int
    signed_at: dt.datetime
    due_on: dt.date

    def is_due(self, on: dt.date) -> bool:
        """Whether it must be made again."""
        return on >= self.due_on

    def plain(self) -> dict[str, Any]:
        """As a round's manifest names it."""
        return {
            "revision": self.number,
            "digest": self.digest,
            "questionnaire": self.questionnaire,
            "total": self.total,
            "level": self.level,
            "tier": self.tier,
            "signed_at": self.signed_at.isoformat(),
            "due_on": self.due_on.isoformat(),
        }

    @classmethod
    def told(cls, said: Mapping[str, Any]) -> Assessed:
        """From such a manifest."""
        return cls(
            number=said["revision"],
            digest=said["digest"],
            questionnaire=said["questionnaire"],
            total=said["total"],
            level=said["level"],
            tier=said["tier"],
            signed_at=dt.datetime.fromisoformat(said["signed_at"]),
            due_on=dt.date.fromisoformat(said["due_on"]),
        )

    @property
    def sentence(self) -> str:
        """`Level III, 62 of 100: at least tier 1; due again on 02 Mar 2027`."""
        return f"Level {self.level}, {self.total} of 100: at least tier {self.tier}; due again on {self.due_on:%d %b %Y}"
