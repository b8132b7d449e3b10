"""Pages that cost the same however deep: the token says after which row to go on, not how many to skip.

A token is signed and bound to the request it came from, so a forged, damaged or foreign one is
refused before it touches a query.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core import signing

from apps.core.errors import Invalid

_SALT = "experiments.search"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """One sort column: a SQL expression that is never NULL, its parameters, its direction, its type."""

    sql: str
    ascending: bool
    cast: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some results and the token of the next page, empty at the end."""

    items: list[T]
    next_token: str = ""


def order_by(columns: Sequence[Column]) -> tuple[str, list[Any]]:
    """The ORDER BY list."""
    parts = [f"{column.sql} {'ASC' if column.ascending else 'DESC'}" for column in columns]
    return ", ".join(parts), [value for column in columns for value in column.params]


def after(columns: Sequence[Column], values: Sequence[Any]) -> tuple[str, list[Any]]:
    """The condition that a row comes after the row with these values.

    The first column is also bounded by itself, which is what an index can use.
    """
    first = columns[0]
    bound = ">=" if first.ascending else "<="
    sql = f"{first.sql} {bound} %s::{first.cast} AND ("
    params: list[Any] = [*first.params, values[0]]
    branches = []
    for depth, column in enumerate(columns):
        equal = [f"{c.sql} = %s::{c.cast}" for c in columns[:depth]]
        beyond = f"{column.sql} {'>' if column.ascending else '<'} %s::{column.cast}"
        branches.append("(" + " AND ".join([*equal, beyond]) + ")")
        for c, value in zip(columns[: depth + 1], values, strict=False):
            params += [*c.params, value]
    return sql + " OR ".join(branches) + ")", params


def fingerprint(*question: object) -> str:
    """What a token belongs to."""
    text = json.dumps(question, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def write_token(question: str, position: list[Any]) -> str:
    """The token of the page that begins after this position."""
    return signing.dumps([question, position], salt=_SALT, compress=True)


def read_token(token: str, question: str) -> list[Any] | None:
    """The position in the token; None for the first page."""
    if not token:
        return None
    try:
        belongs_to, position = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise Invalid(
            "Invalid page token: it is not one of this server's",
            fields={"page_token": "not one of ours"},
        ) from None
    if belongs_to != question:
        raise Invalid(
            "Invalid page token: it belongs to another request (the experiments, filter or order "
            "are not the same)",
            fields={"page_token": "belongs to another request"},
        )
    return list(position)
