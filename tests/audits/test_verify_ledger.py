"""`manage.py verify_ledger` names the row that someone with power over the database has touched."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from apps.audits import selectors, verification
from apps.audits.attempts import attempt
from apps.audits.models import Event, Verification
from apps.audits.reconcile import Difference
from tests.support.ledger import append_some, someone
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db

_TABLES = ("audits_event", "audits_head", "audits_opening", "audits_attempt")
_EDIT_BODY = """
UPDATE audits_event SET body = convert_to(replace(convert_from(body, 'UTF8'), 'note 3', 'note 9'), 'UTF8')
WHERE seq = 4;
"""
_SWAP = """
UPDATE audits_event SET seq = CASE seq WHEN 3 THEN -4 ELSE -3 END WHERE seq IN (3, 4);
UPDATE audits_event SET seq = -seq WHERE seq < 0;
"""
_FIT_LEAF = "UPDATE audits_event SET leaf_hash = sha256('\\x00'::bytea || body) WHERE seq = 4"

TAMPERINGS = [
    (_EDIT_BODY, "event:4: the body was changed"),
    (_EDIT_BODY + _FIT_LEAF, "event:4: column payload was changed"),
    ("DELETE FROM audits_event WHERE seq = 4", "event:4: the event is missing"),
    ("DELETE FROM audits_event WHERE seq = 1", "event:1: the event is missing"),
    ("DELETE FROM audits_event WHERE seq > 7", "event:8: events 8 to 10 are missing at the end"),
    (_SWAP, "event:3: the events up to here give root"),
    ("UPDATE audits_event SET root = sha256('x') WHERE seq = 4", "event:4: the events up to here"),
    ("UPDATE audits_event SET nodes = sha256('x') WHERE seq = 4", "event:4: the stored subtree"),
    ("UPDATE audits_event SET actor_id = 2 WHERE seq = 4", "event:4: column actor_id was changed"),
    ("UPDATE audits_event SET at = now() WHERE seq = 4", "event:4: column at was changed"),
    ("UPDATE audits_event SET scopes = '{}' WHERE seq = 4", "event:4: column scopes was changed"),
    ("UPDATE audits_event SET payload = '{}' WHERE seq = 4", "event:4: column payload was changed"),
    ("UPDATE audits_head SET root = sha256('x')", "head: root"),
    ("UPDATE audits_head SET size = 9", "head: it says size 9, the last event is 10"),
    ("DELETE FROM audits_head", "head: the head row is missing"),
    ("UPDATE audits_opening SET value = 'Otto'", "opening:"),
    ("UPDATE audits_attempt SET reason = 'nothing'", "attempt:"),
]


@pytest.fixture(autouse=True)
def _the_ledger_alone(settings: Settings) -> None:
    """The other apps' reconcilers have tests of their own."""
    own = ["guards", "attempts", "openings"]
    settings.LEDGER_RECONCILERS = [f"apps.audits.reconcile.{name}" for name in own]


def _fill() -> None:
    append_some(10, person="Ana")
    attempt(someone(), act="model.edit", subject="model:1", outcome="refused", reason="no right")


def _run(*arguments: str) -> tuple[str, str]:
    """What the command printed, and how it complained."""
    printed = io.StringIO()
    try:
        call_command("verify_ledger", *arguments, stdout=printed, stderr=printed)
    except CommandError as error:
        return printed.getvalue(), str(error)
    return printed.getvalue(), ""


def test_a_whole_ledger_passes() -> None:
    _fill()
    printed, complaint = _run()
    assert complaint == ""
    assert f"10 events, root {selectors.head().root}" in printed
    assert "PASS" in printed
    last = selectors.last_verification()
    assert last
    assert (last.ok, last.full, last.size, last.differences) == (True, True, 10, [])


def test_an_empty_ledger_passes() -> None:
    assert "PASS" in _run()[0]


@pytest.mark.parametrize(("tampering", "named"), TAMPERINGS)
def test_what_was_changed_past_the_triggers_is_named(tampering: str, named: str) -> None:
    _fill()
    with triggers_off(*_TABLES), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audits_event DROP CONSTRAINT audits_event_leaf")
        cursor.execute(tampering)
    printed, complaint = _run()
    assert printed.startswith(named)
    assert complaint.startswith("FAIL")
    last = selectors.last_verification()
    assert last
    assert not last.ok


