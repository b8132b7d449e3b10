"""Reads of policies and of the changes proposed."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from apps.core.errors import NotFound
from apps.reviews.models import (
    PENDING,
    ChangeStatus,
    PolicyActivation,
    PolicyChange,
    PolicyVersion,
)


def changes(key: str = "") -> QuerySet[PolicyChange]:
    """Every proposal, newest first, with what a list shows; of one policy if a key is given."""
    rows = PolicyChange.objects.select_related("version", "replaces", "proposed_by")
    rows = rows.prefetch_related("signatures__user").order_by("-pk")
    return rows.filter(key=key) if key else rows


def open_changes() -> QuerySet[PolicyChange]:
    """The proposals that wait for signatures."""
    return changes().filter(status=ChangeStatus.OPEN)


def pending() -> QuerySet[PolicyChange]:
    """The proposals that wait for signatures, or for their day; one a policy at most."""
    return changes().filter(status__in=PENDING)


def due(now: dt.datetime) -> QuerySet[PolicyChange]:
    """Those that have their signatures and whose day has come, the earliest first."""
    rows = changes().filter(status=ChangeStatus.SCHEDULED, effective_at__lte=now)
    return rows.order_by("effective_at", "pk")


def get_change(pk: int) -> PolicyChange:
    """One proposal; NotFound."""
    row = changes().filter(pk=pk).first()
    if row is None:
        raise NotFound(f"No change of policy POL-{pk}.")
    return row


def find_change(pk: int) -> PolicyChange | None:
    """One proposal, or None."""
    return changes().filter(pk=pk).first()


def versions(key: str) -> QuerySet[PolicyVersion]:
    """Every version of a policy that somebody wrote, newest first."""
    return PolicyVersion.objects.filter(key=key, parts=[]).order_by("-number")


def get_version(key: str, number: int) -> PolicyVersion:
    """One version; NotFound."""
    row = versions(key).filter(number=number).first()
    if row is None:
        raise NotFound(f"No policy {key[:80]} version {number}.")
    return row


def activations(key: str) -> QuerySet[PolicyActivation]:
    """What was in force from when on, newest first."""
    return (
        PolicyActivation.objects.filter(key=key).select_related("version", "change").order_by("-pk")
    )
