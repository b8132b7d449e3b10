"""Replay the ledger's events and compare what they say with the registry's tables.

Compared: each model's governance, every stage and alias of every version, the environments it may run in, every
authorization, the manifest digest fixed at registration. The answer to somebody who edits the database (invariant 5).
Not compared: descriptions, tags and settings, which carry no authority.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.registry.models import (
    Alias,
    Authorization,
    EnvironmentEntry,
    ModelVersion,
    RegisteredModel,
)


@dataclass(slots=True)
class _State:
    governance: dict[int, str] = field(default_factory=dict)
    manifest: dict[int, str] = field(default_factory=dict)
    stage: dict[int, str] = field(default_factory=dict)
    alias: dict[tuple[int, str], int] = field(default_factory=dict)
    entry: dict[tuple[int, str], int] = field(default_factory=dict)
    minted: dict[int, dict[str, object]] = field(default_factory=dict)
    spent: dict[int, int] = field(default_factory=dict)
    revoked: set[int] = field(default_factory=set)


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the registry's rows, each naming its row."""
    state = _replay()
    yield from _models(state)
    yield from _versions(state)
    yield from _aliases(state)
    yield from _entries(state)
    yield from _authorizations(state)


def _replay() -> _State:
    state = _State()
    for event in replay(*_APPLY):
        _APPLY[event.type](state, event.payload)
    return state


def _governance(state: _State, p: dict[str, object]) -> None:
    state.governance[_int(p["model"])] = str(p["governance"])


def _registered(state: _State, p: dict[str, object]) -> None:
    state.manifest[_int(p["version"])] = str(p["manifest_digest"])
    state.stage[_int(p["version"])] = "None"


def _stage_set(state: _State, p: dict[str, object]) -> None:
    state.stage[_int(p["version"])] = str(p["stage"])


def _alias_set(state: _State, p: dict[str, object]) -> None:
    state.alias[_int(p["model"]), str(p["alias"]).lower()] = _int(p["version"])


def _alias_deleted(state: _State, p: dict[str, object]) -> None:
    state.alias.pop((_int(p["model"]), str(p["alias"]).lower()), None)


def _promoted(state: _State, p: dict[str, object]) -> None:
    kind, _, name = str(p["target"]).partition(":")
    if kind == "stage":
        state.stage[_int(p["version"])] = name.capitalize()
    elif kind == "environment":
        state.entry[_int(p["version"]), name] = _int(p["authorization"])
    else:
        state.alias[_int(p["model"]), name] = _int(p["version"])
    state.spent[_int(p["authorization"])] = _int(p["version"])


def _renewed(state: _State, p: dict[str, object]) -> None:
    state.spent[_int(p["authorization"])] = _int(p["version"])


def _left(state: _State, p: dict[str, object]) -> None:
    kind, _, name = str(p["target"]).partition(":")
    if kind == "stage":
        state.stage[_int(p["version"])] = "Archived"
    elif kind == "environment":
        state.entry.pop((_int(p["version"]), name), None)
    else:
        state.alias.pop((_int(p["model"]), name), None)


def _version_deleted(state: _State, p: dict[str, object]) -> None:
    version = _int(p["version"])
    state.stage[version] = "None"
    state.alias = {key: held for key, held in state.alias.items() if held != version}


def _model_deleted(state: _State, p: dict[str, object]) -> None:
    model = _int(p["model"])
    state.alias = {key: held for key, held in state.alias.items() if key[0] != model}
    for version in ModelVersion.objects.filter(model_id=model).values_list("pk", flat=True):
        state.stage[version] = "None"


def _minted(state: _State, p: dict[str, object]) -> None:
    state.minted[_int(p["authorization"])] = p


def _revoked(state: _State, p: dict[str, object]) -> None:
    state.revoked.add(_int(p["authorization"]))


