"""The list of models: filtered, a page at a time, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Max, Q, QuerySet

from apps.accounts.models import User
from apps.core.actor import Actor
from apps.registry import selectors
from apps.registry.models import Alias, ModelVersion, RegisteredModel

STAGES_SHOWN = ("Production", "Staging")


@dataclass(slots=True)
class ModelRow:
    """A model with what a list shows: how many versions, and who holds a stage or an alias."""

    model: RegisteredModel
    versions: int
    latest: int | None
    stages: list[tuple[str, int]] = field(default_factory=list)
    aliases: list[tuple[str, int]] = field(default_factory=list)


def list_models(
    actor: Actor,
    *,
    q: str = "",
    governance: str = "",
    tier: int | None = None,
    owner_id: int | None = None,
    after: str = "",
    limit: int = 50,
) -> list[ModelRow]:
    """The models the actor may see, by name; the next page starts `after` the last name."""
    models = _filtered(selectors.visible_models(actor), q, governance, tier, owner_id)
    if after:
        models = models.filter(name__gt=after)
    live = Q(versions__deleted_at__isnull=True)
    found = models.select_related("owner", "team", "successor").annotate(
        version_count=Count("versions", filter=live),
        latest_number=Max("versions__number", filter=live),
    )
    rows = [
        ModelRow(model, model.version_count, model.latest_number)
        for model in found.order_by("name")[:limit]
    ]
    _fill(rows)
    return rows


def row_of(model: RegisteredModel) -> ModelRow:
    """One model as a list would show it, however the caller came by it."""
    latest = selectors.latest_versions(model).values_list("number", flat=True)
    row = ModelRow(model, len(latest), latest[0] if latest else None)
    _fill([row])
    return row


def _filtered(
    models: QuerySet[RegisteredModel], q: str, governance: str, tier: int | None, owner: int | None
) -> QuerySet[RegisteredModel]:
    if q:
        models = models.filter(
            Q(name__icontains=q) | Q(description__icontains=q) | Q(purpose__icontains=q)
        )
    if governance:
        models = models.filter(governance=governance)
    if tier is not None:
        models = models.filter(risk_tier=tier)
    if owner is not None:
        models = models.filter(owner_id=owner)
    return models


def _fill(rows: Sequence[ModelRow]) -> None:
    by_id = {row.model.pk: row for row in rows}
    staged = ModelVersion.objects.filter(
        model__in=by_id, deleted_at__isnull=True, stage__in=STAGES_SHOWN
    ).order_by("stage", "-number")
    for model_id, stage, number in staged.values_list("model_id", "stage", "number"):
        by_id[model_id].stages.append((stage, number))
    aliases = Alias.objects.filter(model__in=by_id).order_by("name")
    for model_id, name, number in aliases.values_list("model_id", "name", "version__number"):
        by_id[model_id].aliases.append((name, number))


def owners(actor: Actor) -> QuerySet[User]:
    """Everybody who owns a model that the actor may see."""
    visible = selectors.visible_models(actor)
    return User.objects.filter(pk__in=visible.values("owner_id")).order_by("display_name")
