"""Checking the ledger over the API alone: everything is computed here from the answers, by the stand-alone verifier where it can."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.audits import selectors
from apps.audits.exporting import export_to
from apps.audits.services import make_checkpoint
from apps.core.actor import Actor
from tests.support.ledger import append_some, thing_template
from tests.support.outside import verify
from tests.support.people import token_for
from tests.web.world import visitor_with

__all__ = ["thing_template"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("thing_template")]
SYSTEM = Actor.system("test")


@pytest.fixture(autouse=True)
def _own_key(settings, tmp_path):
    settings.VAR = tmp_path / "var"
    settings.LEDGER_ORIGIN = "example.org/ledger"


@pytest.fixture
def get(client):
    bearer = {"Authorization": f"Bearer {token_for(visitor_with('aud', 'auditor'))}"}
    return lambda path: client.get(f"/api/v1/ledger/{path}", headers=bearer)


def test_before_the_first_checkpoint_there_is_none(get):
    assert get("checkpoint").status_code == 404
    assert get("keys").json()["keys"] == []


def test_a_stranger_checks_the_log_with_what_the_api_gives(get, tmp_path: Path):
    append_some(5)
    old = make_checkpoint(SYSTEM)
    (tmp_path / "old").write_bytes(get("checkpoint").content)
    append_some(6)
    new = make_checkpoint(SYSTEM)
    (tmp_path / "new").write_bytes(get("checkpoint").content)
    assert get(f"checkpoints/{old.size}").content == (tmp_path / "old").read_bytes()
    (tmp_path / "proof").write_bytes(get(f"consistency?old={old.size}&new={new.size}").content)
    (told,) = get("keys").json()["keys"]
    key = told["verifier"]
    both = ("--checkpoint", "old", "--checkpoint", "new")
    done = verify(tmp_path, *both, "--proof", "proof", "--key", key)
    assert done.status == 0, done.text
    assert f"the ledger of {new.size} events begins with the ledger of {old.size}" in done.text
    alone = verify(tmp_path, *both, "--key", key)
    assert alone.text == (
        f"FAIL: nothing leads from size {old.size} to size {new.size}: give an --export, or a --proof\n"
    )
    append_some(2)
    export_to(tmp_path / "ledger.jsonl")
    done = verify(tmp_path, "--export", "ledger.jsonl", *both, "--key", key)
    assert done.status == 0, done.text
    assert f"export: its root at size {old.size} is that of the checkpoint" in done.text


def test_an_event_is_proved_without_what_it_says(get, client, tmp_path: Path):
    append_some(7)
    found = get("events/3/inclusion?size=5").json()
    assert (found["seq"], found["size"], found["root"]) == (3, 5, selectors.event(5).root)
    assert found["leaf_hash"] == selectors.event(3).leaf_hash
    from tools.verify_ledger import root_from_proof

    path = [bytes.fromhex(each) for each in found["proof"]]
    assert root_from_proof(bytes.fromhex(found["leaf_hash"]), 2, 5, path).hex() == found["root"]
    assert "note" not in json.dumps(found)
    assert get("events/3/inclusion").json()["size"] == selectors.head().size


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("checkpoints/99", 404), ("consistency", 400), ("consistency?old=0", 400), ("consistency?old=x", 400),
        ("consistency?old=3&new=2", 400), ("consistency?old=2&new=99", 404), ("consistency?old=2&other=1", 400),
        ("events/0/inclusion", 404), ("events/99/inclusion", 404), ("events/3/inclusion?size=2", 404),
        ("events/3/inclusion?size=99", 404), ("checkpoint?x=1", 400),
    ],
)  # fmt: skip
def test_what_there_is_not_is_said(get, path, status):
    append_some(5)
    assert get(path).status_code == status
