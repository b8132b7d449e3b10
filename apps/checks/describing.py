"""What a kind of check takes, as JSON Schema (2020-12) made from the types that read it: for programs that have to ask. Pure.

A schema says the shape. What else a kind refuses (a confidence of 2, a column that nobody declared) it says when asked.
"""

from __future__ import annotations

from typing import Any

import msgspec

from apps.checks.kinds.base import Kind


def params_schema(kind: Kind) -> dict[str, Any]:
    """Of `params` of a measurement: what whoever asks may choose."""
    schema: dict[str, Any] = _tidy(msgspec.json.schema(kind.params, schema_hook=_anything))
    return schema


def limits_schema(kind: Kind) -> dict[str, Any]:
    """Of what a policy may say under `gates.checks.<kind>`."""
    schema: dict[str, Any] = _tidy(kind.limits.model_json_schema())
    return schema


def _anything(_type: type) -> dict[str, Any]:
    """A type of another package's own, of which nothing can be said."""
    return {}


def _tidy(schema: Any) -> Any:
    """Descriptions come from docstrings: without the line breaks of the code."""
    if isinstance(schema, dict):
        return {
            key: " ".join(each.split())
            if key == "description" and isinstance(each, str)
            else _tidy(each)
            for key, each in schema.items()
        }
    return [_tidy(each) for each in schema] if isinstance(schema, list) else schema
