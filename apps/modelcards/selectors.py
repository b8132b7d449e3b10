"""Reads of model cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.accounts.selectors import accountable_for_all
from apps.checks.models import Measurement
from apps.checks.uploaded.models import UploadedResult
from apps.core.errors import NotFound
from apps.modelcards import diff, revisions, schema
from apps.modelcards.card import Card, Gap, Prose, build_sections
from apps.modelcards.collect import collect
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion


def revisions_of(version: ModelVersion) -> QuerySet[CardRevision]:
    """Every revision, newest first, with its author."""
    return CardRevision.objects.filter(version=version).select_related("author").order_by("-number")


def latest_revision(version: ModelVersion) -> CardRevision | None:
    """The newest revision, or None while nobody has written anything."""
    revision = revisions_of(version).first()
    return _of(revision, version) if revision else None


def get_revision(version: ModelVersion, number: int) -> CardRevision:
    """One revision by its number; NotFound."""
    revision = revisions_of(version).filter(number=number).first()
    if revision is None:
        raise NotFound(f"The card of {version} has no revision {number}.")
    return _of(revision, version)


def card(version: ModelVersion, required: Iterable[str] = schema.REQUIRED_BY_DEFAULT) -> Card:
    """The card as it is now: the latest revision, the latest results."""
    return card_at(version, latest_revision(version), required=required)


def card_at(
    version: ModelVersion,
    revision: CardRevision | None,
    *,
    measurements: Mapping[str, Measurement] | None = None,
    uploaded: Sequence[UploadedResult] | None = None,
    required: Iterable[str] = schema.REQUIRED_BY_DEFAULT,
) -> Card:
    """The card at one revision (None: before anybody wrote anything).

    `measurements` pins the analyses to given results by kind, `uploaded` what other tools reported; without them the
    latest are shown.
    Raises Tampered when the revision's bytes are not what its digest says.
    """
    return Card(
        schema=schema.SCHEMA,
        model=version.model.name,
        version=version.number,
        sections=build_sections(
            computed=collect(version, measurements, uploaded),
            prose=_prose(revision) if revision else {},
            required=required,
        ),
        revision=revision.number if revision else 0,
        digest=revision.digest if revision else "",
        author=str(revision.author) if revision else "",
        at=revision.created_at.isoformat() if revision else "",
    )


def gaps(
    version: ModelVersion, required: Iterable[str] = schema.REQUIRED_BY_DEFAULT
) -> tuple[Gap, ...]:
    """The required human blocks that the latest revision does not answer."""
    revision = latest_revision(version)
    texts = revision.texts if revision else {}
    return tuple(
        Gap(key, schema.BLOCKS[key].title, schema.section_of(key).title)
        for key in required
        if not texts.get(key)
    )


def compare(older: CardRevision, newer: CardRevision) -> tuple[diff.BlockDiff, ...]:
    """The human blocks that differ, word by word."""
    return diff.compare(older.texts, newer.texts, only_changed=True)


def card_authors(version: ModelVersion) -> set[int]:
    """Everybody who ever saved a revision; for a service, also the people accountable for it."""
    wrote = CardRevision.objects.filter(version=version).values_list("author_id", flat=True)
    return set().union(*accountable_for_all(set(wrote)).values())


def card_url(version: ModelVersion, page: str = "card/") -> str:
    """The path of a page of this version."""
    return f"/models/{quote(version.model.name, safe='')}/{version.number}/{page}"


def _of(revision: CardRevision, version: ModelVersion) -> CardRevision:
    """With the version the caller already has, so that nobody asks for it again."""
    revision.version = version
    return revision


def _prose(revision: CardRevision) -> dict[str, Prose]:
    """The verified blocks with their authors' printed names."""
    blocks = revisions.verified(revision)["blocks"]
    uuids = {block["author"] for block in blocks.values()}
    people = {str(user.uuid): user for user in User.objects.filter(uuid__in=uuids)}
    return {
        key: Prose(
            block["text"],
            str(people[block["author"]]),
            people[block["author"]].pk,
            block["at"],
        )
        for key, block in blocks.items()
    }
