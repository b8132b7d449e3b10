"""The networks that webhooks may reach are read from the environment, or refused in a sentence."""

from __future__ import annotations

import ipaddress

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


def test_networks_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.networks("WEBHOOK_ALLOWED_NETWORKS") == []
    monkeypatch.setenv("WEBHOOK_ALLOWED_NETWORKS", "10.1.0.0/16, fd00::/8")
    expected = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")]
    assert env.networks("WEBHOOK_ALLOWED_NETWORKS") == expected


@pytest.mark.parametrize("bad", ["10.1.0.0/99", "intranet", "10.1.0.5/16"])
def test_what_is_no_network_stops_the_start(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_ALLOWED_NETWORKS", bad)
    with pytest.raises(ImproperlyConfigured, match="WEBHOOK_ALLOWED_NETWORKS"):
        env.networks("WEBHOOK_ALLOWED_NETWORKS")
