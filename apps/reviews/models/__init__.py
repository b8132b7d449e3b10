"""The rows of reviews, by subject."""

from apps.reviews.models.policies import PolicyVersion
from apps.reviews.models.reviews import ACTIVE, Decision, Outcome, Review, ReviewStatus, Round

__all__ = ["ACTIVE", "Decision", "Outcome", "PolicyVersion", "Review", "ReviewStatus", "Round"]
