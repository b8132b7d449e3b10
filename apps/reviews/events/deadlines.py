"""That a step of a review is due soon, or overdue, as the ledger tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@dataclass(frozen=True, kw_only=True)
class _StepEvent(Event):
    """`reminder` is the row, `step` the key of the step and `title` its name in the policy."""

    reminder: int
    review: int
    version: int
    model: int
    round: int
    number: int
    step: str
    title: str
    due: str

    def subject(self) -> str:
        return f"review:{self.review}"

    def scopes(self) -> tuple[str, ...]:
        return (f"reminder:{self.reminder}", f"version:{self.version}", f"model:{self.model}")


@register
@dataclass(frozen=True, kw_only=True)
class StepDue(_StepEvent):
    """A step is due within the days in which its policy reminds."""

    type: ClassVar[str] = "reviews.review.due"


@register
@dataclass(frozen=True, kw_only=True)
class StepOverdue(_StepEvent):
    """A step was not signed by when its policy asks for it."""

    type: ClassVar[str] = "reviews.review.overdue"
