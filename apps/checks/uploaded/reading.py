"""What a results file says, read into one shape. The same bytes give the same reading, and its digest is in the ledger.

Deliberately missing: any limit (a policy's condition holds a reading against one), and the cases that passed, which are
counted here and named in the file only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from django.db import models

from apps.core.canonical import digest_of

MOST_ITEMS: Final = 200
LONGEST_NAME: Final = 300
LONGEST_MESSAGE: Final = 500


class Format(models.TextChoices):
    """What a file is, told from its content."""

    JUNIT = "junit", "JUnit XML"
    RESULTS = "results", "Results as JSON"
    INTOTO = "intoto", "in-toto statement"


class Outcome(models.TextChoices):
    """What the tool reported. Only `passed` says that something ran and nothing went wrong."""

    PASSED = "passed", "Passed"
    WARNED = "warned", "With warnings"
    FAILED = "failed", "Failed"
    UNJUDGED = "unjudged", "No verdict in it"
    EMPTY = "empty", "Nothing ran"


class State(models.TextChoices):
    """How an uploaded result stands: the newest of its name that was not recalled does."""

    STANDS = "stands", "Stands"
    REPLACED = "replaced", "Replaced since"
    RECALLED = "recalled", "Recalled"


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One test or finding that did not pass; `line` is where it stands in the file."""

    name: str
    outcome: str
    message: str = ""
    line: int = 0


class Metric(msgspec.Struct, frozen=True, omit_defaults=True):
    """One number as the file writes it, digit by digit. `passed` is the tool's own verdict, None without one."""

    name: str
    value: str
    unit: str = ""
    n: int | None = None
    low: str = ""
    high: str = ""
    level: str = ""
    limit: str = ""
    passed: bool | None = None


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the file says it is about; `file` is the version's file of that digest once it was looked up."""

    name: str
    sha256: str
    line: int = 0
    file: str = ""


class Statement(msgspec.Struct, frozen=True, omit_defaults=True):
    """An in-toto statement: its predicate, whether that was understood, and who claims to have signed it (unchecked)."""

    predicate_type: str
    understood: bool
    enveloped: bool = False
    signers: tuple[str, ...] = ()
    url: str = ""


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that was read. `counts` are of cases by outcome; `remarks` say what was passed over or read with care.

    `name`, `tool`, `tool_version` and `ran_at` (ISO 8601) are what the file itself says, "" where it says nothing.
    """

    reader: str
    format: str
    outcome: str
    counts: dict[str, int]
    name: str = ""
    tool: str = ""
    tool_version: str = ""
    ran_at: str = ""
    seconds: str = ""
    items: tuple[Item, ...] = ()
    items_left: int = 0
    metrics: tuple[Metric, ...] = ()
    subjects: tuple[Subject, ...] = ()
    statement: Statement | None = None
    remarks: tuple[str, ...] = ()


# In the order in which they are told, the worst first.
COUNTED: Final = ("error", "failed", "warned", "skipped", "passed")
_WRONG: Final = frozenset({"error", "failed"})


def to_data(reading: Reading) -> dict[str, Any]:
    """As plain data, to be stored."""
    data: dict[str, Any] = msgspec.to_builtins(reading)
    return data


def from_data(data: Mapping[str, Any]) -> Reading:
    """A stored reading."""
    return msgspec.convert(data, Reading)


def digest(data: Mapping[str, Any]) -> str:
    """What the ledger and a round's evidence name of a reading."""
    return digest_of(dict(data))


def outcome_of(counts: Mapping[str, int]) -> Outcome:
    """The verdict that follows from counted cases: one that went wrong decides, and none that ran is no pass."""
    if any(counts.get(key) for key in _WRONG):
        return Outcome.FAILED
    if counts.get("warned"):
        return Outcome.WARNED
    return Outcome.PASSED if counts.get("passed") else Outcome.EMPTY


def shown(items: Iterable[Item]) -> tuple[tuple[Item, ...], int]:
    """The first of the items that did not pass, those that went wrong first, and how many more there are."""
    ordered = sorted(items, key=lambda item: COUNTED.index(item.outcome))
    return tuple(ordered[:MOST_ITEMS]), max(0, len(ordered) - MOST_ITEMS)


def clipped(text: str, most: int) -> str:
    """The text in one line, ended by … where it was longer."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