_APPLY = {
    "registry.model.created": _governance,
    "registry.model.governance_changed": _governance,
    "registry.model.deleted": _model_deleted,
    "registry.version.registered": _registered,
    "registry.version.stage_set": _stage_set,
    "registry.version.promoted": _promoted,
    "registry.approval.renewed": _renewed,
    "registry.version.left": _left,
    "registry.version.deleted": _version_deleted,
    "registry.alias.set": _alias_set,
    "registry.alias.deleted": _alias_deleted,
    "registry.authorization.minted": _minted,
    "registry.authorization.revoked": _revoked,
}


def _int(value: object) -> int:
    return int(str(value))


def _models(state: _State) -> Iterator[Difference]:
    for pk, name, governance in RegisteredModel.objects.values_list("pk", "name", "governance"):
        told = state.governance.pop(pk, None)
        if told != governance:
            yield Difference(
                f"model:{pk}", f"model {name}: the table says {governance}, the ledger says {told}"
            )
    for pk in state.governance:
        yield Difference(f"model:{pk}", f"model {pk} is in the ledger and not in the table")


def _versions(state: _State) -> Iterator[Difference]:
    rows = ModelVersion.objects.values_list(
        "pk", "model__name", "number", "stage", "manifest_digest"
    )
    for pk, name, number, stage, manifest in rows.iterator():
        told = state.stage.pop(pk, None)
        if told != stage:
            yield Difference(
                f"version:{pk}",
                f"{name} v{number}: the table says stage {stage}, the ledger says {told}",
            )
        if state.manifest.get(pk) != manifest:
            yield Difference(
                f"version:{pk}",
                f"{name} v{number}: the table's manifest {manifest[:12]} is not the one registered",
            )
    for pk in state.stage:
        yield Difference(f"version:{pk}", f"version {pk} is in the ledger and not in the table")


def _aliases(state: _State) -> Iterator[Difference]:
    for model, name, version in Alias.objects.values_list("model_id", "name", "version_id"):
        told = state.alias.pop((model, name.lower()), None)
        if told != version:
            yield Difference(
                f"version:{version}",
                f"model {model} alias @{name}: the table says version {version}, the ledger says {told}",
            )
    for (model, name), version in state.alias.items():
        yield Difference(
            f"version:{version}",
            f"model {model} alias @{name} is in the ledger and not in the table",
        )


def _entries(state: _State) -> Iterator[Difference]:
    rows = EnvironmentEntry.objects.filter(left_at__isnull=True)
    for version, name, held in rows.values_list("version_id", "environment", "authorization_id"):
        told = state.entry.pop((version, name), None)
        if told != held:
            yield Difference(
                f"version:{version}",
                f"environment {name}: the table says by authorization {held}, the ledger says {told}",
            )
    for (version, name), held in state.entry.items():
        yield Difference(
            f"version:{version}",
            f"environment {name} by authorization {held} is in the ledger and not in the table",
        )


def _authorizations(state: _State) -> Iterator[Difference]:
    for row in Authorization.objects.all().iterator():
        subject, told = f"version:{row.version_id}", state.minted.pop(row.pk, None)
        if told is None:
            yield Difference(subject, f"authorization {row.pk} has no event in the ledger")
            continue
        shown = (row.version_id, str(row.target), row.review_id, row.round_id, row.evidence_digest)
        said = tuple(
            told[key] for key in ("version", "target", "review", "round", "evidence_digest")
        )
        if shown != said:
            yield Difference(
                subject, f"authorization {row.pk}: the table says {shown}, the ledger {said}"
            )
        if (row.spent_at is not None) != (row.pk in state.spent):
            yield Difference(
                subject, f"authorization {row.pk}: spent in one of table and ledger only"
            )
        if (row.revoked_at is not None) != (row.pk in state.revoked):
            yield Difference(
                subject, f"authorization {row.pk}: revoked in one of table and ledger only"
            )
    for pk in state.minted:
        yield Difference(
            f"authorization:{pk}", f"authorization {pk} is in the ledger and not in the table"
        )
