"""What the record holds about versions, as an auditor takes it: items with a digest, the event that tells it, and how to compute
the digest anew. Each source reads all versions at once, in one or two queries; nothing is recomputed here (`verifying`).

What was recorded before the end of the engagement's period counts, also what is older than its beginning: a version that is in
production in March may have been approved in January.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from apps.audits import selectors as audits
from apps.audits import tree
from apps.checks import kinds as check_kinds
from apps.checks import selectors as checks
from apps.checks.models import EvaluationDataset, Measurement, MeasurementStatus
from apps.checks.uploaded.models import UploadedResult
from apps.compliance import statements
from apps.compliance.models import Document, DocumentStatus, ReportStatement
from apps.core import blobs, canonical
from apps.engagements.frameworks import Control
from apps.impact.models import AssessmentSignature
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion
from apps.reviews import envelopes
from apps.reviews.models import Decision, DecisionEnvelope, FindingEntry, Round, Waiver

Keys = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of the record. `told` is the type of the event that tells it and the field of its payload that holds `digest`.

    `again` computes the digest anew (raises Tampered); `costly` where that reads many bytes. `signed` verifies the site's
    signature (raises Tampered) and answers the id of the key; None where the thing has no envelope of its own. `row` is what
    rules read.
    """

    version: int
    source: str
    name: str
    title: str
    digest: str
    told: tuple[str, str]
    url: str
    at: dt.datetime
    again: Callable[[], str]
    costly: bool = False
    signed: Callable[[Keys], str] | None = None
    note: str = ""
    words: frozenset[str] = frozenset()
    row: Any = None


@dataclass(slots=True)
class Found:
    """The items of some versions, by version and source."""

    items: dict[int, dict[str, list[Item]]] = field(default_factory=dict)

    def of(self, version: int, source: str) -> list[Item]:
        return self.items.get(version, {}).get(source, [])

    def add(self, item: Item) -> None:
        self.items.setdefault(item.version, {}).setdefault(item.source, []).append(item)

    def named(self, version: int, name: str) -> list[Item]:
        """What answers a name of a control: `decisions`, `checks.fairness`, `card.oversight`, `stated.<kind>.<field>`."""
        source, _, rest = name.partition(".")
        found = self.of(version, source)
        if not rest:
            return found
        if source == "card":
            return [item for item in found if rest in item.words]
        kind, _, said = rest.partition(".")
        return [item for item in found if item.name == kind and (not said or said in item.words)]


def gather(versions: Sequence[ModelVersion], before: dt.datetime, sources: Iterable[str]) -> Found:
    """Everything of these sources about these versions that was recorded before a moment. A constant number of queries."""
    found = Found()
    by_pk = {version.pk: version for version in versions}
    for source in sorted(set(sources)):
        for item in _SOURCES[source](by_pk, before):
            found.add(item)
    return found


def sources_of(control: Control) -> set[str]:
    """The sources that a control and its rule read."""
    return {name.partition(".")[0] for name in control.names()} | set(
        RULES_READ.get(control.rule, ())
    )


# What each rule looks at beside what its control names.
RULES_READ: Final[dict[str, tuple[str, ...]]] = {
    "four_eyes": ("decisions", "rounds"),
    "bound_to_bytes": ("decisions", "rounds", "files"),
    "gates_held": ("rounds",),
    "no_bypass": ("promotions", "decisions", "rounds"),
    "waivers_end": ("waivers",),
    "findings_settled": ("findings",),
    "bias_audit_is_recent": ("checks",),
}

Versions = Mapping[int, ModelVersion]


def page_of(version: ModelVersion, page: str) -> str:
    """A page of a version."""
    return f"/models/{quote(version.model.name, safe='')}/{version.number}/{page}"


