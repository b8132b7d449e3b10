"""The vocabulary of the ledger is closed: each event type can be read, is documented, and somebody emits it."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.utils.module_loading import import_string

from apps.audits import events

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "events.md"
OURS = {
    name: cls for name, cls in events.registered().items() if cls.__module__.startswith("apps.")
}


def _app(cls: type[events.Event]) -> str:
    return cls.__module__.split(".")[1]


def _made_in(path: Path) -> set[str]:
    """Names used in a module that also records: `v.record(VersionPromoted(...))`, or the class chosen first."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return used if "record" in used else set()


def _emitters(app: str) -> set[str]:
    """What the services of an app record. Tests, views and tasks do not count."""
    folder = ROOT / "apps" / app
    modules = [path for path in folder.rglob("*.py") if "migrations" not in path.parts]
    return set().union(*(_made_in(path) for path in modules if path.stem != "events"))


def test_there_is_something_to_look_at() -> None:
    assert {"audits.attempts.anchored", "audits.openings.erased"} <= set(OURS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_event_has_a_template_that_compiles(name: str) -> None:
    get_template(f"audits/events/{name}.html")
    assert (ROOT / "templates" / "audits" / "events" / f"{name}.html").is_file()


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_event_is_in_the_documentation_with_all_its_fields(name: str) -> None:
    rows = re.findall(rf"^\| `{re.escape(name)}` .*$", DOCS.read_text(), re.MULTILINE)
    assert len(rows) == 1, f"docs/events.md has {len(rows)} lines for {name}, expected 1"
    missing = [
        field.name for field in dataclasses.fields(OURS[name]) if f"`{field.name}`" not in rows[0]
    ]
    assert not missing, f"docs/events.md does not explain {missing} of {name}"


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_documentation_marks_personal_data(name: str) -> None:
    marked = set(re.findall(rf"^\| `{re.escape(name)}` .*$", DOCS.read_text(), re.MULTILINE))
    row = "".join(marked)
    personal = events.personal_fields(object.__new__(OURS[name]))
    assert set(re.findall(r"`([a-z_]+)` \(p\)", row)) == set(personal)


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_event_is_emitted_by_a_service_of_its_own_app(name: str) -> None:
    cls = OURS[name]
    assert cls.__name__ in _emitters(_app(cls)), (
        f"nothing in apps/{_app(cls)} records {cls.__name__}"
    )


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_event_type_begins_with_its_app(name: str) -> None:
    assert name.split(".")[0] == _app(OURS[name])


def test_no_template_and_no_line_is_left_of_an_event_that_is_gone() -> None:
    templates = {path.stem for path in (ROOT / "templates" / "audits" / "events").glob("*.html")}
    documented = set(re.findall(r"^\| `([a-z]+\.[a-z_.]+)` ", DOCS.read_text(), re.MULTILINE))
    assert (templates - set(OURS), documented - set(OURS)) == (set(), set())


def test_what_events_wake_exists_on_both_sides() -> None:
    assert set(settings.EVENT_TASKS) <= set(OURS)
    for tasks in settings.EVENT_TASKS.values():
        for task in tasks:
            assert callable(import_string(task)), task


def test_what_beat_schedules_exists_and_does_not_pile_up_while_no_worker_runs() -> None:
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert callable(import_string(entry["task"])), entry
        assert entry["options"]["expires"] <= entry["schedule"]


def test_every_reconciler_can_be_imported() -> None:
    for path in settings.LEDGER_RECONCILERS:
        assert callable(import_string(path)), path
