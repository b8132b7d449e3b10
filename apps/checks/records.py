"""A measurement as one file that an auditor's program reads: what went in, the counts, the numbers, where they come from.

The file is canonical JSON, members in the order in which they are digested, so that `result_digest` follows from the file
alone (docs/checks/index.md). It holds no assessment: limits change, this does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

from apps.accounts.models import User
from apps.checks.models import Measurement
from apps.core import canonical
from apps.core.canonical import JSON
from apps.registry.models import ModelVersion

_CHUNK: Final = 1 << 16


def file_name(version: ModelVersion, row: Measurement, ending: str) -> str:
    """`credit-v3-fairness.json`."""
    return f"{version.model.name}-v{version.number}-{row.kind}.{ending}"


def written(version: ModelVersion, row: Measurement) -> Iterator[bytes]:
    """The file, a chunk at a time. Everything is read before the first one."""
    return _chunks(canonical.pieces(record(version, row)))


def record(version: ModelVersion, row: Measurement) -> Mapping[str, JSON]:
    """`result_digest` covers key, result and statistics; `key` kind, params, inputs, code_version (as code), libraries."""
    return {
        "measurement": str(row.uuid),
        "kind": row.kind,
        "status": row.status,
        "key": row.key,
        "params": row.params,
        "inputs": row.inputs,
        "statistics": row.statistics,
        "result": row.result,
        "result_digest": row.result_digest,
        "code_version": row.code_version,
        "libraries": row.libraries,
        "provenance": _provenance(version, row),
    }


def _provenance(version: ModelVersion, row: Measurement) -> JSON:
    return {
        "model": version.model.name,
        "version": version.number,
        "manifest_digest": version.manifest_digest,
        "asked_by": _person(row.started_by),
        "queued_at": _moment(row.queued_at),
        "started_at": _moment(row.started_at),
        "finished_at": _moment(row.finished_at),
        "timings": row.timings,
        "error": row.error,
        "recalled_by": _person(row.recalled_by),
        "recalled_at": _moment(row.recalled_at),
        "recall_reason": row.recall_reason,
    }


def _person(user: User | None) -> JSON:
    return {"uuid": str(user.uuid), "name": str(user)} if user is not None else None


def _moment(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).isoformat() if at is not None else None


def _chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks that are worth sending."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= _CHUNK:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)