def _files(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    for version in versions.values():
        if version.created_at < before:
            yield Item(
                version=version.pk,
                source="files",
                name="",
                title=f"{len(version.manifest)} files of {version}",
                digest=version.manifest_digest,
                told=("registry.version.registered", "manifest_digest"),
                url=page_of(version, "files/"),
                at=version.created_at,
                again=lambda version=version: canonical.digest_of(version.manifest),  # type: ignore[misc]
                note="The list of files with their digests; the bytes are compared when they are downloaded.",
                row=version,
            )


def _cards(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = CardRevision.objects.filter(version__in=versions, created_at__lt=before)
    for row in rows.order_by("version_id", "-number").distinct("version_id"):
        version = versions[row.version_id]
        yield Item(
            version=row.version_id,
            source="card",
            name="",
            title=f"Model card, revision {row.number}",
            digest=row.digest,
            told=("modelcards.card.saved", "digest"),
            url=page_of(version, "card/"),
            at=row.created_at,
            again=lambda row=row: canonical.digest(bytes(row.document)),  # type: ignore[misc]
            words=frozenset(key for key, text in row.texts.items() if text.strip()),
            row=row,
        )


def _decisions(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = Decision.objects.filter(review__version__in=versions, created_at__lt=before)
    for row in rows.select_related("envelope", "round", "review").order_by("pk"):
        row.review.version = versions[row.review.version_id]
        yield decision_item(row)


def decision_item(row: Decision) -> Item:
    """A signed decision; its review and version must be loaded."""
    envelope: DecisionEnvelope | None = getattr(row, "envelope", None)
    if envelope is not None:
        envelope.decision = row
    return Item(
        version=row.review.version_id,
        source="decisions",
        name=row.role,
        title=f"{row.signer_name}: {row.meaning} (REV-{row.review_id}, {row.role})",
        digest=row.statement_digest,
        told=("reviews.decision.recorded", "statement_digest"),
        url=f"/reviews/{row.review_id}/decisions/{row.pk}/",
        at=row.created_at,
        again=lambda: canonical.digest(bytes(row.statement)),
        signed=_opens(envelope) if envelope is not None else None,
        note="" if envelope is not None else "Made before the site had a key: it has no envelope.",
        row=row,
    )


def _opens(envelope: DecisionEnvelope) -> Callable[[Keys], str]:
    def signed(keys: Keys) -> str:
        envelopes.verified(envelope, keys)
        return envelope.key_id

    return signed


def _rounds(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = Round.objects.filter(review__version__in=versions, created_at__lt=before)
    for row in rows.select_related("review").order_by("pk"):
        yield Item(
            version=row.review.version_id,
            source="rounds",
            name="",
            title=f"Evidence of REV-{row.review_id}, round {row.number}",
            digest=row.digest,
            told=("reviews.round.made", "digest"),
            url=f"/reviews/{row.review_id}/",
            at=row.created_at,
            again=lambda row=row: canonical.digest(bytes(row.manifest)),  # type: ignore[misc]
            row=row,
        )


def _data(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = EvaluationDataset.objects.filter(version__in=versions, created_at__lt=before)
    for row in rows.order_by("pk"):
        yield Item(
            version=row.version_id,
            source="data",
            name=row.role,
            title=f"{row.name} ({row.role}, {row.rows} rows)",
            digest=row.digest,
            told=("checks.dataset.attached", "digest"),
            url=page_of(versions[row.version_id], "data/"),
            at=row.created_at,
            again=lambda row=row: _of_blob(row.blob_id, row.digest),  # type: ignore[misc]
            costly=True,
            row=row,
        )


def _of_blob(blob: str, digest: str) -> str:
    """The digest, once the stored bytes were hashed again. Raises Tampered where they are others."""
    blobs.check(blob)
    return digest


def _checks(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = Measurement.objects.filter(
        version__in=versions, finished_at__lt=before, status=MeasurementStatus.DONE
    )
    for row in rows.defer("statistics", "result").order_by("pk"):
        yield Item(
            version=row.version_id,
            source="checks",
            name=row.kind,
            title=check_kinds.title(row.kind),
            digest=row.result_digest,
            told=("checks.measurement.done", "result_digest"),
            url=page_of(versions[row.version_id], f"checks/{row.uuid}/"),
            at=row.finished_at or row.queued_at,
            again=lambda row=row: checks.result_digest(row.key, row.statistics, row.result),  # type: ignore[misc]
            costly=True,
            row=row,
        )


def _documents(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = Document.objects.filter(
        version__in=versions,
        status=DocumentStatus.READY,
        finished_at__lt=before,
        as_of__isnull=True,  # a card as it stood on some day documents nothing of how things stood when it was made
    )
    for row in rows.order_by("pk"):
        yield Item(
            version=row.version_id,
            source="document",
            name=row.kind,
            title=str(row.get_kind_display()),
            digest=row.digest,
            told=("compliance.document.issued", "digest"),
            url=f"/documents/{row.uuid}/",
            at=row.finished_at or row.created_at,
            again=lambda row=row: _of_blob(row.digest, row.digest),  # type: ignore[misc]
            costly=True,
            note="Signed inside (PAdES); the program in a bundle checks that signature.",
            row=row,
        )


def _statements(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = ReportStatement.objects.filter(version__in=versions, created_at__lt=before)
    rows = rows.order_by("version_id", "kind", "-number").distinct("version_id", "kind")
    for row in rows.select_related("author"):
        version = versions[row.version_id]
        yield Item(
            version=row.version_id,
            source="stated",
            name=row.kind,
            title=f"Statement {row.number} for the {row.get_kind_display()}",
            digest=row.digest,
            told=("compliance.statement.recorded", "digest"),
            url=page_of(version, f"documents/{row.kind}/statement/"),
            at=row.created_at,
            again=lambda row=row, version=version: statements.digest_of(row, version),  # type: ignore[misc]
            words=frozenset(row.texts),
            row=row,
        )


_FINDING_EVENTS: Final = {
    "raised": "raised",
    "reopened": "reopened",
    "responded": "responded",
    "retest_passed": "retested",
    "retest_failed": "retested",
    "closed": "closed",
    "accepted": "accepted",
}


def _findings(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = FindingEntry.objects.filter(finding__version__in=versions, created_at__lt=before)
    for row in rows.select_related("finding").order_by("pk"):
        yield Item(
            version=row.finding.version_id,
            source="findings",
            name=row.kind,
            title=f"{row.finding.key} {row.finding.title}: {row.get_kind_display().lower()}",
            digest=row.digest,
            told=(f"reviews.finding.{_FINDING_EVENTS[row.kind]}", "digest"),
            url=f"/findings/{row.finding_id}/",
            at=row.created_at,
            again=lambda row=row: canonical.digest(bytes(row.statement)),  # type: ignore[misc]
            row=row,
        )


def _waivers(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = Waiver.objects.filter(version__in=versions, created_at__lt=before)
    for row in rows.select_related("revocation").order_by("pk"):
        yield Item(
            version=row.version_id,
            source="waivers",
            name=row.requirement,
            title=f"{row.requirement} waived by {row.signer_name} until {row.expires_at:%Y-%m-%d}",
            digest=row.statement_digest,
            told=("reviews.waiver.granted", "statement_digest"),
            url=page_of(versions[row.version_id], "findings/"),
            at=row.created_at,
            again=lambda row=row: canonical.digest(bytes(row.statement)),  # type: ignore[misc]
            row=row,
        )


def _uploaded(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    rows = UploadedResult.objects.filter(version__in=versions, uploaded_at__lt=before)
    for row in rows.order_by("pk"):
        yield Item(
            version=row.version_id,
            source="uploaded",
            name=row.name,
            title=f"{row.name}, by {row.tool}",
            digest=row.digest,
            told=("checks.uploaded.attached", "digest"),
            url=page_of(versions[row.version_id], f"checks/uploaded/{row.uuid}/"),
            at=row.uploaded_at,
            again=lambda row=row: _of_blob(row.digest, row.digest),  # type: ignore[misc]
            costly=True,
            row=row,
        )


def _impact(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    """The assessment in force at the time, for every version of its model."""
    models = {version.model_id for version in versions.values()}
    rows = AssessmentSignature.objects.filter(model__in=models, created_at__lt=before)
    newest = {
        row.model_id: row
        for row in rows.select_related("revision").order_by("model_id", "-pk").distinct("model_id")
    }
    for version in versions.values():
        row = newest.get(version.model_id)
        if row is not None:
            yield Item(
                version=version.pk,
                source="impact",
                name="",
                title=f"Impact assessment, revision {row.revision.number}",
                digest=row.revision.digest,
                told=("impact.assessment.signed", "digest"),
                url=f"/models/{quote(version.model.name, safe='')}/impact/",
                at=row.created_at,
                again=lambda row=row: canonical.digest(bytes(row.revision.document)),  # type: ignore[misc]
                row=row,
            )


_ENTRIES: Final = ("registry.version.promoted", "registry.approval.renewed")
MOST_ENTRIES: Final = 2_000


def _promotions(versions: Versions, before: dt.datetime) -> Iterable[Item]:
    """Events that are evidence themselves: the digest is the leaf of the log."""
    scopes = [f"version:{pk}" for pk in versions]
    rows = audits.events(scopes=scopes, types=_ENTRIES, until=before, limit=MOST_ENTRIES)
    for row in rows:
        version = versions.get(int(row.payload["version"]))
        if version is not None:
            yield Item(
                version=version.pk,
                source="promotions",
                name="",
                title=f"{row.payload['target']} entered by REV-{row.payload['review']}",
                digest=row.leaf_hash,
                told=(row.type, ""),
                url=f"/reviews/{row.payload['review']}/",
                at=row.at,
                again=lambda row=row: tree.leaf_hash(row.body).hex(),  # type: ignore[misc]
                row=row,
            )


_SOURCES: Final[dict[str, Callable[[Versions, dt.datetime], Iterable[Item]]]] = {
    "files": _files,
    "card": _cards,
    "decisions": _decisions,
    "rounds": _rounds,
    "data": _data,
    "checks": _checks,
    "document": _documents,
    "stated": _statements,
    "findings": _findings,
    "waivers": _waivers,
    "impact": _impact,
    "promotions": _promotions,
    "uploaded": _uploaded,
}
