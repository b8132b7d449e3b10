"""The lineage of a version: data set, run, logged model, version, target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.accounts.selectors import names
from apps.core.actor import Actor
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.web import addresses, cells, status, words
from apps.web.pages import comparing
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Fact


@dataclass(frozen=True, slots=True)
class Link:
    """One station of the lineage."""

    kind: str
    icon: str
    title: str
    url: str = ""
    facts: Sequence[Fact] = ()
    current: bool = False


@dataclass(frozen=True, slots=True)
class LineagePage:
    frame: VersionFrame
    stations: Sequence[Sequence[Link]]
    gap: str = ""


def lineage(actor: Actor, version: ModelVersion) -> LineagePage:
    """Data set, run, logged model, version, target: what came from what."""
    stations = [_data(version), _run(version), _logged(version), _self(version), _targets(version)]
    gap = (
        ""
        if version.run
        else (
            "No run is linked: this version was registered from files, so what it was trained on is only what its "
            "card says."
        )
    )
    return LineagePage(frame(actor, version, "lineage/"), [s for s in stations if s], gap)


def _data(version: ModelVersion) -> list[Link]:
    inputs = comparing.facts_of(version).run.get("datasets", [])
    return [
        Link(
            "Data set",
            "data",
            data["name"],
            facts=[
                Fact("Digest", cells.mono(data["digest"])),
                Fact(
                    "Used for",
                    cells.text(data["tags"].get("mlflow.data.context", "") or "training"),
                ),
                Fact("From", cells.mono(_short(data["source"]))),
            ],
        )
        for data in inputs
    ]


def _short(source: str) -> str:
    return source if len(source) <= 120 else f"{source[:117]}…"


def _run(version: ModelVersion) -> list[Link]:
    run = version.run
    if run is None:
        return []
    facts = [
        Fact("Status", cells.chip(status.chip("run", run.status))),
        Fact("By", cells.person(names([run.created_by_id])[run.created_by_id])),
        Fact("Started", cells.when(run.start_time)),
    ]
    if run.sealed_by:
        sealed = cells.link(f"REV-{run.sealed_by}", addresses.review(run.sealed_by))
        facts.append(Fact("Sealed by", sealed))
    return [Link("Run", "experiments", run.name, addresses.run(run.run_id), facts)]


def _logged(version: ModelVersion) -> list[Link]:
    logged = version.logged_model
    if logged is None:
        return []
    facts = [Fact("Id", cells.mono(logged.model_id)), Fact("Status", cells.text(logged.status))]
    return [Link("Logged model", "models", logged.name, facts=facts)]


def _self(version: ModelVersion) -> list[Link]:
    facts = [
        Fact("Manifest", cells.digest(version.manifest_digest)),
        Fact("Files", cells.text(words.plural(len(version.manifest), "file"))),
    ]
    return [Link("Version", "seal", str(version), facts=facts, current=True)]


def _targets(version: ModelVersion) -> list[Link]:
    return [
        Link(
            "Target",
            "flag",
            target.label,
            facts=[Fact("Governed", cells.text(_governed(version, target)))],
        )
        for target in registry.held_targets(version)
    ]


def _governed(version: ModelVersion, target: Target) -> str:
    return "by a signed review" if registry.is_governed(version.model, target) else "no"
