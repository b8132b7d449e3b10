"""What names, tags and texts of the registry may be; the same rule whichever door they came through."""

from __future__ import annotations

import posixpath
import re

from apps.core.errors import Invalid

MAX_TEXT = 100_000
_KEY = re.compile(r"[/\w.\- :]{1,250}")
# Not names but paths; `new` is the address of the page that makes a model.
_RESERVED = {".", "..", "new"}


def check_name(name: object) -> str:
    """A model's name as MLflow allows it: no `/`, `:` or control character, not blank, path-normal."""
    if not isinstance(name, str) or not name.strip():
        raise Invalid("Registered model name cannot be empty.", fields={"name": "required"})
    bad = any(ch in "/:\\" or not ch.isprintable() for ch in name)
    if bad or len(name) > 255 or posixpath.normpath(name) != name or name in _RESERVED:
        raise Invalid(
            f"Invalid model name: {name[:80]!r}. At most 255 printable characters, without / : and \\, and not `new`.",
            fields={"name": "not a model name"},
        )
    return name


def check_key(key: object) -> str:
    """A tag's key as MLflow allows it: it reads like a relative path that stays below where it starts."""
    fits = isinstance(key, str) and _KEY.fullmatch(key) and posixpath.normpath(key) == key
    if not isinstance(key, str) or not fits or key == "." or key.startswith(("/", "..")):
        raise Invalid(
            f"Invalid tag name: {str(key)[:80]!r}. Letters, digits, _ - . : space and /, at most 250, path-normal.",
            fields={"key": "not a tag name"},
        )
    return key


def check_text(value: object, field: str, limit: int = MAX_TEXT) -> str:
    """Text without NUL up to `limit` characters; raises Invalid naming the field."""
    if not isinstance(value, str) or "\x00" in value or len(value) > limit:
        raise Invalid(
            f"Invalid {field}: expected text of at most {limit} characters without NUL.",
            fields={field: f"at most {limit} characters of text"},
        )
    return value
