"""What decides which policies count for a model changes here at once, or only by a signed change of apps.reviews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.conf import settings as site

from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked
from apps.registry import events, standing
from apps.registry.models import ModelTag, RegisteredModel
from apps.registry.services.locks import lock_model
from apps.registry.standing import Standing


def refuse_letting_go(model: RegisteredModel, before: Standing, after: Standing) -> None:
    """Raise Blocked for a change by which a policy would ask less of the model: that takes a signature."""
    loosens = standing.let_go(model, before, after)
    if loosens:
        raise Blocked(
            f"{model.name}: this takes the signature of a validator or an approver, because {'; '.join(loosens)}.",
            reasons=loosens,
            hint="Propose it in the settings of the model, with a reason:",
            url=f"{site.BASE_URL}{settings_path(model)}",
        )


def settings_path(model: RegisteredModel) -> str:
    """The page where such a change is proposed."""
    return f"/models/{quote(model.name, safe='')}/settings/"


def require_tier(actor: Actor, model: RegisteredModel, tier: int, *, because: str) -> None:
    """Make the model at least this tier, at once: a raise never waits. One that is demanded already changes nothing, and a
    lower one neither: to lower what is demanded is proposed and signed (apps.reviews). Asks no right: called by what
    demands it (apps.impact) in the transaction of its signature. `because` is a clause for the ledger.
    """
    with verb(actor) as v:
        model = lock_model(model.pk)
        if tier >= model.demanded_tier:
            return
        diff = {"demanded_tier": [str(model.demanded_tier), str(tier)]}
        model.demanded_tier = tier
        effective = standing.of(model, ()).risk_tier
        if effective != model.risk_tier:
            diff["risk_tier"] = [str(model.risk_tier), str(effective)]
        model.risk_tier, model.updated_at = effective, clock.now()
        model.save(update_fields=["demanded_tier", "risk_tier", "updated_at"])
        v.record(events.ModelUpdated(model=model.pk, changes=diff, because=because))


def apply_standing(
    actor: Actor,
    model: RegisteredModel,
    *,
    settings: Mapping[str, Any],
    tags: Mapping[str, str | None],
) -> None:
    """Apply what was signed. Called by apps.reviews in the transaction of the signature; a trigger of that app refuses
    it without one. Asks no right: the signature is the right."""
    with verb(actor) as v:
        model = lock_model(model.pk)
        diff = {}
        for field, value in settings.items():
            old = getattr(model, field)
            if old != value:
                diff[field] = [str(old or ""), str(value or "")]
                setattr(model, field, value)
        tier = standing.of(model, ()).risk_tier
        if tier != model.risk_tier:
            diff["risk_tier"] = [str(model.risk_tier), str(tier)]
            model.risk_tier = tier
        if diff:
            model.updated_at = clock.now()
            model.save(update_fields=[*settings, "risk_tier", "updated_at"])
            v.record(events.ModelUpdated(model=model.pk, changes=diff))
        for key, value in tags.items():
            old = (
                ModelTag.objects.filter(model=model, key=key)
                .values_list("value", flat=True)
                .first()
            )
            if old == value:
                continue
            if value is None:
                ModelTag.objects.filter(model=model, key=key).delete()
            else:
                ModelTag.objects.update_or_create(model=model, key=key, defaults={"value": value})
            v.record(events.ModelTagChanged(model=model.pk, key=key, old=old, value=value))
