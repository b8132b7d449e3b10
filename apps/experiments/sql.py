"""Plain SQL on Django's own connection (and so inside its transaction), for the hot paths.

Parameters are bound by the server and the statement is prepared once per connection: planning a
statement with several arrays costs as much as running it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from psycopg.rows import tuple_row

Params = Sequence[Any] | Mapping[str, Any]
Row = tuple[Any, ...]

SEPARATOR = ","
"""Joins keys for `string_to_array`: a comma is not a character of a key (limits.key)."""


def _run(statement: str, params: Params, *, prepare: bool) -> psycopg.Cursor[Row]:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection, row_factory=tuple_row)
        return cursor.execute(statement, params, prepare=prepare)


def rows(statement: str, params: Params = (), *, prepare: bool = True) -> list[Row]:
    """Every row of the answer. `prepare=False` for statements built per request."""
    return _run(statement, params, prepare=prepare).fetchall()


def row(statement: str, params: Params = ()) -> Row | None:
    """The first row, or None."""
    return _run(statement, params, prepare=True).fetchone()


def run(statement: str, params: Params = ()) -> int:
    """Execute; how many rows were changed."""
    return _run(statement, params, prepare=True).rowcount


def numbers(values: Iterable[float]) -> str:
    """An array literal of numbers or booleans: cheaper than binding each element."""
    return "{" + ",".join(map(repr, values)) + "}"
