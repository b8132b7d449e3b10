"""What a model has measured regularly: the list, and one definition with its form, its runs and its wordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.accounts import policy
from apps.checks import definitions, kinds
from apps.checks import selectors as checks
from apps.checks.choices import Known
from apps.checks.kinds.base import Kind
from apps.checks.models import DEMANDED, DefinitionRevision, DefinitionRun
from apps.core.actor import Actor
from apps.registry.models import ModelVersion, RegisteredModel
from apps.web import addresses, cells, status, words
from apps.web.forms import checks as forms
from apps.web.pages.check_forms import Offered
from apps.web.parts import Action, Cell, Chip, Column, Crumb, Empty, PageHeader, Row, Table

SHOWN = 50
TITLE = "Regular checks"
_DEMANDED = "What the policy demands"


@dataclass(frozen=True, slots=True)
class ListPage:
    """Every definition of a model, and what came of them lately."""

    header: PageHeader
    table: Table
    runs: Table


@dataclass(frozen=True, slots=True)
class KindsPage:
    """What could be defined."""

    header: PageHeader
    kinds: Sequence[Offered]


@dataclass(frozen=True, slots=True)
class EditPage:
    """One definition; `retire` offers to end it."""

    header: PageHeader
    url: str
    cancel_url: str
    sample: str
    previewed: bool
    retired: bool
    exists: bool
    runs: Table | None
    revisions: Table | None


def title(kind: str) -> str:
    """What it measures, for people."""
    return _DEMANDED if kind == DEMANDED else kinds.title(kind)


def url(model: RegisteredModel) -> str:
    """The list of a model."""
    return reverse("web:definitions", args=[model.name])


def url_of(revision: DefinitionRevision) -> str:
    """The page of one definition."""
    return reverse(
        "web:definition", args=[revision.definition.model.name, revision.definition.uuid]
    )


def new_url(model: RegisteredModel, kind: str = "") -> str:
    """The form of a new one, or the choice of its kind."""
    if not kind:
        return reverse("web:definition-kinds", args=[model.name])
    return reverse("web:definition-new", args=[model.name, kind])


def _header(model: RegisteredModel, name: str, actions: Sequence[Action] = ()) -> PageHeader:
    crumbs = [
        Crumb("Models", addresses.models()),
        Crumb(model.name, addresses.model(model.name)),
        Crumb(TITLE, url(model)),
    ]
    return PageHeader(title=name, crumbs=crumbs, actions=list(actions))


def page(actor: Actor, model: RegisteredModel) -> ListPage:
    """The list for this reader."""
    rows = definitions.of_model(model)
    may = "check.run" in policy.verbs_on(actor, model)
    actions = [Action("Define a check", new_url(model), "primary", "plus")] if may else []
    last = definitions.last_runs([row.definition_id for row in rows])
    runs = list(definitions.runs([row.definition_id for row in rows])[:SHOWN])
    columns = ["Name", "Measures", "Started", "Set by", "Last time"]
    table = Table(
        caption=TITLE,
        columns=[Column(label) for label in columns],
        rows=[_row(row, last.get(row.definition_id)) for row in rows],
        empty=Empty(
            "nothing-yet",
            "Nothing is measured regularly",
            "A definition says which check runs when: for new data, for new versions, every so many days.",
        ),
    )
    return ListPage(_header(model, TITLE, actions), table, _runs(runs, named=True))


def _row(row: DefinitionRevision, last: DefinitionRun | None) -> Row:
    note = f"revision {row.number}"
    return Row(
        [
            cells.link(row.name, url_of(row), note=note),
            cells.text(title(row.kind)),
            cells.chip(Chip("Retired", "quiet")) if row.retired else cells.text(when(row)),
            cells.person(str(row.by)),
            _state(last) if last else cells.missing("not started yet"),
        ]
    )


def when(row: DefinitionRevision) -> str:
    """What starts it, in words."""
    said = []
    if row.on_data:
        said.append("when data are attached")
    if row.on_registration:
        said.append("when a version is registered")
    if row.every_days:
        said.append(f"every {words.plural(row.every_days, 'day')} while in a governed target")
    return "; ".join(said)


def _state(run: DefinitionRun) -> Cell:
    if run.error:
        return cells.chip(Chip("Not started", "bad", "stop"), note=run.error)
    note = "" if run.made else "there was a result already"
    assert run.measurement is not None  # noqa: S101 - a constraint of the table
    return cells.chip(status.chip("measurement", run.measurement.status), note=note)


def _runs(rows: Sequence[DefinitionRun], *, named: bool) -> Table:
    columns = [*(["Definition"] if named else []), "Version", "Check", "Because", "When", "State"]
    return Table(
        caption="What came of it" if not named else "What came of them",
        columns=[Column(label) for label in columns],
        rows=[_run(row, named=named) for row in rows],
        empty=Empty("nothing-yet", "Nothing was due yet", "What was started, and what could not be, stands here."),
    )  # fmt: skip


def _run(row: DefinitionRun, *, named: bool) -> Row:
    version = row.version
    there = addresses.version(version.model.name, version.number, "checks/")
    if row.measurement is not None:
        there += f"{row.measurement.uuid}/"
    return Row(
        [
            *([cells.text(row.revision.name)] if named else []),
            cells.link(str(version), there),
            cells.text(kinds.title(row.kind)),
            cells.text(row.get_reason_display(), note=f"revision {row.revision.number}"),
            cells.when(row.at),
            _state(row),
        ]
    )


def choose(model: RegisteredModel) -> KindsPage:
    """What the policy demands first, then each kind."""
    first = Offered(
        _DEMANDED,
        "Every check that the policy in force demands of the version, with its defaults. What most models need.",
        [Action("Define it", new_url(model, DEMANDED), "primary")],
    )
    others = [
        Offered(kind.title, "", [Action("Define it", new_url(model, kind.key))])
        for kind in kinds.registered().values()
    ]
    return KindsPage(_header(model, "Define a check"), [first, *others])


def known(model: RegisteredModel, kind: Kind | None) -> tuple[ModelVersion | None, Known]:
    """The version whose data the form knows, and what it knows of them."""
    version = definitions.sample_version(model)
    if version is None or kind is None:
        return version, Known()
    return version, checks.known_of(version, kind.key)


def initial(kind: Kind | None, about: Known, row: DefinitionRevision | None) -> dict[str, Any]:
    """What stands in the form at first."""
    params = forms.initial(kind, about, row.params if row else None) if kind else {}
    if row is None:
        return {**params, "name": title(kind.key if kind else DEMANDED), "on_data": True, "base": 0}
    return {
        **params,
        "name": row.name,
        "on_data": row.on_data,
        "on_registration": row.on_registration,
        "every_days": row.every_days,
        "base": row.number,
    }


def edit(
    model: RegisteredModel, kind: Kind | None, sample: ModelVersion | None, row: DefinitionRevision | None
) -> EditPage:  # fmt: skip
    """The page of one definition; `row` is None for a new one."""
    key = kind.key if kind else DEMANDED
    runs = list(definitions.runs([row.definition_id])[:SHOWN]) if row else []
    return EditPage(
        header=_header(model, row.name if row else f"Define a check: {title(key)}"),
        url=url_of(row) if row else new_url(model, key),
        cancel_url=url(model),
        sample=str(sample) if sample else "",
        previewed=kind is not None and not kind.no_preview and sample is not None,
        retired=bool(row and row.retired),
        exists=row is not None,
        runs=_runs(runs, named=False) if row else None,
        revisions=_revisions(row) if row else None,
    )


def _revisions(row: DefinitionRevision) -> Table:
    columns = ["Revision", "Name", "Started", "Parameters", "By", "When"]
    return Table(
        caption="Every wording",
        columns=[Column(label, numeric=label == "Revision") for label in columns],
        rows=[
            Row(
                [
                    cells.number(str(each.number)),
                    cells.text(each.name),
                    cells.text("retired" if each.retired else when(each)),
                    cells.text(_told(each.params)),
                    cells.person(str(each.by)),
                    cells.when(each.at),
                ]
            )
            for each in definitions.revisions(row.definition)[:SHOWN]
        ],
    )


def _told(params: dict[str, Any]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in params.items()) or "the defaults"


def started_by(run: DefinitionRun) -> str:
    """Who started a measurement, where a definition did."""
    how = {"schedule": "schedule", "data": "new data", "registration": "registration"}[run.reason]
    return f"{how} of {run.revision.name}, set by {run.revision.by}"
