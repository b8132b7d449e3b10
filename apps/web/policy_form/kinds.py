"""The controls of the policy form: each reads a value of a document from what was typed, and shows one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from django import forms

Choices = Sequence[tuple[str, str]]

CROSSED: Final = " + "
_LONGEST_WHOLE: Final = 18


class Unshown(Exception):
    """A value that this control could not give back as it is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`read` makes a value of what was typed (None: nothing was), `show` what is typed of a value."""

    name: str
    read: Callable[[Sequence[str]], Any]
    show: Callable[[Any], list[str]]
    made: Callable[[Choices], forms.Field]


@dataclass(frozen=True, slots=True)
class Entry:
    """One control: `path` is where its value stands in its section or row, `width` how wide it is drawn."""

    path: str
    label: str
    kind: Kind
    help: str = ""
    choices: Choices = ()
    placeholder: str = ""
    width: Literal["whole", "half", "third", "quarter"] = "whole"
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A list whose rows all have the same controls; `one` is what a row is called."""

    path: str
    title: str
    one: str
    entries: Sequence[Entry]
    help: str = ""
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form under one heading. A fieldset within it is named by `legends`, at the entry it begins with."""

    id: str
    title: str
    lead: str
    parts: Sequence[Entry | Rows]
    legends: dict[str, str] = field(default_factory=dict)


def _text(values: Sequence[str]) -> str:
    return values[0] if values else ""


def _line(values: Sequence[str]) -> str | None:
    return _text(values).replace("\r\n", "\n") or None


def _word(values: Sequence[str]) -> str | None:
    return _text(values).strip() or None


def _whole(values: Sequence[str]) -> int | str | None:
    """A number where it is one; what is none is kept, so that the document refuses it by name."""
    text = _text(values).strip()
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_WHOLE:
        return int(text)
    return text or None


def _lines(values: Sequence[str]) -> list[str] | None:
    found = [line.strip() for line in _text(values).split("\n")]
    return [line for line in found if line] or None


def _crossings(values: Sequence[str]) -> list[str | list[str]] | None:
    found: list[str | list[str]] = []
    for line in _lines(values) or ():
        parts = [part.strip() for part in line.split(CROSSED)]
        found.append(parts if len(parts) > 1 else line)
    return found or None


def _picks(values: Sequence[str]) -> list[str]:
    return list(values)


def _tiers(values: Sequence[str]) -> list[int | str]:
    return [int(value) if value in {"1", "2", "3"} else value for value in values]


def _tick(values: Sequence[str]) -> bool:
    return bool(_text(values))


def _one(value: Any) -> list[str]:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Unshown
    return [str(value)]


def _stripped(value: Any) -> list[str]:
    [text] = _one(value)
    if text != text.strip() or "\n" in text:
        raise Unshown
    return [text]


def _in_lines(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise Unshown
    if any(each != each.strip() or not each or set("\n\r") & {*each} for each in value):
        raise Unshown
    return ["\n".join(value)]


def _in_crossings(value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise Unshown
    lines = []
    for each in value:
        names = [each] if isinstance(each, str) else list(each)
        if not names or (not isinstance(each, str) and len(names) < 2):
            raise Unshown
        if any(not isinstance(name, str) or CROSSED in f" {name} " for name in names):
            raise Unshown
        lines += _in_lines(names) and [CROSSED.join(names)]
    return ["\n".join(lines)]


def _each(value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise Unshown
    return [str(each) for each in value]


def _ticked(value: Any) -> list[str]:
    if not isinstance(value, bool):
        raise Unshown
    return ["on"] if value else []


def _input(**attributes: str) -> Callable[[Choices], forms.Field]:
    def made(_: Choices) -> forms.Field:
        return forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off", **attributes}))

    return made


def _area(rows: int, **attributes: str) -> Callable[[Choices], forms.Field]:
    def made(_: Choices) -> forms.Field:
        return forms.CharField(widget=forms.Textarea(attrs={"rows": rows, **attributes}))

    return made


LINE: Final = Kind("line", _line, _one, _input())
WORD: Final = Kind("word", _word, _stripped, _input(spellcheck="false"))
CODE: Final = Kind("code", _word, _stripped, _input(spellcheck="false", **{"class": "mono"}))
LONG: Final = Kind("long", _line, _one, _area(3))
WHOLE: Final = Kind("whole", _whole, _stripped, _input(inputmode="numeric"))
NUMBER: Final = Kind("number", _word, _stripped, _input(inputmode="decimal"))
DAY: Final = Kind(
    "day", _word, _stripped, lambda _: forms.CharField(widget=forms.TextInput(attrs={"type": "date"}))
)  # fmt: skip
LINES: Final = Kind("lines", _lines, _in_lines, _area(2, spellcheck="false"))
CROSSINGS: Final = Kind("crossings", _crossings, _in_crossings, _area(2, spellcheck="false"))
PICK: Final = Kind("pick", _word, _stripped, lambda choices: forms.ChoiceField(choices=choices))
RADIO: Final = Kind(
    "radio", _word, _stripped, lambda choices: forms.ChoiceField(choices=choices, widget=forms.RadioSelect)
)  # fmt: skip
PICKS: Final = Kind(
    "picks", _picks, _each,
    lambda choices: forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple),
)  # fmt: skip
TIERS: Final = Kind("tiers", _tiers, _each, PICKS.made)
TICK: Final = Kind("tick", _tick, _ticked, lambda _: forms.BooleanField(required=False))
HIDDEN: Final = Kind("hidden", _line, _one, lambda _: forms.CharField(widget=forms.HiddenInput))
