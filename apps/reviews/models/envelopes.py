"""The site's own signature around a decision, for those who cannot ask the site."""

from __future__ import annotations

from django.db import models

from apps.reviews.models.reviews import Decision


class DecisionEnvelope(models.Model):
    """A DSSE envelope (`data`) over an in-toto statement that names the decision and, as its subjects, the version's files.

    Append-only; made in the transaction of the decision, and named in its event by `digest`. Decisions of before there were
    keys have none.
    """

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="envelope")
    data = models.BinaryField()
    digest = models.CharField(max_length=64)
    key_id = models.CharField(max_length=64)

    class Meta:
        db_table = "reviews_decisionenvelope"
        default_permissions = ()

    def __str__(self) -> str:
        return f"envelope of {self.decision_id}"
