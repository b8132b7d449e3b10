"""The refusal that every verb gives which would put something new into a retired model."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings

from apps.core.errors import Blocked
from apps.registry.models import RegisteredModel


def refuse_if_retired(model: RegisteredModel) -> None:
    """Raise Blocked, naming the successor, for what a retired model does not take: versions, aliases, stages, reviews,
    approvals, deployments."""
    if model.retired_at is None:
        return
    successor = model.successor
    said = f"{model.name} was retired on {model.retired_at:%Y-%m-%d} and takes nothing new."
    said += f" {successor.name} takes its place." if successor is not None else ""
    raise Blocked(
        said,
        reasons=["the model is retired"],
        hint="Its owner can bring it back:",
        url=f"{settings.BASE_URL}/models/{quote(model.name, safe='')}/",
    )
