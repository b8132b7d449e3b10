"""The pages about checks: of a version, of one measurement, of everything one may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from apps.checks import definitions as regular
from apps.checks import kinds
from apps.checks import selectors as checks
from apps.checks.models import DefinitionRun, Measurement, MeasurementStatus
from apps.checks.selectors import CheckResult
from apps.core import canonical, outbox, pictures
from apps.core.actor import Actor
from apps.modelcards import collect
from apps.modelcards.computed import definitions
from apps.modelcards.renderers.html import computed_html
from apps.registry.models import ModelVersion
from apps.reviews.in_force import policy_for
from apps.reviews.reads import measurements
from apps.web import addresses, cells, status, words
from apps.web.pages import rechecks, uploaded
from apps.web.pages.definitions import started_by
from apps.web.pages.rechecks import Rechecks
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Action, Cell, Chip, Column, Empty, Fact, Notice, Row, Table

OPEN = (MeasurementStatus.QUEUED, MeasurementStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Result:
    """One demanded check as the page shows it."""

    title: str
    chip: Chip
    sentence: str
    url: str
    acts: Sequence[Action]


@dataclass(frozen=True, slots=True)
class ChecksPage:
    """Verdicts first, then what is going on, then what was measured."""

    frame: VersionFrame
    results: Sequence[Result]
    policy: str
    beside: Sequence[Result]
    queue: Notice | None
    live_url: str
    announce: str
    acts: Sequence[Action]
    uploaded: Table
    uploaded_acts: Sequence[Action]
    history: Table


@dataclass(frozen=True, slots=True)
class MeasurementPage:
    """One measurement."""

    frame: VersionFrame
    title: str
    chip: Chip
    verdict: Chip | None
    sentence: str
    rows: Table | None
    body: SafeString
    formulas: Table | None
    params: Sequence[Fact]
    facts: Sequence[Fact]
    acts: Sequence[Action]
    rechecks: Rechecks


@dataclass(frozen=True, slots=True)
class AllChecksPage:
    """Everything that was measured lately."""

    queue: Notice | None
    table: Table


def page(actor: Actor, version: ModelVersion) -> ChecksPage:
    """The checks that the policy demands of this version, assessed against its limits."""
    may_run = "check.run" in (top := frame(actor, version, "checks/")).verbs
    policy = policy_for(version)
    found = checks.results(version, policy.document.gates.checks)
    rows = list(checks.measurements(version)[:50])
    running = [row for row in rows if row.status in OPEN]
    url = _url(version, "checks/")
    return ChecksPage(
        frame=top,
        results=[_result(version, each, may_run) for each in found],
        policy=str(policy),
        beside=_beside(version, policy.document.gates.checks, may_run),
        queue=_queue(running),
        live_url=url if running else "",
        announce=f"{words.plural(len(running), 'check')} waiting or running" if running else "",
        acts=_acts(version, may_run, "model.edit" in top.verbs),
        uploaded=uploaded.table(version),
        uploaded_acts=[uploaded.act(version)] if may_run else [],
        history=_history(version, rows),
    )


def _beside(version: ModelVersion, demanded: Mapping[str, Any], may_run: bool) -> list[Result]:
    """The scan of the files where the policy does not demand it: it decides nothing and must not go unseen."""
    wanted: dict[str, Any] = {
        key: {} for key, kind in kinds.registered().items() if kind.always_shown
    }
    beside = {key: limits for key, limits in wanted.items() if key not in demanded}
    may_run = may_run and bool(version.manifest)
    return [_result(version, found, may_run) for found in checks.results(version, beside)]


def _url(version: ModelVersion, path: str) -> str:
    return addresses.version(version.model.name, version.number, path)


def _result(version: ModelVersion, each: CheckResult, may_run: bool) -> Result:
    row = each.measurement
    run = Action("Run", _url(version, "checks/run/"), post=True, fields={"kind": each.kind})
    waiting = row is not None and row.status in OPEN
    return Result(
        title=each.title,
        chip=status.chip("measurement", row.status)
        if waiting and row
        else status.chip("verdict", each.verdict),
        sentence=each.sentence,
        url=_url(version, f"checks/{row.uuid}/") if row else "",
        acts=_result_acts(version, each, may_run, run),
    )


def _result_acts(
    version: ModelVersion, each: CheckResult, may_run: bool, run: Action
) -> list[Action]:
    row = each.measurement
    if not may_run:
        return []
    if row is not None and row.status in OPEN:
        return [Action("Cancel", _url(version, f"checks/{row.uuid}/cancel/"), post=True)]
    return [] if each.verdict.satisfies else [run]


def _acts(version: ModelVersion, may_run: bool, may_edit: bool) -> list[Action]:
    acts = []
    if may_edit and not version.is_frozen:
        acts.append(Action("Attach data", _url(version, "data/"), icon="upload"))
    if may_run and checks.runnable(version):
        acts.append(Action("Choose settings…", _url(version, "checks/new/")))
        every = {"kind": "all"}
        acts.append(
            Action(
                "Run all checks", _url(version, "checks/run/"), "primary", post=True, fields=every
            )
        )
    return acts


def asked(kinds: Sequence[str]) -> str:
    """What happens next, in a sentence that is true with and without a worker."""
    what = " and ".join(kinds) or "nothing"
    return f"Asked for {what}. {'' if outbox.queue_state().workers else 'No worker is running: it waits in the queue.'}"


def _queue(running: Sequence[Measurement]) -> Notice | None:
    if not running:
        return None
    state = outbox.queue_state()
    if not state.workers:
        text = "Your checks are queued; no worker is running. They start as soon as one does."
        return Notice(text, "warn", "Waiting for a worker", url="/system/", url_label="System")
    return Notice(
        f"{words.plural(len(running), 'check')} in the queue or at work{_place(running)}; this page follows.",
        "info",
    )


def _place(running: Sequence[Measurement]) -> str:
    """How long the queue is before them, and about how long it takes; nothing about several versions at once."""
    if len({row.version_id for row in running}) != 1:
        return ""
    place = checks.place_of(running)
    before = f", {place.ahead} of others before" if place.ahead else ", next in the queue"
    if place.seconds is None:
        return before
    took = words.duration(max(1.0, place.seconds * (place.ahead + len(running))))
    return f"{before}, done in about {took} going by the last ones"


def _asked_by(row: Measurement, starters: Mapping[int, DefinitionRun]) -> Cell:
    """Who asked; where a definition did, which one and who set it."""
    run = starters.get(row.pk)
    return cells.text(started_by(run)) if run else cells.person(str(row.started_by))


def _history(version: ModelVersion, rows: Sequence[Measurement]) -> Table:
    starters = regular.starters(rows)
    columns = ["Check", "State", "Asked by", "Finished", "Digest of the result"]
    return Table(
        caption="Everything measured on this version",
        columns=[Column(label) for label in columns],
        rows=[
            Row(
                [
                    cells.link(kinds.title(row.kind), _url(version, f"checks/{row.uuid}/")),
                    cells.chip(
                        status.chip("measurement", row.status), note=row.error or row.recall_reason
                    ),
                    _asked_by(row, starters),
                    cells.when(row.finished_at, missing_reason="not finished"),
                    cells.digest(row.result_digest)
                    if row.result_digest
                    else cells.missing("no result"),
                ]
            )
            for row in rows
        ],
        empty=Empty(
            "nothing-yet",
            "Nothing was measured yet",
            "Attach evaluation data, then run the checks: the worker measures, the policy's limits judge.",
        ),
    )


def measurement(actor: Actor, version: ModelVersion, row: Measurement) -> MeasurementPage:
    """One measurement with its assessment under the policy of today."""
    top = frame(actor, version, "checks/")
    judged = measurements.judged(version, row)
    assessed = judged.assessment if judged else None
    return MeasurementPage(
        frame=top,
        title=kinds.title(row.kind),
        chip=status.chip("measurement", row.status),
        verdict=status.chip("verdict", assessed.verdict) if assessed else None,
        sentence=assessed.sentence
        if assessed
        else row.error or row.recall_reason or _unjudged(row),
        rows=_assessment(judged.assessment.rows, judged.against) if judged else None,
        body=computed_html(collect.analysis(version, row), draw=pictures.kept),
        formulas=_formulas(row.kind),
        params=_params(row),
        facts=_provenance(row),
        acts=_measurement_acts(version, row, "check.recall" in top.verbs),
        rechecks=rechecks.section(version, row, may="check.recheck" in top.verbs),
    )


def _unjudged(row: Measurement) -> str:
    """Why there is no verdict."""
    if row.status == MeasurementStatus.DONE:
        return "It was measured. No policy asks for it, so nothing was judged."
    return "It was taken back before there was a result." if not row.is_open else "No result yet."


def _assessment(rows: Sequence[Any], caption: str) -> Table:
    return Table(
        caption=caption,
        columns=[Column("Limit"), Column("Verdict"), Column("Why")],
        rows=[
            Row(
                [
                    cells.text(row.title),
                    cells.chip(status.chip("verdict", row.verdict)),
                    cells.text(row.sentence),
                ]
            )
            for row in rows
        ],
    )


def _formulas(kind: str) -> Table | None:
    found = definitions.formulas(kind)
    if not found:
        return None
    return Table(
        caption="Formulas",
        columns=[Column("Number"), Column("Formula")],
        rows=[Row([cells.text(name), cells.text(formula)]) for name, formula in found],
    )


def _params(row: Measurement) -> list[Fact]:
    """What somebody chose, or what is taken where nobody did."""
    return [
        Fact(name, cells.mono(value if isinstance(value, str) else canonical.dumps(value).decode()))
        if value not in ("", None, [], {})
        else Fact(name, cells.missing("nothing chosen"))
        for name, value in sorted(row.params.items())
    ]


def _provenance(row: Measurement) -> list[Fact]:
    facts = [
        Fact("Asked by", _asked_by(row, regular.starters([row]))),
        Fact("Measured", cells.when(row.finished_at, missing_reason="not finished")),
        Fact("Code", cells.digest(row.code_version)),
        Fact("Key of everything that went in", cells.digest(row.key)),
    ]
    if row.result_digest:
        facts.append(Fact("Digest of counts and result", cells.digest(row.result_digest)))
    facts += [
        Fact(
            "Manifest of the files" if entry["part"] == "files" else f"Data, {entry['part']}",
            cells.digest(entry["digest"]),
        )
        for entry in row.inputs
    ]
    facts += [Fact(name, cells.mono(str(value))) for name, value in sorted(row.libraries.items())]
    return facts


def _measurement_acts(version: ModelVersion, row: Measurement, may_recall: bool) -> list[Action]:
    name, number = version.model.name, version.number
    forms = ["json", "csv"] if row.result is not None else ["json"]
    acts = [
        Action(
            f"Download as {form.upper()}",
            reverse(f"web:measurement-{form}", args=[name, number, row.uuid]),
            icon="download",
            download=True,
        )
        for form in forms
    ]
    if may_recall and row.status == MeasurementStatus.DONE:
        url = reverse("web:measurement-recall", args=[name, number, row.uuid])
        acts.append(Action("Recall…", url, "danger", "undo"))
    return acts


def everything(actor: Actor) -> AllChecksPage:
    """The newest measurements, and the state of the queue."""
    rows = checks.list_measurements(actor)
    starters = regular.starters(rows)
    running = [row for row in rows if row.status in OPEN]
    columns = ["Version", "Check", "State", "Asked by", "Asked"]
    return AllChecksPage(
        queue=_queue(running),
        table=Table(
            caption="Checks",
            columns=[Column(label) for label in columns],
            rows=[
                Row(
                    [
                        cells.link(str(row.version), _url(row.version, f"checks/{row.uuid}/")),
                        cells.text(kinds.title(row.kind)),
                        cells.chip(status.chip("measurement", row.status), note=row.error),
                        _asked_by(row, starters),
                        cells.when(row.queued_at),
                    ]
                )
                for row in rows
            ],
            empty=Empty(
                "nothing-yet",
                "Nothing was measured yet",
                "Open a version, attach evaluation data and run its checks; they appear here.",
            ),
        ),
    )
