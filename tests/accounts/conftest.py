"""The provider that the tests of single sign-on share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.accounts import provider as provider_module
from tests.support.idp import Idp, running
from tests.support.visitor import Visitor


@pytest.fixture(scope="session")
def idp(live_server: LiveServer) -> Iterator[Idp]:
    """One process for all tests; each makes the people it needs."""
    with running(live_server.url) as provider:
        yield provider


@pytest.fixture
def sso_site(idp: Idp, settings: Settings) -> Iterator[None]:
    """The site knows the provider, the provider knows the site."""
    idp.configure(settings)
    idp.client(id_token_signed_response_alg="RS256")
    provider_module.forget()
    yield
    provider_module.forget()


@pytest.fixture
def visitor(live_server: LiveServer) -> Visitor:
    """A browser that has not been here before."""
    return Visitor(live_server.url)
