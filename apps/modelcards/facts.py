"""Which blocks of many cards were answered, in one query: for the simulation of policies."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from django.db.models import Max

from apps.core import canonical
from apps.modelcards.models import CardRevision

Answered = Mapping[tuple[int, int], frozenset[str]]


def answered(revisions: Collection[tuple[int, int]]) -> Answered:
    """The blocks that have text in each revision, given and told as (version, number). One whose bytes are not what its
    digest says answers nothing."""
    if not revisions:
        return {}
    versions, numbers = {each[0] for each in revisions}, {each[1] for each in revisions}
    rows = CardRevision.objects.filter(version_id__in=versions, number__in=numbers)
    return {
        (version, number): _texts(bytes(document), digest)
        for version, number, document, digest in rows.values_list(
            "version_id", "number", "document", "digest"
        )
        if (version, number) in revisions
    }


def latest(versions: Collection[int]) -> dict[int, int]:
    """The number of the newest revision of each version; versions without a card are left out."""
    rows = CardRevision.objects.filter(version_id__in=versions).values("version_id")
    return dict(rows.annotate(last=Max("number")).values_list("version_id", "last"))


def _texts(document: bytes, digest: str) -> frozenset[str]:
    if canonical.digest(document) != digest:
        return frozenset()
    blocks = json.loads(document)["blocks"]
    return frozenset(key for key, block in blocks.items() if block["text"])
