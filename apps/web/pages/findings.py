"""Findings as a list, and one finding with its history and the forms that its reader may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from apps.accounts import policy
from apps.core.actor import Actor
from apps.engagements import selectors as engagements
from apps.modelcards.content import to_html
from apps.registry.models import ModelVersion
from apps.reviews import roles
from apps.reviews.models import EntryKind, EvidenceKind, Finding, FindingEntry, Review
from apps.reviews.reads import findings
from apps.web import addresses, cells, status, words
from apps.web.forms.base import Form
from apps.web.forms.findings import AcceptForm, CloseForm, RespondForm, RetestForm
from apps.web.forms.reviews import ReasonForm
from apps.web.pages import waivers as waiver_rows
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Action, Cell, Chip, Column, Crumb, Empty, Fact, PageHeader, Row, Table

# Each act: its address, its form, the title over the form, the words on its button.
ACTS: dict[str, tuple[type[Form], str, str]] = {
    "respond": (RespondForm, "Answer it", "Answer"),
    "retest": (RetestForm, "Re-test the answer", "Record the re-test"),
    "close": (CloseForm, "Close it", "Close the finding"),
    "accept": (AcceptForm, "Accept the residual risk", "Sign for the risk"),
    "reopen": (ReasonForm, "Ask again", "Re-open the finding"),
}
ACT_OF = {
    EntryKind.RESPONDED: "respond",
    EntryKind.RETEST_PASSED: "retest",
    EntryKind.RETEST_FAILED: "retest",
    EntryKind.CLOSED: "close",
    EntryKind.ACCEPTED: "accept",
    EntryKind.REOPENED: "reopen",
}


@dataclass(frozen=True, slots=True)
class FindingsPage:
    """What was found about one version."""

    frame: VersionFrame
    table: Table
    acts: Sequence[Action]
    who: str
    waivers: Table
    waiver_acts: Sequence[Action]
    who_waives: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    who: str
    chip: Chip
    at: Cell
    html: SafeString
    evidence: Cell | None
    note: str
    digest: str


@dataclass(frozen=True, slots=True)
class FormBox:
    """A form that the reader may use."""

    key: str
    title: str
    url: str
    label: str
    form: Form
    note: str
    signs: bool


@dataclass(frozen=True, slots=True)
class FindingPage:
    header: PageHeader
    html: SafeString
    facts: Sequence[Fact]
    entries: Sequence[Entry]
    forms: Sequence[FormBox]
    why_not: Sequence[str]
    history_url: str


def page(actor: Actor, version: ModelVersion) -> FindingsPage:
    """The list of a version."""
    top = frame(actor, version, "findings/")
    rows = findings.findings_of(version)
    raises = "finding.raise" in top.verbs
    acts = [_raise(version, None)] if raises else []
    who = "" if raises else _who(version)
    obstacle = waiver_rows.why_not(actor, version)
    waive = [] if obstacle else [waiver_rows.waive(version)]
    return FindingsPage(
        top,
        _table(rows, version),
        acts,
        who,
        waiver_rows.table(version, top.verbs),
        waive,
        obstacle,
    )


def _who(version: ModelVersion) -> str:
    names = [str(user) for user in policy.who_may("finding.raise", version)[:3]]
    return f"Findings are raised by {', '.join(names)}." if names else ""


def _raise(version: ModelVersion, review: Review | None) -> Action:
    url = addresses.version(version.model.name, version.number, "findings/new/")
    query = f"?review={review.pk}" if review is not None else ""
    return Action("Raise a finding", url + query, "", "flag")


def of_review(actor: Actor, review: Review) -> tuple[Table | None, list[Action]]:
    """What the page of a review says of findings: those that are open or were raised in it, and the act."""
    rows = [
        row
        for row in findings.findings_of(review.version)
        if not row.is_settled or row.review_id == review.pk
    ]
    may = review.state.is_active and policy.can(actor, "finding.raise", review)
    acts = [_raise(review.version, review)] if may else []
    return (_table(rows, review.version) if rows or acts else None), acts


def _table(rows: Iterable[Finding], version: ModelVersion) -> Table:
    names = ("Finding", "Severity", "State", "Owner", "Due")
    empty = Empty(
        "nothing-yet",
        "Nothing was found",
        f"What a validator or an approver finds wrong with {version} appears here, with who answers it by when.",
    )
    return Table("Findings", [Column(name) for name in names], [_row(row) for row in rows], empty)


def _row(row: Finding) -> Row:
    chips = [status.chip("finding", row.state)]
    return Row(
        [
            cells.link(f"{row.key} {row.title}", addresses.finding(row.pk), note=row.clause),
            cells.chip(status.chip("severity", row.severity), *_blocking(row)),
            cells.chip(*chips),
            cells.person(str(row.owner)),
            due(row),
        ],
        id=f"finding-{row.pk}",
    )


def _blocking(row: Finding) -> list[Chip]:
    if not row.blocking:
        return []
    return [
        Chip("Blocked until settled", "quiet") if row.is_settled else Chip("Blocks", "bad", "stop")
    ]


def due(row: Finding) -> Cell:
    """The due date, and that it has passed."""
    note = "overdue" if findings.is_overdue(row) else ""
    return cells.text(words.date(row.due), note=note)


def finding(actor: Actor, row: Finding, *, sent: Form | None = None, act: str = "") -> FindingPage:
    """One finding; `sent` is the form of `act` as it was refused."""
    possible = findings.possible(actor, row)
    names = list(dict.fromkeys(ACT_OF[kind] for kind in possible.may))
    version = row.version
    url = addresses.version(version.model.name, version.number)
    header = PageHeader(
        title=row.title,
        ref=row.key,
        chips=[
            status.chip("finding", row.state),
            status.chip("severity", row.severity),
            *_blocking(row),
        ],
        meta=[cells.person(f"{row.raised_by} raised it"), cells.when(row.created_at)],
        crumbs=[
            Crumb("Models", "/models/"),
            Crumb(version.model.name, addresses.model(version.model.name)),
            Crumb(f"Version {version.number}", url),
            Crumb("Findings", f"{url}findings/"),
            Crumb(row.key),
        ],
    )
    return FindingPage(
        header=header,
        html=_html(row.text),
        facts=_facts(actor, row),
        entries=_entries(findings.history(row)),
        forms=[_box(row, name, sent if name == act else None) for name in names],
        why_not=() if row.is_settled and possible.may else possible.why_not,
        history_url=addresses.version(version.model.name, version.number, "history/"),
    )


def form_of(act: str, data: object = None) -> Form:
    """The form of an act, with ids of its own: several stand on one page."""
    return ACTS[act][0](data, auto_id=f"id_{act}_%s")


def _box(row: Finding, act: str, sent: Form | None) -> FormBox:
    _form, title, label = ACTS[act]
    note = ""
    if act == "accept":
        note = (
            f"You sign, as {roles.named(findings.residual_risk_roles(row.version))}, that {row.version} may be used with this "
            "finding as it is. It blocks no more; it stays in the record."
        )
    if act == "reopen":
        note = "It is open again, and blocks again if it did."
    url = addresses.finding(row.pk, f"{act}/")
    return FormBox(act, title, url, label, sent or form_of(act), note, act == "accept")


def _facts(actor: Actor, row: Finding) -> list[Fact]:
    facts = [
        Fact("Owner", cells.person(str(row.owner))),
        Fact("Due", due(row)),
        Fact("Against", cells.text(row.clause) if row.clause else cells.missing("no clause")),
        Fact(
            "Seen again at",
            cells.link(row.reproduction, row.reproduction)
            if row.reproduction
            else cells.missing("no link"),
        ),
    ]
    if row.review is not None:
        link = cells.link(row.review.key, addresses.review(row.review.pk))
        facts.append(Fact("Raised in", link))
    engagement = engagements.of_finding(actor, row)
    if engagement is not None:
        link = cells.link(engagement.title, f"/audit/engagements/{engagement.pk}/notes/")
        facts.append(Fact("Raised in the audit", link))
    return facts


def _html(text: str) -> SafeString:
    return mark_safe(to_html(text))  # noqa: S308 - sanitised there


def _entries(rows: Sequence[FindingEntry]) -> list[Entry]:
    """The history after the first entry, which is the finding itself; newest last."""
    measured = _measured(rows)
    return [
        Entry(
            str(row.user),
            status.chip("finding", row.kind),
            cells.when(row.created_at),
            _html(row.text),
            _evidence(row, measured),
            f"signed as {row.role}, {row.method}" if row.role else "",
            row.digest,
        )
        for row in rows[1:]
    ]


def _measured(rows: Sequence[FindingEntry]) -> Mapping[str, str]:
    """Where the measurements that are pointed at stand."""
    return {
        str(each.uuid): reverse(
            "web:measurement", args=[each.version.model.name, each.version.number, each.uuid]
        )
        for each in findings.measured(rows)
    }


def _evidence(row: FindingEntry, measured: Mapping[str, str]) -> Cell | None:
    if not row.evidence:
        return None
    if row.evidence_kind == EvidenceKind.MEASUREMENT:
        return cells.link(f"Measurement {row.evidence[:8]}", measured[row.evidence])
    if row.evidence_kind == EvidenceKind.RUN:
        return cells.link(f"Run {row.evidence[:8]}", addresses.run(row.evidence))
    return cells.link(row.evidence, row.evidence)
