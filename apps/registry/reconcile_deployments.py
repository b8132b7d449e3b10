"""Replay the ledger's events about environments and deployments and compare them with the tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.registry.deployment_models import share_text
from apps.registry.models import Deployment, Environment

State = dict[int, dict[str, Any]]


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the rows of environments and deployments, each naming its row."""
    yield from _environments(_told("registry.environment.created", "registry.environment.changed"))
    yield from _deployments(
        _told(
            "registry.deployment.recorded",
            "registry.deployment.changed",
            "registry.deployment.ended",
        )
    )


def _told(*types: str) -> State:
    """What the ledger says of each row now: the fields of its events, the later ones over the earlier."""
    found: State = {}
    for event in replay(*types):
        payload = dict(event.payload)
        pk = int(str(payload["deployment" if "deployment" in payload else "environment"]))
        row = found.setdefault(pk, {"shares": []})
        for field, (_, new) in payload.pop("changes", {}).items():
            row[field] = new
        row.update(payload)
        if "traffic" in payload:
            row["shares"].append(payload["traffic"])
    return found


def _environments(told: State) -> Iterator[Difference]:
    for row in Environment.objects.all():
        said = told.pop(row.pk, None)
        subject = f"environment:{row.pk}"
        if said is None:
            yield Difference(subject, f"environment {row.key} has no event in the ledger")
            continue
        shown = (row.key, row.title, "no" if row.retired_at is None else "yes")
        ledger = (said["key"], said["title"], said.get("retired", "no"))
        if shown != ledger:
            yield Difference(
                subject, f"environment {row.key}: the table says {shown}, the ledger {ledger}"
            )
    for pk in told:
        yield Difference(
            f"environment:{pk}", f"environment {pk} is in the ledger and not in the table"
        )


def _deployments(told: State) -> Iterator[Difference]:
    rows = Deployment.objects.select_related("environment").prefetch_related("shares")
    for row in rows.iterator(chunk_size=500):
        subject, said = f"version:{row.version_id}", told.pop(row.pk, None)
        if said is None:
            yield Difference(subject, f"deployment {row.pk} has no event in the ledger")
        elif _shown(row) != _said(said):
            yield Difference(
                subject,
                f"deployment {row.pk}: the table says {_shown(row)}, the ledger {_said(said)}",
            )
    for pk in told:
        yield Difference(
            f"deployment:{pk}", f"deployment {pk} is in the ledger and not in the table"
        )


def _shown(row: Deployment) -> tuple[Any, ...]:
    shares = sorted(row.shares.all(), key=lambda share: share.pk)
    return (
        row.model_id,
        row.version_id,
        row.environment.key,
        row.authorization_id,
        row.place,
        _utc(row.started_at.isoformat()),
        _utc(row.ended_at.isoformat()) if row.ended_at else None,
        [share_text(share.traffic) for share in shares],
    )


def _said(told: dict[str, Any]) -> tuple[Any, ...]:
    return (
        told["model"],
        told["version"],
        told["environment"],
        told["authorization"],
        told["place"],
        _utc(told["started_at"]),
        _utc(told["ended_at"]) if "ended_at" in told else None,
        told["shares"],
    )


def _utc(moment: str) -> str:
    return dt.datetime.fromisoformat(moment).astimezone(dt.UTC).isoformat()
