"""The members of a bundle that are about one version, in the order in which one would read them (docs/how-to/verify-a-bundle.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from apps.audits import selectors as audits
from apps.checks import records
from apps.checks.models import Measurement
from apps.checks.uploaded import selectors as uploaded
from apps.compliance.models import Document, DocumentStatus
from apps.core import blobs, canonical
from apps.core.errors import Tampered
from apps.modelcards import revisions
from apps.modelcards import selectors as cards
from apps.registry.models import ModelVersion
from apps.reviews import evidence
from apps.reviews import selectors as reviews
from apps.reviews.models import Decision, Review

MOST_EVENTS: Final = 50_000
Told = set[tuple[str, str]]
# Which events tell of a member, and under which name they have its digest.
TOLD: Final = {
    "reviews.round.made": "digest",
    "reviews.decision.recorded": "statement_digest",
    "modelcards.card.saved": "digest",
    "compliance.document.issued": "digest",
    "checks.measurement.done": "result_digest",
    "checks.uploaded.attached": "digest",
}


@dataclass(frozen=True, slots=True)
class Item:
    """A member before it is written. `pieces` is asked for when its turn comes."""

    name: str
    kind: str
    pieces: Callable[[], Iterable[bytes]]
    packed: bool = True


def known(name: str, kind: str, data: bytes) -> Item:
    """A member whose bytes are there."""
    return Item(name, kind, lambda: [data])


def items(version: ModelVersion, size: int, *, with_files: bool) -> Iterator[Item]:
    """Every member about the version.

    Of the tables, what the events up to the checkpoint tell of: what is written meanwhile is in the next bundle.
    """
    told = _told(version, size)
    yield known("version.json", "version", version_record(version))
    for review in reviews.reviews_of(version).select_related("policy_version").order_by("pk"):
        yield from _review(review, told)
    yield from _checks(version, told)
    yield from _papers(version, told)
    if with_files:
        for entry in version.manifest:
            yield Item(f"files/{entry['path']}", "file", _blob(entry["digest"]), packed=False)


def _told(version: ModelVersion, size: int) -> Told:
    rows = audits.events(
        scopes=[f"version:{version.pk}"], types=list(TOLD), before_seq=size + 1, limit=MOST_EVENTS
    )
    return {(row.type, str(row.payload.get(TOLD[row.type]))) for row in rows}


def _blob(digest: str) -> Callable[[], Iterable[bytes]]:
    """Bytes of the store, compared with their digests while they are read."""
    return lambda: blobs.read(digest)


def version_record(version: ModelVersion) -> bytes:
    """What the version is; `scope` is under which name the ledger tells of it."""
    return canonical.dumps(
        {
            "schema": "countersign.version/1",
            "model": version.model.name,
            "version": version.number,
            "scope": f"version:{version.pk}",
            "uuid": str(version.uuid),
            "manifest_digest": version.manifest_digest,
            "manifest": version.manifest,
        }
    )


def _review(review: Review, told: Told) -> Iterator[Item]:
    """Its policy, its rounds' manifests, the statements that were signed, the site's envelopes around them."""
    about = f"reviews/{review.pk}"
    written = canonical.dumps(review.policy_version.document)
    if canonical.digest(written) != review.policy_version.digest:
        raise Tampered(f"The policy {review.policy_version} is not what its digest says.")
    yield known(f"{about}/policy.json", "policy", written)
    for round_ in reviews.rounds_of(review).order_by("number"):
        if ("reviews.round.made", round_.digest) not in told:
            continue
        evidence.read(round_)
        yield known(f"{about}/round-{round_.number}.json", "evidence", bytes(round_.manifest))
    for row in Decision.objects.filter(review=review).select_related("envelope").order_by("pk"):
        if ("reviews.decision.recorded", row.statement_digest) not in told:
            continue
        if canonical.digest(bytes(row.statement)) != row.statement_digest:
            raise Tampered(f"Decision {row.pk}: the statement is not what its digest says.")
        yield known(f"{about}/decision-{row.pk}.json", "statement", bytes(row.statement))
        sealed = getattr(row, "envelope", None)
        if sealed is not None:
            yield known(f"{about}/decision-{row.pk}.dsse.json", "envelope", bytes(sealed.data))


def _checks(version: ModelVersion, told: Told) -> Iterator[Item]:
    """Each measurement is read when its turn comes: count tables can be large together."""
    rows = Measurement.objects.filter(version=version, result__isnull=False).order_by("pk")
    for key, name, digest in rows.values_list("pk", "uuid", "result_digest"):
        if ("checks.measurement.done", digest) in told:
            yield Item(f"checks/{name}.json", "check", _record(version, key))


def _record(version: ModelVersion, key: int) -> Callable[[], Iterable[bytes]]:
    return lambda: records.written(version, _measurement(key))


def _measurement(key: int) -> Measurement:
    return Measurement.objects.select_related("started_by", "recalled_by").get(pk=key)


def _papers(version: ModelVersion, told: Told) -> Iterator[Item]:
    """What other tools reported, what people wrote in the card, what was issued."""
    for row in uploaded.uploaded(version).order_by("pk"):
        if ("checks.uploaded.attached", row.digest) not in told:
            continue
        blobs.check(row.digest)
        yield Item(f"uploaded/{row.uuid}", "uploaded", _blob(row.digest))
    for revision in cards.revisions_of(version).order_by("number"):
        if ("modelcards.card.saved", revision.digest) not in told:
            continue
        revision.version = version
        revisions.verified(revision)
        yield known(f"card/revision-{revision.number}.json", "card", bytes(revision.document))
    for document in Document.objects.filter(version=version, status=DocumentStatus.READY).order_by("pk"):  # fmt: skip
        if ("compliance.document.issued", document.digest) not in told:
            continue
        blobs.check(document.digest)
        yield Item(
            f"documents/{document.uuid}.pdf", "document", _blob(document.digest), packed=False
        )
