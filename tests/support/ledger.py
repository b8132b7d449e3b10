"""For tests of the ledger itself: an event type of their own, people without accounts, a way to tamper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from pytest_django import Settings

from apps.audits.appending import Appended
from apps.audits.events import Event, Personal, register
from apps.audits.log import verb
from apps.core.actor import Actor, ActorKind

TEMPLATES = Path(__file__).parent / "templates"


@register
@dataclass(frozen=True)
class ThingDone(Event):
    """A type that only tests record."""

    type: ClassVar[str] = "tests.thing.done"

    thing: int
    note: str = ""
    person: Personal | None = None

    def subject(self) -> str:
        return f"thing:{self.thing}"

    def scopes(self) -> tuple[str, ...]:
        return (f"shelf:{self.thing % 3}",)


@pytest.fixture
def thing_template(settings: Settings) -> None:
    """Lets `ThingDone` be recorded: its template lies under tests/."""
    first = dict(settings.TEMPLATES[0])
    first["DIRS"] = [*first["DIRS"], TEMPLATES]
    settings.TEMPLATES = [first]


def someone(user_id: int = 1, door: str = "web") -> Actor:
    """An actor the ledger can hold to account; no account exists for it."""
    return Actor(
        user_id=user_id, kind=ActorKind.HUMAN, label="someone", door=door, request_id="r-1"
    )


def append_some(count: int, *, person: str | None = None) -> list[Appended]:
    """`count` events in one transaction."""
    with verb(someone()) as v:
        for number in range(count):
            v.record(ThingDone(thing=number, note=f"note {number}", person=person))
    return v.events
