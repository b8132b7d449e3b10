"""The control matrix of an engagement, and one cell of it with every item and its three checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.http import urlencode

from apps.core.actor import Actor
from apps.engagements import frameworks, matrix, selectors, verifying
from apps.engagements.frameworks import Control
from apps.engagements.matrix import Cell, Matrix
from apps.engagements.models import Engagement
from apps.engagements.verifying import Check, Verified
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, query, status, words
from apps.web.pages.engagements import Frame, frame, url
from apps.web.parts import Action, Chip, Column, Empty, Fact, Notice, Paging, Row, Table

VERSIONS = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell: its state in words, what exactly, and where each of the three is seen."""

    label: str
    chip: Chip
    wrong: Sequence[str]
    more: int
    counts: str
    links: Sequence[tuple[str, str]]
    ruling: str


@dataclass(frozen=True, slots=True)
class Line:
    control: Control
    cells: Sequence[Shown]
    unanswered: str
    note_url: str


@dataclass(frozen=True, slots=True)
class MatrixPage:
    frame: Frame
    framework: frameworks.Framework
    heads: Sequence[tuple[str, str]]
    lines: Sequence[Line]
    summary: Sequence[tuple[Chip, int]]
    said: str
    trouble: Notice | None
    deep: Action | None
    empty: Empty | None
    paging: Paging | None


@dataclass(frozen=True, slots=True)
class CellPage:
    """One control of one version."""

    frame: Frame
    control: Control
    version: str
    version_url: str
    chip: Chip
    wrong: Notice | None
    ruling: str
    facts: Sequence[Fact]
    evidence: Table
    signatures: Table
    log: Table
    acts: Sequence[Action]


def page(actor: Actor, request: HttpRequest, engagement: Engagement) -> MatrixPage:
    """The newest versions in scope, four a page; with `?deep=1` the bytes of what is large are read too."""
    deep = request.GET.get("deep") == "1"
    found = _versions(request, engagement)
    shown = found[:VERSIONS]
    made = matrix.compose(engagement, shown, deep=deep)
    return MatrixPage(
        frame=frame(actor, engagement, ""),
        framework=made.framework,
        heads=[(str(each), addresses.version(each.model.name, each.number)) for each in shown],
        lines=[_line(engagement, control, row) for control, row in made.rows],
        summary=_summary(made),
        said=_said(made, deep=deep),
        trouble=Notice(made.trouble, "warn", "Nothing can be proved against a checkpoint", url=addresses.record() + "checkpoints/", url_label="Checkpoints") if made.trouble else None,
        deep=None if deep else Action("Read the bytes too", query.with_values(request, deep=1), "", "refresh"),
        empty=None if shown else Empty("no-match", "No version in scope here", "Look at another model, or at the first page."),
        paging=_paging(request, found, selectors.versions_of(engagement).count()),
    )  # fmt: skip


def _versions(request: HttpRequest, engagement: Engagement) -> list[ModelVersion]:
    rows = selectors.versions_of(engagement)
    before = query.before(request)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    name = query.text(request, "model")
    return list((rows.filter(model__name=name) if name else rows)[: VERSIONS + 1])


def _paging(request: HttpRequest, found: Sequence[ModelVersion], total: int) -> Paging | None:
    start = query.first_page(request)
    following = query.next_page(request, found[VERSIONS - 1].pk) if len(found) > VERSIONS else ""
    if not start and not following:
        return None
    count = f"{min(len(found), VERSIONS)} of {words.plural(total, 'version')} in scope"
    return Paging(count, following, start)


def cell_url(engagement: Engagement, control: str, version: int, anchor: str = "") -> str:
    """The page of one cell."""
    return (
        url(engagement, "evidence/?")
        + urlencode([("control", control), ("version", str(version))])
        + anchor
    )


def _line(engagement: Engagement, control: Control, row: Sequence[Cell]) -> Line:
    return Line(
        control=control,
        cells=[_shown(engagement, cell) for cell in row],
        unanswered=control.unanswered,
        note_url=url(engagement, "notes/?") + urlencode({"control": control.ref}) + "#new",
    )


def _shown(engagement: Engagement, cell: Cell) -> Shown:
    at = cell_url(engagement, cell.control.ref, cell.version.pk)
    links = [
        (f"Evidence ({len(cell.evidence)})", f"{at}#evidence"),
        (f"Signatures ({cell.signed})", f"{at}#signatures"),
        (f"Log proofs ({cell.logged})", f"{at}#log"),
    ]
    return Shown(
        label=str(cell.version),
        chip=status.chip("evidence", cell.state),
        wrong=cell.wrong[:3],
        more=max(0, len(cell.wrong) - 3),
        counts="",
        links=links if cell.evidence else [("Open", at)],
        ruling="" if cell.ruling in cell.wrong else cell.ruling,
    )


