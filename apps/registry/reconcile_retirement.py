"""Replay what the ledger says of retired models and compare it with the tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.registry.models import ModelRetirement, RegisteredModel


def differences() -> Iterator[Difference]:
    """Models whose being retired, or whose successor, the ledger does not tell; rows that say other than their event."""
    state: dict[int, tuple[bool, Any]] = {}
    rows: dict[int, dict[str, Any]] = {}
    for event in replay("registry.model.retired", "registry.model.restored"):
        payload = event.payload
        retired = event.type == "registry.model.retired"
        state[int(str(payload["model"]))] = (retired, payload.get("successor"))
        rows[int(str(payload["retirement"]))] = {**payload, "retired": retired}
    yield from _models(state)
    yield from _rows(rows)


def _models(state: dict[int, tuple[bool, Any]]) -> Iterator[Difference]:
    found = RegisteredModel.objects.values_list("pk", "name", "retired_at", "successor_id")
    for pk, name, retired_at, successor in found:
        told, shown = state.get(pk, (False, None)), (retired_at is not None, successor)
        if told != shown:
            yield Difference(
                f"model:{pk}",
                f"model {name}: the table says retired, successor {shown}, the ledger says {told}",
            )


def _rows(told: dict[int, dict[str, Any]]) -> Iterator[Difference]:
    for row in ModelRetirement.objects.all():
        said = told.pop(row.pk, None)
        if said is None:
            yield Difference(f"model:{row.model_id}", f"retirement {row.pk} is not in the ledger")
            continue
        shown = (row.model_id, row.kind == "retired", row.reason, row.answers, row.successor_id)
        ledger = (
            said["model"],
            said["retired"],
            said["reason"],
            said.get("answers", {}),
            said.get("successor"),
        )
        if shown != ledger:
            yield Difference(
                f"model:{row.model_id}",
                f"retirement {row.pk}: the table says {shown}, the ledger {ledger}",
            )
    for pk in told:
        yield Difference(
            f"retirement:{pk}", f"retirement {pk} is in the ledger and not in the table"
        )
