"""Verbs on registered models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.accounts import policy
from apps.accounts.models import Team, User
from apps.accounts.services import grant_creator_role
from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Forbidden, Invalid
from apps.registry import events, selectors, standing
from apps.registry.models import Governance, ModelTag, ModelVersion, RegisteredModel
from apps.registry.services.locks import lock_model
from apps.registry.services.retired import refuse_if_retired
from apps.registry.services.standing import refuse_letting_go
from apps.registry.services.text import check_key, check_name, check_text

SETTINGS_FIELDS = ("description", "purpose", "exposure", "purpose_class", "owner_id", "team_id")


def create_model(
    actor: Actor,
    *,
    name: str,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    governance: str | None = None,
    team: Team | None = None,
) -> RegisteredModel:
    """Make a model. It is governed unless the site's default or a person with the right says sandbox.

    The creator becomes its owner of record and may contribute to it; managing it takes the role owner.
    Refuses: a taken name (AlreadyExists, also when it is out of sight), `sandbox` without model.sandbox.
    """
    check_name(name)
    team = team or policy.default_team(actor, "model.create")
    policy.require(actor, "model.create", team)
    governance = governance or settings.DEFAULT_GOVERNANCE
    if governance not in Governance.values:
        raise Invalid(f"Unknown governance {governance!r}.", fields={"governance": "unknown"})
    if governance == Governance.SANDBOX != settings.DEFAULT_GOVERNANCE:
        policy.require(actor, "model.sandbox", team)
    if actor.user_id is None:
        raise Forbidden("A model is made by a person or a service account, not by the system.")
    now = clock.now()
    with verb(actor) as v:
        try:
            with transaction.atomic():
                model = RegisteredModel.objects.create(
                    name=name,
                    description=check_text(description, "description"),
                    governance=governance,
                    team=team,
                    owner_id=actor.user_id,
                    created_by_id=actor.user_id,
                    created_at=now,
                    updated_at=now,
                )
        except IntegrityError as error:
            raise name_taken(actor, name) from error
        grant_creator_role(actor, "contributor", model)
        v.record(
            events.ModelCreated(
                model=model.pk,
                name=name,
                governance=governance,
                owner=actor.user_id,
                team=model.team_id,
            )
        )
        for key, value in (tags or {}).items():
            check_key(key)
            check_text(value, "value")
            refuse_governed_tag(model, key)
            ModelTag.objects.create(model=model, key=key, value=value)
            v.record(events.ModelTagChanged(model=model.pk, key=key, old=None, value=value))
    return model


def name_taken(actor: Actor, name: str) -> AlreadyExists | Forbidden:
    """The refusal of a name in use; whoever may not see its model is told whom to ask."""
    found = selectors.find_model(name)
    if found is None or policy.can(actor, "model.read", found):
        return AlreadyExists(f"Registered Model (name={name}) already exists.")
    return Forbidden(
        f"Registered Model (name={name}) exists and you may not see it.", hint="Ask its owner."
    )


def rename_model(actor: Actor, model: RegisteredModel, *, new_name: str) -> RegisteredModel:
    """Give a model another name. Refused once a version was submitted: the name is in what was signed."""
    check_name(new_name)
    policy.require(actor, "model.manage", model)
    with verb(actor) as v:
        model = lock_model(model.pk)
        refuse_if_retired(model)
        refuse_if_submitted(model, "renamed")
        old, model.name, model.updated_at = model.name, new_name, clock.now()
        try:
            with transaction.atomic():
                model.save(update_fields=["name", "updated_at"])
        except IntegrityError as error:
            raise name_taken(actor, new_name) from error
        v.record(events.ModelRenamed(model=model.pk, old=old, new=new_name))
    return model


def update_model(actor: Actor, model: RegisteredModel, **changes: Any) -> RegisteredModel:
    """Change description (model.edit) or settings (model.manage): purpose, exposure, purpose class, owner, team.

    The risk tier follows from exposure and purpose class, and is at least what the impact assessment demands. Governance has a verb of its own.
    Refuses (Blocked) what lets a policy go or lowers the tier: that is proposed and signed (apps.reviews).
    """
    unknown = set(changes) - set(SETTINGS_FIELDS)
    if unknown:
        raise Invalid(f"Unknown settings: {', '.join(sorted(unknown))}.")
    policy.require(
        actor, "model.edit" if set(changes) <= {"description"} else "model.manage", model
    )
    if "description" in changes:
        check_text(changes["description"], "description")
    if (
        "owner_id" in changes
        and not User.objects.filter(pk=changes["owner_id"], is_active=True).exists()
    ):
        raise Invalid("The owner must be an active user.", fields={"owner": "no active user"})
    with verb(actor) as v:
        model = lock_model(model.pk)
        stood = standing.of(model)
        before = {field: str(getattr(model, field) or "") for field in changes}
        for field, value in changes.items():
            setattr(model, field, value)
        model.full_clean(
            exclude=["name", "uuid"], validate_unique=False, validate_constraints=False
        )
        after = {field: str(getattr(model, field) or "") for field in changes}
        diff = {
            field: [before[field], after[field]]
            for field in changes
            if before[field] != after[field]
        }
        refuse_letting_go(model, stood, standing.of(model, stood.tags))
        tier = standing.of(model, ()).risk_tier
        if tier != model.risk_tier:
            diff["risk_tier"] = [str(model.risk_tier), str(tier)]
        if diff:
            model.risk_tier, model.updated_at = tier, clock.now()
            model.save(update_fields=[*changes, "risk_tier", "updated_at"])
            v.record(events.ModelUpdated(model=model.pk, changes=diff))
    return model


def change_governance(
    actor: Actor, model: RegisteredModel, *, governance: str, reason: str
) -> RegisteredModel:
    """Make a model sandbox or governed, with a reason, on the record.

    Refuses: any change once a version was submitted; governed while a governed target is held.
    """
    if governance not in Governance.values:
        raise Invalid(f"Unknown governance {governance!r}.", fields={"governance": "unknown"})
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": "required"})
    check_text(reason, "reason", 2000)
    policy.require(actor, "model.sandbox", model)
    with verb(actor) as v:
        model = lock_model(model.pk)
        refuse_if_retired(model)
        refuse_if_submitted(model, "moved out of or into governance")
        if governance == Governance.GOVERNED:
            _refuse_if_claimed(model)
        old, model.governance, model.updated_at = model.governance, governance, clock.now()
        if old != governance:
            model.save(update_fields=["governance", "updated_at"])
            v.record(
                events.ModelGovernanceChanged(
                    model=model.pk, old=old, governance=governance, reason=reason
                )
            )
    return model


def _refuse_if_claimed(model: RegisteredModel) -> None:
    """Raise Blocked while the model holds a governed target or tag: in governance it would read as approved."""
    held = [
        target.label for target in selectors.governed_targets() if selectors.holder(model, target)
    ]
    held += [f"tag {key}" for key in selectors.governed_tags_on(model)]
    if held:
        raise Blocked(
            f"{model.name} holds {', '.join(held)} without an approval; clear them first."
        )


def refuse_if_submitted(model: RegisteredModel, what: str) -> None:
    """Raise Blocked when a version of this model was submitted, and that did not end without a decision."""
    version = (
        ModelVersion.objects.filter(model=model)
        .exclude(submitted_review=None, decided=False)
        .select_related("model")
        .order_by("number")
        .first()
    )
    if version is not None:
        raise Blocked(
            f"Model {model.name} cannot be {what}: version {version.number} was submitted for review.",
            url=selectors.review_url(version),
        )


def refuse_governed_tag(model: RegisteredModel, key: str) -> None:
    """Raise Blocked for a tag that would claim what only a review can say."""
    if selectors.is_governed_tag(model, key):
        raise Blocked(
            f"Tag {key!r} is governed on model {model.name}: it is never set by hand.",
            hint="An approval is a signed review; ask for one on the version's page.",
            url=selectors.search_url(q=model.name),
        )


def delete_model(actor: Actor, model: RegisteredModel) -> None:
    """Hide a model and its versions, freeing the name. Refused once a version was submitted."""
    policy.require(actor, "model.delete", model)
    with verb(actor) as v:
        model = lock_model(model.pk)
        refuse_if_retired(model)
        refuse_if_submitted(model, "deleted")
        now = clock.now()
        model.aliases.all().delete()
        for version in ModelVersion.objects.filter(model=model, deleted_at__isnull=True):
            version.stage, version.deleted_at, version.updated_at = "None", now, now
            version.save(update_fields=["stage", "deleted_at", "updated_at"])
        model.deleted_at = model.updated_at = now
        model.save(update_fields=["deleted_at", "updated_at"])
        v.record(events.ModelDeleted(model=model.pk, name=model.name))