def _summary(made: Matrix) -> list[tuple[Chip, int]]:
    counted: dict[str, int] = {}
    for _control, row in made.rows:
        for cell in row:
            counted[cell.state] = counted.get(cell.state, 0) + 1
    order = (*verifying.GRAVEST, verifying.NONE, matrix.UNANSWERED)
    return [(status.chip("evidence", state), counted[state]) for state in order if state in counted]


def _said(made: Matrix, *, deep: bool) -> str:
    proved = (
        f"digests, signatures, and the inclusion proof of each event against the checkpoint of {words.plural(made.log_size, 'event')}"
        if made.log_size
        else "digests and signatures; there is no checkpoint to prove anything against"
    )
    large = (
        f"The bytes of large things (data, results, documents) were read again, of the first {verifying.MOST_COSTLY}."
        if deep
        else "The bytes of large things (data, results, documents) were not read for this page."
    )
    return f"Recomputed just now, for these versions: {proved}. {large}"


def cell(actor: Actor, engagement: Engagement, control: Control, version: ModelVersion) -> CellPage:
    """Every item of one cell, all of its bytes read again."""
    made = matrix.compose(engagement, [version], controls=[control], deep=True)
    found = made.rows[0][1][0]
    query_ = urlencode([("control", control.ref), ("version", str(version.pk))])
    works = not selectors.why_not_work(actor, engagement)
    acts = [
        Action("Write a note", url(engagement, f"notes/?{query_}#new"), "", "edit"),
        Action("Raise a finding", url(engagement, f"finding/?{query_}"), "", "flag"),
    ]
    return CellPage(
        frame=frame(actor, engagement, ""),
        control=control,
        version=str(version),
        version_url=addresses.version(version.model.name, version.number),
        chip=status.chip("evidence", found.state),
        wrong=_wrong(found),
        ruling=found.ruling,
        facts=[
            Fact("Version", cells.link(str(version), addresses.version(version.model.name, version.number))),
            Fact("Files", cells.digest(version.manifest_digest)),
            Fact("Framework", cells.text(made.framework.title, note=f"as of {made.framework.as_of}")),
            Fact("Checkpoint", cells.text(words.plural(made.log_size, "event")) if made.log_size else cells.missing("none was signed yet")),
        ],
        evidence=_evidence(found.evidence),
        signatures=_signatures(found.evidence),
        log=_log(found.evidence),
        acts=acts if works else [],
    )  # fmt: skip


def _wrong(found: Cell) -> Notice | None:
    if not found.wrong:
        return None
    bad = found.state == verifying.FAILS
    title = "This fails" if bad else "Something is missing"
    return Notice("", "bad" if bad else "warn", title, reasons=list(found.wrong))


def _empty() -> Empty:
    return Empty("no-match", "Nothing of the record answers this")


def _chip(check: Check) -> Chip:
    return status.chip("evidence", check.state)


def _evidence(items: Sequence[Verified]) -> Table:
    rows = [
        Row(
            [
                cells.link(each.item.title, each.item.url),
                cells.when(each.item.at),
                cells.digest(each.item.digest),
                cells.chip(_chip(each.digest), note=each.digest.sentence),
            ]
        )
        for each in items
    ]
    names = ("Evidence", "Recorded", "SHA-256", "Digest")
    return Table("Evidence", [Column(name) for name in names], rows, _empty())


def _signatures(items: Sequence[Verified]) -> Table:
    rows = [
        Row(
            [
                cells.link(each.item.title, each.item.url),
                cells.chip(_chip(each.signature), note=each.signature.sentence),
            ]
        )
        for each in items
    ]
    return Table(
        "Signatures", [Column("Evidence"), Column("Signature of the site")], rows, _empty()
    )


def _log(items: Sequence[Verified]) -> Table:
    rows = [
        Row(
            [
                cells.text(each.item.title),
                cells.link(f"EVT-{each.seq}", addresses.event(each.seq))
                if each.seq
                else cells.missing("the log has no event of it"),
                cells.chip(_chip(each.log), note=each.log.sentence),
            ]
        )
        for each in items
    ]
    names = ("Evidence", "Event, with its proof", "In the log")
    return Table("Log proofs", [Column(name) for name in names], rows, _empty())
