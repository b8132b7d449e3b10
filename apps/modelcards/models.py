"""Revisions of a card's human blocks.

Deliberately missing: the computed blocks (they are read from their sources, never copied here), the
review of the version (a revision never contains its own review), drafts, and any way to change or
remove a row: the table is append-only by trigger (migration 0001).
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
