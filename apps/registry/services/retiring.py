"""Retire a model, and bring it back: its owner, with a reason, re-authenticated.

The order in `retire_model`, whose outcome the triggers of migration 0009 (registry) and 0019 (reviews) demand in SQL:
 1. the checklist is answered; a successor is named, or the reason why there is none;
 2. lock the model and its successor, in the order of their ids;
 3. nothing is in the way: no version in a governed target or recorded as running, no review under way;
 4. write the answers and the model's state; the ledger has both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from apps.accounts import policy
from apps.accounts.services import ReauthProof
from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, Forbidden, Invalid
from apps.registry import deployed, retirement, retirement_events, selectors
from apps.registry.models import ModelRetirement, RegisteredModel
from apps.registry.retirement_models import RetirementKind
from apps.registry.services.locks import lock_model
from apps.registry.services.text import check_text

LONGEST = 2000


def retire_model(
    actor: Actor,
    model: RegisteredModel,
    *,
    reason: str,
    answers: Mapping[str, Any],
    successor: RegisteredModel | None = None,
    no_successor: str = "",
    proof: ReauthProof,
) -> RegisteredModel:
    """Retire a model: from then on it is read for ever and takes nothing new.

    Refuses: no reason, an unanswered question, neither a successor nor a reason for none, a successor that is the
    model itself, retired or deleted; (Blocked, saying which) a version in a governed target or recorded as running,
    a review or a change of the model under way; a model that is retired.
    """
    proof.require_for(actor)
    _require_reason(reason)
    given = retirement.checked(answers)
    _check_successor(model, successor, no_successor)
    user = _require_person(actor)
    with verb(actor) as v:
        model, heir = _lock(model, successor)
        policy.require_fresh(actor, "model.retire", model)
        if model.retired_at is not None:
            raise Conflict(f"{model.name} is retired already.")
        _refuse_while_in_use(model)
        row = ModelRetirement.objects.create(
            model=model,
            kind=RetirementKind.RETIRED,
            reason=reason,
            checklist_version=retirement.VERSION,
            answers=given,
            successor=heir,
            no_successor=no_successor.strip() if heir is None else "",
            user_id=user,
            method=proof.method,
            at=clock.now(),
        )
        model.retired_at, model.successor, model.updated_at = row.at, heir, row.at
        model.save(update_fields=["retired_at", "successor", "updated_at"])
        v.record(
            retirement_events.ModelRetired(
                model=model.pk,
                retirement=row.pk,
                name=model.name,
                reason=reason,
                method=proof.method,
                checklist=retirement.VERSION,
                answers=given,
                successor=heir.pk if heir else None,
                no_successor=row.no_successor,
            )
        )
    return model


def restore_model(
    actor: Actor, model: RegisteredModel, *, reason: str, proof: ReauthProof
) -> RegisteredModel:
    """Bring a retired model back; it has no successor then. Refuses: no reason, a model that is not retired."""
    proof.require_for(actor)
    _require_reason(reason)
    user = _require_person(actor)
    with verb(actor) as v:
        model = lock_model(model.pk)
        policy.require_fresh(actor, "model.retire", model)
        if model.retired_at is None:
            raise Conflict(f"{model.name} is not retired.")
        row = ModelRetirement.objects.create(
            model=model,
            kind=RetirementKind.RESTORED,
            reason=reason,
            user_id=user,
            method=proof.method,
            at=clock.now(),
        )
        model.retired_at, model.successor, model.updated_at = None, None, row.at
        model.save(update_fields=["retired_at", "successor", "updated_at"])
        v.record(
            retirement_events.ModelRestored(
                model=model.pk,
                retirement=row.pk,
                name=model.name,
                reason=reason,
                method=proof.method,
            )
        )
    return model


def in_the_way(model: RegisteredModel) -> list[str]:
    """What has to end before the model can be retired, a sentence each; [] if nothing."""
    found = list(_held(model))
    for row in deployed.running(deployed.of_model(model.pk)):
        where = f"{row.environment.key} ({row.place})" if row.place else row.environment.key
        found.append(f"v{row.version.number} is recorded as running in environment {where}")
    if not settings.RETIREMENT_BLOCKERS:
        raise RuntimeError("RETIREMENT_BLOCKERS is empty: a model under review would be retired")
    for path in settings.RETIREMENT_BLOCKERS:
        found += import_string(path)(model)
    return found


def _held(model: RegisteredModel) -> Iterator[str]:
    for version in selectors.latest_versions(model).order_by("number"):
        for target in selectors.held_governed_targets(version):
            yield f"v{version.number} is in {target.label}"


def _refuse_while_in_use(model: RegisteredModel) -> None:
    found = in_the_way(model)
    if found:
        raise Blocked(
            f"{model.name} cannot be retired: {'; '.join(found)}.",
            reasons=found,
            hint="End each of these first.",
        )


def _lock(
    model: RegisteredModel, successor: RegisteredModel | None
) -> tuple[RegisteredModel, RegisteredModel | None]:
    """Both rows, locked in the order of their ids; raises Conflict for a successor that was retired meanwhile."""
    pks = sorted({model.pk, *([successor.pk] if successor is not None else [])})
    locked = {pk: lock_model(pk) for pk in pks}
    heir = locked[successor.pk] if successor is not None else None
    if heir is not None and heir.retired_at is not None:
        raise Conflict(f"{heir.name} is retired itself, so it cannot take the place of another.")
    return locked[model.pk], heir


def _check_successor(
    model: RegisteredModel, successor: RegisteredModel | None, no_successor: str
) -> None:
    check_text(no_successor, "no_successor", LONGEST)
    if successor is None and not no_successor.strip():
        raise Invalid(
            "Name the model that takes its place, or say why none does.",
            fields={"no_successor": "needed where no successor is named"},
        )
    if successor is not None and successor.pk == model.pk:
        raise Invalid("A model does not take its own place.", fields={"successor": "another model"})


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": "required"})
    check_text(reason, "reason", LONGEST)


def _require_person(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("A model is retired, and brought back, by a person.")
    return actor.user_id
