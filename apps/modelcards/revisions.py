"""The canonical document of a card revision: made once, stored as bytes, never serialised again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from apps.core import canonical
from apps.core.errors import Tampered
from apps.modelcards import schema
from apps.modelcards.models import CardRevision
from apps.modelcards.templating import naming
from apps.modelcards.templating.document import CardTemplate


def make(
    *,
    version: str,
    number: int,
    texts: Mapping[str, str],
    previous: Mapping[str, Any],
    author: str,
    at: dt.datetime,
    template: CardTemplate,
    names: naming.Names,
) -> dict[str, Any]:
    """The document of the next revision; blocks whose wording did not change keep author and time.

    `version` and `author` are public identifiers (UUIDs): bytes copied to another version do not fit it. It names its
    template with the digest, so that what is signed includes what was asked. Text in blocks that the template does not
    have is kept with the title and section it had (from `names`): a move to another template loses no word.
    """
    blocks = {}
    for key, text in texts.items():
        before = previous.get(key)
        if before is not None and before["text"] == text:
            blocks[key] = before
        else:
            blocks[key] = {"text": text, "author": author, "at": at.isoformat()}
    return {
        "schema": schema.SCHEMA,
        "version": version,
        "number": number,
        "template": template.reference(),
        "blocks": blocks,
        "kept": {
            key: {"title": names[key].title, "section": names[key].section}
            for key in texts
            if key not in template.blocks
        },
    }


def changed_blocks(
    before: Mapping[str, str], after: Mapping[str, str], order: Iterable[str]
) -> list[str]:
    """Keys of the human blocks whose text differs, in this order."""
    return [key for key in order if before.get(key, "") != after.get(key, "")]


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
