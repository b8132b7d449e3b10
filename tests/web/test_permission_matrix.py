"""Every route times every kind of visitor gets the answer that the matrix says; no route is without a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import DjangoDbBlocker

from tests.web.browsing import browser
from tests.web.permission_matrix import ROWS, Row
from tests.web.world import VISITORS, World, build

pytestmark = pytest.mark.django_db


class _Undo(Exception):
    """Ends a savepoint."""


@contextmanager
def undone() -> Iterator[None]:
    """A block whose writes are undone. Like a test's own transaction it does not count as somebody's: verbs may
    open theirs inside, and attempts are written (and undone) with the rest."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # what Django's TestCase sets
    with suppress(_Undo), block:
        yield
        raise _Undo


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One world for all cells: each is undone before the next."""
    with django_db_blocker.unblock(), undone():
        yield build()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_visitor_gets_the_expected_answer(row: Row, world: World) -> None:
    url = reverse(row.route, args=list(row.args(world))) + row.query
    got = {visitor: _status(row, url, visitor, world) for visitor in VISITORS}
    assert got == {visitor: row.expected(visitor) for visitor in VISITORS}


def test_every_route_has_a_row() -> None:
    listed = {row.route for row in ROWS}
    assert sorted(set(_routes()) - listed) == []


def test_the_matrix_names_no_route_that_is_not_there() -> None:
    assert sorted({row.route for row in ROWS} - set(_routes())) == []


def _status(row: Row, url: str, visitor: str, world: World) -> int:
    """The answer's status; whatever the request did is undone, so that each visitor meets the same world."""
    with undone():
        client = browser(world.visitors[visitor])
        answer = client.get(url) if row.post is None else client.post(url, dict(row.post))
    return answer.status_code


def _routes() -> Iterator[str]:
    """The names of all pages' routes. The protocols under /api have matrices of their own in tests/api."""
    yield from _named(get_resolver().url_patterns, "")


def _named(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace in {"mlflow", "api"}:
                continue
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _named(pattern.url_patterns, inner)
        else:
            assert pattern.name, f"the route {pattern.pattern} has no name"
            yield f"{prefix}{pattern.name}"
