"""Reads of model cards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.accounts.selectors import accountable_for_all
from apps.checks import facts as check_facts
from apps.checks import kinds
from apps.checks import selectors as checks
from apps.checks.models import Measurement
from apps.checks.uploaded import selectors as uploaded_results
from apps.checks.uploaded.models import UploadedResult
from apps.core.errors import NotFound
from apps.modelcards import diff, layouts, revisions, schema
from apps.modelcards.card import Card, CardSection, Computed, Gap, Prose, build_sections
from apps.modelcards.collect import collect, moment
from apps.modelcards.judging import required_of
from apps.modelcards.models import CardDraft, CardRevision
from apps.modelcards.templating import naming
from apps.modelcards.templating.document import CardTemplate
from apps.modelcards.templating.naming import BlockName
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


def card(version: ModelVersion, terms: Mapping[str, Any] | None = None) -> Card:
    """The card as it is now: the latest revision, the latest results; `terms` of a policy say what is required."""
    return card_at(version, latest_revision(version), terms=terms)


def card_at(
    version: ModelVersion,
    revision: CardRevision | None,
    *,
    measurements: Mapping[str, Measurement] | None = None,
    uploaded: Sequence[UploadedResult] | None = None,
    terms: Mapping[str, Any] | None = None,
    at: dt.datetime | None = None,
) -> Card:
    """The card at one revision (None: before anybody wrote anything), laid out by the template that it names.

    `measurements` pins the analyses to given results by kind, `uploaded` what other tools reported; without them the
    latest are shown.
    `terms` are those of the policy it is held to: which blocks must be answered.
    Raises Tampered when the revision's bytes, or its template's, are not what their digest says.
    """
    content = revisions.verified(revision) if revision else None
    template = layouts.of(content) if content else layouts.given(version.model)
    return Card(
        schema=content["schema"] if content else schema.SCHEMA,
        model=version.model.name,
        version=version.number,
        sections=build_sections(
            computed=collect(version, measurements, uploaded, at),
            prose=_prose(content) if content else {},
            required=required_of(terms, template),
            template=template,
            kept=content.get("kept", {}) if content else {},
        ),
        revision=revision.number if revision else 0,
        digest=revision.digest if revision else "",
        author=str(revision.author) if revision else "",
        at=revision.created_at.isoformat() if revision else "",
        template=template.name,
        template_title=str(template),
        template_digest=template.digest,
    )


def card_as_of(version: ModelVersion, at: dt.datetime) -> Card:
    """The card as it stood at a moment: the revision, the data and the results that were in force then, and were not
    recalled yet. As they are now: what the registry says (owner, tier, targets, lineage) and the run.

    NotFound for a moment before the version was registered.
    """
    if at < version.created_at:
        raise NotFound(
            f"{version} was registered on {moment(version.created_at)}; before, it had no card."
        )
    pk = version.pk
    data = check_facts.newest_of_each_role(check_facts.datasets([pk]).get(pk, []), at)
    rows = check_facts.measurements([pk]).get(pk, [])
    facts = [check_facts.as_of(rows, kind, data, at) for kind in kinds.registered()]
    named = checks.named_measurements(version, [fact.uuid for fact in facts if fact])
    return card_at(
        version,
        revisions_of(version).filter(created_at__lte=at).first(),
        measurements={row.kind: row for row in named.values()},
        uploaded=uploaded_results.as_of(uploaded_results.of_versions([pk]).get(pk, []), at),
        at=at,
    )


_NOBODY = Prose("", "", 0, "")


def draft_of(version: ModelVersion, user_id: int | None) -> CardDraft | None:
    """What this person was writing."""
    return CardDraft.objects.filter(version=version, user_id=user_id or 0).first()


def editing_now(version: ModelVersion, user_id: int | None, since: dt.datetime) -> list[str]:
    """The printed names of others whose draft was saved since then."""
    rows = CardDraft.objects.filter(version=version, saved_at__gte=since).exclude(
        user_id=user_id or 0
    )
    return [str(row.user) for row in rows.select_related("user").order_by("-saved_at")[:10]]


def outline(
    revision: CardRevision | None, template: CardTemplate, also: Collection[str] = ()
) -> tuple[CardSection, ...]:
    """What an editor of the revision sees when it is laid out by `template`: every block to write, other blocks that hold
    text in the revision or in what is being written (`also`), and the computed blocks without their content."""
    content = revisions.verified(revision) if revision else None
    known = naming.with_shipped(layouts.names(content) if content else {})
    unknown = {key: BlockName(key, schema.SECTIONS[-1].key) for key in also if key not in known}
    names = {**known, **unknown}
    texts = content["blocks"] if content else {}
    return build_sections(
        computed=dict.fromkeys(template.blocks, Computed(())),
        prose={**dict.fromkeys(also, _NOBODY), **(_prose(content) if content else {})},
        required=template.required,
        template=template,
        kept={
            key: {"title": name.title, "section": name.section}
            for key, name in names.items()
            if (key in texts or key in also) and key not in template.blocks
        },
    )


def gaps(version: ModelVersion, terms: Mapping[str, Any] | None = None) -> tuple[Gap, ...]:
    """The required human blocks that the latest revision does not answer."""
    revision = latest_revision(version)
    template = layouts.over(version.model, revision)
    texts = revision.texts if revision else {}
    names = {**naming.SHIPPED, **naming.of((template, {}))}
    return tuple(
        Gap(key, names[key].title, names[key].section_title)
        for key in required_of(terms, template)
        if not texts.get(key)
    )


def compare(older: CardRevision, newer: CardRevision) -> tuple[diff.BlockDiff, ...]:
    """The human blocks that differ, word by word."""
    names = layouts.names(newer.content, older.content)
    return diff.compare(older.texts, newer.texts, only_changed=True, names=names)


def names_of(revision: CardRevision) -> naming.Names:
    """What the written blocks of a revision are called, shipped ones that it does not have at the end."""
    return naming.with_shipped(layouts.names(revision.content))


def titles(version: ModelVersion, keys: Iterable[str]) -> list[str]:
    """What these blocks are called, in the latest revision's words; a key that nobody knows as it is."""
    latest = latest_revision(version)
    names = names_of(latest) if latest else naming.SHIPPED
    return [names[key].title if key in names else key for key in keys]


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


def _prose(content: Mapping[str, Any]) -> dict[str, Prose]:
    """The blocks of a verified document with their authors' printed names."""
    blocks = content["blocks"]
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
