"""What the site refuses to start without."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from apps.core import system_checks
from tests.support.site import free_port, run


def ids() -> list[str]:
    return [message.id for message in run_checks(include_deployment_checks=True) if message.id]


def test_the_site_as_it_is_passes():
    assert [found for found in ids() if found.startswith("core.")] == []
    system_checks.refuse_unguarded()


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("PROMOTION_GATES", [], "core.E001"),
        ("PROMOTION_GATES", ["apps.reviews.gates.no_such_gate"], "core.E001"),
        ("PROMOTION_GATES", ["no.such.module.gate"], "core.E001"),
        ("PROMOTION_GATES", ["django.VERSION"], "core.E001"),
        ("LEDGER_RECONCILERS", ["apps.registry.no_such"], "core.E003"),
        ("EVENT_TASKS", {"a.b": ["apps.checks.tasks.no_such"]}, "core.E003"),
        ("SECRET_KEY", "short", "core.W001"),
    ],
)
def test_a_hole_in_the_settings_is_named(settings, setting, value, expected):
    setattr(settings, setting, value)
    assert expected in ids()


def test_the_web_process_refuses_to_serve_without_gates(settings):
    settings.PROMOTION_GATES = []
    with pytest.raises(ImproperlyConfigured, match="every promotion would pass"):
        system_checks.refuse_unguarded()


def test_the_supervisor_says_which_check_failed(tmp_path: Path):
    (tmp_path / "holed.py").write_text("from config.settings import *\nPROMOTION_GATES = []\n")
    refused = run(
        "tools.serve", "run", VAR=str(tmp_path / "var"), PORT=str(free_port()), PYTHONPATH=str(tmp_path),
        DJANGO_SETTINGS_MODULE="holed",
    )  # fmt: skip
    assert refused.returncode == 1
    assert refused.stderr == (
        "Setting up failed: (core.E001) PROMOTION_GATES is empty: every promotion would pass.\n"
    )
