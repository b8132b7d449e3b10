"""A served site, and people with tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from apps.accounts.models import User
from tests.api.server import Server, serving
from tests.support.people import token_for


@pytest.fixture(scope="session")
def _served(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    with django_db_blocker.unblock(), serving() as server:
        yield server


@pytest.fixture
def server(_served: Server, transactional_db: None) -> Server:
    """The running server; the test's rows are committed, so that it sees them."""
    return _served


@pytest.fixture
def token(server: Server, ana: User) -> str:
    """Ana's token with every scope."""
    return token_for(ana)
