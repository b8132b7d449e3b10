"""What people were told. Rows only; who is told what is in `kinds` and `recipients`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core import clock


class Notice(models.Model):
    """One thing one person was told about one event of the ledger.

    `parts` are the facts its words are made of, as of then; the words themselves are those of `kinds`. `once` names what
    the person is told of only once ("round:7" however many events that has). Only `read_at` ever changes.
    """

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices"
    )
    kind = models.CharField(max_length=40)
    event_seq = models.BigIntegerField()
    once = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    scopes = ArrayField(models.CharField(max_length=200))
    # Who brought it about; null for the site itself. The name is looked up, not copied.
    caused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    parts: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "event_seq"], name="notices_one_per_person_and_event"
            ),
            models.UniqueConstraint(fields=["recipient", "kind", "once"], name="notices_told_once"),
        ]
        indexes = [
            models.Index(
                fields=["recipient", "-id"],
                condition=models.Q(read_at__isnull=True),
                name="notices_unread",
            ),
            models.Index(fields=["event_seq"], name="notices_by_event"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of event {self.event_seq} for user {self.recipient_id}"

    @property
    def is_unread(self) -> bool:
        return self.read_at is None
