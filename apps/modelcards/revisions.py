"""The canonical document of a card revision: made once, stored as bytes, never serialised again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from apps.core import canonical
from apps.core.errors import Tampered
from apps.modelcards import schema
from apps.modelcards.models import CardRevision


def make(
    *,
    version: str,
    number: int,
    texts: Mapping[str, str],
    previous: Mapping[str, Any],
    author: str,
    at: dt.datetime,
) -> dict[str, Any]:
    """The document of the next revision; blocks whose wording did not change keep author and time.

    `version` and `author` are public identifiers (UUIDs): bytes copied to another version do not fit it.
    """
    blocks = {}
    for key, text in texts.items():
        before = previous.get(key)
        if before is not None and before["text"] == text:
            blocks[key] = before
        else:
            blocks[key] = {"text": text, "author": author, "at": at.isoformat()}
    return {"schema": schema.SCHEMA, "version": version, "number": number, "blocks": blocks}


def changed_blocks(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Keys of the human blocks whose text differs, in the order of the schema."""
    return [key for key in schema.HUMAN_BLOCKS if before.get(key, "") != after.get(key, "")]


def verified(revision: CardRevision) -> dict[str, Any]:
    """The document from the bytes that are hashed; raises Tampered if bytes, digest, or row disagree."""
    data = bytes(revision.document)
    found = canonical.digest(data)
    if found != revision.digest:
        raise Tampered(f"{revision}: expected digest {revision.digest}, its bytes have {found}.")
    document: dict[str, Any] = json.loads(data)
    expected = (str(revision.version.uuid), revision.number)
    if (document["version"], document["number"]) != expected:
        raise Tampered(f"{revision}: its bytes belong to another revision.")
    return document
