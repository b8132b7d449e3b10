"""What happens in reviews and to policies, as the ledger tells it: one module for each subject.

apps.audits reads this package at the start, so that the vocabulary is whole."""

from apps.reviews.events import (
    deadlines,
    drafts,
    independence,
    policies,
    rereviews,
    reviews,
    standing,
)

__all__ = ["deadlines", "drafts", "independence", "policies", "rereviews", "reviews", "standing"]
