"""The provider's variables: all endpoints or none, secrets from files."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

NAMES = {"token_endpoint": "OIDC_TOKEN_ENDPOINT", "jwks_uri": "OIDC_JWKS_ENDPOINT"}


def test_endpoints_are_given_all_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.together(**NAMES) == {}
    monkeypatch.setenv("OIDC_TOKEN_ENDPOINT", "https://idp/token")
    with pytest.raises(ImproperlyConfigured, match="OIDC_JWKS_ENDPOINT: not set"):
        env.together(**NAMES)
    monkeypatch.setenv("OIDC_JWKS_ENDPOINT", "https://idp/jwks")
    assert env.together(**NAMES) == {
        "token_endpoint": "https://idp/token",
        "jwks_uri": "https://idp/jwks",
    }


def test_the_clients_secret_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    assert env.text("OIDC_CLIENT_SECRET", "") == "s3cret"
