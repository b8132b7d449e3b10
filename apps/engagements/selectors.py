"""Reads of engagements: who may, what falls into the scope, samples and notes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet

from apps.accounts import policy
from apps.compliance.models import Document, DocumentStatus
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, NotFound
from apps.engagements.models import (
    Conclusion,
    Engagement,
    EngagementFinding,
    Note,
    Sample,
    SampledDecision,
)
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews.models import Decision, Finding

READ = "audit.read"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much falls into a scope."""

    models: int
    versions: int
    decisions: int
    documents: int


def visible(actor: Actor) -> QuerySet[Engagement]:
    """The engagements that the actor may read, newest first: all with audit.read, else those she audits while they are open."""
    rows = Engagement.objects.select_related("end", "opened_by").order_by("-pk")
    if policy.can(actor, READ):
        return rows
    if actor.scopes is not None and "read" not in actor.scopes:
        return rows.none()
    today = clock.now().date()
    return rows.filter(auditors=actor.user_id, end__isnull=True, ends_on__gte=today)


def get(actor: Actor, pk: int) -> Engagement:
    """One engagement. NotFound for strangers; Forbidden, with the day, for its auditor when it is over."""
    row = visible(actor).filter(pk=pk).first()
    if row is not None:
        return row
    over = Engagement.objects.filter(pk=pk, auditors=actor.user_id).first()
    if over is None:
        raise NotFound(f"There is no engagement ENG-{pk} that you may see.")
    raise Forbidden(
        f"The engagement {over.title} is over, and with it the access that it gave.",
        hint=f"Ask {over.opened_by}, who opened it.",
    )


def of_auditor(user_id: int | None) -> QuerySet[Engagement]:
    """The open engagements that somebody audits."""
    rows = Engagement.objects.filter(auditors=user_id, end__isnull=True)
    return rows.filter(ends_on__gte=clock.now().date()).order_by("-pk")


def of_finding(actor: Actor, finding: Finding) -> Engagement | None:
    """The engagement that a finding came out of, for who may read it."""
    return visible(actor).filter(findings__finding=finding).first()


def is_auditor(actor: Actor, engagement: Engagement) -> bool:
    """Whether the actor audits it, open or not."""
    return actor.user_id is not None and engagement.assigned.filter(user=actor.user_id).exists()


def why_not_work(actor: Actor, engagement: Engagement) -> str:
    """Why the actor adds nothing to the engagement's papers; empty: she may."""
    if not engagement.is_open:
        return "The engagement is over: its papers stay as they are."
    if not is_auditor(actor, engagement):
        return "Only the engagement's auditors add to its papers."
    return ""


def require_work(actor: Actor, engagement: Engagement) -> None:
    """Refuse, before a form is read, whoever adds nothing to the papers: Conflict where it is over, else Forbidden."""
    reason = why_not_work(actor, engagement)
    if reason:
        refusal = Forbidden if engagement.is_open else Conflict
        raise refusal(
            reason, hint=f"{engagement.key} is read here; it was opened by {engagement.opened_by}."
        )


def expired() -> QuerySet[Engagement]:
    """Those whose last day is over and that nobody has ended."""
    return Engagement.objects.filter(end__isnull=True, ends_on__lt=clock.now().date())


def models_of(engagement: Engagement) -> QuerySet[RegisteredModel]:
    """The models in scope, by name."""
    return engagement.models_in_scope.order_by("name")


def versions_in(
    models: Iterable[int], start: dt.datetime, end: dt.datetime
) -> QuerySet[ModelVersion]:
    """Every version that there was in the period: registered before its end, and not deleted before it began."""
    rows = ModelVersion.objects.filter(model__in=models, created_at__lt=end)
    rows = rows.filter(Q(deleted_at__isnull=True) | Q(deleted_at__gte=start))
    return rows.select_related("model").order_by("-pk")


def decisions_in(models: Iterable[int], start: dt.datetime, end: dt.datetime) -> QuerySet[Decision]:
    """The decisions that were signed in the period."""
    return Decision.objects.filter(
        review__version__model__in=models, created_at__gte=start, created_at__lt=end
    )


