"""What of apps.reviews is in the way of retiring a model (settings.RETIREMENT_BLOCKERS)."""

from __future__ import annotations

from apps.registry.models import RegisteredModel
from apps.reviews.models import ACTIVE, Review
from apps.reviews.reads import model_changes


def under_way(model: RegisteredModel) -> list[str]:
    """The reviews of its versions, and the change of it, that are not closed: a sentence each."""
    rows = Review.objects.filter(version__model=model, status__in=[state.value for state in ACTIVE])
    found = [
        f"{row.key} of v{row.version.number} is {row.state.label.lower()}"
        for row in rows.select_related("version").order_by("pk")
    ]
    change = model_changes.open_change(model)
    return [*found, f"{change} waits for a signature"] if change is not None else found
