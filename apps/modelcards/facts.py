"""What is known of cards when they are judged: one for the gate, many in a few queries for the simulation of policies."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Max

from apps.core import canonical
from apps.modelcards import layouts, revisions, selectors
from apps.modelcards.judging import CardFacts
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion

NOTHING = CardFacts()


def of_version(version: ModelVersion) -> CardFacts:
    """The latest revision with its template. Raises Tampered where bytes are not what their digest says."""
    chosen = layouts.chosen_key(version.model)
    revision = selectors.latest_revision(version)
    if revision is None:
        return CardFacts(template=layouts.given(version.model), chosen=chosen)
    content = revisions.verified(revision)
    return CardFacts(layouts.of(content), _answered(content), revision.number, chosen)


def of_revisions(wanted: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], CardFacts]:
    """Each revision, given and told as (version, number). One whose bytes are not what its digest says answers nothing.

    Not told: what is chosen for the model now; it was not asked of what was decided before.
    """
    if not wanted:
        return {}
    versions, numbers = {each[0] for each in wanted}, {each[1] for each in wanted}
    rows = CardRevision.objects.filter(version_id__in=versions, number__in=numbers)
    found = {
        (version, number): json.loads(bytes(document))
        for version, number, document, digest in rows.values_list(
            "version_id", "number", "document", "digest"
        )
        if (version, number) in wanted and canonical.digest(bytes(document)) == digest
    }
    templates = zip(found, layouts.of_all(found.values()), strict=True)
    told = {key: CardFacts(template, _answered(found[key]), key[1]) for key, template in templates}
    return {key: told.get(key, CardFacts(revision=key[1])) for key in wanted}


def latest(versions: Collection[int]) -> dict[int, int]:
    """The number of the newest revision of each version; versions without a card are left out."""
    rows = CardRevision.objects.filter(version_id__in=versions).values("version_id")
    return dict(rows.annotate(last=Max("number")).values_list("version_id", "last"))


def _answered(content: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(key for key, block in content["blocks"].items() if block["text"])