def documents_in(models: Iterable[int], start: dt.datetime, end: dt.datetime) -> QuerySet[Document]:
    """The documents that were issued in the period."""
    rows = Document.objects.filter(status=DocumentStatus.READY, version__model__in=models)
    return rows.filter(finished_at__gte=start, finished_at__lt=end)


def extent(models: Collection[int], start: dt.datetime, end: dt.datetime) -> Extent:
    """The counts; three queries."""
    return Extent(
        models=len(models),
        versions=versions_in(models, start, end).count(),
        decisions=decisions_in(models, start, end).count(),
        documents=documents_in(models, start, end).count(),
    )


def _scoped(engagement: Engagement) -> list[int]:
    return list(engagement.scoped.values_list("model_id", flat=True))


def extent_of(engagement: Engagement) -> Extent:
    """What falls into an engagement's scope."""
    return extent(_scoped(engagement), *engagement.period)


def versions_of(engagement: Engagement) -> QuerySet[ModelVersion]:
    """The versions in scope, newest first."""
    return versions_in(_scoped(engagement), *engagement.period)


def get_version(engagement: Engagement, pk: int) -> ModelVersion:
    """One version in scope. Raises NotFound."""
    found = versions_of(engagement).filter(pk=pk).first()
    if found is None:
        raise NotFound("This version is not in the engagement's scope.")
    return found


def population(engagement: Engagement) -> QuerySet[Decision]:
    """The decisions that a sample is drawn from."""
    return decisions_in(_scoped(engagement), *engagement.period)


def documents_of(engagement: Engagement, versions: Iterable[int]) -> QuerySet[Document]:
    """What was issued about these versions before the end of the period, newest first."""
    rows = Document.objects.filter(status=DocumentStatus.READY, version__in=versions)
    return rows.filter(finished_at__lt=engagement.period[1]).order_by("-pk")


def samples(engagement: Engagement) -> QuerySet[Sample]:
    """Every drawing, newest first, with how many of its decisions have a conclusion."""
    rows = engagement.samples.select_related("drawn_by").order_by("-number")
    concluded = Count("items", filter=Q(items__conclusions__isnull=False), distinct=True)
    return rows.annotate(drawn=Count("items", distinct=True), concluded=concluded)


def get_sample(engagement: Engagement, number: int) -> Sample:
    """One drawing. Raises NotFound."""
    found = samples(engagement).filter(number=number).first()
    if found is None:
        raise NotFound(f"{engagement.key} has no sample {number}.")
    return found


def items(sample: Sample) -> list[SampledDecision]:
    """What was drawn, in order, with decisions, versions, conclusions (newest first), notes and findings; a constant number of queries."""
    conclusions = Conclusion.objects.select_related("author").order_by("-number")
    rows = sample.items.select_related(
        "decision__review__version__model",
        "decision__round",
        "decision__envelope",
        "decision__user",
    ).prefetch_related(
        Prefetch("conclusions", conclusions),
        Prefetch("notes", Note.objects.select_related("author").order_by("number")),
        Prefetch("findings", EngagementFinding.objects.select_related("finding")),
    )
    return list(rows.order_by("position"))


def get_item(sample: Sample, position: int) -> SampledDecision:
    """One sampled decision. Raises NotFound."""
    found = next((item for item in items(sample) if item.position == position), None)
    if found is None:
        raise NotFound(f"Sample {sample.number} has no decision {position}.")
    return found


def notes(engagement: Engagement, **about: object) -> QuerySet[Note]:
    """The workpaper notes, oldest first; those about one thing where `about` narrows them."""
    rows = engagement.notes.filter(**about).select_related(
        "author", "version__model", "item__sample"
    )
    return rows.order_by("number")


def findings(engagement: Engagement, **about: object) -> QuerySet[EngagementFinding]:
    """What the engagement found, oldest first."""
    rows = engagement.findings.filter(**about).select_related(
        "finding__version__model", "finding__raised_by", "item__sample"
    )
    return rows.order_by("pk")
