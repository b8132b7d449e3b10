"""Compare how models stand, and the changes people signed, with the ledger's events (invariant 5).

Names: a model whose exposure, use, tier or team is not what its events say; a scope tag that no event tells; a proposal
whose bytes or status differ; a signature without its event or with another statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.core import canonical
from apps.registry.models import GovernedTarget, ModelTag, RegisteredModel, TargetKind
from apps.reviews.models import ModelChange, ModelChangeSignature

_BEGINS = {"exposure": "high", "purpose_class": "decision", "risk_tier": "1", "demanded_tier": "3"}


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the standing of models, each naming its row."""
    yield from _settings()
    yield from _tags()
    yield from _changes()


def _settings() -> Iterator[Difference]:
    told: dict[int, dict[str, str]] = {}
    for event in replay("registry.model.created", "registry.model.updated"):
        payload = event.payload
        model = int(payload["model"])
        if event.type == "registry.model.created":
            told[model] = {**_BEGINS, "team_id": str(payload["team"] or "")}
            continue
        known = told.setdefault(model, {})
        known |= {name: str(pair[1]) for name, pair in payload["changes"].items() if name in known}
    rows = RegisteredModel.objects.values_list(
        "pk", "name", "exposure", "purpose_class", "risk_tier", "demanded_tier", "team_id"
    )
    for pk, name, exposure, purpose, tier, demanded, team in rows.iterator():
        shown = {
            "exposure": exposure,
            "purpose_class": purpose,
            "risk_tier": str(tier),
            "demanded_tier": str(demanded),
            "team_id": str(team or ""),
        }
        said = told.get(pk, {})
        for field, value in shown.items():
            if said.get(field) != value:
                yield Difference(
                    f"model:{pk}",
                    f"model {name}: the table says {field} {value}, the ledger says {said.get(field)}",
                )


def _tags() -> Iterator[Difference]:
    scopes = set(
        GovernedTarget.objects.filter(kind=TargetKind.SCOPE).values_list("name", flat=True)
    )
    told: dict[tuple[int, str], str] = {}
    for event in replay("registry.model.tag_changed"):
        place = (int(event.payload["model"]), str(event.payload["key"]))
        if place[1].lower() not in scopes:
            continue
        if event.payload["value"] is None:
            told.pop(place, None)
        else:
            told[place] = str(event.payload["value"])
    found = {
        (model, key): value
        for model, key, value in ModelTag.objects.values_list("model_id", "key", "value")
        if key.lower() in scopes
    }
    for model, key in sorted({*told, *found}):
        was, now = told.get((model, key)), found.get((model, key))
        if was != now:
            yield Difference(
                f"model:{model}",
                f"tag {key} of model {model}: the table says {now}, the ledger says {was}",
            )


def _changes() -> Iterator[Difference]:
    proposed: dict[int, str] = {}
    signed: dict[int, tuple[int | None, str]] = {}
    closed: dict[int, str] = {}
    for event in replay(
        "reviews.model_change.proposed",
        "reviews.model_change.signed",
        "reviews.model_change.closed",
    ):
        payload = event.payload
        change = int(payload["change"])
        match event.type:
            case "reviews.model_change.proposed":
                proposed[change] = str(payload["digest"])
            case "reviews.model_change.signed":
                signed[change] = (event.actor_id, str(payload["statement_digest"]))
            case _:
                closed[change] = str(payload["status"])
    for row in ModelChange.objects.iterator():
        subject = f"model:{row.model_id}"
        if proposed.pop(row.pk, None) != row.digest or not _is_proposed(row):
            yield Difference(subject, f"{row}: what was proposed is not what the ledger says")
        if closed.get(row.pk, "open") != row.status:
            said = closed.get(row.pk, "open")
            yield Difference(subject, f"{row}: the table says {row.status}, the ledger says {said}")
    for pk in proposed:
        yield Difference(f"modelchange:{pk}", f"CHG-{pk} is in the ledger and not in the table")
    yield from _signatures(signed)


def _is_proposed(row: ModelChange) -> bool:
    data = bytes(row.manifest)
    if canonical.digest(data) != row.digest:
        return False
    said = json.loads(data)
    return (said["before"], said["after"], said["reason"]) == (row.before, row.after, row.reason)


def _signatures(told: dict[int, tuple[int | None, str]]) -> Iterator[Difference]:
    for row in ModelChangeSignature.objects.select_related("change").iterator():
        subject = f"model:{row.change.model_id}"
        if told.pop(row.change_id, None) != (row.user_id, row.statement_digest):
            yield Difference(subject, f"the signature of {row.change} is not the one in the ledger")
        data = bytes(row.statement)
        said = json.loads(data)
        shown = (row.change_id, row.change.digest, row.approves, row.comment)
        if canonical.digest(data) != row.statement_digest or shown != (
            said["change"],
            said["digest"],
            said["approves"],
            said["comment"],
        ):
            yield Difference(subject, f"the signature of {row.change} is not about this change")
    for pk in told:
        yield Difference(
            f"modelchange:{pk}", f"the signature of CHG-{pk} is in the ledger and not in the table"
        )
