"""The hot path: writing parameters, metric points and tags to a run.

Guarantees: a call is one transaction, all or nothing; the run's row is held with a share lock while
its rows are written, so a seal or a deletion comes wholly before or wholly after; saying the same
thing twice changes nothing; a parameter never changes its value; the latest point per key is the
greatest by (step, timestamp, value) whatever the order of arrival.

Each table takes one statement per call. Rows are sorted by key, so that two calls that meet on the
same run lock them in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec
from django.db import transaction

from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from apps.experiments import access, limits, sql

RUN_NAME_TAG: Final = "mlflow.runName"
_WHOLE = re.compile(r"-?[0-9]{1,19}")


Key = Annotated[str, msgspec.Meta(min_length=1)]


class Point(msgspec.Struct):
    """One metric point as a client sends it; a number may come as its text ("NaN", "12")."""

    key: Key
    value: float | str
    timestamp: int | str
    step: int | str | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class Pair(msgspec.Struct):
    """A parameter or tag."""

    key: Key
    value: str | None = None


# (key, timestamp, step, value, is_nan): the order of the table's key.
Stored = tuple[str, int, int, float, bool]


def log_batch(
    actor: Actor,
    *,
    run_id: str,
    metrics: Sequence[Point] = (),
    params: Sequence[Pair] = (),
    tags: Sequence[Pair] = (),
) -> None:
    """Write to a run.

    Refuses: too much at once, ill-formed keys, values and times, two values for one parameter, a
    changed parameter (naming the old value), a run that is deleted, sealed or not the actor's to write.
    """
    limits.batch(len(metrics), len(params), len(tags))
    points = stored_points(metrics, many=True)
    param_values = _params(params)
    tag_values = _tags(tags, many=True)
    with transaction.atomic():
        run = access.writable_run(actor, run_id, exclusive=RUN_NAME_TAG in tag_values)
        write_params(run, param_values, many=True)
        write_points(run, points)
        _write_model_points(actor, run, metrics)
        write_tags(run, tag_values)


def log_metric(actor: Actor, *, run_id: str, metric: Point) -> None:
    """One metric point; see `log_batch`."""
    points = stored_points([metric], many=False)
    with transaction.atomic():
        run = access.writable_run(actor, run_id)
        write_points(run, points)
        _write_model_points(actor, run, [metric])


def log_param(actor: Actor, *, run_id: str, key: str, value: str) -> None:
    """One parameter; see `log_batch`."""
    values = {limits.key(key, what="Param key"): limits.param_value(value)}
    with transaction.atomic():
        write_params(access.writable_run(actor, run_id), values, many=False)


def set_tag(actor: Actor, *, run_id: str, key: str, value: str) -> None:
    """One tag, overwriting. The tag that holds the run's name renames the run."""
    values = _tags([Pair(key, value)], many=False)
    with transaction.atomic():
        write_tags(access.writable_run(actor, run_id, exclusive=RUN_NAME_TAG in values), values)


def delete_tag(actor: Actor, *, run_id: str, key: str) -> None:
    """Remove a tag. Refuses: a tag that is not there."""
    with transaction.atomic():
        run = access.writable_run(actor, run_id)
        gone = sql.run(
            "DELETE FROM experiments_runtag WHERE run_id = %s AND key = %s", (run.id, key)
        )
        if not gone:
            raise NotFound(f"No tag with name: {key} in run with id {run_id}")


# --- what a client sent, made storable ---------------------------------------------------------


def stored_points(metrics: Sequence[Point], *, many: bool) -> list[Stored]:
    """The points as rows, sorted. NaN becomes 0 and a flag, infinities the largest numbers."""
    rows = []
    for position, point in enumerate(metrics):
        path = f"metrics[{position}]." if many else ""
        key = limits.key(point.key, path=f"{path}name", what="Metric name")
        value, is_nan = _value(point, path)
        timestamp = _whole(point.timestamp, f"{path}timestamp", key)
        if timestamp < 0:
            raise limits.invalid_value(
                f"{path}timestamp",
                timestamp,
                f"metric '{key}' (value={point.value}). "
                "Timestamp must be a nonnegative long (64-bit integer) ",
            )
        step = _whole(point.step, f"{path}step", key) if point.step else 0
        rows.append((key, timestamp, step, value, is_nan))
    rows.sort()
    return rows


