"""Requests as the protocol spells them: JSON or a query string, checked field by field.

A message is a list of fields. What is unknown is ignored (newer clients may say more), what is wrong is
refused with the protocol's own sentence. Stricter than the protocol's own server in one way: a value
of the wrong type is refused and never bent into shape (a boolean is no number, 1.5 no whole one).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.http import QueryDict

from apps.core.errors import Invalid

Fields = dict[str, Any]

_SEE: Final = "See the API docs for more information about request parameters."
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,19}")
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `kind` is text, int, float, bool, or a Message; `values` closes a vocabulary.

    `values` maps what may be sent (names and the numbers of the protocol's enumerations) to what the
    service is given. `most` bounds a whole number.
    """

    name: str
    kind: str | Message = "text"
    required: bool = False
    many: bool = False
    default: Any = None
    values: Mapping[str | int, str] | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """The fields of a request or of an object in it."""

    fields: tuple[Field, ...]


def message(*fields: Field) -> Message:
    return Message(fields)


def missing(path: str) -> Invalid:
    """The sentence for a field that must be there."""
    return Invalid(
        f"Missing value for required parameter '{path}'. {_SEE}", fields={path: "required"}
    )


def wrong(path: str, value: object) -> Invalid:
    """The sentence for a value of the wrong type or size."""
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    if len(shown) > _SHOWN:
        shown = shown[:_SHOWN] + "..."
    return Invalid(
        f"Invalid value {shown} for parameter '{path}' supplied:  Hint: Value was of type "
        f"'{type(value).__name__}'. {_SEE}",
        fields={path: f"wrong type {type(value).__name__} or out of range"},
    )


def decode(body: bytes) -> Fields:
    """The object in a body. Old clients encode twice; an empty body is an empty object."""
    value: Any = {}
    try:
        if body:
            value = orjson.loads(body)
        if isinstance(value, str):
            value = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Invalid(
            f"The request body is not valid JSON: {error}", fields={"body": "not JSON"}
        ) from None
    if not isinstance(value, dict):
        raise Invalid("The request body must be a JSON object.", fields={"body": "not an object"})
    return value


def from_query(query: QueryDict, spec: Message) -> Fields:
    """The fields of a query string: repeated keys for repeated fields, true or false for booleans."""
    found: Fields = {}
    for field in spec.fields:
        if field.name not in query:
            continue
        found[field.name] = query.getlist(field.name) if field.many else query[field.name]
        if field.kind == "bool":
            word = str(found[field.name]).lower()
            if word not in {"true", "false"}:
                raise Invalid(
                    f"Invalid boolean value: {word[:_SHOWN]}, must be 'true' or 'false'.",
                    fields={field.name: "expected true or false"},
                )
            found[field.name] = word == "true"
    return found


def parse(given: Mapping[str, Any], spec: Message, path: str = "") -> Fields:
    """Every field of the message, checked; absent ones with their default."""
    return {
        field.name: _field(given.get(field.name), field, path + field.name) for field in spec.fields
    }


def _field(value: Any, field: Field, path: str) -> Any:
    if value is None or value == "":
        if field.required:
            raise missing(path)
        if value is None:
            return [] if field.many else field.default
    if not field.many:
        return _one(value, field, path)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise wrong(path, value)
    return [_one(item, field, f"{path}[{position}]") for position, item in enumerate(value)]


def _one(value: Any, field: Field, path: str) -> Any:
    if isinstance(field.kind, Message):
        if not isinstance(value, dict):
            raise wrong(path, value)
        return parse(value, field.kind, f"{path}.")
    if field.values is not None:
        return _choice(value, field.values, path)
    return _READERS[field.kind](value, field, path)


def _choice(value: Any, values: Mapping[str | int, str], path: str) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool) and value in values:
        return values[value]
    raise wrong(path, value)


def _text(value: Any, field: Field, path: str) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise wrong(path, value)
    return value


def _int(value: Any, field: Field, path: str) -> int:
    number = value
    if (isinstance(value, str) and _WHOLE.fullmatch(value)) or (
        isinstance(value, float) and value.is_integer()
    ):
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not -(2**63) <= number < 2**63:
        raise wrong(path, value)
    if field.least is not None and number < field.least:
        raise _out_of_range(path, number, "must be a positive integer")
    if field.most is not None and number > field.most:
        raise _out_of_range(path, number, f"must be at most {field.most}")
    return number


def _out_of_range(path: str, number: int, why: str) -> Invalid:
    return Invalid(
        f"Invalid value {number} for parameter '{path}' supplied. It {why}. {_SEE}",
        fields={path: why},
    )


def _float(value: Any, field: Field, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise wrong(path, value)
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise wrong(path, value) from None


def _bool(value: Any, field: Field, path: str) -> bool:
    if not isinstance(value, bool):
        raise wrong(path, value)
    return value


_READERS: Final = {"text": _text, "int": _int, "float": _float, "bool": _bool}
