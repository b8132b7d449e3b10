"""The pinned requirements: hashes for all, no index and no address named, and one version of each package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "requirements"
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    found = PIN.findall((FOLDER / f"{name}.txt").read_text())
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


@pytest.mark.parametrize("name", ["site", "dev", "client", "idp", "spark"])
def test_every_package_is_pinned_by_hash_and_no_index_is_named(name: str):
    text = (FOLDER / f"{name}.txt").read_text()
    assert "://" not in text
    assert not re.search(
        r"^\s*(-i|--(extra-)?index|--find-links|--trusted-host|-e)", text, re.MULTILINE
    )
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert len(blocks) > 20
    for block in blocks:
        assert PIN.match(block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_tests_and_site_agree_on_every_package_they_share():
    site, dev = pins("site"), pins("dev")
    differing = {p: (site[p], dev[p]) for p in site.keys() & dev.keys() if site[p] != dev[p]}
    assert differing == {}


def test_what_speaks_to_engines_agrees_with_site_and_tests_on_every_package_they_share():
    others, spark = pins("dev") | pins("site"), pins("spark")
    assert "pyspark" in spark
    assert "pyspark" not in others
    differing = {p for p in others.keys() & spark.keys() if others[p] != spark[p]}
    assert differing == set()


def test_the_mlflow_client_never_enters_the_servers_environment():
    assert pins("client")["mlflow"] == "3.17.2"
    assert not {name for name in pins("site") | pins("dev") if name.startswith("mlflow")}
