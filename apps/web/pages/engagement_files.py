"""What an auditor takes along, who else did, and the checkpoint she kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts import policy
from apps.audits.checkpoint_selectors import Kept
from apps.compliance import kinds
from apps.core.actor import Actor
from apps.engagements import exports, selectors
from apps.engagements.exports import Taken
from apps.engagements.models import Engagement
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, query, words
from apps.web.pages import checkpoints
from apps.web.pages.checkpoints import Compared
from apps.web.pages.engagements import Frame, frame, url
from apps.web.parts import Action, Cell, Column, Empty, Paging, Row, Table

VERSIONS = 20


@dataclass(frozen=True, slots=True)
class FilesPage:
    frame: Frame
    table: Table
    bundle: Action


@dataclass(frozen=True, slots=True)
class ExportsPage:
    frame: Frame
    table: Table
    full: bool


@dataclass(frozen=True, slots=True)
class KeptPage:
    frame: Frame
    compared: Compared | None


def documents(actor: Actor, request: HttpRequest, engagement: Engagement) -> FilesPage:
    """Each version in scope with its documents and its bundle, one click each."""
    rows = selectors.versions_of(engagement)
    before = query.before(request)
    found = list((rows.filter(pk__lt=before) if before is not None else rows)[: VERSIONS + 1])
    shown = found[:VERSIONS]
    made: dict[int, list[Action]] = {}
    for each in selectors.documents_of(engagement, [row.pk for row in shown]):
        title = f"{kinds.get(each.kind).title}, {each.finished_at:%-d %b %Y}"
        link = reverse("web:document-pdf", args=[each.uuid])
        made.setdefault(each.version_id, []).append(Action(title, link, "plain", "download", download=True))  # fmt: skip
    start = query.first_page(request)
    following = query.next_page(request, shown[-1].pk) if len(found) > VERSIONS else ""
    paging = Paging(words.plural(len(shown), "version"), following, start)
    table = Table(
        "Documents and bundles",
        [Column("Version"), Column("Documents (PDF)"), Column("Everything, with the verifier")],
        [_version(row, made.get(row.pk, [])) for row in shown],
        Empty("no-match", "No version in scope here"),
        paging if start or following else None,
    )
    act = Action("One bundle of all versions in scope", url(engagement, "bundle/"), "", "download")
    return FilesPage(frame(actor, engagement, "documents/"), table, act)


def _version(row: ModelVersion, made: Sequence[Action]) -> Row:
    bundle = reverse("web:version-bundle", args=[row.model.name, row.number])
    gone = row.deleted_at is not None
    return Row(
        [
            cells.link(str(row), addresses.version(row.model.name, row.number, "documents/")),
            cells.acts(*made) if made else cells.missing("none was issued before the end of the period"),
            cells.missing("the version was deleted")
            if gone
            else cells.acts(Action("Bundle", bundle, "", "download", post=True)),
        ]
    )  # fmt: skip


def taken(actor: Actor, engagement: Engagement) -> ExportsPage:
    """Who took documents, bundles or the ledger away during the period."""
    found = exports.taken(engagement)
    numbers = {each.version for each in found if each.version}
    versions = {row.pk: row for row in ModelVersion.objects.filter(pk__in=numbers).select_related("model")}  # fmt: skip
    opens = policy.can(actor, "audit.read")
    names = ("Who", "What", "Version", "When", "Times", "From where", "Record")
    empty = Empty("clear", "Nobody took anything in the period")
    rows = [_taken(each, versions.get(each.version or 0), opens=opens) for each in found]
    table = Table("Who took what", [Column(name) for name in names], rows, empty)
    return ExportsPage(frame(actor, engagement, "exports/"), table, len(found) >= exports.MOST)


def _taken(each: Taken, version: ModelVersion | None, *, opens: bool) -> Row:
    return Row(
        [
            cells.person(each.who),
            cells.text(each.what),
            cells.link(str(version), addresses.version(version.model.name, version.number))
            if version
            else cells.missing("the whole record"),
            cells.when(each.at),
            cells.number(str(each.times)),
            _where(each, opens=opens),
            cells.link(f"EVT-{each.seq}", addresses.event(each.seq))
            if each.seq
            else cells.text("attempt", note="its digest is bound to the record"),
        ]
    )


def _where(each: Taken, *, opens: bool) -> Cell:
    """Addresses are personal: who reads the whole trail sees them, others only what proves them."""
    if not each.origin:
        return cells.missing("not recorded for this")
    if opens and each.address:
        return cells.text(each.address)
    why = "withheld" if each.address else "erased"
    return cells.text(why, note=f"proven by commitment {each.origin}")


def kept(actor: Actor, engagement: Engagement, found: Kept | None) -> KeptPage:
    """What became of the checkpoint that she saved."""
    compared = checkpoints.compared(found) if found else None
    return KeptPage(frame(actor, engagement, "checkpoint/"), compared)
