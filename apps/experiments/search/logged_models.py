"""Searching logged models, of those experiments the actor may read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.experiments import access, sql
from apps.experiments.search import clauses, keyset
from apps.experiments.search.grammar import (
    LIST_OPS,
    NUMBER_OPS,
    STRING_OPS,
    Clause,
    Language,
    parse_filter,
)
from apps.experiments.search.keyset import Column, Page
from apps.experiments.selectors.logged_models import COLUMNS, WIDTH, LoggedModelView, fill

LANGUAGE: Final = Language(
    entities={
        "metrics": "metric",
        "params": "parameter",
        "tags": "tag",
        "attributes": "attribute",
    },
    attributes={
        "name": "list",
        "model_id": "list",
        "model_type": "list",
        "status": "list",
        "source_run_id": "list",
        "creation_timestamp": "number",
        "last_updated_timestamp": "number",
    },
    ops={
        "metric": NUMBER_OPS,
        "parameter": STRING_OPS | LIST_OPS,
        "tag": STRING_OPS | LIST_OPS,
    },
    orderable=frozenset(),
    aliases={
        "creation_time": "creation_timestamp",
        "creation_timestamp_ms": "creation_timestamp",
        "last_updated_time": "last_updated_timestamp",
        "last_updated_timestamp_ms": "last_updated_timestamp",
    },
)

_ATTRIBUTES: Final = {
    "name": Column("m.name", ascending=True, cast="text"),
    "model_id": Column("m.model_id", ascending=True, cast="text"),
    "model_type": Column("m.model_type", ascending=True, cast="text"),
    "status": Column("m.status", ascending=True, cast="text"),
    "source_run_id": Column("coalesce(r.run_id, '')", ascending=True, cast="text"),
    "creation_timestamp": Column("m.created_at", ascending=True, cast="bigint"),
    "last_updated_timestamp": Column("m.updated_at", ascending=True, cast="bigint"),
}
_MEASURED: Final = "experiments_loggedmodelmetric x"
_STATUS: Final = {
    "PENDING": "LOGGED_MODEL_PENDING",
    "READY": "LOGGED_MODEL_READY",
    "FAILED": "LOGGED_MODEL_UPLOAD_FAILED",
}


@dataclass(frozen=True, slots=True)
class DatasetChoice:
    """Metrics count only if they were logged on one of these data sets."""

    name: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ModelOrder:
    """One sort key; a metric may be narrowed to a data set."""

    field_name: str
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


def search_logged_models(
    actor: Actor,
    experiment_ids: Iterable[int],
    *,
    filter: str = "",
    datasets: Sequence[DatasetChoice] = (),
    order: Sequence[ModelOrder] = (),
    max_results: int = 100,
    page_token: str = "",
) -> Page[LoggedModelView]:
    """A page of logged models that are not deleted, newest first unless asked otherwise."""
    wanted = sorted(set(experiment_ids))
    filters = parse_filter(filter, LANGUAGE)
    question = keyset.fingerprint("models", wanted, filter, list(datasets), list(order))
    position = keyset.read_token(page_token, question)
    joins, join_params, columns = _sort(order)
    experiments = access.visible_experiments(actor, wanted)
    conditions: list[clauses.Condition] = [
        ("m.experiment_id = ANY(%s::bigint[])", [experiments]),
        ("m.deleted_at IS NULL", []),
        *(_condition(clause, datasets) for clause in filters),
    ]
    if datasets and not any(clause.entity == "metric" for clause in filters):
        on, values = _on(datasets)
        conditions.append(
            (
                f"EXISTS (SELECT FROM {_MEASURED} WHERE x.model_id = m.id AND {on})",
                values,
            )
        )
    if position is not None:
        conditions.append(keyset.after(columns, position))
    found = _fetch(joins, join_params, columns, conditions, max_results + 1)
    views = [LoggedModelView(*row[:WIDTH]) for row in found[:max_results]]
    fill(views)
    token = ""
    if len(found) > max_results:
        token = keyset.write_token(question, list(found[max_results - 1][WIDTH:]))
    return Page(views, token)


def _condition(clause: Clause, datasets: Sequence[DatasetChoice]) -> clauses.Condition:
    if clause.entity == "metric":
        condition, values = clauses.number("x.value", clause)
        on, on_values = _on(datasets) if datasets else ("true", [])
        where = f"x.model_id = m.id AND x.key = %s AND NOT x.is_nan AND {condition} AND {on}"
        return f"EXISTS (SELECT FROM {_MEASURED} WHERE {where})", [clause.key, *values, *on_values]
    if clause.entity == "parameter":
        return clauses.keyed("experiments_loggedmodelparam", "x.model_id = m.id", clause)
    if clause.entity == "tag":
        return clauses.keyed("experiments_loggedmodeltag", "x.model_id = m.id", clause)
    column = _ATTRIBUTES[clause.key].sql
    if LANGUAGE.attributes[clause.key] == "number":
        return clauses.number(column, clause)
    if clause.key == "status":
        clause = Clause(clause.entity, clause.key, clause.op, _status(clause.value))
    return clauses.text(column, clause)


def _status(value: Any) -> Any:
    """Clients say READY, the wire says LOGGED_MODEL_READY."""
    if isinstance(value, tuple):
        return tuple(_STATUS.get(item, item) for item in value)
    return _STATUS.get(value, value)


def _on(datasets: Sequence[DatasetChoice]) -> clauses.Condition:
    parts, values = [], []
    for choice in datasets:
        if not choice.name:
            raise Invalid(
                "`dataset_name` in the `datasets` clause must be specified.",
                fields={"datasets": "dataset_name is missing"},
            )
        parts.append(
            "(x.dataset_name = %s" + (" AND x.dataset_digest = %s)" if choice.digest else ")")
        )
        values += [choice.name, choice.digest] if choice.digest else [choice.name]
    return "(" + " OR ".join(parts) + ")", values


def _sort(order: Sequence[ModelOrder]) -> tuple[str, list[Any], list[Column]]:
    joins, params, columns = "", [], []
    for number, item in enumerate(order):
        entity, dot, key = item.field_name.partition(".")
        if not dot:
            columns.append(_attribute(item))
            continue
        if entity != "metrics":
            raise Invalid(
                f"Invalid order by field name: {item.field_name}. Only metrics are supported.",
                fields={"order_by": item.field_name},
            )
        alias = f"o{number}"
        joins += _latest(alias, item)
        params += [key, *(v for v in (item.dataset_name, item.dataset_digest) if v)]
        columns += [
            Column(f"({alias}.value IS NULL)::int", ascending=True, cast="int"),
            Column(f"coalesce({alias}.value, 0)", item.ascending, "float8"),
        ]
    if not any(item.field_name.startswith("creation_time") for item in order):
        columns.append(Column("m.created_at", ascending=False, cast="bigint"))
    columns.append(Column("m.model_id", ascending=True, cast="text"))
    return joins, params, columns


def _attribute(item: ModelOrder) -> Column:
    name = LANGUAGE.aliases.get(item.field_name, item.field_name)
    if name not in _ATTRIBUTES:
        raise Invalid(
            f"Invalid order by field name: {item.field_name}",
            fields={"order_by": item.field_name},
        )
    column = _ATTRIBUTES[name]
    return Column(column.sql, item.ascending, column.cast)


def _latest(alias: str, item: ModelOrder) -> str:
    narrowed = (" AND x.dataset_name = %s" if item.dataset_name else "") + (
        " AND x.dataset_digest = %s" if item.dataset_digest else ""
    )
    return f"""
        LEFT JOIN LATERAL (
            SELECT x.value FROM experiments_loggedmodelmetric x
             WHERE x.model_id = m.id AND x.key = %s AND NOT x.is_nan{narrowed}
             ORDER BY x."timestamp" DESC, x.step DESC, x.run_id LIMIT 1
        ) {alias} ON true"""  # noqa: S608 - parameters only


def _fetch(
    joins: str,
    join_params: list[Any],
    columns: list[Column],
    conditions: list[clauses.Condition],
    limit: int,
) -> list[tuple[Any, ...]]:
    ordering, _ = keyset.order_by(columns)
    selected = ", ".join([COLUMNS, *(column.sql for column in columns)])
    where = " AND ".join(f"({condition})" for condition, _ in conditions)
    statement = (
        f"SELECT {selected} FROM experiments_loggedmodel m "  # noqa: S608
        f"LEFT JOIN experiments_run r ON r.id = m.source_run_id {joins} "
        f"WHERE {where} ORDER BY {ordering} LIMIT %s"
    )
    params = [*join_params, *(v for _, values in conditions for v in values), limit]
    return sql.rows(statement, params, prepare=False)
