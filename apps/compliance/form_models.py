"""The forms of an issued document beside its PDF."""

from __future__ import annotations

from django.db import models

from apps.core.models import Blob


class Form(models.TextChoices):
    """What a form is called in addresses, and in words."""

    JSON = "card.json", "Card as JSON"
    MARKDOWN = "card.md", "Card as Markdown"
    MLBOM = "card.cdx.json", "CycloneDX ML-BOM"
    SIGNATURE = "model.sig", "Signature over the model's files"
    CERTIFICATE = "signer.pem", "Certificate of the signer"


class DocumentForm(models.Model):
    """One form of one document, made once from the dossier and kept. Append-only.

    Kept although it could be made again: a newer Countersign may write the same facts in other bytes, and a newer key
    would sign anew. `signed_by` is the id of the key behind a signature or certificate.
    """

    document = models.ForeignKey(
        "compliance.Document", on_delete=models.PROTECT, related_name="forms"
    )
    form = models.CharField(max_length=16, choices=Form.choices)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    signed_by = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["document", "form"], name="compliance_each_form_once"),
            models.CheckConstraint(
                condition=models.Q(form__in=Form.values), name="compliance_form_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form} of {self.document_id}"

    @property
    def digest(self) -> str:
        return str(self.blob_id)
