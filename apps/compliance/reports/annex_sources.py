"""What the record holds for lines of Annex IV: one function per `record.<name>` of annex-iv.yaml.

Each returns an answer, or the sentence that says what is missing. Decisions, checks, gates and history are those of the
dossier, so that the report shows the evidence that was signed; the rest is the record as it is now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from apps.checks import definitions, kinds
from apps.checks import selectors as checks
from apps.checks.models import MeasurementStatus
from apps.checks.numbers import plural
from apps.compliance.models import ReportStatement
from apps.core.parts import Cell, Column, Fact, Facts, Part, Table, cells
from apps.impact import questionnaire as questionnaires
from apps.impact import revisions, scoring
from apps.impact import selectors as assessments
from apps.impact.models import AssessmentSignature
from apps.modelcards.card import Source
from apps.modelcards.collect import moment
from apps.modelcards.dossier import Dossier, LedgerLine
from apps.modelcards.report import Answer
from apps.registry import deployed
from apps.registry.models import ModelVersion
from apps.reviews.reads import findings

MOST = 500


@dataclass(frozen=True, slots=True)
class Held:
    """What the lines are answered from."""

    version: ModelVersion
    dossier: Dossier
    statement: ReportStatement | None

    def url(self, page: str) -> str:
        name = quote(self.version.model.name, safe="")
        return f"/models/{name}/{self.version.number}/{page}"


Found: TypeAlias = Answer | str


def _table(
    title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]], source: Source, gap: str
) -> Found:
    found = tuple(cells(*row) for row in rows)
    if not found:
        return gap
    head = tuple(Column(name, code=name == "SHA-256") for name in columns)
    return Answer("", parts=(Table(title, head, found),), sources=(source,))


def versions(held: Held) -> Found:
    rows = held.version.model.versions.filter(
        number__lte=held.version.number, deleted_at__isnull=True
    ).order_by("number")
    return _table(
        "Versions up to this one",
        ("Version", "Registered", "What it is", "SHA-256"),
        (
            (f"v{row.number}", moment(row.created_at), row.description or "not described", row.manifest_digest)
            for row in rows[:MOST]
        ),
        Source("the registry", f"/models/{quote(held.version.model.name, safe='')}/"),
        "No version is registered.",
    )  # fmt: skip


def deployments(held: Held) -> Found:
    rows = deployed.of_version(held.version.pk).select_related("environment").order_by("pk")
    return _table(
        "Where it has run",
        ("Environment", "From", "Until", "Place"),
        (
            (
                row.environment.title,
                moment(row.started_at),
                moment(row.ended_at) if row.ended_at else "still runs",
                row.place or "not stated",
            )
            for row in rows[:MOST]
        ),
        Source(
            "the deployments", f"/models/{quote(held.version.model.name, safe='')}/deployments/"
        ),
        "No deployment is recorded.",
    )


def packages(held: Held) -> Found:
    machine = held.dossier.machine
    return _table(
        "Packages that its own files ask for",
        ("Package", "Version", "Named in"),
        (
            (p.name, p.version or p.asked or "any", p.said_by)
            for p in (machine.packages if machine else ())
        ),
        Source("the version's files", held.url("files/"), held.version.manifest_digest),
        "No file of the version names the packages it needs (requirements.txt, conda.yaml).",
    )


def compute(held: Held) -> Found:
    """Energy, time and hardware, as the run logged them."""
    machine = held.dossier.machine
    logged = machine.energy if machine else None
    if logged is not None:
        rows = tuple(
            Fact(name.replace("_", " ").capitalize(), Cell(str(getattr(logged, name))))
            for name in logged.__struct_fields__
            if getattr(logged, name)
        )
        run = (
            Source("the run", f"/runs/{held.version.run_uuid}/")
            if held.version.run_uuid
            else Source("the run")
        )
        return Answer("Logged by the run", parts=(Facts(rows),), sources=(run,))
    return "The run logged neither energy nor hardware, and nobody stated what was used."


def test_log(held: Held) -> Found:
    """Every test that ended, with who started it and its digest."""
    ended = (MeasurementStatus.DONE, MeasurementStatus.ERROR, MeasurementStatus.RECALLED)
    rows = checks.measurements(held.version).defer("statistics", "result").filter(status__in=ended)
    return _table(
        "Test log",
        ("Test", "Ended", "Started by", "State", "SHA-256"),
        (
            (
                kinds.title(row.kind),
                moment(row.finished_at) if row.finished_at else "unknown",
                str(row.started_by),
                str(row.get_status_display()),
                row.result_digest or "no result",
            )
            for row in rows.order_by("pk")[:MOST]
        ),
        Source("the checks", held.url("checks/")),
        "Nothing was measured on this version.",
    )


def signatures(held: Held) -> Found:
    dossier = held.dossier
    review = dossier.review
    return _table(
        "Signed by those responsible",
        ("Printed name", "Role", "Meaning", "Date and time", "SHA-256"),
        (
            (
                row.signer,
                row.role,
                f"{row.meaning} (void)" if row.void else row.meaning,
                moment(dt.datetime.fromisoformat(row.at)),
                row.evidence_digest,
            )
            for row in dossier.decisions
        ),
        Source(f"REV-{review.number}", review.link, dossier.evidence_digest)
        if review
        else Source("reviews"),
        "Nobody has signed the test results: there is no decision in a review of this version.",
    )


def found_risks(held: Held) -> Found:
    return _table(
        "Findings",
        ("Finding", "Severity", "State", "Raised", "Owner"),
        (
            (
                f"{row.key}: {row.title}",
                str(row.get_severity_display()),
                str(row.get_state_display()),
                moment(row.created_at),
                str(row.owner),
            )
            for row in findings.findings_of(held.version)[:MOST]
        ),
        Source("the findings", held.url("findings/")),
        "No finding was raised about this version. That nobody raised one does not mean that there is no risk.",
    )


def impact(held: Held) -> Found:
    """The risks of harm that the impact assessment in force names, as they were answered and signed."""
    row = assessments.signature_in_force(held.version.model)
    if row is None:
        return "No impact assessment of this model is signed."
    facts = (
        Fact("Level", Cell(f"{row.level}, {row.total} of 100: at least tier {row.tier}")),
        Fact("Signed", Cell(f"{moment(row.created_at)} by {row.signer_name}")),
        Fact("Due again", Cell(row.due_on.isoformat())),
    )
    link = f"{assessments.url(held.version.model)}?revision={row.revision.number}"
    source = Source(f"impact assessment, revision {row.revision.number}", link, row.revision.digest)
    parts = (Facts(facts), _risks(row))
    return Answer("Impact assessment in force", parts=parts, sources=(source,))


def _risks(row: AssessmentSignature) -> Table:
    asked, given = questionnaires.load(row.revision.questionnaire), revisions.answers(row.revision)
    head = (Column("Risk of harm"), Column("Who is harmed, and how"), Column("Likelihood, 1 to 4", numeric=True), Column("Severity, 1 to 4", numeric=True), Column("Points of 100", numeric=True))  # fmt: skip
    rows = tuple(
        cells(each.title, answer["text"], str(answer["likelihood"]), str(answer["severity"]), str(scoring.points(each, answer)))
        for each in asked.questions.values()
        if each.type == "risk" and (answer := given.get(each.key))
    )  # fmt: skip
    return Table("Risks of harm, as signed", head, rows)


def requirements(held: Held) -> Found:
    return _table(
        "Requirements, and how they stood",
        ("Requirement", "State", "Fact"),
        ((gate.title, gate.state, gate.fact) for gate in held.dossier.gates),
        Source("the checks", held.url("checks/")),
        "The policy asks nothing of this version.",
    )


def policy(held: Held) -> Found:
    review = held.dossier.review
    if review is None:
        return "No policy was pinned: the version was never submitted for review."
    rows = (
        Fact("Policy", Cell(review.policy)),
        Fact("SHA-256", Cell(review.policy_digest), code=True),
    )
    source = Source(f"REV-{review.number}", review.link, review.policy_digest)
    return Answer("Set before, in the policy", parts=(Facts(rows),), sources=(source,))


def history(held: Held) -> Found:
    ledger = held.dossier.ledger
    if ledger is None:
        return "The ledger holds nothing about this version."
    first, last = ledger.events[0], ledger.events[-1]
    told = (
        Fact(
            "Events about it", Cell(f"{plural(len(ledger.events), 'event')}, all of them in part D")
        ),
        Fact("First", Cell(_dated(first))),
        Fact("Last", Cell(_dated(last))),
    )
    parts: tuple[Part, ...] = (Facts(told),)
    return Answer("The ledger", parts=parts, sources=(Source("the history", held.url("history/")),))


def _dated(line: LedgerLine) -> str:
    return f"{moment(dt.datetime.fromisoformat(line.at))}: {line.sentence}"


def regular_checks(held: Held) -> Found:
    rows = [row for row in definitions.of_model(held.version.model) if not row.retired]
    return _table(
        "Regular checks",
        ("Name", "Check", "When"),
        (
            (
                row.name,
                kinds.title(row.kind) if row.kind in kinds.registered() else row.kind,
                plural(row.every_days, "day")
                if row.every_days
                else "when data or a version arrive",
            )
            for row in rows[:MOST]
        ),
        Source(
            "regular checks", f"/models/{quote(held.version.model.name, safe='')}/regular-checks/"
        ),
        "No check is set to run regularly.",
    )


SOURCES: dict[str, Callable[[Held], Found]] = {
    "record.versions": versions,
    "record.deployments": deployments,
    "record.packages": packages,
    "record.compute": compute,
    "record.test_log": test_log,
    "record.signatures": signatures,
    "record.findings": found_risks,
    "record.impact": impact,
    "record.requirements": requirements,
    "record.policy": policy,
    "record.history": history,
    "record.regular_checks": regular_checks,
}
