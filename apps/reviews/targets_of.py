"""Which targets of a review are entered when it is signed, and which by the first deployment recorded there.

Signing for an environment lets a version run in it; that it does is told by whoever deploys it, and the policy's gates
(a freeze window, say) are asked at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence

from apps.registry import selectors as registry
from apps.registry.models import Authorization
from apps.registry.targets import Target
from apps.reviews.models import Review


def entered_at_once(review: Review) -> list[Target]:
    """The stages and aliases, and the environments in which the version may run already: there its approval is renewed."""
    held = registry.held_targets(review.version)
    return [
        target for target in review.target_list if target.kind != "environment" or target in held
    ]


def waiting(targets: Sequence[Target]) -> list[str]:
    """What has to happen for the environments, a sentence each."""
    return [
        f"{target.label} is entered by the first deployment recorded there"
        for target in targets
        if target.kind == "environment"
    ]


def used(review: Review) -> list[Target]:
    """The targets that were entered by an approval of this review."""
    rows = Authorization.objects.filter(review_id=review.pk, spent_at__isnull=False)
    return [row.target for row in rows.order_by("target_kind", "target_name")]


def left(review: Review) -> list[Target]:
    """The targets that it asks for and no approval of it was used for yet."""
    done = set(used(review))
    return [target for target in review.target_list if target not in done]
