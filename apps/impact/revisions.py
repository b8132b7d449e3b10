"""The canonical document of an assessment's revision: made once, stored as bytes, never serialised again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

from apps.core import canonical
from apps.core.errors import Tampered
from apps.impact import questionnaire as questionnaires
from apps.impact.models import AssessmentRevision

SCHEMA: Final = "countersign.impact_assessment.v1"


def make(
    *,
    model: str,
    number: int,
    questionnaire: str,
    answers: Mapping[str, Any],
    previous: Mapping[str, Any],
    author: str,
    at: dt.datetime,
) -> dict[str, Any]:
    """The document of the next revision; answers that did not change keep author and time.

    `model` and `author` are public identifiers (UUIDs): bytes copied to another model do not fit it.
    """
    entries = {}
    for key, value in answers.items():
        before = previous.get(key)
        same = before is not None and before["value"] == value
        entries[key] = before if same else {"value": value, "author": author, "at": at.isoformat()}
    return {
        "schema": SCHEMA,
        "model": model,
        "number": number,
        "questionnaire": {
            "name": questionnaire,
            "digest": questionnaires.PUBLISHED[questionnaire],
        },
        "answers": entries,
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Keys of the questions whose answers differ, sorted."""
    return sorted(key for key in {*before, *after} if before.get(key) != after.get(key))


def verified(revision: AssessmentRevision) -> dict[str, Any]:
    """The document from the bytes that are hashed; raises Tampered if bytes, digest, or row disagree."""
    data = bytes(revision.document)
    found = canonical.digest(data)
    if found != revision.digest:
        raise Tampered(f"{revision}: expected digest {revision.digest}, its bytes have {found}.")
    document: dict[str, Any] = json.loads(data)
    expected = (str(revision.model.uuid), revision.number, revision.questionnaire)
    if (document["model"], document["number"], document["questionnaire"]["name"]) != expected:
        raise Tampered(f"{revision}: its bytes belong to another revision.")
    return document


def answers(revision: AssessmentRevision) -> dict[str, Any]:
    """The answers from those bytes."""
    return {key: entry["value"] for key, entry in verified(revision)["answers"].items()}
