"""The stand-alone verifier accepts our exports and extracts, and names the first thing wrong in others."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytest_django import Settings

from apps.audits import checkpoint_selectors, notes, selectors, tree
from apps.audits.exporting import export_to
from apps.audits.services import make_checkpoint
from apps.core import canonical, signing
from apps.core.actor import Actor
from tests.support.ledger import append_some
from tests.support.outside import verify
from tools import verify_ledger

pytestmark = pytest.mark.django_db

Lines = list[dict[str, Any]]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export of eleven events."""
    append_some(11, person="Ana")
    export_to(tmp_path / "ledger.jsonl")
    return tmp_path / "ledger.jsonl"


def _rewrite(export: Path, change: Callable[[Lines], object]) -> None:
    lines = [json.loads(line) for line in export.read_bytes().splitlines()]
    change(lines)
    export.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _edit_body(line: dict[str, Any], edit: Callable[[bytes], bytes]) -> None:
    line["body"] = base64.b64encode(edit(base64.b64decode(line["body"]))).decode()


def test_it_accepts_what_we_write(export: Path) -> None:
    done = verify(export.parent, "--export", "ledger.jsonl")
    assert done.status == 0, done.text
    assert done.text == f"export: 11 events, root {selectors.head().root}\nPASS\n"


def test_it_accepts_an_empty_ledger(tmp_path: Path) -> None:
    export_to(tmp_path / "ledger.jsonl")
    assert verify(tmp_path, "--export", "ledger.jsonl").text.endswith("PASS\n")


def test_a_root_kept_elsewhere_is_compared_at_its_size(export: Path) -> None:
    kept = selectors.event(7).root
    assert verify(export.parent, "--export", export, "--root", f"7:{kept}").status == 0
    wrong = verify(export.parent, "--export", export, "--root", f"6:{kept}")
    assert (wrong.status, wrong.text.startswith("FAIL: event 6: the root at size 6 is")) == (
        1,
        True,
    )
    beyond = verify(export.parent, "--export", export, "--root", f"12:{kept}")
    assert beyond.text == "FAIL: event 12: missing, a root is known at size 12\n"


def _reorder(lines: Lines) -> None:
    """Two bodies change places, numbers and roots stay."""
    lines[4]["body"], lines[5]["body"] = lines[5]["body"], lines[4]["body"]


CHANGES: list[tuple[Callable[[Lines], object], str]] = [
    (lambda lines: lines.pop(5), "event 5: missing, line 6 has event 6"),
    (lambda lines: lines.insert(5, lines[5]), "event 6: missing, line 7 has event 5"),
    (_reorder, "event 4: the events up to here give root"),
    (lambda lines: lines.pop(), "event 12: the file is cut off"),
    (lambda lines: lines.__delitem__(slice(8, None)), "event 8: the file is cut off"),
    (
        lambda lines: lines.__delitem__(slice(8, -1)),
        "event 8: missing, the header says there are 11",
    ),
    (lambda lines: lines.append({"end": 11}), "there is more after the last line"),
    (lambda lines: lines[0].update(size=10), "event 12: missing, the header says there are 10"),
    (lambda lines: lines[0].update(root="0" * 64), "the events give root"),
    (lambda lines: lines[0].update(format="else"), "line 1: this is not an export"),
    (lambda lines: lines[0].update(version=2), "line 1: export version 2 is unknown"),
    (lambda lines: lines[3].update(root="0" * 64), "event 3: the events up to here give root"),
    (lambda lines: lines[3].update(root="x"), "event 3: the line: root is not 64"),
    (lambda lines: lines[3].update(body="?"), "event 3: the body is not base64"),
    (
        lambda lines: _edit_body(lines[3], lambda body: body.replace(b"note 2", b"note 7")),
        "event 3: the events up to here give root",
    ),
    (
        lambda lines: _edit_body(lines[3], lambda body: body + b" "),
        "event 3: the body is not in canonical",
    ),
    (
        lambda lines: _edit_body(lines[3], lambda body: body.replace(b'"thing":2', b'"thing":2.5')),
        "event 3: the body holds the number 2.5",
    ),
    (
        lambda lines: _edit_body(lines[3], lambda body: body.replace(b'"v":1', b'"v":1,"v":1')),
        "event 3: the body repeats a key",
    ),
    (
        lambda lines: _edit_body(lines[3], lambda body: body.replace(b'"v":1', b'"v":2')),
        "event 3: format version 2 is unknown",
    ),
    (
        lambda lines: _edit_body(lines[3], lambda body: body.replace(b'"v":1', b'"w":1')),
        "event 3: the body must have exactly the members",
    ),
    (lambda lines: _edit_body(lines[3], lambda body: b"\xff"), "event 3: the body is not JSON"),
    (
        lambda lines: _edit_body(lines[3], lambda body: b"[" * 50_000),
        "event 3: the body is not JSON",
    ),
    (
        lambda lines: _edit_body(lines[3], lambda body: body.replace(b"note 2", rb"\ud800")),
        "event 3: the body is not Unicode",
    ),
]


