"""What only people can say in a report: the fields of its statement, and what is taken in them.

Guarantee: what `clean` returns can be stored, digested and printed. Refuses, field by field: what has no such field,
anything but text, too much of it, characters that cannot be stored or that hide the order of words, a day that is none,
a choice that is none. Not checked: whether it is true; its author and time are printed beside it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from apps.core.errors import Invalid
from apps.modelcards import content

MOST = 10_000
LINE = 300


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to state. `choices` are (value, label) of a "choice"."""

    key: str
    label: str
    help: str
    kind: Literal["line", "text", "date", "choice"] = "text"
    choices: tuple[tuple[str, str], ...] = ()


Texts = dict[str, str]
Rule = Callable[[Texts], Texts]


def clean(fields: tuple[Field, ...], given: object, together: Rule = lambda texts: {}) -> Texts:
    """The fields that have text, in their order; Invalid names each bad one. `together` says what does not go together."""
    if not isinstance(given, Mapping):
        raise Invalid("A statement is a mapping of field to text.")
    known = {field.key: field for field in fields}
    errors = {str(key)[:100]: "There is no such field." for key in given if key not in known}
    texts: Texts = {}
    for key, field in known.items():
        value = given.get(key, "")
        problem = content.problem_of(value, MOST if field.kind == "text" else LINE)
        problem = problem or _kind_problem(field, content.normalise(value))
        if problem:
            errors[key] = problem
        elif content.normalise(value):
            texts[key] = content.normalise(value)
    errors |= {} if errors else together(texts)
    if errors:
        raise Invalid("The statement was not saved.", fields=errors, hint="Nothing was changed.")
    return texts


def _kind_problem(field: Field, text: str) -> str:
    if not text:
        return ""
    if field.kind == "date":
        return "" if _is_day(text) else "A day as 2026-03-02."
    if field.kind == "choice" and text not in dict(field.choices):
        return "Choose one of the list."
    if field.kind == "line" and "\n" in text:
        return "One line only."
    return ""


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
