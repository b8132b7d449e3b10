"""The page that makes a version of a run: what will be fixed, byte by byte, before anybody presses the button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core import canonical
from apps.core.actor import Actor
from apps.experiments import selectors as experiments
from apps.experiments.models import Run
from apps.registry import run_sources
from apps.registry.run_sources import Source
from apps.web import addresses, cells, words
from apps.web.pages import model_forms, runs
from apps.web.parts import Column, Crumb, Fact, Notice, PageHeader, Row, Table

FILES = 200
_COMMIT, _DIRTY = "mlflow.source.git.commit", "mlflow.source.git.dirty"
_ENVIRONMENT = ("requirements.txt", "conda.yaml", "python_env.yaml")


@dataclass(frozen=True, slots=True)
class Preview:
    """The files of one source with what they become."""

    title: str
    digest: str
    summary: str
    files: Table
    more: str


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """What the form stands among. `shown` covers everything in the previews."""

    header: PageHeader
    sources: Sequence[Source]
    previews: Sequence[Preview]
    facts: Sequence[Fact]
    datasets: Table | None
    nothing: Notice | None
    names: Sequence[str]
    shown: str
    back: str


def page(actor: Actor, run: Run) -> RegisterPage:
    """The sources of the run as they are at this moment."""
    view = experiments.run_view(actor, run.run_id)
    found = run_sources.sources(run)
    return RegisterPage(
        header=PageHeader(
            f"Register a version from {view.name}",
            lead="The files below become the version. They are fixed by their SHA-256 in that moment; what is written to "
            "the run afterwards changes the version no more.",
            crumbs=[
                Crumb("Experiments", addresses.experiments()),
                Crumb(run.experiment.name, addresses.experiment(run.experiment_id)),
                Crumb(view.name, addresses.run(run.run_id)),
                Crumb("Register"),
            ],
        ),
        sources=found,
        previews=[_preview(each) for each in found],
        facts=_facts(dict(view.tags), found),
        datasets=runs.datasets(view.datasets),
        nothing=None if found else _nothing(),
        names=model_forms.registrable(actor),
        shown=canonical.digest_of([[each.uri, each.digest] for each in found]),
        back=addresses.run(run.run_id),
    )


def choices(page: RegisterPage) -> list[tuple[str, str]]:
    """The sources as the form offers them."""
    return [
        (
            each.uri,
            f"{each.title}: {words.plural(len(each.files), 'file')}, {words.size(each.size)}",
        )
        for each in page.sources
    ]


def _nothing() -> Notice:
    text = (
        "It logged no model, and none of its folders holds a file MLmodel. Log one with mlflow.<flavor>.log_model(), or "
        "upload files as a version."
    )
    return Notice(
        text,
        "warn",
        "This run has no model to register",
        url=f"{addresses.models()}new/",
        url_label="Upload files",
    )


def _preview(source: Source) -> Preview:
    rows = [
        Row([cells.mono(f.path), cells.number(words.size(f.size)), cells.digest(f.digest)])
        for f in source.files[:FILES]
    ]
    columns = [Column("Path"), Column("Size", numeric=True), Column("SHA-256")]
    left = len(source.files) - FILES
    return Preview(
        source.title,
        source.digest,
        f"{words.plural(len(source.files), 'file')}, {words.size(source.size)}",
        Table(f"Files of {source.title}", columns, rows, dense=True),
        f"And {words.plural(left, 'more file')}: the digest covers all of them."
        if left > 0
        else "",
    )


def _facts(tags: dict[str, str], found: Sequence[Source]) -> list[Fact]:
    """Where the code and the environment come from, as the client said."""
    commit, dirty = tags.get(_COMMIT, ""), tags.get(_DIRTY, "").lower() == "true"
    note = "with changes that are in no commit" if dirty else "as the client said"
    code = cells.text(commit[:12], note=note) if commit else cells.missing("no commit was logged")
    named = {file.path for source in found for file in source.files}
    environment = [name for name in _ENVIRONMENT if name in named]
    return [
        Fact("Code commit", code),
        Fact(
            "Environment",
            cells.text(", ".join(environment))
            if environment
            else cells.missing("no file of the environment was logged"),
        ),
    ]
