"""The auditors' workpapers: samples with their conclusions, notes, findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.core.actor import Actor
from apps.engagements import evidence, reports, selectors, verifying
from apps.engagements.models import (
    Conclusion,
    Engagement,
    EngagementFinding,
    Note,
    Sample,
    SampledDecision,
)
from apps.engagements.verifying import Verified
from apps.modelcards.content import to_html
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, status, words
from apps.web.pages import engagement_matrix
from apps.web.pages.engagements import Frame, frame, url
from apps.web.parts import Action, Cell, Chip, Column, Empty, Fact, Row, Table

DECISION = "reviews.decision.recorded"


@dataclass(frozen=True, slots=True)
class SamplesPage:
    frame: Frame
    table: Table
    population: int


@dataclass(frozen=True, slots=True)
class SamplePage:
    frame: Frame
    title: str
    facts: Sequence[Fact]
    table: Table
    by_hand: str


@dataclass(frozen=True, slots=True)
class Said:
    """A conclusion or a note, as it is shown."""

    who: str
    at: Cell
    chip: Chip | None
    html: SafeString
    digest: str
    about: str = ""
    about_url: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the event in the ledger: its value, or that it is withheld; `commitment` is empty for what is in clear."""

    name: str
    value: str
    withheld: bool
    commitment: str


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One sampled decision with what proves it and what the auditors say."""

    frame: Frame
    title: str
    back: str
    chips: Sequence[Chip]
    facts: Sequence[Fact]
    checks: Table
    fields: Sequence[Field]
    conclusions: Sequence[Said]
    notes: Sequence[Said]
    findings: Table | None
    counted: int
    note_url: str
    finding_url: str


@dataclass(frozen=True, slots=True)
class NotesPage:
    frame: Frame
    notes: Sequence[Said]
    findings: Table
    about: str
    finding: Action | None


def samples(actor: Actor, engagement: Engagement) -> SamplesPage:
    """Every drawing: none can be hidden."""
    rows = [
        Row(
            [
                cells.link(f"Sample {each.number}", url(engagement, f"samples/{each.number}/")),
                cells.number(f"{each.drawn} of {words.thousands(each.population)}"),  # type: ignore[attr-defined]  # annotated
                cells.text(f"{each.concluded} of {each.drawn}"),  # type: ignore[attr-defined]  # annotated
                cells.mono(each.seed),
                cells.person(str(each.drawn_by)),
                cells.when(each.drawn_at),
            ]
        )
        for each in selectors.samples(engagement)
    ]
    names = ("Sample", "Drawn", "Concluded", "Seed", "By", "When")
    empty = Empty(
        "nothing-yet",
        "No sample was drawn yet",
        "Each drawing is recorded and stays, with its seed and the size of the population.",
    )
    table = Table("Samples", [Column(name) for name in names], rows, empty)
    return SamplesPage(frame(actor, engagement, "samples/"), table, selectors.population(engagement).count())  # fmt: skip


def sample(actor: Actor, engagement: Engagement, row: Sample) -> SamplePage:
    """The decisions that were drawn, verified, with what was concluded."""
    items = selectors.items(row)
    checked = _checked(items)
    lines = [_item(engagement, row, item, each) for item, each in zip(items, checked, strict=True)]
    names = ("Decision", "Version", "Meaning", "Statement", "Verified", "Conclusion")
    facts = [
        Fact(
            "Population",
            cells.number(words.thousands(row.population), note="decisions signed in the period"),
        ),
        Fact("Drawn", cells.number(str(len(items)), note=f"{row.asked} asked for")),
        Fact("Seed", cells.mono(row.seed)),
        Fact("Rule", cells.mono(row.rule)),
        Fact("Population digest", cells.digest(row.population_digest)),
        Fact("Drawn by", cells.person(str(row.drawn_by))),
        Fact("When", cells.when(row.drawn_at)),
    ]
    first = items[0].decision.statement_digest if items else "STATEMENT"
    return SamplePage(
        frame(actor, engagement, "samples/"),
        f"Sample {row.number}",
        facts,
        Table(f"Sample {row.number}", [Column(name) for name in names], lines),
        f"printf '%s' '{row.seed}:{first}' | sha256sum",
    )  # fmt: skip


def _checked(items: Sequence[SampledDecision]) -> list[Verified]:
    """Each decision with its three checks, in a constant number of queries."""
    wanted = [evidence.decision_item(item.decision) for item in items]
    versions = [item.decision.review.version for item in items]
    return verifying.verify(wanted, verifying.read_log(versions, wanted), deep=False)


def item_url(engagement: Engagement, number: int, position: int) -> str:
    """The page of a sampled decision."""
    return url(engagement, f"samples/{number}/{position}/")


def _item(engagement: Engagement, row: Sample, item: SampledDecision, each: Verified) -> Row:
    decision, said = item.decision, reports.newest(item)
    version = decision.review.version
    return Row(
        [
            cells.link(
                f"{item.position}. {decision.signer_name}",
                item_url(engagement, row.number, item.position),
                note=decision.role,
            ),
            cells.link(str(version), addresses.version(version.model.name, version.number)),
            cells.text(decision.meaning, note=decision.review.key),
            cells.digest(decision.statement_digest),
            cells.chip(status.chip("evidence", each.state), note="; ".join(each.wrong)),
            cells.chip(status.chip("conclusion", reports.word(said)), note=str(said.author) if said else ""),
        ]
    )  # fmt: skip


def item(actor: Actor, engagement: Engagement, row: Sample, found: SampledDecision) -> ItemPage:
    """One decision: what was signed, the checks, the ledger's fields, conclusions, notes."""
    decision, version = found.decision, found.decision.review.version
    (checked,) = _checked([found])
    said = reports.newest(found)
    place = urlencode({"sample": row.number, "position": found.position})
    return ItemPage(
        frame=frame(actor, engagement, "samples/"),
        title=f"Decision {found.position} of sample {row.number}",
        back=url(engagement, f"samples/{row.number}/"),
        chips=[
            status.chip("evidence", checked.state),
            status.chip("conclusion", reports.word(said)),
        ],
        facts=[
            Fact("Version", cells.link(str(version), addresses.version(version.model.name, version.number))),
            Fact("Review", cells.link(decision.review.key, addresses.review(decision.review_id))),
            Fact("Receipt", cells.link("What was signed", checked.item.url)),
            Fact("Signer", cells.person(decision.signer_name)),
            Fact("Role", cells.text(decision.role)),
            Fact("Meaning", cells.text(decision.meaning)),
            Fact("Signed", cells.when(decision.created_at)),
            Fact("Statement", cells.digest(decision.statement_digest)),
            Fact("Evidence", cells.digest(decision.evidence_digest)),
            Fact("Ticket", cells.digest(found.ticket)),
        ],
        checks=_checks(checked),
        fields=_fields(checked.seq),
        conclusions=[_concluded(each) for each in reversed(found.conclusions.all())],
        notes=[_noted(engagement, each) for each in found.notes.all()],
        findings=_findings(found.findings.all()) if found.findings.all() else None,
        counted=len(found.conclusions.all()),
        note_url=url(engagement, f"notes/?{place}#new"),
        finding_url=url(engagement, f"finding/?{place}"),
    )  # fmt: skip


