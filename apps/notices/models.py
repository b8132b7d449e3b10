"""What people were told, by which mails, and what other systems were told. Rows only; who is told what is in
`kinds` and `recipients`."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

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


class WebhookEndpoint(models.Model):
    """An address elsewhere that is told of events.

    `failing_since` and `failures` count what failed without a success between; until `rest_until` nothing is tried, and
    until `busy_until` one worker talks to it, so that an endpoint that never answers holds one worker once, not all of them.
    """

    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, default="", blank=True)
    events = ArrayField(models.CharField(max_length=120))
    active = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=300, default="", blank=True)
    created_at = models.DateTimeField(default=clock.now)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    rest_until = models.DateTimeField(null=True, blank=True)
    busy_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.description or self.host

    @property
    def host(self) -> str:
        """What the ledger names: the rest of the address may be secret."""
        return urlsplit(self.url).hostname or ""


class WebhookSecret(models.Model):
    """A signing secret, sealed. The newest has no end; one that was rotated out signs along until `expires_at`."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="secrets")
    sealed = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=models.Q(expires_at__isnull=True),
                name="notices_one_secret_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"secret {self.pk} of endpoint {self.endpoint_id}"


class DeliveryState(models.TextChoices):
    QUEUED = "queued", "Queued"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"
    HELD = "held", "Held: the endpoint was switched off"


class WebhookDelivery(models.Model):
    """One event for one endpoint. `body` are the bytes that every attempt signs and sends, `uuid` its webhook-id."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries"
    )
    event_seq = models.BigIntegerField()
    event_type = models.CharField(max_length=120)
    body = models.TextField()
    state = models.CharField(
        max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED
    )
    tries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event_seq"], name="notices_event_once_per_endpoint"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values),
                name="notices_delivery_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.event_seq} for endpoint {self.endpoint_id}"

    @property
    def webhook_id(self) -> str:
        """The same for every attempt and replay, so that a receiver can tell them from another event."""
        return f"msg_{self.uuid.hex}"


class WebhookAttempt(models.Model):
    """One try of one delivery and what came back. Append-only."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.PROTECT, related_name="attempts")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField()
    answer = models.TextField(default="", blank=True)
    error = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"attempt {self.pk}: {self.status or self.error}"
