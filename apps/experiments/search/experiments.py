"""Searching experiments, of those the actor may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import EmptyResultSet

from apps.accounts import policy
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.experiments import access, limits, sql
from apps.experiments.models import Experiment, Lifecycle, artifact_location
from apps.experiments.search import clauses, keyset
from apps.experiments.search.grammar import (
    NULL_OPS,
    STRING_OPS,
    Clause,
    Language,
    parse_filter,
    parse_order,
)
from apps.experiments.search.keyset import Column, Page

LANGUAGE: Final = Language(
    entities={
        "attribute": "attribute",
        "attributes": "attribute",
        "attr": "attribute",
        "tag": "tag",
        "tags": "tag",
    },
    attributes={
        "name": "text",
        "experiment_id": "list",
        "creation_time": "number",
        "last_update_time": "number",
    },
    ops={"tag": STRING_OPS | NULL_OPS},
    orderable=frozenset({"name", "experiment_id", "creation_time", "last_update_time"}),
)

_COLUMNS: Final = {
    "name": Column("e.name", ascending=True, cast="text"),
    "experiment_id": Column("e.id", ascending=True, cast="bigint"),
    "creation_time": Column("e.created_at", ascending=True, cast="bigint"),
    "last_update_time": Column("e.updated_at", ascending=True, cast="bigint"),
}
_SELECTED: Final = (
    "e.id, e.name, e.lifecycle_stage, e.team_id, e.created_by_id, e.created_at, e.updated_at"
)

_ONE: Final = f"SELECT {_SELECTED} FROM experiments_experiment e WHERE e.id = %s"  # noqa: S608


@dataclass(slots=True)
class ExperimentView:
    """An experiment with its tags."""

    id: int
    name: str
    lifecycle_stage: str
    team: int | None
    created_by: int | None
    created_at: int
    updated_at: int
    tags: list[tuple[str, str]] = field(default_factory=list)

    @property
    def artifact_location(self) -> str:
        """Where clients write this experiment's files."""
        return artifact_location(self.id)

    @classmethod
    def of(cls, experiment: Experiment) -> ExperimentView:
        """The view of one row, with its tags."""
        view = cls(
            experiment.pk,
            experiment.name,
            experiment.lifecycle_stage,
            experiment.team_id,
            experiment.created_by_id,
            experiment.created_at,
            experiment.updated_at,
        )
        fill([view])
        return view


def search_experiments(
    actor: Actor,
    *,
    filter: str = "",
    order: Sequence[str] = (),
    stage: Lifecycle | None = Lifecycle.ACTIVE,
    max_results: int = 1000,
    page_token: str = "",
) -> Page[ExperimentView]:
    """A page of experiments, newest first unless asked otherwise; see `search_runs`."""
    filters = parse_filter(filter, LANGUAGE)
    orders = parse_order(order, LANGUAGE)
    question = keyset.fingerprint("experiments", filter, list(order), stage)
    position = keyset.read_token(page_token, question)
    columns = [
        Column(_COLUMNS[item.key].sql, item.ascending, _COLUMNS[item.key].cast) for item in orders
    ]
    if not orders:
        columns = [Column("e.created_at", ascending=False, cast="bigint")]
    columns.append(_COLUMNS["experiment_id"])
    conditions = [_visible(actor), *(_condition(clause) for clause in filters)]
    if stage is not None:
        conditions.append(("e.lifecycle_stage = %s", [str(stage)]))
    if position is not None:
        conditions.append(keyset.after(columns, position))
    found = _fetch(columns, conditions, max_results + 1)
    views = [ExperimentView(*row[:7]) for row in found[:max_results]]
    fill(views)
    token = ""
    if len(found) > max_results:
        token = keyset.write_token(question, list(found[max_results - 1][7:]))
    return Page(views, token)


def experiment_view(actor: Actor, experiment_id: int) -> ExperimentView:
    """One experiment with its tags, deleted or not, if the actor may read it; NotFound otherwise."""
    found = sql.row(_ONE, (experiment_id,))
    unseen = access.experiment_not_found(experiment_id)
    if found is None:
        raise unseen
    view = ExperimentView(*found)
    access.allow(actor, access.READ, access.root(view.id, view.team), unseen)
    fill([view])
    return view


def fill(views: Sequence[ExperimentView]) -> None:
    """Load the tags of all of them in one statement."""
    by_id = {view.id: view for view in views}
    for experiment, key, value in sql.rows(
        "SELECT experiment_id, key, value FROM experiments_experimenttag "
        "WHERE experiment_id = ANY(%s::bigint[]) ORDER BY experiment_id, key",
        (list(by_id),),
    ):
        by_id[experiment].tags.append((key, value))


def _visible(actor: Actor) -> clauses.Condition:
    seen = policy.visible_experiments(actor)
    if not seen:
        return "true", []
    rows = Experiment.objects.filter(seen).values("pk")
    try:
        statement, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return "false", []
    return f"e.id IN ({statement})", list(params)


def _condition(clause: Clause) -> clauses.Condition:
    if clause.entity == "tag":
        return clauses.keyed("experiments_experimenttag", "x.experiment_id = e.id", clause)
    if clause.key == "experiment_id":
        return _by_id(clause)
    column = _COLUMNS[clause.key].sql
    if LANGUAGE.attributes[clause.key] == "number":
        return clauses.number(column, clause)
    return clauses.text(column, clause)


def _by_id(clause: Clause) -> clauses.Condition:
    if clause.op in {"LIKE", "ILIKE"}:
        raise Invalid(
            f"Invalid comparator for experiment_id: {clause.op}", fields={"filter": clause.op}
        )
    values = clause.value if isinstance(clause.value, tuple) else (clause.value,)
    ids = [limits.experiment_id(str(value)) for value in values]
    negated = clause.op in {"!=", "NOT IN"}
    return ("e.id <> ALL(%s::bigint[])" if negated else "e.id = ANY(%s::bigint[])"), [ids]


def _fetch(
    columns: list[Column], conditions: list[clauses.Condition], limit: int
) -> list[tuple[Any, ...]]:
    ordering, _ = keyset.order_by(columns)
    selected = ", ".join([_SELECTED, *(column.sql for column in columns)])
    where = " AND ".join(f"({condition})" for condition, _ in conditions)
    params = [value for _, values in conditions for value in values]
    statement = (
        f"SELECT {selected} FROM experiments_experiment e WHERE {where} "  # noqa: S608
        f"ORDER BY {ordering} LIMIT %s"
    )
    return sql.rows(statement, [*params, limit], prepare=False)
