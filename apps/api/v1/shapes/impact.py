"""Impact assessments: how a model's stands, its revisions with score and signature, the questionnaires."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes import addresses
from apps.api.v1.shapes.common import Json, Person, person
from apps.core.actor import Actor
from apps.impact import answers as told
from apps.impact import questionnaire as questionnaires
from apps.impact import revisions, scoring, selectors
from apps.impact.models import AssessmentRevision, AssessmentSignature, AuthorityNotification
from apps.registry.models import RegisteredModel


class QuestionnaireShape(serializers.Serializer[Any]):
    """One published edition."""

    name = serializers.CharField(help_text="As a revision names it.")
    title = serializers.CharField()
    digest = serializers.CharField(help_text="SHA-256 of its canonical JSON.")
    current = serializers.BooleanField(help_text="A new revision answers this one.")


class Questionnaires(serializers.Serializer[Any]):
    """All of them; few, so there are no pages."""

    items = QuestionnaireShape(many=True)


class SignatureShape(serializers.Serializer[Any]):
    """Who signed a revision, and what was signed with it."""

    signer = Person(help_text="The printed name of then.")
    signed_at = serializers.DateTimeField()
    meaning = serializers.CharField()
    comment = serializers.CharField()
    method = serializers.CharField(help_text="How the signer proved who it is.")
    total = serializers.IntegerField()
    level = serializers.CharField()
    tier = serializers.IntegerField(help_text="What it demands of the model at least.")
    due_on = serializers.DateField(help_text="From this day on it must be made again.")
    statement_digest = serializers.CharField()


class RevisionShape(serializers.Serializer[Any]):
    """One revision in short."""

    number = serializers.IntegerField(help_text="Name the newest as `base` to save answers.")
    questionnaire = serializers.CharField()
    digest = serializers.CharField(
        help_text="SHA-256 of its canonical document; name it to sign it."
    )
    saved_by = Person()
    saved_at = serializers.DateTimeField()
    signature = SignatureShape(allow_null=True)


class DimensionShape(serializers.Serializer[Any]):
    """One dimension of the score."""

    key = serializers.CharField()
    title = serializers.CharField()
    combine = serializers.ChoiceField(choices=["mean", "worst"])
    weight = serializers.IntegerField()
    points = serializers.IntegerField()


class LineShape(serializers.Serializer[Any]):
    """How one answer counted."""

    question = serializers.CharField()
    dimension = serializers.CharField()
    points = serializers.IntegerField()
    weight = serializers.IntegerField()
    why = serializers.CharField()


class ScoreShape(serializers.Serializer[Any]):
    """The score of the answers, by the formula of docs/impact.md."""

    formula = serializers.IntegerField()
    total = serializers.IntegerField()
    level = serializers.CharField()
    tier = serializers.IntegerField(help_text="What it demands of the model, once signed.")
    meaning = serializers.CharField()
    raised_by = serializers.CharField(
        help_text="The dimension that alone makes the level; else empty."
    )
    dimensions = DimensionShape(many=True)
    lines = LineShape(many=True)
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Required questions that are not answered."
    )


class FormProgress(serializers.Serializer[Any]):
    """How much of one form is answered."""

    form = serializers.ChoiceField(choices=["FRIA", "DPIA"])
    answered = serializers.IntegerField()
    asked = serializers.IntegerField()


class NotificationShape(serializers.Serializer[Any]):
    """What an authority was told."""

    authority = serializers.CharField()
    reference = serializers.CharField()
    notified_on = serializers.DateField()
    noted_by = Person()
    noted_at = serializers.DateTimeField()


class WholeRevisionShape(RevisionShape):
    """One revision, whole."""

    answers = serializers.DictField(help_text="As they would be sent to save them.")
    document = serializers.DictField(
        help_text="The digested document: each answer with author and time."
    )
    score = ScoreShape()
    progress = FormProgress(many=True)
    statement = serializers.CharField(
        help_text="The signed bytes as text; empty while nobody signed."
    )
    why_not_sign = serializers.CharField(
        help_text="Why the caller cannot sign it, as far as is known; else empty."
    )


class ImpactShape(serializers.Serializer[Any]):
    """How a model's assessment stands."""

    model = serializers.CharField()
    questionnaire = serializers.CharField(help_text="What a new revision answers.")
    risk_tier = serializers.IntegerField(help_text="Of the model now; 1 is the highest.")
    demanded_tier = serializers.IntegerField(
        help_text="What signed assessments demand of it at least."
    )
    latest = RevisionShape(allow_null=True, help_text="Null: nothing was answered yet.")
    in_force = RevisionShape(allow_null=True, help_text="The newest that is signed, due or not.")
    is_due = serializers.BooleanField(help_text="What is in force must be made again.")
    notifications = NotificationShape(many=True)
    url = serializers.CharField(help_text="Its page, for a person.")


