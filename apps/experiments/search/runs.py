"""Searching runs.

A page costs the same whatever its depth and however many runs other experiments hold: conditions are
semi-joins on the copied experiment id, pages go on after a row, and an order by one metric walks that
metric's index in three stretches: values, NaN, runs without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apps.core.actor import Actor
from apps.experiments import access, sql
from apps.experiments.models import Lifecycle
from apps.experiments.search import clauses, keyset
from apps.experiments.search.grammar import (
    LIST_OPS,
    NULL_OPS,
    NUMBER_OPS,
    STRING_OPS,
    Clause,
    Language,
    Order,
    parse_filter,
    parse_order,
)
from apps.experiments.search.keyset import Column, Page
from apps.experiments.selectors.runs import COLUMNS, RunView, fill

LANGUAGE: Final = Language(
    entities={
        "metric": "metric",
        "metrics": "metric",
        "parameter": "parameter",
        "parameters": "parameter",
        "param": "parameter",
        "params": "parameter",
        "tag": "tag",
        "tags": "tag",
        "attribute": "attribute",
        "attributes": "attribute",
        "attr": "attribute",
        "run": "attribute",
        "dataset": "dataset",
        "datasets": "dataset",
    },
    attributes={
        "status": "text",
        "artifact_uri": "text",
        "run_name": "text",
        "run_id": "list",
        "user_id": "text",
        "start_time": "number",
        "end_time": "number",
    },
    ops={
        "metric": NUMBER_OPS,
        "parameter": STRING_OPS | NULL_OPS,
        "tag": STRING_OPS | NULL_OPS,
        "dataset": STRING_OPS | LIST_OPS,
    },
    orderable=frozenset(
        {"status", "artifact_uri", "run_name", "run_id", "user_id", "start_time", "end_time"}
    ),
    aliases={
        "created": "start_time",
        "Created": "start_time",
        "run name": "run_name",
        "Run name": "run_name",
        "Run Name": "run_name",
    },
    dataset_keys=frozenset({"name", "digest", "context"}),
)

_ATTRIBUTES: Final = {
    "status": "r.status",
    "artifact_uri": "('mlflow-artifacts:/' || r.experiment_id || '/' || r.run_id || '/artifacts')",
    "run_name": "r.name",
    "run_id": "r.run_id",
    "user_id": "r.user_label",
    "start_time": "r.start_time",
    "end_time": "r.end_time",
}
_START: Final = Column("r.start_time", ascending=False, cast="bigint")
_ID: Final = Column("r.run_id", ascending=True, cast="text")
_TABLES: Final = {"parameter": "experiments_param", "tag": "experiments_runtag"}


@dataclass(frozen=True, slots=True)
class _Query:
    """What every stretch of a search shares."""

    experiments: list[int]
    conditions: list[clauses.Condition]
    limit: int


def search_runs(
    actor: Actor,
    experiment_ids: Iterable[int],
    *,
    filter: str = "",
    order: Sequence[str] = (),
    stage: Lifecycle | None = Lifecycle.ACTIVE,
    max_results: int = 100,
    page_token: str = "",
) -> Page[RunView]:
    """A page of runs with what they recorded, of those experiments the actor may read.

    `stage` None means active and deleted ones. Refuses: a filter or order that is not understood, a
    page token of another request.
    """
    wanted = sorted(set(experiment_ids))
    filters = parse_filter(filter, LANGUAGE)
    orders = parse_order(order, LANGUAGE)
    question = keyset.fingerprint(wanted, filter, list(order), stage)
    position = keyset.read_token(page_token, question)
    experiments = access.visible_experiments(actor, wanted)
    if not experiments:
        return Page([])
    query = _Query(experiments, _conditions(filters, experiments, stage), max_results + 1)
    if len(orders) == 1 and orders[0].entity == "metric" and len(experiments) == 1:
        found = _by_metric(query, orders[0], filters, position)
    else:
        found = _by_columns(query, orders, position)
    runs = [RunView(*columns[:11]) for columns in found[:max_results]]
    fill(runs)
    token = ""
    if len(found) > max_results:
        token = keyset.write_token(question, list(found[max_results - 1][11:]))
    return Page(runs, token)


def _conditions(
    filters: list[Clause], experiments: list[int], stage: Lifecycle | None
) -> list[clauses.Condition]:
    conditions = [_condition(clause, experiments) for clause in filters]
    if stage is not None:
        conditions.append(("r.lifecycle_stage = %s", [str(stage)]))
    return conditions


def _condition(clause: Clause, experiments: list[int]) -> clauses.Condition:
    if clause.entity == "attribute":
        expression = _ATTRIBUTES[clause.key]
        if LANGUAGE.attributes[clause.key] == "number":
            return clauses.number(expression, clause)
        return clauses.text(expression, clause)
    if clause.entity == "metric":
        return _metric(clause, experiments)
    if clause.entity == "dataset":
        return _dataset(clause)
    return clauses.keyed(
        _TABLES[clause.entity],
        "x.run_id = r.id",
        clause,
        scope="x.experiment_id = ANY(%s::bigint[])",
        scoped=experiments,
    )


def _metric(clause: Clause, experiments: list[int]) -> clauses.Condition:
    """NaN is stored as 0 and equals nothing; it differs from everything."""
    condition, values = clauses.number("x.value", clause)
    number = f"({condition} OR x.is_nan)" if clause.op == "!=" else f"NOT x.is_nan AND {condition}"
    where = f"x.run_id = r.id AND x.key = %s AND x.experiment_id = ANY(%s::bigint[]) AND {number}"
    return (
        f"EXISTS (SELECT FROM experiments_latestmetric x WHERE {where})",
        [clause.key, experiments, *values],
    )


def _dataset(clause: Clause) -> clauses.Condition:
    links = "experiments_datasetinput i JOIN experiments_dataset d ON d.id = i.dataset_id"
    if clause.key == "context":
        condition, values = clauses.text("t.value", clause)
        links += " JOIN experiments_datasetinputtag t ON t.input_id = i.id"
        where = f"i.run_id = r.id AND t.name = 'mlflow.data.context' AND {condition}"
        return f"EXISTS (SELECT FROM {links} WHERE {where})", values
    condition, values = clauses.text(f"d.{clause.key}", clause)
    return f"EXISTS (SELECT FROM {links} WHERE i.run_id = r.id AND {condition})", values


# --- any order ---------------------------------------------------------------------------------


def _by_columns(
    query: _Query, orders: list[Order], position: list[Any] | None
) -> list[tuple[Any, ...]]:
    joins, join_params, columns = _sort(orders)
    return _fetch(query, f"experiments_run r {joins}", join_params, columns, position, [])


def _sort(orders: list[Order]) -> tuple[str, list[Any], list[Column]]:
    """The joins and columns of an order: what is missing comes last in both directions."""
    joins, params, columns = "", [], []
    for number, order in enumerate(orders):
        alias = f"o{number}"
        if order.entity == "attribute":
            columns += _attribute_columns(order)
            continue
        table = _TABLES.get(order.entity, "experiments_latestmetric")
        joins += f" LEFT JOIN {table} {alias} ON {alias}.run_id = r.id AND {alias}.key = %s"
        params.append(order.key)
        columns += _keyed_columns(order, alias)
    if not any(order.key == "start_time" and order.entity == "attribute" for order in orders):
        columns.append(_START)
    columns.append(_ID)
    return joins, params, columns


def _attribute_columns(order: Order) -> list[Column]:
    expression = _ATTRIBUTES[order.key]
    cast = "bigint" if LANGUAGE.attributes[order.key] == "number" else "text"
    if order.key != "end_time":
        return [Column(expression, order.ascending, cast)]
    return [
        Column(f"({expression} IS NULL)::int", ascending=True, cast="int"),
        Column(f"coalesce({expression}, 0)", order.ascending, cast),
    ]


def _keyed_columns(order: Order, alias: str) -> list[Column]:
    if order.entity != "metric":
        return [
            Column(f"({alias}.value IS NULL)::int", ascending=True, cast="int"),
            Column(f"coalesce({alias}.value, '')", order.ascending, "text"),
        ]
    rank = f"CASE WHEN {alias}.is_nan THEN 1 WHEN {alias}.value IS NULL THEN 2 ELSE 0 END"
    return [
        Column(rank, ascending=True, cast="int"),
        Column(f"coalesce({alias}.value, 0)", order.ascending, "float8"),
    ]


# --- by one metric -----------------------------------------------------------------------------


def _by_metric(
    query: _Query, order: Order, filters: list[Clause], position: list[Any] | None
) -> list[tuple[Any, ...]]:
    """Stretch by stretch until the page is full; a position begins with the number of its stretch."""
    value = Column("o.value", order.ascending, "float8")
    joined = "experiments_latestmetric o JOIN experiments_run r ON r.id = o.run_id"
    here: clauses.Condition = (
        "o.experiment_id = %s AND o.key = %s",
        [query.experiments[0], order.key],
    )
    none: clauses.Condition = (
        "NOT EXISTS (SELECT FROM experiments_latestmetric o WHERE o.run_id = r.id AND o.key = %s)",
        [order.key],
    )
    stretches: list[tuple[str, list[Column], list[clauses.Condition]]] = [
        (joined, [value, _START, _ID], [here, ("NOT o.is_nan", [])]),
        (joined, [_START, _ID], [here, ("o.is_nan", [])]),
        ("experiments_run r", [_START, _ID], [none]),
    ]
    # A filter on the same metric wants it to be there; only "!=" is true of NaN.
    wanted = {c.op for c in filters if c.entity == "metric" and c.key == order.key}
    if wanted:
        stretches = stretches[: 2 if wanted == {"!="} else 1]
    start, place = (position[0], position[1:]) if position else (0, None)
    found: list[tuple[Any, ...]] = []
    for number in range(start, len(stretches)):
        source, columns, extra = stretches[number]
        rest = _Query(query.experiments, query.conditions, query.limit - len(found))
        rows = _fetch(rest, source, [], columns, place if number == start else None, extra)
        found += [(*row[:11], number, *row[11:]) for row in rows]
        if len(found) >= query.limit:
            break
    return found


def _fetch(
    query: _Query,
    source: str,
    source_params: list[Any],
    columns: list[Column],
    position: list[Any] | None,
    extra: list[clauses.Condition],
) -> list[tuple[Any, ...]]:
    conditions = [
        ("r.experiment_id = ANY(%s::bigint[])", [query.experiments])
        if len(query.experiments) > 1
        else ("r.experiment_id = %s", [query.experiments[0]]),
        *query.conditions,
        *extra,
    ]
    if position is not None:
        conditions.append(keyset.after(columns, position))
    ordering, order_params = keyset.order_by(columns)
    select_params = [value for column in columns for value in column.params]
    selected = ", ".join([COLUMNS, *(column.sql for column in columns)])
    where = " AND ".join(f"({condition})" for condition, _ in conditions)
    statement = f"SELECT {selected} FROM {source} WHERE {where} ORDER BY {ordering} LIMIT %s"  # noqa: S608
    params = [
        *select_params,
        *source_params,
        *(value for _, values in conditions for value in values),
        *order_params,
        query.limit,
    ]
    return sql.rows(statement, params, prepare=False)
