"""Who may not decide, and who decides for whom: recusals, conflicts of interest, delegations. All append-only.

What ends one of them is a row of its own. Rules as triggers: migration 0009.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.accounts.models import Team
from apps.registry.models import RegisteredModel
from apps.reviews.models.reviews import Review, Round

USER = settings.AUTH_USER_MODEL


class Recusal(models.Model):
    """Somebody who was asked stepped aside from a review, for all its rounds and for good.

    It is neither an approval nor a rejection. `round` is the one she was asked about.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="recusals")
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["review", "user"], name="reviews_recused_once")
        ]

    def __str__(self) -> str:
        return f"recusal of user {self.user_id} from REV-{self.review_id}"


class Conflict(models.Model):
    """A conflict of interest of `person` in a model, or in one review of it, declared by herself or by another.

    It keeps her out of every round that lives at any moment between the declaration and its withdrawal.
    """

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="conflicts")
    review = models.ForeignKey(
        Review, null=True, blank=True, on_delete=models.PROTECT, related_name="conflicts"
    )
    person = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    declared_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"conflict {self.pk} of user {self.person_id}"

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.model


class ConflictWithdrawal(models.Model):
    """The declared conflict is no more. What it kept her out of stays as it is."""

    conflict = models.OneToOneField(Conflict, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.TextField()
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"withdrawal of conflict {self.conflict_id}"


class Delegation(models.Model):
    """`delegate` may sign for `delegator` in one role until `ends_at`: in one review, for one model, or for the
    models of one team. Exactly one of the three is set. The two count as one person in every round."""

    delegator = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    delegate = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=32)
    review = models.ForeignKey(
        Review, null=True, blank=True, on_delete=models.PROTECT, related_name="delegations"
    )
    model = models.ForeignKey(
        RegisteredModel, null=True, blank=True, on_delete=models.PROTECT, related_name="delegations"
    )
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="delegations"
    )
    reason = models.TextField()
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(review__isnull=False, model__isnull=True, team__isnull=True)
                | models.Q(review__isnull=True, model__isnull=False, team__isnull=True)
                | models.Q(review__isnull=True, model__isnull=True, team__isnull=False),
                name="reviews_delegation_has_one_scope",
            ),
            models.CheckConstraint(
                condition=~models.Q(delegator=models.F("delegate")),
                name="reviews_delegation_to_another",
            ),
        ]
        indexes = [models.Index(fields=["delegate", "ends_at"], name="reviews_delegated_to")]

    def __str__(self) -> str:
        return f"delegation {self.pk}: {self.role} until {self.ends_at:%Y-%m-%d}"

    def covers(self, review: Review) -> bool:
        """Whether the review is within its scope; the review's version and model are loaded."""
        model = review.version.model
        return (
            self.review_id == review.pk
            or self.model_id == model.pk
            or (self.team_id is not None and self.team_id == model.team_id)
        )


class DelegationEnd(models.Model):
    """A delegation ended before its time; `user` is None where the site ended it."""

    delegation = models.OneToOneField(Delegation, on_delete=models.PROTECT, related_name="end")
    reason = models.TextField()
    user = models.ForeignKey(
        USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"end of delegation {self.delegation_id}"
