"""Change what decides which policies count for a model.

What lets nothing go is done at once. What does is proposed here with a reason, signed by a validator or an approver of the
model who neither proposed it nor owns the model, and applied with that signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.models import Team
from apps.accounts.services import ReauthProof
from apps.audits import selectors as audits
from apps.audits.log import Verb, verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, Forbidden, Invalid
from apps.impact import selectors as impact
from apps.registry import services as registry
from apps.registry import standing
from apps.registry.materiality import NONE_DEMANDED
from apps.registry.models import RegisteredModel
from apps.registry.services.locks import lock_model
from apps.registry.standing import Standing
from apps.reviews.events import standing as standing_events
from apps.reviews.models import ModelChange, ModelChangeSignature, ModelChangeStatus
from apps.reviews.reads import model_changes
from apps.reviews.services import signing, wording

_CHANGE = "countersign.model_change.v1"
_STATEMENT = "countersign.model_change_signature.v1"
STANDING = ("exposure", "purpose_class", "team_id")


def change_settings(
    actor: Actor,
    model: RegisteredModel,
    *,
    reason: str = "",
    tags: Mapping[str, str | None] | None = None,
    **settings: Any,
) -> ModelChange | None:
    """Save settings as `registry.update_model` does, and tags; what takes a signature is proposed instead.

    Returns the proposal if there is one: then exposure, use, team and tags stay as they are until it is signed, and the
    other settings are saved. Refuses: a proposal without a reason, a second one while one is open.
    """
    with verb(actor) as v:
        model = lock_model(model.pk)
        before = standing.of(model)
        wanted = {key: value for key, value in (tags or {}).items() if value != dict(before.tags).get(key)}  # fmt: skip
        after = _after(model, before, settings, wanted)
        loosens = standing.let_go(model, before, after)
        if not loosens:
            if settings:
                registry.update_model(actor, model, **settings)
            _tag(actor, model, wanted)
            return None
        others = {key: value for key, value in settings.items() if key not in STANDING}
        if others:
            registry.update_model(actor, model, **others)
        return _propose(v, actor, model, before, after, wanted, loosens, reason)


def lower_demand(actor: Actor, model: RegisteredModel, *, reason: str) -> ModelChange | None:
    """Lower the tier that is demanded of the model to what its impact assessment in force demands.

    Where the model's tier falls by it, that is proposed and returned; else it is done at once. Refuses: somebody without
    model.manage, no signed assessment that demands less (Conflict), a proposal without a reason or while one is open.
    """
    policy.require(actor, "model.manage", model)
    with verb(actor) as v:
        model = lock_model(model.pk)
        found = impact.in_force(model)
        if found is None or found.tier <= model.demanded_tier:
            raise Conflict(
                f"No signed impact assessment demands less of {model.name} than tier {model.demanded_tier}.",
                hint="A lower tier takes a new assessment.",
            )
        before = standing.of(model)
        after = replace(before, demanded=found.tier)
        loosens = standing.let_go(model, before, after)
        if loosens:
            return _propose(v, actor, model, before, after, {}, loosens, reason)
        registry.apply_standing(actor, model, settings={"demanded_tier": found.tier}, tags={})
    return None


def _after(
    model: RegisteredModel,
    before: Standing,
    settings: Mapping[str, Any],
    tags: Mapping[str, str | None],
) -> Standing:
    team_id = settings.get("team_id", model.team_id)
    team = Team.objects.filter(pk=team_id).values_list("key", flat=True).first() if team_id else ""
    if team is None:
        raise Invalid("There is no such team.", fields={"team": "no such team"})
    try:
        after = standing.after_settings(before, settings, team)
        _ = after.risk_tier
    except ValueError as error:
        raise Invalid("Choose one of the list.", fields={"exposure": str(error)}) from error
    for key, value in tags.items():
        after = after.with_tag(key, value)
    return after


def _tag(actor: Actor, model: RegisteredModel, tags: Mapping[str, str | None]) -> None:
    for key, value in tags.items():
        if value is None:
            registry.delete_model_tag(actor, model, key=key)
        else:
            registry.set_model_tag(actor, model, key=key, value=value)


def _propose(
    v: Verb,
    actor: Actor,
    model: RegisteredModel,
    before: Standing,
    after: Standing,
    tags: Mapping[str, str | None],
    loosens: list[str],
    reason: str,
) -> ModelChange:
    policy.require(actor, "model.manage", model)
    if actor.user_id is None:
        raise Forbidden("A change is proposed by a person.")
    if not reason.strip():
        raise Invalid(
            f"This takes a signature, because {'; '.join(loosens)}. Say why.",
            fields={"reason": f"This takes a signature: {'; '.join(loosens)}. Whoever signs reads why."},
        )  # fmt: skip
    reason = wording.text(reason, "reason")
    head = audits.head()
    plain = {**after.plain(), "tags": dict(tags)}
    body: dict[str, Any] = {
        "type": _CHANGE,
        "model": str(model.uuid),
        "name": model.name,
        "before": before.plain(),
        "after": plain,
        "loosens": loosens,
        "reason": reason,
        "ledger": {"size": head.size, "root": head.root},
    }
    manifest = canonical.dumps(body)
    try:
        with transaction.atomic():
            change = ModelChange.objects.create(
                model=model,
                before=before.plain(),
                after=plain,
                loosens=loosens,
                reason=reason,
                manifest=manifest,
                digest=canonical.digest(manifest),
                proposed_by_id=actor.user_id,
                proposed_at=clock.now(),
            )
    except IntegrityError as error:
        raise AlreadyExists(f"A change of {model.name} waits for a signature already.") from error
    v.record(
        standing_events.ModelChangeProposed(
            change=change.pk,
            model=model.pk,
            name=model.name,
            before=change.before,
            after=change.after,
            loosens=loosens,
            reason=reason,
            digest=change.digest,
        )
    )
    return change


def sign_model_change(
    actor: Actor,
    change: ModelChange,
    *,
    approves: bool,
    digest: str,
    comment: str,
    proof: ReauthProof,
) -> ModelChangeSignature:
    """Sign a proposed change: for it, which applies it now, or against it, which ends it.

    Refuses: the proposer, the owner of the model, somebody without a signing role on it now, another digest than the
    one shown or a model that changed since (Conflict), a closed change, a stale or foreign proof.
    """
    comment = wording.text(comment, "comment")
    proof.require_for(actor)
    with verb(actor) as v:
        change = _lock(change)
        role = _require_signer(actor, change)
        if digest != change.digest:
            raise Conflict(f"You were shown {digest[:12]}, the proposal is {change.digest[:12]}.")
        if approves:
            _require_as_proposed(change)
        row = _sign(v, actor, change, role, approves=approves, comment=comment, proof=proof)
        if approves:
            _close(v, change, ModelChangeStatus.APPLIED, comment)
            registry.apply_standing(
                actor, change.model, settings=_settings(change), tags=change.after["tags"]
            )
        else:
            _close(v, change, ModelChangeStatus.REJECTED, comment)
    return row


def _lock(change: ModelChange) -> ModelChange:
    model = lock_model(change.model_id)
    row = ModelChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
    row.model = model
    if row.state is not ModelChangeStatus.OPEN:
        raise Conflict(f"{row} is closed: {row.state.label.lower()}.")
    return row


def _require_signer(actor: Actor, change: ModelChange) -> str:
    """The role signed in. The rights are read again in this transaction."""
    obstacle = model_changes.why_not(actor, change)
    if obstacle:
        raise Forbidden(obstacle)
    role = model_changes.role_of(actor, change)
    policy.require_fresh(actor, f"review.sign.{role}", change)
    return role


def _require_as_proposed(change: ModelChange) -> None:
    _require_demand(change)
    now = standing.of(change.model)
    after = model_changes.standing_after(change, now)
    if now.plain() != change.before or standing.let_go(change.model, now, after) != change.loosens:
        raise Conflict(
            f"{change.model.name} or the policies changed since {change} was proposed.",
            hint="Withdraw it and propose it again.",
        )


def _require_demand(change: ModelChange) -> None:
    """An assessment that was signed after the proposal counts: the demand never falls below it."""
    found = impact.in_force(change.model)
    asked = change.after.get("demanded_tier", NONE_DEMANDED)
    if found is not None and asked > max(found.tier, change.model.demanded_tier):
        raise Conflict(
            f"A newer impact assessment demands tier {found.tier} of {change.model.name}.",
            hint="Withdraw the proposal.",
        )


def _settings(change: ModelChange) -> dict[str, Any]:
    team = change.after["team"]
    row = Team.objects.filter(key=team).first() if team else None
    if team and row is None:
        raise Conflict(f"The team {team} is gone.")
    return {
        "exposure": change.after["exposure"],
        "purpose_class": change.after["purpose_class"],
        "demanded_tier": change.after.get("demanded_tier", NONE_DEMANDED),
        "team_id": row.pk if row else None,
    }


def _sign(
    v: Verb,
    actor: Actor,
    change: ModelChange,
    role: str,
    *,
    approves: bool,
    comment: str,
    proof: ReauthProof,
) -> ModelChangeSignature:
    user = accounts.get_user(actor.user_id or 0)
    signed = signing.sign(
        _STATEMENT,
        user,
        proof,
        {
            "change": change.pk,
            "digest": change.digest,
            "approves": approves,
            "meaning": "approved" if approves else "rejected",
            "comment": comment,
            "role": role,
        },
    )
    row = ModelChangeSignature.objects.create(
        change=change, approves=approves, role=role, comment=comment, **signed.columns
    )
    v.record(
        standing_events.ModelChangeSigned(
            change=change.pk,
            model=change.model_id,
            name=change.model.name,
            signature=row.pk,
            approves=approves,
            digest=change.digest,
            statement_digest=row.statement_digest,
            role=role,
            method=row.method,
            signer=str(user.uuid),
            signer_name=row.signer_name,
        )
    )
    return row


def withdraw_model_change(actor: Actor, change: ModelChange, *, reason: str) -> None:
    """Take a proposal back; whoever manages the model can."""
    policy.require(actor, "model.manage", change)
    reason = wording.text(reason, "reason")
    with verb(actor) as v:
        _close(v, _lock(change), ModelChangeStatus.WITHDRAWN, reason)


def _close(v: Verb, change: ModelChange, status: ModelChangeStatus, reason: str) -> None:
    change.status, change.closed_at, change.note = status, clock.now(), reason
    change.save(update_fields=["status", "closed_at", "note"])
    v.record(
        standing_events.ModelChangeClosed(
            change=change.pk,
            model=change.model_id,
            name=change.model.name,
            status=status.value,
            reason=reason,
        )
    )
