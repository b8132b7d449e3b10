"""Revisions of a card's human blocks, the templates that say which blocks there are, and drafts.

Deliberately missing: the computed blocks (they are read from their sources, never copied here), the
review of the version (a revision never contains its own review), and any way to change or remove a
revision, a template or a choice: those tables are append-only by trigger. Drafts are nobody's
evidence and come and go.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.registry.models import ModelVersion, RegisteredModel


class CardRevision(models.Model):
    """What people had written about a version after one save.

    `document` are the canonical bytes of the revision (schema, version, number, every block with its
    text, author and time) and `digest` their SHA-256; `content` is the same document for queries.
    A block keeps the author and time of the revision that gave it its wording.
    """

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="card_revisions"
    )
    number = models.PositiveIntegerField()
    content = models.JSONField()
    document = models.BinaryField()
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "number"], name="modelcards_revision_number_once"
            ),
            models.CheckConstraint(
                condition=models.Q(number__gte=1), name="modelcards_revision_number_from_1"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} card revision {self.number}"

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model

    @property
    def texts(self) -> dict[str, str]:
        """The human blocks as they would be edited."""
        return {key: block["text"] for key, block in self.content["blocks"].items()}


class CardTemplateVersion(models.Model):
    """One version of a template that this site defined. Shipped ones are files; both are found by `layouts`.

    `document` are the canonical bytes of the whole template and `digest` their SHA-256; `source` is the YAML as it was
    written. Never changed: cards name it.
    """

    key = models.CharField(max_length=60)
    number = models.PositiveIntegerField()
    source = models.TextField()
    document = models.BinaryField()
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["key", "number"], name="modelcards_template_number_once"
            ),
            models.CheckConstraint(
                condition=models.Q(number__gte=1), name="modelcards_template_number_from_1"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}/{self.number}"


class CardTemplateChoice(models.Model):
    """Which template the cards of a model follow, chosen by a person; the newest row counts. An empty `key` leaves it
    to the model's tier and tags again."""

    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="card_template_choices"
    )
    key = models.CharField(max_length=60, blank=True)
    reason = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.model} cards follow {self.key or 'tier and tags'}"


class CardDraft(models.Model):
    """What somebody is writing and has not saved: theirs alone, no evidence, gone with the save or when discarded.

    `base` is the revision it started from and `template` the one it is laid out by (key/number).
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="card_drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    base = models.PositiveIntegerField()
    template = models.CharField(max_length=80)
    texts = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["version", "user"], name="modelcards_one_draft_each")
        ]

    def __str__(self) -> str:
        return f"draft of {self.version} by {self.user}"
