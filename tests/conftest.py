"""What every test may use. The database itself comes from `tests.pgplugin`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import psycopg
import pytest
from pytest_django import DjangoDbBlocker, Settings

from apps.accounts import memory
from tests.support import roles
from tests.support.flush import django_db_setup
from tests.support.people import ada, ana, aud, omar, otto, rui, vera

__all__ = ["ada", "ana", "aud", "django_db_setup", "omar", "otto", "rui", "vera"]


# How long an example takes says something of the machine, not of the code: no test is timed.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """A password costs milliseconds here; tests about its cost set PASSWORD_HASHERS themselves."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def runtime_role(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> str:
    """The site's own database role, with what `manage.py bootstrap` grants it on the test database."""
    with django_db_blocker.unblock():
        roles.prepare()
    return roles.RUNTIME


@pytest.fixture
def runtime_connection(
    runtime_role: str, transactional_db: None
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A second connection, logged in as the runtime role: what a thief of its password could do."""
    with roles.connect(autocommit=True) as thief:
        yield thief


@pytest.fixture
def as_runtime_role(runtime_role: str, db: None) -> None:
    """The test's own code acts with the runtime role's rights, as the site does in production.

    The rollback at the end of the test takes the rights back too.
    """
    roles.become_runtime()


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """No password that another test verified is remembered."""
    memory.forget()
