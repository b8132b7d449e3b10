"""Holds a document against a JSON Schema and names the line of what does not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from apps.checks.uploaded.malformed import Malformed
from apps.checks.uploaded.reading import clipped
from apps.checks.uploaded.strictjson import Document

_HERE = Path(__file__).parent


@cache
def schema(name: str) -> Mapping[str, Any]:
    """One of the schemas of this folder, by its file's name."""
    found: Mapping[str, Any] = json.loads((_HERE / f"{name}.schema.json").read_text("utf-8"))
    return found


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name))


def require(document: Document, name: str) -> None:
    """Raise Malformed with the first part of the document that the schema does not take."""
    error = next(_validator(name).iter_errors(document.value), None)
    if error is not None:
        raise Malformed(_in_words(error), document.line(list(error.absolute_path)))


def _in_words(error: ValidationError) -> str:
    where = ".".join(map(str, error.absolute_path))
    found = f" in {where}" if where else ""
    asked: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        return f"{', '.join(key for key in asked if key not in instance)} is missing{found}"
    if error.validator == "additionalProperties":
        known = cast("Mapping[str, Any]", error.schema)["properties"]
        strange = next(key for key in instance if key not in known)
        return f"there is no {clipped(strange, 60)!r}{found}; there are {', '.join(known)}"
    if error.validator == "anyOf":
        return f"one of {', '.join(each['required'][0] for each in asked)} is needed{found}"
    told = _SAID.get(str(error.validator), "does not keep {validator} {asked}")
    listed = ", ".join(map(str, asked)) if isinstance(asked, list) else asked
    return f"{where or 'the document'} {told.format(validator=error.validator, asked=listed)}"


_SAID: Final = {
    "const": "is not {asked}",
    "enum": "is none of {asked}",
    "type": "is no {asked}",
    "pattern": "is not written as {asked}",
    "minLength": "is empty",
    "minItems": "is empty",
    "maxLength": "is longer than {asked} characters",
    "maxItems": "has more than {asked} entries",
    "minimum": "is less than {asked}",
    "maximum": "is more than {asked}",
    "exclusiveMinimum": "is not more than {asked}",
    "exclusiveMaximum": "is not less than {asked}",
}
