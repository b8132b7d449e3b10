"""Documents: their kinds, and how one stands."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.api.v1.shapes.common import Json, Person, person
from apps.compliance.kinds import Kind
from apps.compliance.models import Document, DocumentKind, DocumentStatus, Form
from apps.registry.models import ModelVersion


class DocumentKindShape(serializers.Serializer[Any]):
    """A kind of document."""

    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    title = serializers.CharField()
    about = serializers.CharField()
    why_not = serializers.CharField(
        help_text="Why it cannot be made of this version; empty: it can."
    )
    page = serializers.BooleanField(help_text="It can be taken as one web page to publish.")


class DocumentKindsShape(serializers.Serializer[Any]):
    """All of them."""

    kinds = DocumentKindShape(many=True)


class FormShape(serializers.Serializer[Any]):
    """A form of a document beside its PDF."""

    form = serializers.CharField()
    digest = serializers.CharField(help_text="SHA-256 of its bytes, as the ledger has it.")
    size = serializers.IntegerField()
    url = serializers.CharField()


class DocumentShape(serializers.Serializer[Any]):
    """One document about one version."""

    uuid = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    title = serializers.CharField()
    model = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=DocumentStatus.choices)
    step = serializers.CharField(help_text="Where a worker is with it; empty while none is.")
    error = serializers.CharField(help_text="Why it could not be made; empty otherwise.")
    digest = serializers.CharField(help_text="SHA-256 of the PDF; empty until it is ready.")
    size = serializers.IntegerField(help_text="Bytes of the PDF.")
    input_digest = serializers.CharField(
        help_text="Of the facts it says: the same, the same document."
    )
    review = serializers.IntegerField(allow_null=True)
    requested_by = Person(allow_null=True)
    as_of = serializers.DateTimeField(
        allow_null=True, help_text="It shows the card as it stood then; null: as it stands."
    )
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField(help_text="Its page, for a person.")
    forms = FormShape(many=True, help_text="Beside the PDF; each prints `input_digest`.")


def kind(row: Kind, version: ModelVersion) -> Json:
    return {
        "kind": row.key,
        "title": row.title,
        "about": row.about,
        "why_not": row.why_not(version),
        "page": row.page,
    }


def document(row: Document) -> Json:
    return {
        "uuid": row.uuid,
        "kind": row.kind,
        "title": str(row.get_kind_display()),
        "model": row.version.model.name,
        "version": row.version.number,
        "status": row.status,
        "step": row.step,
        "error": row.error,
        "digest": row.digest,
        "size": row.size,
        "input_digest": row.input_digest,
        "review": row.review_id,
        "requested_by": person(row.requested_by) if row.requested_by else None,
        "as_of": row.as_of,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
        "url": f"{settings.BASE_URL}/documents/{row.uuid}/",
        "forms": _forms(row),
    }


def _forms(row: Document) -> list[Json]:
    """In the order in which they are named; from what was fetched with the document."""
    made = {each.form: each for each in row.forms.all()}
    return [
        {
            "form": form,
            "digest": made[form].digest,
            "size": made[form].blob.size,
            "url": f"{settings.BASE_URL}/api/v1/documents/{row.uuid}/forms/{form}",
        }
        for form in Form.values
        if form in made
    ]