def test_an_edited_body_is_named_once_and_later_events_are_not() -> None:
    _fill()
    with triggers_off(*_TABLES), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audits_event DROP CONSTRAINT audits_event_leaf")
        cursor.execute(_EDIT_BODY)
    printed, complaint = _run()
    assert [line.split(": ")[0] for line in printed.splitlines()] == ["event:4", "event:4"]
    assert "column payload" in printed
    assert complaint == "FAIL: 2 differences"


@pytest.mark.parametrize(
    ("tampering", "named"),
    [
        ("ALTER TABLE audits_event DISABLE TRIGGER audits_event_rows", "is switched off"),
        ("ALTER TABLE audits_event ENABLE TRIGGER audits_event_rows", "bypassed by a replica"),
        ("DROP TRIGGER audits_head_forward ON audits_head", "audits_head_forward is missing"),
    ],
)
def test_a_guard_that_is_off_is_named(tampering: str, named: str) -> None:
    connection.cursor().execute(tampering)
    printed, complaint = _run()
    assert named in printed
    assert complaint.startswith("FAIL")


def disagree() -> list[Difference]:
    """A reconciler that finds something."""
    return [Difference("version:12", "it is in stage Production, its last promotion was undone")]


def test_reconcilers_are_asked_and_their_differences_fail_the_run(settings: Settings) -> None:
    settings.LEDGER_RECONCILERS = [f"{__name__}.disagree"]
    printed, complaint = _run()
    assert "version:12: it is in stage Production" in printed
    assert complaint == "FAIL: 1 difference"


def stumble() -> list[Difference]:
    """A reconciler that meets a row it cannot read."""
    raise KeyError("stage")


@pytest.mark.parametrize("path", ["apps.nowhere.reconcile.differences", f"{__name__}.stumble"])
def test_a_reconciler_that_cannot_do_its_work_fails_the_run(settings: Settings, path: str) -> None:
    settings.LEDGER_RECONCILERS = [path]
    printed, complaint = _run()
    assert printed.startswith(f"reconciler:{path}: it could not finish")
    assert complaint == "FAIL: 1 difference"


def test_json_is_for_programs(tmp_path: Path) -> None:
    _fill()
    printed = io.StringIO()
    target = tmp_path / "ledger.jsonl"
    call_command(
        "verify_ledger", "--json", "--export", target, stdout=printed, stderr=io.StringIO()
    )
    assert json.loads(printed.getvalue()) == {
        "ok": True,
        "size": 11,  # the export had a key admitted and a checkpoint signed
        "root": selectors.head().root,
        "differences": [],
    }
    assert len(target.read_bytes().splitlines()) == 13


def test_an_export_to_a_place_that_does_not_exist_says_so(tmp_path: Path) -> None:
    assert "cannot write" in _run("--export", str(tmp_path / "no" / "ledger.jsonl"))[1]


class TestPeriodicVerification:
    def test_the_first_is_full_the_next_looks_at_what_is_new_and_idleness_leaves_no_row(
        self,
    ) -> None:
        append_some(3)
        first = verification.verify_when_due()
        assert first
        assert (first.full, first.size) == (True, 3)
        assert verification.verify_when_due() is None
        append_some(2)
        second = verification.verify_when_due()
        assert second
        assert (second.full, second.first_seq, second.size, second.ok) == (False, 4, 5, True)
        assert bytes(second.root).hex() == selectors.head().root

    def test_after_a_while_it_is_full_again_and_finds_an_old_change(
        self, settings: Settings
    ) -> None:
        append_some(3)
        verification.verify()
        with triggers_off("audits_event"):
            Event.objects.filter(seq=1).update(actor_id=9)
        append_some(1)
        new = verification.verify_when_due()
        assert new
        assert (new.full, new.ok) == (False, True)
        settings.LEDGER_FULL_VERIFY_SECONDS = 0
        found = verification.verify_when_due()
        assert found
        assert [item["subject"] for item in found.differences] == ["event:1"]

    def test_a_failure_is_repeated_until_it_is_explained(self) -> None:
        append_some(3)
        verification.verify()
        with triggers_off("audits_event"):
            Event.objects.filter(seq=3).update(actor_id=9)
        assert not verification.verify().ok
        assert not Verification.objects.latest("id").ok
        assert verification.verify_when_due() is not None
