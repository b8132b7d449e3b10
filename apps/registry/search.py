"""Searching models and versions in the filter language of the MLflow protocol, in a constant number of
statements; and single ones in the same shape.

Prompts are registered models with the tag `mlflow.prompt.is_prompt`. They appear only when asked for:
a filter that says they are not wanted matches models without the tag, as the client expects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import EmptyResultSet

from apps.accounts import policy
from apps.core.actor import Actor
from apps.experiments import sql
from apps.experiments.search import clauses, keyset
from apps.experiments.search.grammar import (
    STRING_OPS,
    Clause,
    Language,
    Order,
    parse_filter,
    parse_order,
)
from apps.experiments.search.keyset import Column, Page
from apps.registry.models import RegisteredModel

PROMPT_TAG: Final = "mlflow.prompt.is_prompt"

_ENTITIES: Final = {
    "attribute": "attribute",
    "attributes": "attribute",
    "tag": "tag",
    "tags": "tag",
}
MODELS: Final = Language(
    entities=_ENTITIES,
    attributes={"name": "list"},
    ops={"tag": STRING_OPS},
    orderable=frozenset({"name", "last_updated_timestamp"}),
    aliases={"timestamp": "last_updated_timestamp"},
)
VERSIONS: Final = Language(
    entities=_ENTITIES,
    attributes={
        "name": "list",
        "run_id": "list",
        "source_path": "text",
        "version_number": "number",
    },
    ops={"tag": STRING_OPS},
    orderable=frozenset({"name", "version_number", "creation_timestamp", "last_updated_timestamp"}),
)


@dataclass(slots=True)
class VersionView:
    """A version as the protocol shows it. Times in milliseconds."""

    id: int
    model: int
    name: str
    number: int
    created_at: int
    updated_at: int
    stage: str
    description: str
    source: str
    run_id: str
    run_link: str
    logged_model: str
    tags: list[tuple[str, str]] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ModelView:
    """A model as the protocol shows it: `latest` has its newest version per stage."""

    id: int
    name: str
    description: str
    created_at: int
    updated_at: int
    tags: list[tuple[str, str]] = field(default_factory=list)
    aliases: list[tuple[str, int]] = field(default_factory=list)
    latest: list[VersionView] = field(default_factory=list)

    @property
    def is_prompt(self) -> bool:
        """Whether clients take it for a prompt."""
        return dict(self.tags).get(PROMPT_TAG, "").lower() == "true"


def _ms(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000)::bigint"


_MODEL: Final = f"m.id, m.name, m.description, {_ms('m.created_at')}, {_ms('m.updated_at')}"
_MODEL_WIDTH: Final = 5
_VERSION: Final = (
    f"v.id, v.model_id, m.name, v.number, {_ms('v.created_at')}, {_ms('v.updated_at')}, v.stage, "
    "v.description, v.source, v.run_uuid, v.run_link, coalesce(l.model_id, '')"
)
_VERSION_WIDTH: Final = 12
_VERSION_FROM: Final = (
    "registry_modelversion v JOIN registry_registeredmodel m ON m.id = v.model_id "
    "LEFT JOIN experiments_loggedmodel l ON l.id = v.logged_model_id"
)
_COLUMNS: Final = {
    "name": Column("m.name", ascending=True, cast="text"),
    "version_number": Column("v.number", ascending=True, cast="int"),
    "creation_timestamp": Column("v.created_at", ascending=True, cast="timestamptz"),
    "last_updated_timestamp": Column("v.updated_at", ascending=True, cast="timestamptz"),
}


def search_models(
    actor: Actor,
    *,
    filter: str = "",
    order: Sequence[str] = (),
    max_results: int = 100,
    page_token: str = "",
) -> Page[ModelView]:
    """A page of the live models the actor may read, by name unless asked otherwise."""
    filters = parse_filter(filter, MODELS)
    question = keyset.fingerprint("registered models", filter, list(order))
    columns = [
        Column("m.updated_at", o.ascending, "timestamptz")
        if o.key == "last_updated_timestamp"
        else Column("m.name", o.ascending, "text")
        for o in parse_order(order, MODELS)
    ]
    if not any(column.sql == "m.name" for column in columns):
        columns.append(_COLUMNS["name"])
    conditions = [*_visible(actor), *_prompts(filters, "registry_modeltag", "x.model_id = m.id")]
    conditions += [
        clauses.text("m.name", clause)
        if clause.entity == "attribute"
        else clauses.keyed("registry_modeltag", "x.model_id = m.id", clause)
        for clause in filters
        if not _about_prompts(clause)
    ]
    found, token = _page(
        f"SELECT {_MODEL}", "registry_registeredmodel m", conditions, columns, question,
        page_token, max_results, _MODEL_WIDTH,
    )  # fmt: skip
    views = [ModelView(*row) for row in found]
    fill_models(views)
    return Page(views, token)


def search_versions(
    actor: Actor,
    *,
    filter: str = "",
    order: Sequence[str] = (),
    max_results: int = 1000,
    page_token: str = "",
) -> Page[VersionView]:
    """A page of the live versions of the models the actor may read; by name, newest first."""
    filters = parse_filter(filter, VERSIONS)
    question = keyset.fingerprint("model versions", filter, list(order))
    columns = _version_order(parse_order(order, VERSIONS))
    link = "x.version_id = v.id"
    conditions = [
        *_visible(actor),
        ("v.deleted_at IS NULL", []),
        *_prompts(filters, "registry_versiontag", link),
        *(_version_condition(c, link) for c in filters if not _about_prompts(c)),
    ]
    found, token = _page(
        f"SELECT {_VERSION}", _VERSION_FROM, conditions, columns, question,
        page_token, max_results, _VERSION_WIDTH,
    )  # fmt: skip
    views = [VersionView(*row) for row in found]
    fill_versions(views)
    return Page(views, token)


def model_view(model_id: int) -> ModelView:
    """One model with everything the protocol shows of it. Asks no rights: the caller has."""
    (row,) = sql.rows(
        f"SELECT {_MODEL} FROM registry_registeredmodel m WHERE m.id = %s",  # noqa: S608 - ours
        (model_id,),
    )
    view = ModelView(*row)
    fill_models([view])
    return view


def version_view(version_id: int) -> VersionView:
    """One version with everything the protocol shows of it. Asks no rights: the caller has."""
    (row,) = sql.rows(
        f"SELECT {_VERSION} FROM {_VERSION_FROM} WHERE v.id = %s",  # noqa: S608 - ours
        (version_id,),
    )
    view = VersionView(*row)
    fill_versions([view])
    return view


def latest_versions(model_id: int, stages: Sequence[str] = ()) -> list[VersionView]:
    """The newest live version per stage, of the stages named or of all. Asks no rights."""
    found = [view for view in _latest([model_id]) if not stages or view.stage in stages]
    fill_versions(found)
    return found


def fill_models(views: Sequence[ModelView]) -> None:
    """Load tags, aliases and latest versions of all of them."""
    if not views:
        return
    by_id = {view.id: view for view in views}
    ids = (list(by_id),)
    for model, key, value in sql.rows(
        "SELECT model_id, key, value FROM registry_modeltag "
        "WHERE model_id = ANY(%s::bigint[]) ORDER BY model_id, key",
        ids,
    ):
        by_id[model].tags.append((key, value))
    for model, alias, number in sql.rows(
        "SELECT a.model_id, a.name, v.number FROM registry_alias a "
        "JOIN registry_modelversion v ON v.id = a.version_id "
        "WHERE a.model_id = ANY(%s::bigint[]) ORDER BY a.model_id, a.name",
        ids,
    ):
        by_id[model].aliases.append((alias, number))
    latest = _latest(ids[0])
    fill_versions(latest)
    for version in latest:
        by_id[version.model].latest.append(version)


def fill_versions(views: Sequence[VersionView]) -> None:
    """Load tags and aliases of all of them."""
    if not views:
        return
    by_id = {view.id: view for view in views}
    ids = (list(by_id),)
    for version, key, value in sql.rows(
        "SELECT version_id, key, value FROM registry_versiontag "
        "WHERE version_id = ANY(%s::bigint[]) ORDER BY version_id, key",
        ids,
    ):
        by_id[version].tags.append((key, value))
    for version, alias in sql.rows(
        "SELECT version_id, name FROM registry_alias "
        "WHERE version_id = ANY(%s::bigint[]) ORDER BY version_id, name",
        ids,
    ):
        by_id[version].aliases.append(alias)


def _latest(model_ids: list[int]) -> list[VersionView]:
    found = sql.rows(
        f"SELECT DISTINCT ON (v.model_id, v.stage) {_VERSION} FROM {_VERSION_FROM} "  # noqa: S608
        "WHERE v.model_id = ANY(%s::bigint[]) AND v.deleted_at IS NULL "
        "ORDER BY v.model_id, v.stage, v.number DESC",
        (model_ids,),
    )
    return [VersionView(*row) for row in found]


def _version_order(orders: Sequence[Order]) -> list[Column]:
    columns = [Column(_COLUMNS[o.key].sql, o.ascending, _COLUMNS[o.key].cast) for o in orders]
    ordered = {order.key for order in orders}
    if "name" not in ordered:
        columns.append(_COLUMNS["name"])
    if "version_number" not in ordered:
        columns.append(Column("v.number", ascending=False, cast="int"))
    return columns


def _version_condition(clause: Clause, link: str) -> clauses.Condition:
    if clause.entity == "tag":
        return clauses.keyed("registry_versiontag", link, clause)
    if clause.key == "version_number":
        return clauses.number("v.number", clause)
    columns = {"name": "m.name", "run_id": "v.run_uuid", "source_path": "v.source"}
    return clauses.text(columns[clause.key], clause)


def _about_prompts(clause: Clause) -> bool:
    return clause.entity == "tag" and clause.key == PROMPT_TAG


def _prompts(filters: Sequence[Clause], table: str, link: str) -> list[clauses.Condition]:
    """Prompts only if one clause asks for them, else everything but prompts."""
    asked = {("=", "true"), ("!=", "false")}
    wanted = any(_about_prompts(c) and (c.op, str(c.value).lower()) in asked for c in filters)
    negation = "" if wanted else "NOT "
    where = f"{link} AND x.key = %s AND lower(x.value) = 'true'"
    return [(f"{negation}EXISTS (SELECT FROM {table} x WHERE {where})", [PROMPT_TAG])]


def _visible(actor: Actor) -> list[clauses.Condition]:
    live: clauses.Condition = ("m.deleted_at IS NULL", [])
    seen = policy.visible_models(actor)
    if not seen:
        return [live]
    try:
        query = RegisteredModel.objects.filter(seen).values("pk").query
        statement, params = query.sql_with_params()
    except EmptyResultSet:
        return [("false", [])]
    return [live, (f"m.id IN ({statement})", list(params))]


def _page(
    select: str,
    source: str,
    conditions: list[clauses.Condition],
    columns: list[Column],
    question: str,
    page_token: str,
    max_results: int,
    width: int,
) -> tuple[list[tuple[Any, ...]], str]:
    """One page of rows of that width and the token of the next."""
    position = keyset.read_token(page_token, question)
    if position is not None:
        conditions = [*conditions, keyset.after(columns, position)]
    ordering, _ = keyset.order_by(columns)
    keys = ", ".join(f"{c.sql}::text" if c.cast == "timestamptz" else c.sql for c in columns)
    where = " AND ".join(f"({condition})" for condition, _ in conditions)
    params = [value for _, values in conditions for value in values]
    found = sql.rows(
        f"{select}, {keys} FROM {source} WHERE {where} ORDER BY {ordering} LIMIT %s",
        [*params, max_results + 1],
        prepare=False,
    )
    token = ""
    if len(found) > max_results:
        token = keyset.write_token(question, list(found[max_results - 1][width:]))
    return [row[:width] for row in found[:max_results]], token
