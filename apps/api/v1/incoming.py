"""What a request says, strictly: JSON only, nothing unknown, nothing twice, no NaN, each value of its own type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, QueryDict
from rest_framework import serializers

from apps.api.v1.problems import UnsupportedType
from apps.core.errors import Invalid

_WRONG = "The request is not what this route takes."


class Strict(serializers.Serializer[Any]):
    """The fields of a request; one that is not among them is refused, not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(str(key) for key in data if key not in self.fields)
            if unknown:
                raise serializers.ValidationError(
                    dict.fromkeys(unknown[:20], "There is no such field.")
                )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text as text: a number is not taken for one. Spaces at its ends are kept; the services judge them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Expected text.")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number as a number: text is not taken for one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("Expected a whole number.")
        return super().to_internal_value(data)


def password() -> Text:
    """The password of whoever acts, asked for at each signature."""
    return Text(max_length=4096, style={"input_type": "password"}, help_text="The actor's own.")


class Flag(serializers.ChoiceField):
    """A switch in a query: `true` or `false`, in these words only."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=["true", "false"], **options)


def body(request: HttpRequest, shape: type[Strict]) -> dict[str, Any]:
    """The checked body. Raises Invalid naming each wrong field; a body that is too large or not JSON has errors of its own.

    A body that is missing counts as `{}`.
    """
    data = request.body
    if not data:
        return _checked(shape, {})
    if request.content_type != "application/json":
        raise UnsupportedType
    try:
        value = json.loads(data, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The body is not strict JSON: {str(error)[:200]}.") from error
    return _checked(shape, value)


def query(given: QueryDict, shape: type[Strict]) -> dict[str, Any]:
    """The checked query; a parameter that is unknown or given twice is refused."""
    twice = [name for name in given if len(given.getlist(name)) > 1]
    if twice:
        raise Invalid(_WRONG, fields=dict.fromkeys(twice, "It is given more than once."))
    return _checked(shape, given.dict())


def _checked(shape: type[Strict], value: Any) -> dict[str, Any]:
    form = shape(data=value)
    if not form.is_valid():
        raise Invalid(_WRONG, fields=_flat(form.errors))
    checked: dict[str, Any] = dict(form.validated_data)
    return checked


def _flat(said: Any, path: str = "") -> dict[str, str]:
    """The framework's nested errors as `{"targets.0": "sentence"}`."""
    if isinstance(said, Mapping):
        found: dict[str, str] = {}
        for key, inner in said.items():
            found |= _flat(inner, f"{path}.{key}" if path else str(key))
        return found
    if isinstance(said, list):
        return {path or "body": " ".join(str(item) for item in said)}
    return {path or "body": str(said)}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
