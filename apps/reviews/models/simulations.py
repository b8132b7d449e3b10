"""What a proposed change of policy would have changed: the result of one simulation."""

from __future__ import annotations

from django.db import models

from apps.reviews.models.policies import PolicyChange


class PolicySimulation(models.Model):
    """One run of a simulation. Append-only; the newest of a change counts, and who signs it signs its digest.

    `result` are the canonical bytes of the whole result (apps.reviews.services.simulating), `digest` their SHA-256;
    `basis` is the digest of what was in force when it was made: another one makes it out of date.
    """

    change = models.ForeignKey(PolicyChange, on_delete=models.PROTECT, related_name="simulations")
    basis = models.CharField(max_length=64)
    result = models.BinaryField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["change", "-id"], name="reviews_simulation_newest")]

    def __str__(self) -> str:
        return f"simulation {self.pk} of POL-{self.change_id}"
