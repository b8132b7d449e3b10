"""Reads of impact assessments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts import policy
from apps.accounts.models import User
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotFound, Tampered
from apps.impact import questionnaire as questionnaires
from apps.impact import revisions, scoring
from apps.impact.assessed import Assessed
from apps.impact.models import AssessmentRevision, AssessmentSignature, AuthorityNotification
from apps.impact.scoring import Score
from apps.registry.models import RegisteredModel

SIGN = "impact.sign"
MOST = 50


def url(model: RegisteredModel) -> str:
    """The assessment's page."""
    return f"/models/{quote(model.name, safe='')}/impact/"


def _revisions(model: RegisteredModel) -> QuerySet[AssessmentRevision]:
    rows = AssessmentRevision.objects.filter(model=model)
    return rows.select_related("author", "model", "signature__user").order_by("-number")


def revisions_of(model: RegisteredModel) -> QuerySet[AssessmentRevision]:
    """Every revision, newest first, with its signature."""
    return _revisions(model)


def latest_revision(model: RegisteredModel) -> AssessmentRevision | None:
    """The newest revision, signed or not."""
    return _revisions(model).first()


def get_revision(model: RegisteredModel, number: int) -> AssessmentRevision:
    """One revision; NotFound for none."""
    row = _revisions(model).filter(number=number).first()
    if row is None:
        raise NotFound(f"{model.name} has no impact assessment {number}.")
    return row


def signature_in_force(model: RegisteredModel) -> AssessmentSignature | None:
    """The newest signature: what it is about is in force, due or not."""
    rows = AssessmentSignature.objects.filter(model=model)
    return rows.select_related("revision__model", "user").order_by("-pk").first()


def in_force(model: RegisteredModel) -> Assessed | None:
    """The assessment in force, in short."""
    row = signature_in_force(model)
    return assessed(row) if row is not None else None


def in_force_of(models: Iterable[int]) -> dict[int, Assessed]:
    """The same for many models, in one query."""
    rows = AssessmentSignature.objects.filter(model__in=list(models)).select_related("revision")
    newest = rows.defer("statement", "revision__document", "revision__content").order_by("pk")
    return {row.model_id: assessed(row) for row in newest}


def assessed(row: AssessmentSignature) -> Assessed:
    """A signature in short."""
    return Assessed(
        number=row.revision.number,
        digest=row.revision.digest,
        questionnaire=row.revision.questionnaire,
        total=row.total,
        level=row.level,
        tier=row.tier,
        signed_at=row.created_at,
        due_on=row.due_on,
    )


def score_of(revision: AssessmentRevision) -> Score:
    """The score of a revision, by the edition that it answers; raises Tampered where its bytes were changed."""
    return scoring.score(questionnaires.load(revision.questionnaire), revisions.answers(revision))


def authors_of(revision: AssessmentRevision) -> set[int]:
    """Whoever gave an answer that stands in the revision, or saved it: none of them signs it."""
    uuids = {entry["author"] for entry in revisions.verified(revision)["answers"].values()}
    found = set(User.objects.filter(uuid__in=uuids).values_list("pk", flat=True))
    return found | {revision.author_id}


def authors_in_force(model: RegisteredModel) -> set[int]:
    """Whoever gave an answer of the assessment in force."""
    row = signature_in_force(model)
    return authors_of(row.revision) if row is not None else set()


def why_not_sign(actor: Actor, revision: AssessmentRevision) -> str:
    """Why this person cannot sign the revision, in a sentence; "" if she can."""
    latest = latest_revision(revision.model)
    if latest is None or latest.pk != revision.pk:
        return f"It is not the newest revision any more: that is {latest.number if latest else 0}."
    if getattr(revision, "signature", None) is not None:
        return "It is signed already."
    if actor.user_id is None or actor.user_id in authors_of(revision):
        return "You gave some of its answers, so somebody else must sign."
    if not policy.can(actor, SIGN, revision):
        return "It is signed by an approver, or somebody for risk or for legal and privacy."
    score = score_of(revision)
    if not score.is_complete:
        return f"{len(score.missing)} required questions are not answered."
    return ""


def waiting_for(actor: Actor) -> list[AssessmentRevision]:
    """The newest revisions that the actor could sign now, oldest first; a constant number of queries."""
    if actor.user_id is None:
        return []
    models = RegisteredModel.objects.filter(deleted_at__isnull=True, retired_at__isnull=True)
    models = models.filter(policy.where_may(actor, SIGN, RegisteredModel))
    newer = AssessmentRevision.objects.filter(
        model=OuterRef("model"), number__gt=OuterRef("number")
    )
    rows = AssessmentRevision.objects.filter(
        ~Exists(newer), model__in=models, signature__isnull=True
    )
    rows = rows.exclude(author_id=actor.user_id).select_related("model", "author").order_by("pk")
    me = str(User.objects.values_list("uuid", flat=True).get(pk=actor.user_id))
    return [row for row in rows[:MOST] if _is_ready(row, me)]


def _is_ready(row: AssessmentRevision, reader: str) -> bool:
    """Whether it is whole and none of its answers is the reader's; a damaged one is for nobody to sign."""
    try:
        authors = {entry["author"] for entry in revisions.verified(row)["answers"].values()}
        return reader not in authors and score_of(row).is_complete
    except Tampered:
        return False


def may_sign(revision: AssessmentRevision) -> list[User]:
    """Everybody who could sign the revision when it is complete."""
    barred = authors_of(revision)
    found = [user for user in policy.who_may(SIGN, revision) if user.pk not in barred]
    return sorted(found, key=str)


def notifications_of(model: RegisteredModel) -> QuerySet[AuthorityNotification]:
    """What authorities were told, newest first."""
    rows = AuthorityNotification.objects.filter(signature__model=model)
    return rows.select_related("signature__revision", "user").order_by("-pk")


def document_of(revision: AssessmentRevision) -> dict[str, Any]:
    """Everything about a revision as data: the signed document, the questions, the score, the signature."""
    score = score_of(revision)
    signature = getattr(revision, "signature", None)
    return {
        "document": revisions.verified(revision),
        "digest": revision.digest,
        "questionnaire": questionnaires.plain(revision.questionnaire),
        "score": {**score.plain(), "missing": list(score.missing)},
        "signature": None if signature is None else _signature(signature),
        "notifications": [] if signature is None else [_told(row) for row in signature.notifications.order_by("pk")],
    }  # fmt: skip


def _signature(row: AssessmentSignature) -> dict[str, Any]:
    return {
        "statement": bytes(row.statement).decode(),
        "statement_digest": row.statement_digest,
        "signer": row.signer_name,
        "signed_at": row.created_at.isoformat(),
        "due_on": row.due_on.isoformat(),
    }


def _told(row: AuthorityNotification) -> dict[str, Any]:
    return {
        "authority": row.authority,
        "reference": row.reference,
        "notified_on": row.notified_on.isoformat(),
    }


def today() -> dt.date:
    """The day by which due dates are told."""
    return clock.now().date()
