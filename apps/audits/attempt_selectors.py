"""Reading the attempts, repeats added up. Shown through `apps.audits.selectors.attempts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from apps.audits.labels import actor_labels, opened
from apps.audits.models import Attempt

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

STRANGER_LABEL = "not signed in"

_REPEATS = """
SELECT same.key, same."window", sum(same.repeats), max(same.at) FROM (
    SELECT key, "window", repeats, at FROM audits_attempt WHERE repeats > 0
    UNION ALL
    SELECT key, "window", repeats, last_at FROM audits_attempt_tally
) AS same
JOIN unnest(%s::bytea[], %s::bigint[]) AS page(key, "window")
    ON page.key = same.key AND page."window" = same."window"
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One kind of attempt within one window, with how often it was made. `origin` is the commitment to its address."""

    id: int
    at: dt.datetime
    last_at: dt.datetime
    times: int
    actor_id: int | None
    actor_kind: str
    actor_label: str
    door: str
    act: str
    subject: str
    outcome: str
    reason: str
    remote_addr: str
    request_id: str
    origin: str = ""


def attempts(
    *,
    actor_id: int | None = None,
    act: str | None = None,
    acts: Collection[str] | None = None,
    subject: str | None = None,
    subjects: Collection[str] | None = None,
    outcome: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[AttemptView]:
    """The newest attempts, newest first; the next page starts `before_id` the last. Four queries at most."""
    conditions: dict[str, Any] = {
        "actor_id": actor_id,
        "act": act,
        "act__in": acts,
        "subject": subject,
        "subject__in": subjects,
        "outcome": outcome,
        "at__gte": since,
        "at__lt": until,
        "id__lt": before_id,
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    rows = list(Attempt.objects.filter(repeats=0, **given).order_by("-id")[:limit])
    repeats = _repeats(rows)
    labels = actor_labels(row.actor_id for row in rows)
    addresses = opened(bytes(row.origin).hex() for row in rows if row.origin is not None)
    return [_view(row, repeats, labels, addresses) for row in rows]


def _repeats(rows: Sequence[Attempt]) -> dict[tuple[bytes, int], tuple[int, dt.datetime]]:
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_REPEATS, [[bytes(row.key) for row in rows], [row.window for row in rows]])
        return {(bytes(key), window): (int(n), last) for key, window, n, last in cursor.fetchall()}


def _view(
    row: Attempt,
    repeats: dict[tuple[bytes, int], tuple[int, dt.datetime]],
    labels: dict[int | None, str],
    addresses: dict[str, str],
) -> AttemptView:
    more, last_at = repeats.get((bytes(row.key), row.window), (0, row.at))
    label = labels[row.actor_id] if row.actor_kind else STRANGER_LABEL
    return AttemptView(
        id=row.pk,
        at=row.at,
        last_at=last_at,
        times=1 + more,
        actor_id=row.actor_id,
        actor_kind=row.actor_kind,
        actor_label=label,
        door=row.door,
        act=row.act,
        subject=row.subject,
        outcome=row.outcome,
        reason=row.reason,
        remote_addr=addresses.get(bytes(row.origin).hex(), "") if row.origin is not None else "",
        request_id=row.request_id,
        origin=bytes(row.origin).hex() if row.origin is not None else "",
    )
