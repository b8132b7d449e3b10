"""A site whose ledger settings name what does not exist refuses to start."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.audits.checks import check_ledger


def _found() -> list[str | None]:
    return [error.id for error in check_ledger()]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("EVENT_TASKS", {"registry.version.vanished": []}, "audits.E002"),
        ("EVENT_TASKS", {"tests.thing.done": ["apps.nowhere.tasks.run"]}, "audits.E002"),
        ("LEDGER_RECONCILERS", ["apps.nowhere.reconcile.differences"], "audits.E003"),
    ],
)
def test_a_wrong_name_is_an_error(settings: Settings, name: str, value: object, code: str) -> None:
    before = _found()
    setattr(settings, name, value)
    assert set(_found()) - set(before) == {code}


def test_an_event_type_without_a_template_is_an_error(settings: Settings) -> None:
    first = dict(settings.TEMPLATES[0])
    settings.TEMPLATES = [{**first, "DIRS": []}]
    unreadable = [error.msg for error in check_ledger() if error.id == "audits.E001"]
    assert "templates/audits/events/tests.thing.done.html does not exist" in unreadable
