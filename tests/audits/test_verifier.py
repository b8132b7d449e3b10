"""The stand-alone verifier accepts our exports and extracts, and names the first thing wrong in others."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.audits import selectors, tree
from apps.audits.exporting import export_to
from apps.core import canonical
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
