"""What people were told, and by which mails. Rows only; who is told what is in `kinds` and `recipients`."""

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


class MailState(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    FAILED = "failed", "Could not be sent"
    SKIPPED = "skipped", "Not wanted any more"


class Mail(models.Model):
    """One notice on its way by e-mail. Its words are made when it is sent and stored nowhere else.

    Handed to the mail server at least once: a worker killed between that and this row sends it again, under the
    same Message-ID.
    """

    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="mail")
    state = models.CharField(max_length=10, choices=MailState.choices, default=MailState.QUEUED)
    created_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=MailState.values), name="notices_mail_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sent") | models.Q(sent_at__isnull=False),
                name="notices_sent_mail_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"mail {self.pk}: {self.state}"


class MailOff(models.Model):
    """The person wants no mail of this kind. Without a row she gets it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mails_off"
    )
    kind = models.CharField(max_length=40)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="notices_mail_off_once")
        ]

    def __str__(self) -> str:
        return f"no mail of {self.kind} for user {self.user_id}"


class KeptMail(models.Model):
    """A mail as the mailbox of this site took it, where no mail server is configured."""

    message_id = models.CharField(max_length=200, db_index=True)
    recipient = models.CharField(max_length=320)
    subject = models.CharField(max_length=998)
    headers: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField()
    text = models.TextField()
    html = models.TextField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.subject} to {self.recipient}"
