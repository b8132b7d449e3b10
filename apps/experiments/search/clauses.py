"""Clauses in SQL. Every value is a parameter; no text of a request becomes part of a statement."""

from __future__ import annotations

from typing import Any

from apps.experiments.search.grammar import Clause

Condition = tuple[str, list[Any]]

# LIKE without an escape character: a pattern that ends in a backslash is an ordinary pattern.
_TEXT = {
    "=": "{0} = %s::text",
    "!=": "{0} <> %s::text",
    "LIKE": "{0} LIKE %s::text ESCAPE ''",
    "ILIKE": "{0} ILIKE %s::text ESCAPE ''",
    "IN": "{0} = ANY(%s::text[])",
    "NOT IN": "{0} <> ALL(%s::text[])",
}
_NUMBER = {
    op: f"{{0}} {'<>' if op == '!=' else op} %s::float8" for op in ("=", "!=", ">", ">=", "<", "<=")
}


def text(expression: str, clause: Clause) -> Condition:
    """A comparison of text."""
    value = list(clause.value) if isinstance(clause.value, tuple) else clause.value
    return _TEXT[clause.op].format(expression), [value]


def number(expression: str, clause: Clause) -> Condition:
    """A comparison of numbers."""
    return _NUMBER[clause.op].format(expression), [clause.value]


def keyed(
    table: str, link: str, clause: Clause, *, scope: str = "", scoped: Any = None
) -> Condition:
    """A comparison of the value stored for a key in a table of (owner, key, value) rows.

    Rows without the key never match, except for IS NULL. `link` joins the table (alias x) to its
    owner; `scope` narrows it further, for the index's sake.
    """
    where = f"{link} AND x.key = %s"
    params: list[Any] = [clause.key]
    if scope:
        where, params = f"{where} AND {scope}", [*params, scoped]
    if clause.op in {"IS NULL", "IS NOT NULL"}:
        negation = "NOT " if clause.op == "IS NULL" else ""
        return f"{negation}EXISTS (SELECT FROM {table} x WHERE {where})", params
    if clause.op == "=":  # the index holds the first 200 characters
        where, params = (
            f"{where} AND left(x.value, 200) = left(%s::text, 200)",
            [*params, clause.value],
        )
    condition, values = text("x.value", clause)
    return f"EXISTS (SELECT FROM {table} x WHERE {where} AND {condition})", [*params, *values]
