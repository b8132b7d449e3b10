"""Locks, always taken in the order model, version (then review, then the ledger's head)."""

from __future__ import annotations

from apps.core.errors import NotFound
from apps.registry.models import ModelVersion, RegisteredModel


def lock_model(pk: int) -> RegisteredModel:
    """The live model's row, locked until the transaction ends."""
    model = (
        RegisteredModel.objects.select_for_update().filter(pk=pk, deleted_at__isnull=True).first()
    )
    if model is None:
        raise NotFound("The model was deleted meanwhile.")
    return model


def lock_version(pk: int) -> ModelVersion:
    """The live version's row, locked after its model's row."""
    model_id = ModelVersion.objects.values_list("model_id", flat=True).get(pk=pk)
    model = lock_model(model_id)
    version = (
        ModelVersion.objects.select_for_update(of=("self",))
        .filter(pk=pk, deleted_at__isnull=True)
        .first()
    )
    if version is None:
        raise NotFound("The version was deleted meanwhile.")
    version.model = model
    return version
