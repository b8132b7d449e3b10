"""That people were reminded of a step of a round: the row that makes it happen once."""

from __future__ import annotations

from django.db import models

from apps.reviews.models.reviews import Round


class ReminderKind(models.TextChoices):
    DUE = "due", "Due soon"
    OVERDUE = "overdue", "Overdue"


class Reminder(models.Model):
    """One step of one round was called due soon, or overdue. Append-only; `due_at` as it was computed then."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="reminders")
    step = models.CharField(max_length=64)
    kind = models.CharField(max_length=7, choices=ReminderKind.choices)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["round", "step", "kind"], name="reviews_reminded_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=ReminderKind.values), name="reviews_reminder_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} of round {self.round_id} is {self.kind}"
