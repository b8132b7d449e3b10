"""Each time a model was retired or brought back, with what was answered. Append-only."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class RetirementKind(models.TextChoices):
    RETIRED = "retired", "Retired"
    RESTORED = "restored", "Brought back"


class ModelRetirement(models.Model):
    """Why, by whom, on which answers to which version of the checklist; a restoration has no answers."""

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.PROTECT, related_name="retirements"
    )
    kind = models.CharField(max_length=10, choices=RetirementKind.choices)
    reason = models.TextField()
    checklist_version = models.PositiveSmallIntegerField(null=True, blank=True)
    answers = models.JSONField(default=dict)
    successor = models.ForeignKey(
        "registry.RegisteredModel",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    no_successor = models.TextField(default="", blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=RetirementKind.values),
                name="registry_retirement_kind_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.kind}"
