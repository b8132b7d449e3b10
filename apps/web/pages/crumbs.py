"""The way to a page below a version."""

from __future__ import annotations

from apps.registry.models import ModelVersion
from apps.web import addresses
from apps.web.parts import Crumb


def below(version: ModelVersion, *more: Crumb) -> list[Crumb]:
    """Models, the model, the version, and what follows."""
    name, number = version.model.name, version.number
    return [
        Crumb("Models", addresses.models()),
        Crumb(name, addresses.model(name)),
        Crumb(f"Version {number}", addresses.version(name, number)),
        *more,
    ]
