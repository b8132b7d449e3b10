"""Compare recusals, conflicts of interest and delegations with the ledger's events (invariant 5).

Each row has exactly one event that says the same, by the same person; each event has its row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.reviews.models import (
    Conflict,
    ConflictWithdrawal,
    Delegation,
    DelegationEnd,
    Recusal,
)
from apps.reviews.reads import delegations

Said = tuple[int | None, tuple[Any, ...]]


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and these tables, each naming its row."""
    yield from _compare(
        "recusal", _recusals(), _told("reviews.review.recused", "recusal", _recusal)
    )
    yield from _compare(
        "conflict", _conflicts(), _told("reviews.conflict.declared", "conflict", _conflict)
    )
    yield from _compare(
        "withdrawal of conflict",
        (
            (row.conflict_id, (row.user_id, (row.reason,)))
            for row in ConflictWithdrawal.objects.all()
        ),
        _told("reviews.conflict.withdrawn", "conflict", _reason),
    )
    yield from _compare(
        "delegation", _delegations(), _told("reviews.delegation.given", "delegation", _delegation)
    )
    yield from _compare(
        "end of delegation",
        ((row.delegation_id, (row.user_id, (row.reason,))) for row in DelegationEnd.objects.all()),
        _told("reviews.delegation.ended", "delegation", _reason),
    )


def _compare(
    what: str, rows: Iterable[tuple[int, Said]], told: dict[int, Said]
) -> Iterator[Difference]:
    noun = what.split()[-1]
    for pk, shown in rows:
        said = told.pop(pk, None)
        if said is None:
            yield Difference(f"{noun}:{pk}", f"{what} {pk} has no event in the ledger")
        elif said != shown:
            yield Difference(
                f"{noun}:{pk}", f"{what} {pk}: the table says {shown}, the ledger says {said}"
            )
    for pk in told:
        yield Difference(f"{noun}:{pk}", f"{what} {pk} is in the ledger and not in the table")


def _told(event_type: str, noun: str, read: Any) -> dict[int, Said]:
    return {
        int(event.payload[noun]): (event.actor_id, read(event.payload))
        for event in replay(event_type)
    }


def _recusal(payload: dict[str, Any]) -> tuple[Any, ...]:
    return (payload["person"], payload["review"], payload["round"], payload["reason"])


def _recusals() -> Iterator[tuple[int, Said]]:
    for row in Recusal.objects.order_by("pk").iterator():
        yield row.pk, (row.user_id, (row.user_id, row.review_id, row.round_id, row.reason))


def _conflict(payload: dict[str, Any]) -> tuple[Any, ...]:
    return (payload["person"], payload["model"], payload["review"], payload["reason"])


def _conflicts() -> Iterator[tuple[int, Said]]:
    for row in Conflict.objects.order_by("pk").iterator():
        said = (row.person_id, row.model_id, row.review_id, row.reason)
        yield row.pk, (row.declared_by_id, said)


def _delegation(payload: dict[str, Any]) -> tuple[Any, ...]:
    until = dt.datetime.fromisoformat(str(payload["until"]))
    names = ("delegate", "role", "scope", "reason")
    return (payload["delegator"], *(payload[name] for name in names), until)


def _delegations() -> Iterator[tuple[int, Said]]:
    for row in Delegation.objects.order_by("pk").iterator():
        scope = delegations.scope_of(row)
        said = (row.delegator_id, row.delegate_id, row.role, scope, row.reason, row.ends_at)
        yield row.pk, (row.delegator_id, said)


def _reason(payload: dict[str, Any]) -> tuple[Any, ...]:
    return (payload["reason"],)
