"""What questions approvals, and emergency rollbacks, as the API tells them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes import addresses
from apps.api.v1.shapes.common import Json, Person, PolicyRef, person, policy_ref
from apps.reviews.models import RereviewTrigger, Rollback
from apps.reviews.rereview import Need


class NeedShape(serializers.Serializer[Any]):
    """One thing that questions an approval."""

    trigger = serializers.ChoiceField(choices=RereviewTrigger.choices)
    item = serializers.CharField()
    reason = serializers.CharField()


class Needs(serializers.Serializer[Any]):
    """Whether a new review is needed, and what asks for it."""

    needed = serializers.BooleanField()
    items = NeedShape(many=True)


class Left(serializers.Serializer[Any]):
    """What was left."""

    model = serializers.CharField()
    version = serializers.IntegerField()
    left = serializers.CharField()


class RollbackReviewShape(serializers.Serializer[Any]):
    """What somebody else signed of it."""

    by = Person()
    role = serializers.CharField()
    accepts = serializers.BooleanField()
    comment = serializers.CharField()
    statement_digest = serializers.CharField()
    at = serializers.DateTimeField()


class RollbackShape(serializers.Serializer[Any]):
    """One version put back into one target."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    url = serializers.URLField()
    model = serializers.CharField()
    version = serializers.IntegerField()
    target = serializers.CharField()
    replaced = serializers.IntegerField(allow_null=True)
    review = serializers.CharField(help_text="Whose approval it repeats.")
    policy = PolicyRef()
    by = Person()
    reason = serializers.CharField()
    statement_digest = serializers.CharField()
    at = serializers.DateTimeField()
    review_by = serializers.DateTimeField()
    reviewed = RollbackReviewShape(allow_null=True)


class RollbackList(serializers.Serializer[Any]):
    """One a target."""

    items = RollbackShape(many=True)


def need(found: Need) -> Json:
    return {"trigger": found.trigger.value, "item": found.item, "reason": found.reason}


def rollback(row: Rollback) -> Json:
    judged = getattr(row, "review", None)
    return {
        "id": row.pk,
        "key": row.key,
        "url": addresses.rollback(row.pk),
        "model": row.version.model.name,
        "version": row.version.number,
        "target": str(row.target),
        "replaced": row.replaced.number if row.replaced else None,
        "review": f"REV-{row.earlier.review_id}",
        "policy": policy_ref(row.policy_version),
        "by": person(row.user),
        "reason": row.reason,
        "statement_digest": row.statement_digest,
        "at": row.created_at,
        "review_by": row.review_by,
        "reviewed": None
        if judged is None
        else {
            "by": person(judged.user),
            "role": judged.role,
            "accepts": judged.accepts,
            "comment": judged.comment,
            "statement_digest": judged.statement_digest,
            "at": judged.created_at,
        },
    }
