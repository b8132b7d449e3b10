"""What keys, values and names may be, in the sizes and with the sentences of the MLflow protocol.

Pure: each function returns the value to store or raises `Invalid`. Clients match these sentences.
"""

from __future__ import annotations

import json
import posixpath
import re
from functools import lru_cache

from apps.core.errors import Invalid

KEY_LENGTH = 250
PARAM_VALUE_LENGTH = 6000
RUN_TAG_VALUE_LENGTH = 8000
EXPERIMENT_NAME_LENGTH = 500
EXPERIMENT_TAG_VALUE_LENGTH = 20000
METRICS_PER_BATCH = 1000
PARAMS_PER_BATCH = 100
TAGS_PER_BATCH = 100
ENTITIES_PER_BATCH = 1000
DATASETS_PER_CALL = 1000
DATASET_LIMITS = {
    "name": 500,
    "digest": 36,
    "source": 65535,
    "schema": 1048575,
    "profile": 16777215,
}
INPUT_TAG_KEY_LENGTH = 255
INPUT_TAG_VALUE_LENGTH = 500
LARGEST = 1.7976931348623157e308
INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

_PLAIN = re.compile(r"[/\w.\- :]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
_BAD_CHARACTERS = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), "
    "spaces ( ), colon(:) and slashes (/)."
)


def quoted(value: object) -> str:
    """The value as the protocol's messages show it: compact JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def invalid_value(path: str, value: object, why: str = "") -> Invalid:
    """The protocol's sentence for a wrong value, to be raised by the caller."""
    ending = f": {why}" if why else "."
    return Invalid(
        f"Invalid value {quoted(value)} for parameter '{path}' supplied{ending}",
        fields={path: why or "invalid value"},
    )


def too_long(what: str, limit: int) -> Invalid:
    """The protocol's sentence for an excess of length."""
    return Invalid(
        f"'{what}' exceeds the maximum length of {limit} characters", fields={what: "too long"}
    )


@lru_cache(maxsize=16384)
def _fault(key: str) -> str:
    """What is wrong with the spelling of a key; empty if nothing. Keys repeat, so it is remembered."""
    if not _PLAIN.fullmatch(key):
        return _BAD_CHARACTERS
    normal = posixpath.normpath(key)
    if normal != key or normal == "." or normal.startswith(("..", "/")):
        return (
            "Names may be treated as files in certain cases, and must not resolve to other names "
            f"when treated as such. This name would resolve to {normal!r}"
        )
    return ""


def key(name: str, *, path: str = "key", what: str = "key") -> str:
    """A key of a parameter, tag or metric. It must not resolve to another name when read as a path."""
    endless = len(name) > KEY_LENGTH  # not to be remembered
    fault = _fault.__wrapped__(name) if endless else _fault(name)
    if fault:
        raise invalid_value(path, name, fault)
    if endless:
        raise too_long(what, KEY_LENGTH)
    return name


def storable(value: str, what: str) -> str:
    """Refuse the one character that PostgreSQL's text cannot hold."""
    if "\x00" in value:
        raise Invalid(f"'{what}' contains a NUL character", fields={what: "contains NUL"})
    return value


def param_value(value: str) -> str:
    """A parameter's value; what is too long is cut, as the protocol's own server does."""
    return storable(value[:PARAM_VALUE_LENGTH], "Param value")


def run_tag_value(value: str) -> str:
    """A run tag's value; what is too long is cut."""
    return storable(value[:RUN_TAG_VALUE_LENGTH], "value")


def at_most(value: str, limit: int, what: str) -> str:
    """A text that is refused, not cut, when it is too long."""
    if len(value) > limit:
        raise too_long(what, limit)
    return storable(value, what)


def experiment_name(name: str, *, path: str = "name") -> str:
    """An experiment's name: not blank, not endless, one line."""
    if not name.strip():
        raise Invalid(f"Invalid experiment name: '{name}'", fields={path: "may not be blank"})
    if _CONTROL.search(name):
        raise Invalid(
            f"Invalid experiment name: {name[:200]!r} holds a line break or control character.",
            fields={path: "one line of text"},
        )
    return at_most(name, EXPERIMENT_NAME_LENGTH, path)


def experiment_id(value: str) -> int:
    """The number behind an experiment id."""
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise Invalid(
            f"Invalid experiment ID '{value}'. Experiment ID must be a valid integer.",
            fields={"experiment_id": "expected a whole number"},
        )
    return int(value)


def run_id(value: str) -> str:
    """A run id that can be looked up."""
    if not _RUN_ID.fullmatch(value):
        raise invalid_value("run_id", value)
    return value


def model_name(name: str) -> str:
    """A logged model's name."""
    if not name or any(character in name for character in "/:.%\"'"):
        raise Invalid(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and "
            "cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")",
            fields={"name": "not allowed"},
        )
    return at_most(name, 500, "name")


def batch(metrics: int, params: int, tags: int) -> None:
    """How much one call may log."""
    for what, limit, got in (
        ("metrics", METRICS_PER_BATCH, metrics),
        ("params", PARAMS_PER_BATCH, params),
        ("tags", TAGS_PER_BATCH, tags),
        ("metrics, params, and tags", ENTITIES_PER_BATCH, metrics + params + tags),
    ):
        if got > limit:
            raise Invalid(
                f"A batch logging request can contain at most {limit} {what}. Got {got} {what}. "
                f"Please split up {what} across multiple requests and try again.",
                fields={what: "too many"},
            )
