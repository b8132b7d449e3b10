"""Answers for the tests: mild ones and grave ones, whole."""

from __future__ import annotations

from typing import Any

from apps.core.actor import Actor
from apps.impact import questionnaire, services
from apps.impact.models import AssessmentRevision, AssessmentSignature
from apps.impact.questionnaire import Question
from apps.registry.models import RegisteredModel
from tests import factories


def whole(*, worst: bool = False) -> dict[str, Any]:
    """Every question answered, with the fewest or the most points that there are."""
    asked = questionnaire.current().questions.values()
    return {question.key: _answer(question, worst=worst) for question in asked}


def _answer(question: Question, *, worst: bool) -> Any:
    pick = max if worst else min
    match question.type:
        case "text":
            return f"About {question.key}."
        case "count":
            return 2_000_000 if worst else 0
        case "risk":
            step = 4 if worst else 1
            return {"likelihood": step, "severity": step, "text": "An applicant is refused."}
        case "choices":
            return [pick(question.options, key=lambda option: option.points).key]
    return pick(question.options, key=lambda option: option.points).key


def moderate() -> dict[str, Any]:
    """Level II: demands tier 2."""
    return whole() | {"consequence": "access", "decision": "proposes", "frequency": "always", "number": 50_000, "groups": ["debtors"], "undone": "partly"} | {
        "personal_data": "yes", "special": "inferred", "complaints": "general",
    }  # fmt: skip


def save(
    actor: Actor, model: RegisteredModel, answers: dict[str, Any] | None = None
) -> AssessmentRevision:
    """The next revision with these answers."""
    newest = AssessmentRevision.objects.filter(model=model).count()
    return services.save_assessment(actor, model, answers or whole(), newest)


def sign(actor: Actor, revision: AssessmentRevision) -> AssessmentSignature:
    """A signature on what was shown."""
    return services.sign_assessment(
        actor,
        revision,
        digest=revision.digest,
        comment="The answers are as I know the process.",
        proof=factories.proof(actor),
    )