def editions() -> Json:
    """Newest last, as they were published."""
    return {
        "items": [
            {
                "name": name,
                "title": questionnaires.load(name).title,
                "digest": digest,
                "current": name == questionnaires.CURRENT,
            }
            for name, digest in questionnaires.PUBLISHED.items()
        ]
    }


def revision(row: AssessmentRevision) -> Json:
    """`row` with its author, and its signature with the signer."""
    signature = getattr(row, "signature", None)
    return {
        "number": row.number,
        "questionnaire": row.questionnaire,
        "digest": row.digest,
        "saved_by": person(row.author),
        "saved_at": row.created_at,
        "signature": _signature(signature) if signature else None,
    }


def _signature(row: AssessmentSignature) -> Json:
    return {
        "signer": {"uuid": row.user.uuid, "name": row.signer_name},
        "signed_at": row.created_at,
        "meaning": row.meaning,
        "comment": row.comment,
        "method": row.method,
        "total": row.total,
        "level": row.level,
        "tier": row.tier,
        "due_on": row.due_on,
        "statement_digest": row.statement_digest,
    }


def whole(row: AssessmentRevision, reader: Actor) -> Json:
    """Everything about one; Tampered where its bytes are not what its digest says."""
    document = revisions.verified(row)
    asked = questionnaires.load(row.questionnaire)
    given = {key: entry["value"] for key, entry in document["answers"].items()}
    signature = getattr(row, "signature", None)
    return revision(row) | {
        "answers": given,
        "document": document,
        "score": _score(scoring.score(asked, given)),
        "progress": [_progress(asked, given, form) for form in ("FRIA", "DPIA")],
        "statement": bytes(signature.statement).decode() if signature else "",
        "why_not_sign": selectors.why_not_sign(reader, row),
    }


def _progress(
    asked: questionnaires.Questionnaire, given: told.Answers, form: questionnaires.Form
) -> Json:
    answered, of = told.progress(asked, given, form)
    return {"form": form, "answered": answered, "asked": of}


def _score(found: scoring.Score) -> Json:
    return {
        "formula": scoring.FORMULA,
        "total": found.total,
        "level": found.level,
        "tier": found.tier,
        "meaning": found.meaning,
        "raised_by": found.raised_by,
        "dimensions": found.parts,
        "lines": found.lines,
        "missing": found.missing,
    }


def notification(row: AuthorityNotification) -> Json:
    return {
        "authority": row.authority,
        "reference": row.reference,
        "notified_on": row.notified_on,
        "noted_by": person(row.user),
        "noted_at": row.created_at,
    }


def state(model: RegisteredModel) -> Json:
    """How it stands now."""
    signed = selectors.signature_in_force(model)
    latest = selectors.latest_revision(model)
    in_force = selectors.get_revision(model, signed.revision.number) if signed else None
    return {
        "model": model.name,
        "questionnaire": questionnaires.CURRENT,
        "risk_tier": model.risk_tier,
        "demanded_tier": model.demanded_tier,
        "latest": revision(latest) if latest else None,
        "in_force": revision(in_force) if in_force else None,
        "is_due": bool(signed and signed.due_on <= selectors.today()),
        "notifications": [notification(row) for row in selectors.notifications_of(model)],
        "url": f"{addresses.model(model)}impact/",
    }
