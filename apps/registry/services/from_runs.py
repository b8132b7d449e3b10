"""Register a version from a run in the browser, of exactly the files that were shown before."""

from __future__ import annotations

from collections.abc import Mapping

from apps.accounts import policy
from apps.accounts.models import Team
from apps.audits.log import verb
from apps.core.actor import Actor
from apps.core.errors import Conflict, Invalid
from apps.experiments.models import Run
from apps.registry import run_sources, selectors
from apps.registry.models import ModelVersion
from apps.registry.run_sources import Source
from apps.registry.services.models import create_model, name_taken, update_model
from apps.registry.services.text import check_name
from apps.registry.services.versions import NewFile, create_version


def register_run(
    actor: Actor,
    run: Run,
    *,
    source: str,
    digest: str,
    name: str,
    description: str = "",
    team: Team | None = None,
    settings: Mapping[str, str] | None = None,
) -> ModelVersion:
    """The next version of the model of that name, from a source of the run; a name that is free makes the model.

    `digest` is that of the files that were shown: others by now are a Conflict, and nothing is registered.
    `settings` (as in `update_model`) and `team` are what a new model begins with; of a model that is there already they
    change nothing. Refuses: a source that is none of this run, a model without the right to register on it.
    """
    policy.require(actor, "experiment.read", run.experiment)
    check_name(name)
    chosen = _source(run, source, digest)
    files = [NewFile(file.path, file.digest, file.size) for file in chosen.files]
    with verb(actor):
        model = selectors.find_model(name)
        if model is None:
            model = create_model(actor, name=name, team=team)
            update_model(actor, model, **(settings or {}))
        elif not policy.can(actor, "model.read", model):
            raise name_taken(actor, name)
        return create_version(
            actor,
            model,
            source=chosen.uri,
            files=files,
            run=run,
            logged_model=chosen.logged_model,
            description=description,
        )


def _source(run: Run, uri: str, digest: str) -> Source:
    chosen = next((each for each in run_sources.sources(run) if each.uri == uri), None)
    if chosen is None:
        said = "This run has no such files."
        raise Invalid(said, fields={"source": said})
    if chosen.digest != digest:
        raise Conflict(
            f"The files of {chosen.title[:1].lower()}{chosen.title[1:]} changed since they were shown: "
            f"{digest[:12]} then, {chosen.digest[:12]} now.",
            hint="Look at them again, then register.",
        )
    return chosen