def _value(point: Point, path: str) -> tuple[float, bool]:
    value = point.value
    number = value if isinstance(value, float) else _number(value, path, point)
    if number != number:
        return 0.0, True
    if -limits.LARGEST <= number <= limits.LARGEST:
        return number + 0.0, False  # -0.0 becomes 0.0: the database holds them for one key
    return (limits.LARGEST if number > 0 else -limits.LARGEST), False


def _number(value: str, path: str, point: Point) -> float:
    try:
        return float(value)
    except ValueError:
        raise limits.invalid_value(
            f"{path}value",
            value,
            f"(timestamp={point.timestamp}). "
            "Please specify value as a valid double (64-bit floating point)",
        ) from None


def _whole(value: int | str, path: str, key: str) -> int:
    """A 64-bit whole number, also from its text."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and limits.INT64_MIN <= value <= limits.INT64_MAX:
        return value
    raise limits.invalid_value(
        path, value, f"metric '{key}'. Expected a valid long (64-bit integer)."
    )


def _params(params: Sequence[Pair]) -> dict[str, str]:
    values: dict[str, str] = {}
    twice = []
    for position, pair in enumerate(params):
        key = limits.key(pair.key, path=f"params[{position}].key", what="Param key")
        if key in values:
            twice.append(key)
        values[key] = limits.param_value(pair.value or "")
    if twice:
        raise Invalid(
            f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request "
            "contains only one param value per param key.",
            fields={"params": "duplicate keys"},
        )
    return values


def _tags(tags: Iterable[Pair], *, many: bool) -> dict[str, str]:
    """The last value of each key."""
    values = {}
    for position, pair in enumerate(tags):
        path = f"tags[{position}].key" if many else "key"
        key = limits.key(pair.key, path=path, what=path)
        values[key] = limits.run_tag_value(pair.value or "")
    return values


# --- one statement per table -------------------------------------------------------------------

_POINTS = """
WITH history AS (
    INSERT INTO experiments_metric (run_id, key, "timestamp", step, value, is_nan)
    SELECT %(run)s, p.* FROM unnest(
        string_to_array(%(keys)s, ','), %(times)s::bigint[], %(steps)s::bigint[],
        %(values)s::float8[], %(nans)s::bool[]) AS p
    ON CONFLICT DO NOTHING
)
INSERT INTO experiments_latestmetric AS latest
    (run_id, experiment_id, key, "timestamp", step, value, is_nan)
SELECT %(run)s, %(experiment)s, p.* FROM unnest(
    string_to_array(%(top_keys)s, ','), %(top_times)s::bigint[], %(top_steps)s::bigint[],
    %(top_values)s::float8[], %(top_nans)s::bool[]) AS p
ON CONFLICT (run_id, key) DO UPDATE
    SET "timestamp" = excluded."timestamp", step = excluded.step,
        value = excluded.value, is_nan = excluded.is_nan
    WHERE (excluded.step, excluded."timestamp", excluded.value)
        > (latest.step, latest."timestamp", latest.value)
