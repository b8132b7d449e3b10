"""The environment is read in one place, documented, and refused in a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import env, local

ROOT = Path(settings.BASE_DIR)
READ = re.compile(r"env\.(?:text|flag|integer|items|choice|networks)\(\s*\"([A-Z_]+)\"")
SUPERVISOR = re.compile(r"(?:environ\.get\(|given\.get\(|setdefault\()\s*[\"']([A-Z_]+)")


def variables() -> set[str]:
    """Every variable that the site and its supervisor read."""
    site = [*(ROOT / "config").glob("*.py"), *(ROOT / "apps").rglob("*.py")]
    found = {name for path in site for name in READ.findall(path.read_text())}
    together = re.findall(r"=\"(OIDC_[A-Z_]+)\"", (ROOT / "config/settings.py").read_text())
    tools = {
        n for path in (ROOT / "tools").glob("*.py") for n in SUPERVISOR.findall(path.read_text())
    }
    return found | set(together) | tools


def test_every_variable_has_a_row_in_the_documentation():
    documented = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs/settings.md").read_text()))
    assert len(variables()) > 40
    assert variables() - documented == set()


def test_no_variable_is_documented_that_nobody_reads():
    rows = re.findall(r"^\| (`[^|]+`) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert documented - variables() == set()


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (lambda: env.integer("X_TEST", 1), "ten"),
        (lambda: env.flag("X_TEST", default=True), "maybe"),
        (lambda: env.choice("X_TEST", "a", ("a", "b")), "c"),
    ],
)
def test_a_value_that_is_not_understood_is_refused(monkeypatch, reader, value):
    monkeypatch.setenv("X_TEST", value)
    with pytest.raises(ImproperlyConfigured, match=f"X_TEST='{value}': expected"):
        reader()


def test_a_secret_file_that_cannot_be_read_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("X_TEST_FILE", str(tmp_path / "absent"))
    with pytest.raises(ImproperlyConfigured, match="X_TEST_FILE="):
        env.text("X_TEST")


def test_a_database_address_is_taken_apart():
    found = local.database("postgresql://a%40b:p%2Fw@db.example:5433/n?sslmode=require")
    assert {key: found[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")} == {
        "USER": "a@b", "PASSWORD": "p/w", "HOST": "db.example", "PORT": "5433", "NAME": "n",
    }  # fmt: skip
    assert found["OPTIONS"]["sslmode"] == "require"
    assert local.database("postgresql://x@/n?host=/a%20b")["HOST"] == "/a b"
