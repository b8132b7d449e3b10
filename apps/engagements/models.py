"""Audit engagements: what is audited against what by whom until when, and the auditors' workpapers.

Every table is append-only (migration 0001): an engagement is never edited, a conclusion or note that turns out wrong is
followed by another. Deliberately missing: a state. An engagement is over when its last day is, or where a row says so; and
the auditors' access is not here but lent to them by `apps.accounts`, until the same moment.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core import clock
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews.models import Decision, Finding

USER = settings.AUTH_USER_MODEL


class Engagement(models.Model):
    """One audit. `framework_digest` is that of the framework's file as it was when the engagement was opened.

    The period is whole days (UTC), both included; access ends with the day `ends_on`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    purpose = models.TextField()
    framework = models.CharField(max_length=40)
    framework_digest = models.CharField(max_length=64)
    period_from = models.DateField()
    period_to = models.DateField()
    ends_on = models.DateField()
    opened_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    models_in_scope: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        RegisteredModel, through="ScopedModel", related_name="+"
    )
    auditors: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        USER, through="EngagementAuditor", related_name="+"
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(period_to__gte=F("period_from")), name="engagements_period_has_days"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def key(self) -> str:
        """As people say it."""
        return f"ENG-{self.pk}"

    @property
    def scope_id(self) -> str:
        """The id under which the ledger tells of it."""
        return f"engagement:{self.uuid}"

    @property
    def period(self) -> tuple[dt.datetime, dt.datetime]:
        """From its first moment to before its last: never beyond the moment of opening, so that the scope stays as it was."""
        start = _midnight(self.period_from)
        return start, min(_midnight(self.period_to + dt.timedelta(days=1)), self.opened_at)

    @property
    def until(self) -> dt.datetime:
        """When the auditors' access ends by itself."""
        return _midnight(self.ends_on + dt.timedelta(days=1))

    @property
    def closing(self) -> EngagementEnd | None:
        """The row that ended it, if one did."""
        return getattr(self, "end", None)

    @property
    def is_open(self) -> bool:
        return self.closing is None and clock.now() < self.until


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


class ScopedModel(models.Model):
    """A model that the engagement is about."""

    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="scoped")
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["engagement", "model"], name="engagements_model_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} in {self.engagement_id}"


class EngagementAuditor(models.Model):
    """Somebody who audits."""

    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="assigned")
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["engagement", "user"], name="engagements_auditor_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.engagement_id}"


class Ending(models.TextChoices):
    CLOSED = "closed", "Closed"
    EXPIRED = "expired", "Its time was over"


class EngagementEnd(models.Model):
    """That an engagement is over. Written once; after its last day it is over with or without this row."""

    engagement = models.OneToOneField(Engagement, on_delete=models.PROTECT, related_name="end")
    how = models.CharField(max_length=10, choices=Ending.choices)
    reason = models.TextField(default="", blank=True)
    by = models.ForeignKey(USER, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"end of {self.engagement_id}"


class Sample(models.Model):
    """Decisions drawn from the population by `rule` from `seed` (apps/engagements/drawing.py).

    `population` is how many decisions were in scope, `population_digest` the digest of their identifiers in order.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="samples")
    number = models.PositiveIntegerField()
    seed = models.CharField(max_length=100)
    rule = models.CharField(max_length=40)
    asked = models.PositiveIntegerField()
    population = models.PositiveIntegerField()
    population_digest = models.CharField(max_length=64)
    drawn_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "number"], name="engagements_sample_numbered_once"
            )
        ]

    def __str__(self) -> str:
        return f"Sample {self.number}"


class SampledDecision(models.Model):
    """One decision of a sample; `ticket` is the SHA-256 by which it was drawn."""

    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveIntegerField()
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+")
    ticket = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["sample", "decision"], name="engagements_decision_once_in_a_sample"
            ),
            models.UniqueConstraint(
                fields=["sample", "position"], name="engagements_position_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sample_id}/{self.position}"


class Conclusion(models.Model):
    """What an auditor concludes of a sampled decision; the newest counts.

    `digest` covers all that the row says and `nonce`, which the ledger does not know: nobody guesses the words from it.
    """

    item = models.ForeignKey(SampledDecision, on_delete=models.PROTECT, related_name="conclusions")
    number = models.PositiveIntegerField()
    exception = models.BooleanField()
    text = models.TextField(default="", blank=True)
    nonce = models.UUIDField(default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["item", "number"], name="engagements_conclusion_numbered_once"
            ),
            models.CheckConstraint(
                condition=Q(exception=False) | ~Q(text=""), name="engagements_exception_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"conclusion {self.number} of {self.item_id}"


class About(models.TextChoices):
    """What a workpaper note is about."""

    ENGAGEMENT = "engagement", "The engagement"
    CONTROL = "control", "A control"
    VERSION = "version", "A version"
    ITEM = "item", "A sampled decision"


class Note(models.Model):
    """A workpaper note. `control`, `version` and `item` are set as `about` says; `digest` as of a conclusion."""

    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="notes")
    number = models.PositiveIntegerField()
    about = models.CharField(max_length=10, choices=About.choices)
    control = models.CharField(max_length=60, default="", blank=True)
    version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(
        SampledDecision, null=True, on_delete=models.PROTECT, related_name="notes"
    )
    text = models.TextField()
    nonce = models.UUIDField(default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "number"], name="engagements_note_numbered_once"
            ),
            models.CheckConstraint(
                condition=Q(about__in=About.values), name="engagements_note_about_known"
            ),
            models.CheckConstraint(
                condition=(~Q(about="item") | Q(item__isnull=False))
                & (~Q(about="version") | Q(version__isnull=False))
                & (~Q(about="control") | ~Q(control="")),
                name="engagements_note_names_it",
            ),
        ]

    def __str__(self) -> str:
        return f"note {self.number} of {self.engagement_id}"


class EngagementFinding(models.Model):
    """A finding that came out of an engagement, and from where: a control, a sampled decision, or only a version."""

    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="findings")
    finding = models.OneToOneField(Finding, on_delete=models.PROTECT, related_name="engagement")
    control = models.CharField(max_length=60, default="", blank=True)
    item = models.ForeignKey(
        SampledDecision, null=True, on_delete=models.PROTECT, related_name="findings"
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"finding {self.finding_id} of {self.engagement_id}"
