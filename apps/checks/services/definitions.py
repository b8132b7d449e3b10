"""Saying what a model has measured regularly, and starting it when it is due.

Whoever saves a definition answers for what it starts: her right is asked for again each time. What cannot be started is a
run with its error, on the page of the definition; it is tried again when it is due again, and holds up nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from apps.accounts import policy
from apps.audits.log import Verb, verb
from apps.checks import definitions, events, kinds, selectors
from apps.checks.models import (
    DEMANDED,
    CheckDefinition,
    DefinitionRevision,
    DefinitionRun,
    Measurement,
    StartReason,
)
from apps.checks.services.measurements import Asked, parse_params, request
from apps.core import clock
from apps.core.actor import Actor
from apps.core.canonical import digest_of
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.services.locks import lock_model, lock_version

log = logging.getLogger(__name__)

MOST_DAYS: Final = 366
MOST: Final = 100
_LONGEST_NAME: Final = 100
_LONGEST_ERROR: Final = 2_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants a definition to say."""

    name: str
    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    on_registration: bool = False
    on_data: bool = False
    every_days: int | None = None
    retired: bool = False


def save_definition(
    actor: Actor,
    model: RegisteredModel,
    draft: Draft,
    *,
    definition: CheckDefinition | None = None,
    base: int = 0,
) -> DefinitionRevision:
    """A new definition, or a new revision of one that was at revision `base` when the editor read it.

    Refuses with Invalid (a message per field): a name that is taken or none, an unknown kind or another than before,
    parameters that make no sense, nothing that starts it. With Conflict: a revision that somebody else saved meanwhile.
    """
    policy.require(actor, "check.run", model)
    if actor.user_id is None:
        raise Forbidden(
            "A definition is saved by a person or a service account, who answers for it."
        )
    _require_sound(draft)
    with verb(actor) as v:
        model = lock_model(model.pk)
        others = definitions.of_model(model)
        number = _next_number(others, definition, base, draft)
        _require_free(others, definition, draft)
        definition = definition or CheckDefinition.objects.create(
            model=model, created_at=clock.now()
        )
        row = DefinitionRevision.objects.create(
            definition=definition,
            number=number,
            name=draft.name.strip(),
            kind=draft.kind,
            params=dict(draft.params),
            on_registration=draft.on_registration,
            on_data=draft.on_data,
            every_days=draft.every_days,
            retired=draft.retired,
            by_id=actor.user_id,
            at=clock.now(),
        )
        v.record(_saved(row, model))
    return row


def _saved(row: DefinitionRevision, model: RegisteredModel) -> events.DefinitionSaved:
    return events.DefinitionSaved(
        model=model.pk,
        definition=row.definition_id,
        revision=row.number,
        name=row.name,
        kind=row.kind,
        params=digest_of(row.params),
        on_registration=row.on_registration,
        on_data=row.on_data,
        every_days=row.every_days or 0,
        retired=row.retired,
    )


def _require_sound(draft: Draft) -> None:
    fields: dict[str, str] = {}
    name = draft.name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        fields["name"] = f"required, at most {_LONGEST_NAME} printable characters"
    if draft.every_days is not None and not 1 <= draft.every_days <= MOST_DAYS:
        fields["every_days"] = f"expected a whole number from 1 to {MOST_DAYS}"
    started = draft.on_registration or draft.on_data or draft.every_days is not None
    if not started and not draft.retired:
        fields["on_data"] = "choose at least one thing that starts it"
    if fields:
        told = "; ".join(f"{key}: {problem}" for key, problem in fields.items())
        raise Invalid(f"This definition cannot be saved: {told}.", fields=fields)
    if draft.kind != DEMANDED:
        parse_params(draft.kind, draft.params)
    elif draft.params:
        raise Invalid(
            "What the policy demands is measured with the defaults.",
            fields={"params": "leave them out"},
        )


def _next_number(
    others: Sequence[DefinitionRevision],
    definition: CheckDefinition | None,
    base: int,
    draft: Draft,
) -> int:
    if definition is None:
        if len(others) >= MOST:
            raise Invalid(f"A model has at most {MOST} definitions; change one that is retired.")
        return 1
    now = next((each for each in others if each.definition_id == definition.pk), None)
    if now is None:
        raise NotFound("This model has no such definition.")
    if now.number != base:
        raise Conflict(f"{now.by} saved revision {now.number} meanwhile; look at it first.")
    if now.kind != draft.kind:
        raise Invalid("Another check is another definition.", fields={"kind": f"it is {now.kind}"})
    return now.number + 1


def _require_free(
    others: Sequence[DefinitionRevision], definition: CheckDefinition | None, draft: Draft
) -> None:
    own = definition.pk if definition else None
    taken = {each.name.casefold() for each in others if each.definition_id != own}
    if draft.name.strip().casefold() in taken:
        raise Invalid(
            "The name is taken.", fields={"name": "another definition of this model has this name"}
        )


def start_on_registration(version_id: int) -> None:
    """A version was registered: what can be measured of it already. The rest starts when its data are attached."""
    version = ModelVersion.objects.select_related("model").get(pk=version_id)
    for revision in definitions.of_model(version.model, retired=False):
        if revision.on_registration:
            start(revision, version, StartReason.REGISTRATION, "registration")


