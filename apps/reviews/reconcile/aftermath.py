"""Compare what questions approvals, and emergency rollbacks, with the ledger's events (invariant 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.core import canonical
from apps.reviews.models import Rereview, Rollback, RollbackReview


def differences() -> Iterator[Difference]:
    """Every difference, each naming its row."""
    yield from _compare("re-review", "rereview", _told("reviews.rereview.required"), _rereviews())
    yield from _compare("rollback", "rollback", _told("reviews.rollback.made"), _rollbacks())
    yield from _compare(
        "review of rollback", "rollback", _told("reviews.rollback.reviewed"), _reviewed()
    )


_FIELDS = {
    "reviews.rereview.required": ("rereview", ("review", "trigger", "item", "reason")),
    "reviews.rollback.made": (
        "rollback",
        ("version", "target", "authorization", "earlier", "statement_digest"),
    ),
    "reviews.rollback.reviewed": ("rollback", ("accepts", "role", "statement_digest")),
}


def _told(kind: str) -> dict[int, tuple[Any, ...]]:
    key, fields = _FIELDS[kind]
    found = {}
    for event in replay(kind):
        said = tuple(event.payload[name] for name in fields)
        found[int(event.payload[key])] = (
            said if kind == "reviews.rereview.required" else (event.actor_id, *said)
        )
    return found


def _rereviews() -> dict[int, tuple[Any, ...]]:
    rows = Rereview.objects.values_list("pk", "review_id", "trigger", "item", "reason")
    return {pk: tuple(rest) for pk, *rest in rows}


def _rollbacks() -> dict[int, tuple[Any, ...]]:
    return {
        row.pk: (
            row.user_id,
            row.version_id,
            str(row.target),
            row.authorization_id,
            row.earlier_id,
            _digest(row),
        )
        for row in Rollback.objects.order_by("pk").iterator()
    }


def _reviewed() -> dict[int, tuple[Any, ...]]:
    return {
        row.rollback_id: (row.user_id, row.accepts, row.role, _digest(row))
        for row in RollbackReview.objects.order_by("pk").iterator()
    }


def _digest(row: Rollback | RollbackReview) -> str:
    """Of the statement's bytes, which its column should say too."""
    found = canonical.digest(bytes(row.statement))
    return found if found == row.statement_digest else "another than its column says"


def _compare(
    noun: str, subject: str, told: dict[int, tuple[Any, ...]], shown: dict[int, tuple[Any, ...]]
) -> Iterator[Difference]:
    for pk in sorted({*told, *shown}):
        said, stands = told.get(pk), shown.get(pk)
        if said is None:
            yield Difference(f"{subject}:{pk}", f"{noun} {pk} has no event in the ledger")
        elif stands is None:
            yield Difference(
                f"{subject}:{pk}", f"{noun} {pk} is in the ledger and not in the table"
            )
        elif said != stands:
            yield Difference(
                f"{subject}:{pk}", f"{noun} {pk}: the table says {stands}, the ledger says {said}"
            )
