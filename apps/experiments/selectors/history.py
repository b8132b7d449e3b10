"""The points of a metric over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing

from apps.core.errors import Invalid
from apps.experiments import sql
from apps.experiments.models import Run


@dataclass(slots=True)
class PointView:
    """One point; `value` may be NaN."""

    timestamp: int
    step: int
    value: float


_SALT = "experiments.history"
_POINTS = """
SELECT "timestamp", step, CASE WHEN is_nan THEN 'NaN' ELSE value END AS shown, value, is_nan
  FROM experiments_metric WHERE run_id = %(run)s AND key = %(key)s {after}
 ORDER BY "timestamp", step, value, is_nan {limit}
"""
_ALL = _POINTS.format(after="", limit="")
_PAGE = _POINTS.format(
    after='AND (%(at)s::bigint IS NULL OR ("timestamp", step, value, is_nan) '
    "> (%(at)s::bigint, %(step)s::bigint, %(value)s::float8, %(nan)s::bool))",
    limit="LIMIT %(limit)s",
)


def history(
    run: Run, key: str, *, max_results: int | None = None, page_token: str = ""
) -> tuple[list[PointView], str]:
    """The points in the order of time, step and value, and the token of the next page (or "")."""
    if max_results is None and not page_token:
        found = sql.rows(_ALL, {"run": run.pk, "key": key})
        return [PointView(*row[:3]) for row in found], ""
    limit = max_results or 25000
    last = _read_token(page_token, run, key)
    found = sql.rows(
        _PAGE,
        {
            "run": run.pk,
            "key": key,
            "at": last[0],
            "step": last[1],
            "value": last[2],
            "nan": last[3],
            "limit": limit + 1,
        },
    )
    page = found[:limit]
    token = ""
    if len(found) > limit:
        at, step, _, value, nan = page[-1]
        token = signing.dumps([run.pk, key, at, step, value, nan], salt=_SALT)
    return [PointView(*row[:3]) for row in page], token


def _read_token(token: str, run: Run, key: str) -> tuple[object, object, object, object]:
    if not token:
        return None, None, None, None
    try:
        pk, token_key, at, step, value, nan = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise Invalid("Invalid page token", fields={"page_token": "not one of ours"}) from None
    if (pk, token_key) != (run.pk, key):
        raise Invalid(
            "Invalid page token: it belongs to another request", fields={"page_token": ""}
        )
    return at, step, value, nan


_SAMPLE = """
WITH points AS (
    SELECT m.key, r.run_id, m."timestamp" AS at, m.step,
           CASE WHEN m.is_nan THEN 'NaN' ELSE m.value END AS value,
           row_number() OVER w - 1 AS position,
           count(*) OVER (PARTITION BY m.run_id, m.key) AS total
      FROM experiments_metric m JOIN experiments_run r ON r.id = m.run_id
     WHERE r.run_id = ANY(%(runs)s::text[]) AND m.key = ANY(%(keys)s::text[])
       AND (%(start)s::bigint IS NULL OR m.step BETWEEN %(start)s::bigint AND %(end)s::bigint)
    WINDOW w AS (PARTITION BY m.run_id, m.key ORDER BY m.step, m."timestamp", m.value, m.is_nan)
)
SELECT key, run_id, at, step, value FROM points
 WHERE total <= %(most)s OR position = total - 1
    OR position * (%(most)s - 1) / total > (position - 1) * (%(most)s - 1) / total
    OR position = 0
 ORDER BY key, run_id, position
"""


def metric_series(
    run_ids: Sequence[str],
    key: str,
    *,
    max_points: int = 1000,
    start_step: int | None = None,
    end_step: int | None = None,
) -> dict[str, list[PointView]]:
    """The curve of a metric per run, in the order of steps; see `metric_curves`."""
    window = {"start_step": start_step, "end_step": end_step}
    return metric_curves(run_ids, [key], max_points=max_points, **window)[key]


def metric_curves(
    run_ids: Sequence[str],
    keys: Sequence[str],
    *,
    max_points: int = 1000,
    start_step: int | None = None,
    end_step: int | None = None,
) -> dict[str, dict[str, list[PointView]]]:
    """The curves of several metrics, by key and run, in the order of steps, in one statement.

    Of a longer curve at most about `max_points` evenly spaced points, always the first and the last.
    Asks no rights: the caller has chosen runs that the actor may read.
    """
    curves: dict[str, dict[str, list[PointView]]] = {
        key: {run_id: [] for run_id in run_ids} for key in keys
    }
    found = sql.rows(
        _SAMPLE,
        {
            "runs": list(run_ids),
            "keys": list(keys),
            "start": start_step,
            "end": end_step,
            "most": max(2, max_points),
        },
    )
    for key, run_id, at, step, value in found:
        curves[key][run_id].append(PointView(at, step, value))
    return curves