"""


def write_points(run: access.WritableRun, points: Sequence[Stored]) -> None:
    """History and latest values in one statement. `points` are sorted by key."""
    if not points:
        return
    top: dict[str, Stored] = {}
    for point in points:
        best = top.get(point[0])
        if best is None or (point[2], point[1], point[3]) > (best[2], best[1], best[3]):
            top[point[0]] = point
    sql.run(
        _POINTS,
        {
            "run": run.id,
            "experiment": run.experiment_id,
            **_columns("", points),
            **_columns("top_", list(top.values())),
        },
    )


def _columns(prefix: str, points: Sequence[Stored]) -> dict[str, str]:
    keys, times, steps, values, nans = zip(*points, strict=True)
    return {
        f"{prefix}keys": sql.SEPARATOR.join(keys),
        f"{prefix}times": sql.numbers(times),
        f"{prefix}steps": sql.numbers(steps),
        f"{prefix}values": sql.numbers(values),
        f"{prefix}nans": sql.numbers(nans),
    }


_PARAMS = """
INSERT INTO experiments_param (run_id, experiment_id, key, value)
SELECT %s, %s, p.key, p.value FROM unnest(%s::text[], %s::text[]) AS p (key, value)
ON CONFLICT (run_id, key) DO NOTHING
"""


def write_params(run: access.WritableRun, values: dict[str, str], *, many: bool) -> None:
    """Insert what is new; what was there must be equal."""
    if not values:
        return
    keys = sorted(values)
    added = sql.run(_PARAMS, (run.id, run.experiment_id, keys, [values[key] for key in keys]))
    if added == len(keys):
        return
    found = sql.rows(
        "SELECT key, value FROM experiments_param WHERE run_id = %s AND key = ANY(%s::text[])",
        (run.id, keys),
    )
    changed = [(key, old) for key, old in sorted(found) if old != values[key]]
    if changed:
        raise _changed_params(run.run_id, changed, values, many=many)


def _changed_params(
    run_id: str, changed: list[tuple[str, str]], values: dict[str, str], *, many: bool
) -> Invalid:
    if many:
        told = [{"key": k, "old_value": old, "new_value": values[k]} for k, old in changed]
        what = f"Params were already logged='{told}' for run ID='{run_id}'."
    else:
        key, old = changed[0]
        what = (
            f"Param with key='{key}' was already logged with value='{old}' for run ID='{run_id}'. "
            f"Attempted logging new value '{values[key]}'."
        )
    return Invalid(
        f"Changing param values is not allowed. {what}",
        fields={key: "already logged with another value" for key, _ in changed},
    )


_TAGS = """
INSERT INTO experiments_runtag AS tag (run_id, experiment_id, key, value)
SELECT %s, %s, t.key, t.value FROM unnest(%s::text[], %s::text[]) AS t (key, value)
ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value WHERE tag.value <> excluded.value
"""


def write_tags(run: access.WritableRun, values: dict[str, str]) -> None:
    """Insert or overwrite; mirror the run's name."""
    if not values:
        return
    keys = sorted(values)
    sql.run(_TAGS, (run.id, run.experiment_id, keys, [values[key] for key in keys]))
    if RUN_NAME_TAG in values:
        sql.run(
            "UPDATE experiments_run SET name = %s WHERE id = %s", (values[RUN_NAME_TAG], run.id)
        )


_MODEL_POINTS = """
INSERT INTO experiments_loggedmodelmetric
    (model_id, run_id, key, "timestamp", step, value, is_nan, dataset_name, dataset_digest)
SELECT p.model, %s, p.key, p.at, p.step, p.value, p.is_nan, p.dataset_name, p.dataset_digest
  FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::float8[], %s::bool[],
              %s::text[], %s::text[])
    AS p (model, key, at, step, value, is_nan, dataset_name, dataset_digest)
ON CONFLICT DO NOTHING
"""


def _write_model_points(actor: Actor, run: access.WritableRun, metrics: Sequence[Point]) -> None:
    """Points that name a logged model are its metrics too (never evidence: its seal does not mind)."""
    ours = [point for point in metrics if point.model_id]
    if not ours:
        return
    ids = access.models_to_measure(actor, run, {point.model_id for point in ours if point.model_id})
    rows = []
    for point in ours:
        ((key, at, step, value, is_nan),) = stored_points([point], many=False)
        data = (point.dataset_name or "", point.dataset_digest or "")
        rows.append((ids[point.model_id or ""], key, at, step, value, is_nan, *data))
    rows.sort()
    sql.run(_MODEL_POINTS, (run.id, *map(list, zip(*rows, strict=True))))