def _checks(checked: Verified) -> Table:
    rows = [
        Row([cells.text(name), cells.chip(status.chip("evidence", each.state), note=each.sentence)])
        for name, each in (
            ("Digest of the statement", checked.digest),
            ("Signature of the site", checked.signature),
            ("Place in the log", checked.log),
        )
    ]
    if checked.seq:
        link = cells.link(f"EVT-{checked.seq}", addresses.event(checked.seq))
        rows.append(Row([cells.text("Event, with its proof"), link]))
    return Table("Verified", [Column("What"), Column("State")], rows)


def _fields(seq: int) -> list[Field]:
    """Personal fields of the event: what the ledger holds of each is a salted commitment, its value lies beside it or was erased."""
    if not seq:
        return []
    event: EventView = audits.event(seq)
    return [
        Field(
            name.replace("_", " ").capitalize(),
            str(event.payload[name]),
            name in event.erased,
            commitment,
        )
        for name, commitment in sorted(event.commitments.items())
    ]


def _concluded(row: Conclusion) -> Said:
    return Said(
        who=str(row.author),
        at=cells.when(row.at),
        chip=status.chip("conclusion", reports.word(row)),
        html=_html(row.text),
        digest=row.digest,
    )


def _html(text: str) -> SafeString:
    return mark_safe(to_html(text))  # noqa: S308 - sanitised there


def _noted(engagement: Engagement, row: Note) -> Said:
    about, link = _about(engagement, row)
    return Said(str(row.author), cells.when(row.at), None, _html(row.text), row.digest, about, link)


def _about(engagement: Engagement, row: Note) -> tuple[str, str]:
    if row.item is not None:
        number, position = row.item.sample.number, row.item.position
        return f"sample {number}, decision {position}", item_url(engagement, number, position)
    version = row.version
    if row.control and version is not None:
        link = engagement_matrix.cell_url(engagement, row.control, version.pk)
        return f"control {row.control} of {version}", link
    if version is not None:
        return str(version), addresses.version(version.model.name, version.number)
    return (f"control {row.control}" if row.control else "the engagement"), ""


def _findings(rows: Iterable[EngagementFinding]) -> Table:
    lines = [
        Row(
            [
                cells.link(
                    f"{each.finding.key} {each.finding.title}", addresses.finding(each.finding_id)
                ),
                cells.text(str(each.finding.version)),
                cells.chip(status.chip("severity", each.finding.severity)),
                cells.chip(status.chip("finding", each.finding.state)),
                cells.text(each.control) if each.control else cells.missing("no control was named"),
            ]
        )
        for each in rows
    ]
    names = ("Finding", "Version", "Severity", "State", "Control")
    return Table("Findings of this engagement", [Column(name) for name in names], lines, Empty("nothing-yet", "No finding was raised yet"))  # fmt: skip


def notes(actor: Actor, engagement: Engagement, about: str, place: str) -> NotesPage:
    """Every note and finding; the form writes one about what the address names."""
    top = frame(actor, engagement, "notes/")
    action = Action("Raise a finding", url(engagement, f"finding/?{place}"), "", "flag")
    return NotesPage(
        frame=top,
        notes=[_noted(engagement, each) for each in selectors.notes(engagement)],
        findings=_findings(selectors.findings(engagement)),
        about=about,
        finding=action if top.works and place else None,
    )


def what(control: str, version: ModelVersion | None, found: SampledDecision | None) -> str:
    """What a note or finding is about, in words."""
    if found is not None:
        return f"decision {found.position} of sample {found.sample.number}"
    named = [f"control {control}"] if control else []
    named += [str(version)] if version else []
    return " of ".join(named) or "the engagement"
