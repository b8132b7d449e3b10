"""Which models a change of policy reaches: who begins to be covered, who is no longer, who stays under changed rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.actor import Actor
from apps.registry import selectors as registry
from apps.registry.models import Governance, RegisteredModel
from apps.reviews import in_force
from apps.reviews.policies.document import PolicyDocument


@dataclass(frozen=True, slots=True)
class Reach:
    """Models that the reader may see, by name. A model that no policy covers falls under all of them; that is not said here."""

    begins: Sequence[RegisteredModel]
    ends: Sequence[RegisteredModel]
    stays: Sequence[RegisteredModel]


def of(actor: Actor, old: PolicyDocument | None, new: PolicyDocument | None) -> Reach:
    """What the change does to the governed models this actor may see. As many queries for many models as for few."""
    models = registry.visible_models(actor).filter(governance=Governance.GOVERNED)
    models = models.select_related("team").prefetch_related("tags").order_by("name")
    found: dict[tuple[bool, bool], list[RegisteredModel]] = {}
    for model in models:
        found.setdefault((_covered(old, model), _covered(new, model)), []).append(model)
    return Reach(
        begins=found.get((False, True), []),
        ends=found.get((True, False), []),
        stays=found.get((True, True), []),
    )


def _covered(document: PolicyDocument | None, model: RegisteredModel) -> bool:
    if document is None:
        return False
    tags = [(tag.key, tag.value) for tag in model.tags.all()]
    return in_force.covers(document, model, tags)