@pytest.mark.parametrize(("change", "named"), CHANGES, ids=[named for _change, named in CHANGES])
def test_the_first_wrong_thing_is_named(
    export: Path, change: Callable[[Lines], object], named: str
) -> None:
    _rewrite(export, change)
    done = verify(export.parent, "--export", export)
    assert done.status == 1
    assert done.text.startswith(f"FAIL: {named}"), done.text


def test_a_rewritten_ledger_passes_alone_and_fails_against_a_root_kept_elsewhere(
    export: Path,
) -> None:
    """What no log can show by itself: the reason to keep a root."""
    kept = selectors.head().root

    def rewrite(lines: Lines) -> None:
        _edit_body(lines[3], lambda body: body.replace(b"note 2", b"note 7"))
        grown = tree.Frontier()
        for line in lines[1:-1]:
            grown.append(tree.leaf_hash(base64.b64decode(line["body"])))
            line["root"] = grown.root().hex()
        lines[0]["root"] = grown.root().hex()

    _rewrite(export, rewrite)
    assert verify(export.parent, "--export", export).status == 0
    against = verify(export.parent, "--export", export, "--root", f"11:{kept}")
    assert against.text.startswith("FAIL: event 11: the root at size 11 is")


def test_files_that_are_not_exports_are_answered_in_a_sentence(tmp_path: Path) -> None:
    for name, content in {
        "empty": b"",
        "noise": b"\x00\xff\n",
        "half": b'{"format":',
        "list": b"[]\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        done = verify(tmp_path, "--export", name)
        assert (done.status, done.text.count("\n")) == (1, 1), done.text
        assert done.text.startswith("FAIL: line 1")
    assert verify(tmp_path, "--export", "absent").status == 2
    assert verify(tmp_path).status == 2


class TestExtracts:
    @pytest.fixture
    def extract(self, export: Path) -> Path:
        """Three events with their proofs, as a document carries them; the ledger grew on since."""
        path = export.parent / "extract.json"
        path.write_text(json.dumps(selectors.extract([2, 7, 11])))
        append_some(6)
        export_to(export)
        return path

    def test_it_is_proved_alone_and_against_a_later_export(
        self, extract: Path, export: Path
    ) -> None:
        alone = verify(extract.parent, "--extract", extract)
        assert alone.text.startswith("extract: 3 events proved under root")
        both = verify(extract.parent, "--extract", extract, "--export", export)
        assert both.status == 0, both.text
        assert "extract: its events and its root are those of the export" in both.text

    @pytest.mark.parametrize(
        ("path", "value", "named"),
        [
            (("root",), "0" * 64, "event 2: its inclusion proof does not lead"),
            (("size",), 10, "event 11: it cannot be in a tree of 10"),
            (("size",), 6, "event 2: its inclusion proof"),
            (("events", 1, "seq"), 8, "event 8: its inclusion proof does not lead"),
            (("events", 1, "seq"), 0, "event 0: events are numbered from 1"),
            (("events", 1, "seq"), 12, "event 12: it cannot be in a tree of 11"),
            (("events", 1, "proof"), [], "event 7: its inclusion proof is too short"),
            (("events", 1, "proof"), ["0" * 64] * 9, "event 7: its inclusion proof is too long"),
            (
                ("events", 1, "body"),
                base64.b64encode(b"{}").decode(),
                "event 7: the body must have",
            ),
            (("openings", 0, "value"), "Otto", "the opening of"),
            (("openings", 0, "salt"), "00" * 16, "the opening of"),
            (("openings", 0, "salt"), "zz", "the opening of"),
        ],
    )
    def test_a_changed_member_is_named(
        self, extract: Path, path: tuple[str | int, ...], value: object, named: str
    ) -> None:
        content = json.loads(extract.read_text())
        place = content
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        extract.write_text(json.dumps(content))
        done = verify(extract.parent, "--extract", extract)
        assert done.status == 1
        assert done.text.startswith(f"FAIL: {named}"), done.text

    def test_an_extract_of_another_ledger_is_found_out(self, extract: Path, export: Path) -> None:
        """Complete in itself, and yet not from this ledger."""

        def rewrite(lines: Lines) -> None:
            del lines[1:]
            lines[0].update(
                size=0, root="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            )
            lines.append({"end": 0})

        _rewrite(export, rewrite)
        done = verify(extract.parent, "--extract", extract, "--export", export)
        assert done.text == "FAIL: event 1: missing, a root is known at size 11\n"

    def test_the_persons_named_in_it_are_proved_until_they_are_erased(self, extract: Path) -> None:
        content = json.loads(extract.read_text())
        assert [opening["value"] for opening in content["openings"]] == ["Ana"] * 3
        assert selectors.extract([2], reveal=False)["openings"] == []


def test_two_hundred_random_changes_of_single_bytes_are_all_found(export: Path) -> None:
    """Checked in one process per change: this is the program auditors get."""
    original = export.read_bytes()
    chance = random.Random(20260301)  # noqa: S311 - a test that can be repeated
    for _ in range(200):
        at = chance.randrange(len(original))
        changed = bytes([original[at] ^ (1 << chance.randrange(8))])
        export.write_bytes(original[:at] + changed + original[at + 1 :])
        if not _harmless(original, at):
            assert verify_ledger.main(["--export", str(export)]) == 1, (at, original[at], changed)


def _harmless(original: bytes, at: int) -> bool:
    """The two members of the header that are information only."""
    header = original[: original.index(b"\n")]
    said = json.loads(header)
    for name in ("origin", "written_at"):
        start = header.index(canonical.dumps(name))
        if start <= at <= start + len(name) + 5 + len(said[name]):
            return True
    return False


class TestCheckpoints:
    """Signed notes, cosignatures and proofs, judged by the stand-alone program alone."""

    @pytest.fixture
    def kept(self, export: Path, settings: Settings) -> Path:
        """A ledger with a checkpoint of its eleven events (and the key's), that grew on by six; and its key."""
        settings.VAR, settings.LEDGER_ORIGIN = export.parent / "var", "example.org/ledger"
        made = make_checkpoint(Actor.system("test"))
        (export.parent / "old").write_bytes(made.note)
        append_some(6)
        (export.parent / "new").write_bytes(make_checkpoint(Actor.system("test")).note)
        proof = checkpoint_selectors.consistency_proof(12, 18)
        (export.parent / "proof").write_text(json.dumps(proof))
        (export.parent / "extract").write_text(json.dumps(selectors.extract([2, 5], size=12)))
        export_to(export)
        return export.parent

    def _key(self) -> str:
        return str(checkpoint_selectors.log_key(signing.ledger_key().public))

    def test_export_extract_and_proof_agree_with_what_was_signed(self, kept: Path) -> None:
        key = ("--key", self._key())
        old, new, proof = ("--checkpoint", "old"), ("--checkpoint", "new"), ("--proof", "proof")
        for arguments in (
            (*old, "--export", "ledger.jsonl"),
            (*old, *new, "--export", "ledger.jsonl", "--extract", "extract"),
            (*old, "--extract", "extract"),
            (*new, *proof, "--extract", "extract"),
            (*old, *new, *proof),
            old,
        ):
            done = verify(kept, *arguments, *key)
            assert done.status == 0, (arguments, done.text)
            assert "events, root" in done.text
            assert "signed by example.org/ledger" in done.text

    def test_what_nothing_connects_is_not_taken_for_checked(self, kept: Path) -> None:
        key = ("--key", self._key())
        for other in (("--checkpoint", "old"), ("--extract", "extract")):
            done = verify(kept, "--checkpoint", "new", *other, *key)
            assert done.text == (
                "FAIL: nothing leads from size 12 to size 18: give an --export, or a --proof\n"
            )

    def test_a_checkpoint_without_a_key_and_a_key_without_one_are_refused(self, kept: Path) -> None:
        assert verify(kept, "--checkpoint", "old").status == 2
        assert verify(kept, "--export", "ledger.jsonl", "--key", self._key()).status == 2
        assert verify(kept, "--checkpoint", "old", "--key", "a+00000000+AAAA").status == 2
        assert verify(kept, "--checkpoint", "absent", "--key", self._key()).status == 2

    def test_another_ledger_is_found_by_what_was_kept(self, kept: Path) -> None:
        """The ledger is made anew with one word changed, every root fits, and the site's own key signs nothing of it."""

        def rewrite(lines: Lines) -> None:
            _edit_body(lines[3], lambda body: body.replace(b"note 2", b"note 7"))
            grown = tree.Frontier()
            for line in lines[1:-1]:
                grown.append(tree.leaf_hash(base64.b64decode(line["body"])))
                line["root"] = grown.root().hex()
            lines[0]["root"] = grown.root().hex()

        _rewrite(kept / "ledger.jsonl", rewrite)
        assert verify(kept, "--export", "ledger.jsonl").status == 0
        done = verify(kept, "--export", "ledger.jsonl", "--checkpoint", "old", "--key", self._key())
        assert done.text.startswith("FAIL: event 12: the root at size 12 is")
        assert "the checkpoint old says" in done.text

    def test_a_ledger_cut_off_below_the_checkpoint_is_found(self, kept: Path) -> None:
        (kept / "checkpoint").write_bytes((kept / "new").read_bytes())

        def cut(lines: Lines) -> None:
            del lines[13:-1]
            lines[0].update(size=12, root=lines[12]["root"])
            lines[-1]["end"] = 12

        _rewrite(kept / "ledger.jsonl", cut)
        assert verify(kept, "--export", "ledger.jsonl").status == 0
        done = verify(kept, "--export", "ledger.jsonl", "--checkpoint", "new", "--key", self._key())
        assert done.text == "FAIL: event 13: missing, a root is known at size 18\n"

    def test_every_changed_byte_of_a_checkpoint_is_found(self, kept: Path) -> None:
        """In one process: each byte of the note, one bit of it changed."""
        original = (kept / "old").read_bytes()
        for at in range(len(original)):
            changed = bytearray(original)
            changed[at] ^= 1 << (at % 7)
            (kept / "old").write_bytes(changed)
            arguments = ["--checkpoint", str(kept / "old"), "--key", self._key()]
            assert verify_ledger.main(arguments) == 1, (at, changed)

    def test_a_changed_proof_is_found(self, kept: Path) -> None:
        arguments = ["--checkpoint", "old", "--checkpoint", "new", "--proof", "proof"]
        whole = json.loads((kept / "proof").read_text())
        for change, named in (
            ({"proof": whole["proof"][:-1]}, "the consistency proof is too short"),
            ({"proof": [*whole["proof"], "0" * 64]}, "the consistency proof is too long"),
            ({"proof": whole["proof"][::-1]}, "the consistency proof does not lead"),
            ({"proof": ["x"]}, "proof 1: it is not a list of hashes"),
            ({"old": {"size": 12, "root": "0" * 64}}, "the root at size 12 is"),
            ({"old": {"size": 11, "root": "0" * 64}}, "nothing leads from size 12"),
            ({"format": "other"}, "proof 1: this is not a consistency proof"),
            ({"version": 2}, "proof 1: version 2 is unknown"),
        ):
            (kept / "proof").write_text(json.dumps(whole | change))
            done = verify(kept, *arguments, "--key", self._key())
            assert (done.status, done.text.startswith(f"FAIL: {named}")) == (1, True), done.text

    def test_a_fork_of_one_size_is_found_without_any_proof(self, kept: Path) -> None:
        """Two checkpoints of one size by the same key with different roots: the site told two stories."""
        key = signing.ledger_key()
        name = checkpoint_selectors.log_key(key.public)
        said = notes.Checkpoint(name.name, 12, bytes(32)).text
        line = notes.Signature(name.name, name.key_hash, key.sign(said.encode()))
        (kept / "fork").write_bytes(notes.Note(said, (line,)).dump())
        done = verify(kept, "--checkpoint", "old", "--checkpoint", "fork", "--key", self._key())
        assert done.text.startswith("FAIL: the root at size 12 is")

    def test_a_witness_that_is_trusted_must_have_cosigned(self, kept: Path) -> None:
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        witness = notes.Verifier("w.example", notes.WITNESS, public)
        arguments = ("--checkpoint", "old", "--key", self._key(), "--key", str(witness))
        done = verify(kept, *arguments)
        assert done.text == "FAIL: no checkpoint is signed by w.example\n"
        old = (kept / "old").read_bytes()
        message = notes.cosigned(notes.parse(old).text, 1_700_000_000)
        line = notes.cosignature(witness, 1_700_000_000, private.sign(message))
        (kept / "old").write_bytes(old + str(line).encode())
        done = verify(kept, *arguments)
        assert "cosigned by w.example at 2023-11-14 22:13:20 UTC" in done.text
        moved = notes.cosignature(witness, 1_700_000_001, line.value[8:])
        (kept / "old").write_bytes(old + str(moved).encode())
        assert verify(kept, *arguments).text == "FAIL: checkpoint old: its signature does not fit\n"
        alone = verify(kept, "--checkpoint", "old", "--key", str(witness))
        assert alone.status == 1  # a witness's word does not make it the log's
