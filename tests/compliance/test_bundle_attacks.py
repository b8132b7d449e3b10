"""Somebody has a genuine bundle and wants to show something else: each attack, in both verifiers, which must agree item by item."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.audits import keys
from apps.compliance import bundles
from apps.core import dsse, signing
from tests.compliance import attacks
from tests.compliance.conftest import Story
from tests.compliance.test_bundles import approved, bundle_of, rewritten
from tests.compliance.verifying import (
    NOTHING_KEPT,
    OPEN,
    PROVEN,
    WRONG,
    VerifyPage,
    in_browser,
    program,
    verified,
)
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)
Change = Callable[[dict[str, bytes]], None]


def agreed(page: VerifyPage, folder: Path, name: str, data: bytes, key: str) -> int:
    """The status that both verifiers give; they must say the same of every item."""
    verify = program()
    path = folder / "attack.zip"
    path.write_bytes(data)
    report = verify.verify(path, verify.Kept([key], [], [], [], []))
    status, items, words = page.judge(data, f"{name}.zip")
    told = [(item.name, item.state) for item in report.items]
    assert (status, items) == (report.status, told), (name, words, report.first)
    return int(status)


@pytest.mark.browser
def test_no_way_to_write_the_archive_shows_a_program_something_else(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = bundle_of(story.write(), with_files=False)
    key = keys.ledger_key(as_actor(story.ana)).key_id
    with in_browser(monkeypatch) as page:
        page.given(key=key)
        assert agreed(page, tmp_path, "genuine", data, key) == PROVEN
        for name, attack in attacks.UNTOUCHED.items():
            assert agreed(page, tmp_path, name, attack(data), key) == PROVEN, name
        for name, attack in (attacks.OF_THE_ARCHIVE | attacks.OF_THE_SEAL).items():
            assert agreed(page, tmp_path, name, attack(data), key) == WRONG, name


def _json(members: dict[str, bytes], name: str, change: Callable[[dict], None]) -> None:
    said = json.loads(members[name])
    change(said)
    members[name] = json.dumps(
        said, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def _kind(prefix: str, kind: str) -> Callable[[dict], None]:
    """A member as less than it is, so that nobody looks into it."""

    def change(index: dict) -> None:
        for entry in index["members"]:
            if entry["name"].startswith(prefix):
                entry["kind"] = kind

    return change


def _keys(**fields: str) -> Change:
    return lambda members: _json(members, "keys.json", lambda said: said["keys"][0].update(fields))


def _envelopes_swapped(members: dict[str, bytes]) -> None:
    first, second = sorted(
        name for name in members if "/decision-" in name and name.endswith(".dsse.json")
    )
    members[first], members[second] = members[second], members[first]


def _seal_of_a_decision(members: dict[str, bytes]) -> None:
    """An envelope that the site did sign, about something else."""
    members["bundle.dsse.json"] = next(
        data
        for name, data in members.items()
        if "/decision-" in name and name.endswith(".dsse.json")
    )


def _older_checkpoint(members: dict[str, bytes]) -> None:
    note = members["checkpoint.txt"].split(b"\n")
    note[1] = str(int(note[1]) - 1).encode()
    members["checkpoint.txt"] = b"\n".join(note)


def _other_origin(members: dict[str, bytes]) -> None:
    origin, _, rest = members["checkpoint.txt"].partition(b"\n")
    members["checkpoint.txt"] = (b"other.example/ledger\n" + rest).replace(
        b" " + origin + b" ", b" other.example/ledger "
    )


def _size_smaller(members: dict[str, bytes]) -> None:
    _json(members, "ledger-extract.json", lambda said: said.update(size=said["size"] - 1))


def _other_version(members: dict[str, bytes]) -> None:
    _json(members, "version.json", lambda said: said.update(version=2))


def _fewer_files(members: dict[str, bytes]) -> None:
    _json(members, "version.json", lambda said: said["manifest"].pop())


def _proof_of_another(members: dict[str, bytes]) -> None:
    def change(said: dict) -> None:
        end = {"size": 1, "root": "0" * 64}
        said["proofs"].append(
            {
                "format": "countersign-ledger-consistency",
                "version": 1,
                "old": end,
                "new": end,
                "proof": [],
            }
        )

    _json(members, "consistency.json", change)


def _envelope_alone(members: dict[str, bytes]) -> None:
    name = next(name for name in members if "/decision-" in name and name.endswith(".dsse.json"))
    members["reviews/999/decision-999.dsse.json"] = members[name]


# What only whoever holds the site's key could try: the index is made to fit and sealed with it.
BY_THE_SITE: dict[str, Change] = {
    "envelopes swapped": _envelopes_swapped,
    "an older checkpoint": _older_checkpoint,
    "a checkpoint of another origin": _other_origin,
    "another size of the ledger": _size_smaller,
    "another version": _other_version,
    "fewer files": _fewer_files,
    "a proof of another ledger": _proof_of_another,
    "an envelope without its statement": _envelope_alone,
    "a key of another purpose": _keys(purpose="documents"),
    "a key of another algorithm": _keys(algorithm="rsa"),
    "a key that was retired in the list only": _keys(retired_at="2026-01-01T00:00:00+00:00"),
}
# The same with the index itself: sealed, and no member changed.
OF_THE_INDEX: dict[str, Callable[[dict], None]] = {
    "a decision as a text": _kind("reviews/", "text"),
    "a card as uploaded": _kind("card/", "uploaded"),
    "a kind that nobody knows": _kind("checks/", "remark"),
    "a format that nobody knows": lambda index: index.update(schema="countersign.bundle/9"),
    "several versions, and none": lambda index: index.update(schema="countersign.bundle/2", versions=[]),
    "another model": lambda index: index.update(model="credit"),
    "another version's number": lambda index: index.update(version=7),
    "files that are not there": lambda index: index.update(with_files=True),
    "another ledger size": lambda index: index.update(ledger_size=index["ledger_size"] + 1),
    "a time that is none": lambda index: index.update(made_at="yesterday"),
    "a member twice": lambda index: index["members"].append(index["members"][0]),
}  # fmt: skip


@pytest.mark.browser
def test_not_even_the_sites_own_key_makes_members_fit_that_do_not(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = bundle_of(approved(story), with_files=False)
    own = signing.ledger_key()
    with in_browser(monkeypatch) as page:
        page.given(key=own.key_id)
        for name, change in BY_THE_SITE.items():
            assert (
                agreed(page, tmp_path, name, rewritten(data, change, seal=own), own.key_id) == WRONG
            ), name
        for name, said in OF_THE_INDEX.items():
            assert agreed(page, tmp_path, name, _sealed(data, said, own), own.key_id) == WRONG, name
        taken = rewritten(data, _seal_of_a_decision)
        assert agreed(page, tmp_path, "the seal of a decision", taken, own.key_id) == WRONG


def _sealed(data: bytes, said: Callable[[dict], None], key: signing.LedgerKey) -> bytes:
    def change(members: dict[str, bytes]) -> None:
        _json(members, "bundle.json", said)
        members["bundle.dsse.json"] = dsse.envelope(
            members["bundle.json"], key, bundles.PAYLOAD_TYPE
        )

    return rewritten(data, change)


def test_a_key_that_its_own_ledger_retired_signs_no_bundle(story: Story, tmp_path: Path):
    """An old key that somebody found, with the newest events and a time of before."""
    old = signing.ledger_key()
    keys.ledger_key(as_actor(story.ana))
    keys.rotate(as_actor(story.ana), signing.LEDGER, reason="yearly")
    data = bundle_of(story, with_files=False)

    def earlier(index: dict) -> None:
        index["made_at"] = "2020-01-01T00:00:00+00:00"

    path = tmp_path / "bundle.zip"
    path.write_bytes(_sealed(data, earlier, old))
    status, said = verified(path, "--key", old.key_id)
    assert (status, said["first"][0]) == (WRONG, "keys")
    assert "its own ledger says was retired" in said["first"][1]


@pytest.mark.browser
def test_the_page_and_the_program_say_the_same_of_a_whole_story(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = bundle_of(approved(story))
    with in_browser(monkeypatch) as page:
        page.given(key="f" * 64)
        assert agreed(page, tmp_path, "of nobody we know", data, "f" * 64) == WRONG
        page.given()
        status, items, words = page.judge(data)
        verify = program()
        path = tmp_path / "b.zip"
        path.write_bytes(data)
        report = verify.verify(path, NOTHING_KEPT)
        assert (status, report.status) == (OPEN, OPEN)
        assert items == [(item.name, item.state) for item in report.items]
        assert "nothing is wrong with income v1 of" in words
