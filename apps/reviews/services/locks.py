"""Locks in the order model, version, review (see apps.registry.services.locks)."""

from __future__ import annotations

from apps.registry.services.locks import lock_version
from apps.reviews.models import Review


def lock_review(pk: int) -> Review:
    """The review's row, locked after its model's and its version's."""
    version_id = Review.objects.values_list("version_id", flat=True).get(pk=pk)
    version = lock_version(version_id)
    review = (
        Review.objects.select_for_update(of=("self",))
        .select_related("policy_version", "submitted_by")
        .get(pk=pk)
    )
    review.version = version
    return review
