"""How a model ends: what is asked, what is in the way, what was answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes import addresses
from apps.api.v1.shapes.common import Json, Person, person
from apps.registry import retirement, services
from apps.registry.models import ModelRetirement, RegisteredModel
from apps.registry.retirement_models import RetirementKind


class QuestionShape(serializers.Serializer[Any]):
    """A question of the checklist; an answer among `explain` takes a note."""

    key = serializers.CharField()
    text = serializers.CharField()
    answers = serializers.ListField(child=serializers.CharField())
    explain = serializers.ListField(child=serializers.CharField())


class ChecklistShape(serializers.Serializer[Any]):
    """The questions as they are asked now."""

    version = serializers.IntegerField()
    questions = QuestionShape(many=True)


class AnswerShape(serializers.Serializer[Any]):
    """What was answered."""

    question = serializers.CharField()
    answer = serializers.CharField()
    note = serializers.CharField()


class RetirementEntry(serializers.Serializer[Any]):
    """Once retired, or brought back."""

    kind = serializers.ChoiceField(choices=RetirementKind.choices)
    reason = serializers.CharField()
    checklist_version = serializers.IntegerField(allow_null=True)
    answers = AnswerShape(many=True)
    successor = serializers.CharField(allow_null=True)
    no_successor = serializers.CharField()
    by = Person()
    at = serializers.DateTimeField()


class Retirement(serializers.Serializer[Any]):
    """Whether a model is retired, what would have to end first, and what happened so far, newest first."""

    model = serializers.CharField()
    retired_at = serializers.DateTimeField(allow_null=True)
    successor = serializers.CharField(allow_null=True)
    in_the_way = serializers.ListField(child=serializers.CharField())
    checklist = ChecklistShape()
    history = RetirementEntry(many=True)
    url = serializers.CharField()


def state(model: RegisteredModel) -> Json:
    rows = model.retirements.select_related("user", "successor").order_by("-pk")
    return {
        "model": model.name,
        "retired_at": model.retired_at,
        "successor": model.successor.name if model.successor else None,
        "in_the_way": [] if model.retired_at else services.in_the_way(model),
        "checklist": {
            "version": retirement.VERSION,
            "questions": [
                {
                    "key": question.key,
                    "text": question.text,
                    "answers": [key for key, _ in question.answers],
                    "explain": sorted(question.explain),
                }
                for question in retirement.QUESTIONS
            ],
        },
        "history": [_entry(row) for row in rows],
        "url": addresses.model(model),
    }


def _entry(row: ModelRetirement) -> Json:
    return {
        "kind": row.kind,
        "reason": row.reason,
        "checklist_version": row.checklist_version,
        "answers": [
            {"question": key, "answer": given["answer"], "note": given["note"]}
            for key, given in retirement.ordered(row.answers)
        ],
        "successor": row.successor.name if row.successor else None,
        "no_successor": row.no_successor,
        "by": person(row.user),
        "at": row.at,
    }
