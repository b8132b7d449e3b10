"""Tables of the platform itself: stored bytes, work to be done, signs of life. No domain knowledge."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.core.errors import Conflict


class Blob(models.Model):
    """Bytes by their SHA-256. The bytes lie in the store; this row says that they are complete.

    There is no name, owner or type here: who refers to a blob says what it is. Rows are never updated.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()
    chunk_hashes = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "core_blob"
        constraints = [
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="core_blob_digest_is_sha256"
            ),
            models.CheckConstraint(condition=Q(size__gte=0), name="core_blob_size_not_negative"),
        ]

    def __str__(self) -> str:
        return self.digest


class OutboxMessage(models.Model):
    """One piece of work for one task. The row is the truth; the queue's message is only a hint.

    Unfinished and unclaimed (or the claim's lease is over) = to be sent again. `finished_at` without
    `failed` = done; with it = given up, visibly, with the last error.
    """

    event_type = models.CharField(max_length=120, blank=True)
    task = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now)
    not_before = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True)
    failed = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        db_table = "core_outbox"
        indexes = [
            models.Index(
                fields=["not_before"],
                condition=Q(finished_at__isnull=True),
                name="core_outbox_open",
            ),
            models.Index(
                fields=["finished_at"], condition=Q(failed=True), name="core_outbox_failed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} #{self.pk}"

    def renew(self) -> None:
        """Keep the claim for another lease; raises `Conflict` when somebody else has taken the work over."""
        until = clock.now() + dt.timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
        mine = OutboxMessage.objects.filter(
            pk=self.pk, claimed_by=self.claimed_by, finished_at__isnull=True
        )
        if not mine.update(claimed_until=until):
            raise Conflict(f"the claim on {self} is lost: another worker has taken it over")


class Heartbeat(models.Model):
    """When a process of the site was last known to be alive."""

    kind = models.CharField(max_length=20)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(default=clock.now)
    last_seen = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "core_heartbeat"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "host", "pid"], name="core_heartbeat_one_per_process"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.host}:{self.pid}"

    def age(self, at: dt.datetime) -> float:
        """Seconds since the process was last seen."""
        return (at - self.last_seen).total_seconds()


class Picture(models.Model):
    """A chart that was drawn once, by the digest of everything that was drawn and of what drew it.

    Nothing refers to a row and nothing is lost with one: whoever misses it draws it again, to the same bytes.
    """

    key = models.CharField(max_length=64, primary_key=True)
    svg = models.TextField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "core_picture"
        indexes = [models.Index(fields=["created_at"], name="core_picture_age")]

    def __str__(self) -> str:
        return self.key
