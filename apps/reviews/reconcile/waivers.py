"""Compare waivers and the discussion with the ledger's events (invariant 5).

Names: a waiver without its event, by another person or with another statement than the event's, or whose columns
are not what was signed; a revocation that one of table and ledger does not know; words of a comment that are not
those of the ledger's digest; a mark on a thread that nobody made; whatever the ledger has and the tables have not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.core import canonical
from apps.reviews.models import CommentRevision, ThreadMark, Waiver, WaiverRevocation


def waivers() -> Iterator[Difference]:
    """Every difference between the ledger and the rows of waivers."""
    granted: dict[int, tuple[int | None, str]] = {}
    revoked: dict[int, tuple[int | None, str]] = {}
    for event in replay("reviews.waiver.granted", "reviews.waiver.revoked"):
        pk, payload = int(event.payload["waiver"]), event.payload
        if event.type == "reviews.waiver.granted":
            granted[pk] = (event.actor_id, str(payload["statement_digest"]))
        else:
            revoked[pk] = (event.actor_id, str(payload["reason"]))
    rows = Waiver.objects.select_related("version__model", "user").order_by("pk")
    for row in rows.iterator():
        subject = f"waiver:{row.pk}"
        if granted.pop(row.pk, None) != (row.user_id, row.statement_digest):
            yield Difference(subject, f"waiver {row.pk} is not the one in the ledger")
        if not _as_signed(row):
            yield Difference(subject, f"waiver {row.pk} is not what was signed")
    for pk in granted:
        yield Difference(f"waiver:{pk}", f"waiver {pk} is in the ledger and not in the table")
    yield from _revocations(revoked)


def _revocations(told: dict[int, tuple[int | None, str]]) -> Iterator[Difference]:
    ended = {row.waiver_id: (row.user_id, row.reason) for row in WaiverRevocation.objects.all()}
    for pk in sorted({*ended, *told}):
        if ended.get(pk) != told.get(pk):
            yield Difference(
                f"waiver:{pk}", f"waiver {pk}: table and ledger differ about its revocation"
            )


def _as_signed(row: Waiver) -> bool:
    data = bytes(row.statement)
    if canonical.digest(data) != row.statement_digest:
        return False
    said: dict[str, Any] = json.loads(data)
    return (
        said["version"],
        said["manifest_digest"],
        said["requirement"],
        said["reason"],
        said["expires_at"],
        said["signer"],
        said["role"],
        said["method"],
        said["reauthenticated_at"],
        said["signed_at"],
    ) == (
        row.version.number,
        row.version.manifest_digest,
        row.requirement,
        row.reason,
        row.expires_at.isoformat(),
        str(row.user.uuid),
        row.role,
        row.method,
        row.reauthenticated_at.isoformat(),
        row.created_at.isoformat(),
    )


def discussion() -> Iterator[Difference]:
    """Every difference between the ledger and the rows of comments and marks."""
    said: dict[tuple[int, int], tuple[int | None, int, str]] = {}
    marks: dict[int, tuple[int | None, int, bool]] = {}
    for event in replay(
        "reviews.comment.added",
        "reviews.comment.edited",
        "reviews.thread.resolved",
        "reviews.thread.reopened",
    ):
        payload, thread = event.payload, int(event.payload["thread"])
        if event.type.startswith("reviews.thread."):
            resolved = event.type == "reviews.thread.resolved"
            marks[int(payload["mark"])] = (event.actor_id, thread, resolved)
            continue
        number = int(payload.get("number", 1))
        told = (event.actor_id, thread, str(payload["digest"]))
        said[int(payload["comment"]), number] = told
    yield from _comments(said)
    yield from _marks(marks)


def _comments(said: dict[tuple[int, int], tuple[int | None, int, str]]) -> Iterator[Difference]:
    rows = CommentRevision.objects.select_related("comment").order_by("pk")
    for row in rows.iterator():
        comment = row.comment
        digest = hashlib.sha256(row.text.encode()).hexdigest()
        told = said.pop((comment.pk, row.number), None)
        if told != (comment.author_id, comment.thread_id, digest) or row.digest != digest:
            yield Difference(
                f"comment:{comment.pk}",
                f"comment {comment.pk}, revision {row.number}, is not the one in the ledger",
            )
    for pk, number in said:
        yield Difference(
            f"comment:{pk}",
            f"comment {pk}, revision {number}, is in the ledger and not in the table",
        )


def _marks(told: dict[int, tuple[int | None, int, bool]]) -> Iterator[Difference]:
    for row in ThreadMark.objects.order_by("pk").iterator():
        if told.pop(row.pk, None) != (row.user_id, row.thread_id, row.resolved):
            yield Difference(
                f"thread:{row.thread_id}", f"thread mark {row.pk} is not the one in the ledger"
            )
    for pk, (_user, thread, _resolved) in told.items():
        yield Difference(
            f"thread:{thread}", f"thread mark {pk} is in the ledger and not in the table"
        )