def start_on_data(version_id: int, dataset_id: int) -> None:
    """Data were attached to a version: everything for which they suffice now."""
    version = ModelVersion.objects.select_related("model").get(pk=version_id)
    for revision in definitions.of_model(version.model, retired=False):
        if revision.on_data:
            start(revision, version, StartReason.DATA, f"data {dataset_id}")


def start_due() -> int:
    """What the schedules want now; how many definitions were looked at. Twice at once starts each once."""
    found = list(definitions.due(clock.now()))
    for each in found:
        start(each.revision, each.version, StartReason.SCHEDULE, each.slot)
    return len(found)


def start(
    revision: DefinitionRevision, version: ModelVersion, reason: StartReason, slot: str
) -> None:
    """Start one definition for one version. Never raises: whatever goes wrong is its run's error."""
    try:
        wanted = _wanted(revision, version, reason)
    except (
        Exception
    ) as error:  # a policy that cannot be read, say: told on the page, not to the others
        log.exception("definition %s cannot be started", revision.definition_id)
        _record_failure(revision, version, (revision.kind, reason, slot), error)
        return
    for kind in wanted:
        try:
            _start(revision, version, (kind, reason, slot))
        except Exception as error:
            log.exception("definition %s cannot be started", revision.definition_id)
            _record_failure(revision, version, (kind, reason, slot), error)


def _wanted(revision: DefinitionRevision, version: ModelVersion, reason: StartReason) -> list[str]:
    """The kinds to measure. Before a version is submitted data may still be missing: such kinds wait for them."""
    if revision.kind != DEMANDED:
        asked = [revision.kind]
    else:
        asked = list(import_string(settings.CHECKS_DEMANDED)(version))
    if reason == StartReason.SCHEDULE:
        return asked
    in_force = selectors.datasets_in_force(version)
    return [kind for kind in asked if not _waits(kind, version, in_force)]


def _waits(kind: str, version: ModelVersion, in_force: Mapping[Any, Any]) -> bool:
    known = kinds.registered().get(kind)
    if known is None:  # told as an error when it is started
        return False
    if known.of_files:
        return not version.manifest
    try:
        selectors.inputs_of(kind, in_force)
    except NotFound:
        return True
    return False


def _start(
    revision: DefinitionRevision, version: ModelVersion, due: tuple[str, StartReason, str]
) -> None:
    """In one transaction under the version's lock: the run's row, and the measurement that it asks for."""
    kind, _, slot = due
    actor = Actor.system("worker")
    with verb(actor) as v:
        version = lock_version(version.pk)
        if _has_run(revision, version, kind, slot):
            return
        try:
            _require_author(revision)
            params = parse_params(kind, revision.params)
            asked = request(actor, revision.by_id, version, kind, params)
        except DomainError as error:
            _store(revision, version, due, error=str(error))
            return
        _store(revision, version, due, measurement=asked.measurement, made=not asked.stored)
        _record(v, revision, version, due, asked)


def _record(
    v: Verb,
    revision: DefinitionRevision,
    version: ModelVersion,
    due: tuple[str, StartReason, str],
    asked: Asked,
) -> None:
    v.record(
        events.DefinitionStarted(
            model=version.model_id,
            version=version.pk,
            definition=revision.definition_id,
            revision=revision.number,
            measurement=asked.measurement.pk,
            kind=due[0],
            reason=due[1].value,
            made=not asked.stored,
        )
    )


def _require_author(revision: DefinitionRevision) -> None:
    may = policy.who_may("check.run", revision.definition).filter(pk=revision.by_id)
    if not may.exists():
        raise Forbidden(
            f"{revision.by} set it and may not run checks of this model any more.",
            hint="Somebody who may has to save the definition.",
        )


def _has_run(revision: DefinitionRevision, version: ModelVersion, kind: str, slot: str) -> bool:
    return DefinitionRun.objects.filter(
        definition=revision.definition_id, version=version, kind=kind, slot=slot
    ).exists()


def _store(
    revision: DefinitionRevision,
    version: ModelVersion,
    due: tuple[str, StartReason, str],
    *,
    measurement: Measurement | None = None,
    made: bool = False,
    error: str = "",
) -> None:
    kind, reason, slot = due
    DefinitionRun.objects.create(
        definition_id=revision.definition_id,
        revision=revision,
        version=version,
        kind=kind,
        reason=reason,
        slot=slot,
        measurement=measurement,
        made=made,
        error=error[:_LONGEST_ERROR],
        at=clock.now(),
    )


def _record_failure(
    revision: DefinitionRevision,
    version: ModelVersion,
    due: tuple[str, StartReason, str],
    error: Exception,
) -> None:
    """By the name of the error only where it is none of ours: its words are for the log."""
    told = (
        str(error) if isinstance(error, DomainError) else f"It broke off: {type(error).__name__}."
    )
    try:
        with verb(Actor.system("worker")):
            version = lock_version(version.pk)
            if not _has_run(revision, version, due[0], due[2]):
                _store(revision, version, due, error=told)
    except NotFound:  # the version or its model was deleted since it was read
        log.info("definition %s: its version is gone", revision.definition_id)
