"""The cast of the reviews (Ana trains, Vera validates, Rui and Remo approve, Omar owns, Otto is an outsider), and
receivers of webhooks on loopback."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.accounts.models import User
from apps.core.actor import Actor
from tests.notices.receiver import Receiver, receiver
from tests.reviews.conftest import cast
from tests.support.people import as_actor

__all__ = ["cast"]


@pytest.fixture
def loopback(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    settings.WEBHOOK_TIMEOUT_SECONDS = 1


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def admin(ada: User) -> Actor:
    return as_actor(ada)
