"""Reads of environments and deployments: what runs where now, what ran on a day, what may run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Prefetch, Q, QuerySet, Sum

from apps.accounts import policy
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.registry.deployment_models import (
    Deployment,
    DeploymentShare,
    Environment,
    EnvironmentEntry,
)
from apps.registry.models import GovernedTarget, RegisteredModel, TargetKind

NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Span:
    """A deployment with a share of the traffic, from a moment to another (None: still)."""

    deployment: Deployment
    traffic: Decimal
    since: dt.datetime
    until: dt.datetime | None

    def covers(self, first: dt.datetime, last: dt.datetime) -> bool:
        """Whether it ran at some moment of [first, last)."""
        return self.since < last and (self.until is None or self.until > first)


def environments() -> QuerySet[Environment]:
    """All environments, those in use first."""
    in_use_first = F("retired_at").asc(nulls_first=True)
    return Environment.objects.order_by(in_use_first, "key").select_related("created_by")


def find_environment(key: str) -> Environment | None:
    """The environment of that key in any letter case, retired ones too."""
    if "\x00" in key:
        return None
    return Environment.objects.filter(key=key.lower()).select_related("created_by").first()


def governed_keys() -> frozenset[str]:
    """The environments that a policy in force names, added or not."""
    rows = GovernedTarget.objects.filter(kind=TargetKind.ENVIRONMENT)
    return frozenset(rows.values_list("name", flat=True))


def get_environment(key: str) -> Environment:
    """The environment of that key; NotFound."""
    found = find_environment(key)
    if found is None:
        raise NotFound(
            f"There is no environment {key[:80]!r}.", hint="An administrator adds environments."
        )
    return found


def visible(actor: Actor) -> QuerySet[Deployment]:
    """The deployments of the models that this actor may see, newest first."""
    models = RegisteredModel.objects.filter(policy.visible_models(actor), deleted_at__isnull=True)
    return _whole(Deployment.objects.filter(model__in=models))


def of_model(model_id: int) -> QuerySet[Deployment]:
    """Every deployment of a model, what runs first, then the newest."""
    return _whole(Deployment.objects.filter(model_id=model_id))


def of_version(version_id: int) -> QuerySet[Deployment]:
    """Every deployment of a version, in the same order."""
    return _whole(Deployment.objects.filter(version_id=version_id))


def running(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """Those that run now."""
    return rows.filter(ended_at__isnull=True)


def _whole(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    rows = rows.select_related(
        "model",
        "version__model",
        "environment",
        "authorization__environment_entry",
        "recorded_by",
        "ended_by",
    )
    return rows.defer("version__manifest").order_by("-started_at", "-pk")


def get_deployment(actor: Actor, uuid: str | UUID) -> Deployment:
    """A deployment of a model that the actor may see; NotFound."""
    found = _whole(Deployment.objects.filter(uuid=uuid)).first()
    if found is None or not policy.can(actor, "model.read", found.model):
        raise NotFound("There is no such deployment.")
    return found


def bounds(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The first moment of a day (UTC) and the first after it."""
    first = dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)
    return first, first + dt.timedelta(days=1)


def ran_on(rows: QuerySet[Deployment], day: dt.date) -> QuerySet[Deployment]:
    """Those that ran at some moment of this day (UTC)."""
    first, last = bounds(day)
    still = Q(ended_at__isnull=True) | Q(ended_at__gt=first)
    return rows.filter(still, started_at__lt=last)


def on(rows: QuerySet[Deployment], day: dt.date) -> list[Span]:
    """What ran at some moment of this day (UTC), with each share it had then, oldest first."""
    first, last = bounds(day)
    found = [span for row in with_shares(ran_on(rows, day)) for span in spans(row)]
    found = [span for span in found if span.covers(first, last)]
    return sorted(found, key=lambda span: (span.since, span.deployment.pk))


def with_shares(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """With what `spans` reads, in one query more."""
    shares = DeploymentShare.objects.order_by("since", "pk")
    return rows.prefetch_related(Prefetch("shares", queryset=shares))


def spans(row: Deployment) -> list[Span]:
    """The shares a deployment had, one after the other."""
    shares = list(row.shares.all())
    ends: Sequence[dt.datetime | None] = [*(each.since for each in shares[1:]), row.ended_at]
    return [
        Span(row, share.traffic, share.since, until)
        for share, until in zip(shares, ends, strict=True)
    ]


def most_since(row_of: dict[str, Any], since: dt.datetime) -> Decimal:
    """The largest sum of shares at any moment from `since` on, of the deployments of a model in an environment."""
    rows = Deployment.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=since), **row_of)
    found = [span for row in with_shares(rows) for span in spans(row)]
    found = [span for span in found if span.until is None or span.until > since]
    moments = {since, *(span.since for span in found if span.since > since)}
    return max(
        sum((s.traffic for s in found if s.since <= at and (s.until is None or s.until > at)), NONE)
        for at in moments
    )


def live_share(model_id: int, environment_id: int) -> Decimal:
    """How much of the traffic of an environment this model's running versions have."""
    rows = Deployment.objects.filter(
        model_id=model_id, environment_id=environment_id, ended_at__isnull=True
    )
    return rows.aggregate(total=Sum("traffic"))["total"] or NONE


def entries(version_id: int) -> QuerySet[EnvironmentEntry]:
    """The environments that this version was let into and has not left, by approvals that have not expired."""
    rows = EnvironmentEntry.objects.filter(version_id=version_id, left_at__isnull=True)
    return rows.filter(authorization__expires_at__gt=clock.now()).select_related("authorization")


def let_in(versions: Iterable[int]) -> list[tuple[int, str]]:
    """The governed environments that these versions were let into and have not left, as pairs, in one query."""
    rows = EnvironmentEntry.objects.filter(
        version__in=versions, left_at__isnull=True, environment__in=governed_keys()
    )
    return list(rows.values_list("version", "environment"))


def entry_of(version_id: int, environment: str) -> EnvironmentEntry | None:
    """By which approval the version may run in this environment."""
    return entries(version_id).filter(environment=environment).first()


def leading(model_id: int, environment: str) -> int | None:
    """The version of a model that counts as the one in an environment: of those running there the one with the
    largest share of the traffic, else the last that was let in."""
    rows = Deployment.objects.filter(
        model_id=model_id, environment__key=environment, ended_at__isnull=True
    )
    found = rows.order_by("-traffic", "-started_at", "-pk").values_list("version", flat=True)
    running_now = found.first()
    if running_now is not None:
        return running_now
    return entered(model_id, environment).first()


def entered(model_id: int, environment: str) -> QuerySet[EnvironmentEntry, int]:
    """The ids of the model's versions that may run in an environment, the last that was let in first."""
    rows = EnvironmentEntry.objects.filter(
        model_id=model_id,
        environment=environment,
        left_at__isnull=True,
        authorization__expires_at__gt=clock.now(),
    )
    return rows.order_by("-entered_at", "-pk").values_list("version", flat=True)


def environment_url(row: Environment) -> str:
    """The page of an environment, for messages."""
    return f"{settings.BASE_URL}/environments/{row.key}/"
