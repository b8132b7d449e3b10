"""Bundles: whole, verified on an empty machine, and nothing in them can be changed unseen."""

from __future__ import annotations

import base64
import io
import json
import random
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import User
from apps.audits import keys
from apps.audits.selectors import replay
from apps.compliance import bundles
from apps.core import blobs, dsse, signing
from apps.core.errors import Blocked, Forbidden, NotFound, Tampered
from apps.registry.models import ModelVersion
from tests.compliance.conftest import Story
from tests.compliance.verifying import NOTHING_KEPT, OPEN, PROVEN, WRONG, program, verified
from tests.reviews.test_forgery import is_whole
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)


def bundle_of(story: Story, *, with_files: bool = True) -> bytes:
    version = ModelVersion.objects.select_related("model").get(pk=story.version.pk)
    return b"".join(bundles.stream(as_actor(story.ana), version, with_files=with_files))


def approved(story: Story) -> Story:
    """Measured, carded, signed by two, promoted, with a card issued."""
    story.measure().write().submit()
    story.sign(story.vera)
    story.sign(story.rui)
    story.issue()
    return story


def test_a_bundle_verifies_on_an_empty_machine_item_by_item(story: Story, tmp_path: Path) -> None:
    data = bundle_of(approved(story))
    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    key = keys.ledger_key(as_actor(story.ana)).key_id
    status, said = verified(path, "--key", key)
    assert (status, said["first"]) == (PROVEN, None)
    assert said["about"].startswith("income v1 of ")
    kinds = {item["name"].split(" ")[0] for item in said["items"]}
    assert {"check", "card", "evidence", "statement", "document", "file", "ledger", "keys"} <= kinds
    issued = list(replay("compliance.bundle.issued"))[-1].payload
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert issued["members"] == len(names) - 2
        assert (
            sum(name.endswith(".dsse.json") for name in names) == 3
        )  # two decisions and the index
        assert {f"files/{each['path']}" for each in story.version.manifest} <= set(names)
    is_whole()


def test_a_version_nobody_ever_submitted_has_a_bundle_too(story: Story, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle_of(story, with_files=False))
    status, said = verified(path)
    assert (status, said["first"][0]) == (
        OPEN,
        "key",
    )  # nothing is wrong, and nobody vouches for it
    assert "not in this bundle" in next(i["said"] for i in said["items"] if i["name"] == "files")


def test_what_happens_while_it_is_made_is_in_the_next_one(story: Story, tmp_path: Path) -> None:
    """Between the checkpoint and the last member somebody writes a card: the bundle is of before, and verifies."""
    story.measure().write()
    version = ModelVersion.objects.select_related("model").get(pk=story.version.pk)
    checkpoint = bundles.checkpoints.make_checkpoint
    path = tmp_path / "bundle.zip"

    def slow(actor: Any, *, occasion: str) -> Any:
        made = checkpoint(actor, occasion=occasion)
        story.write(summary="Written meanwhile.")
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundles.checkpoints, "make_checkpoint", slow)
        path.write_bytes(b"".join(bundles.stream(as_actor(story.ana), version)))
    assert verified(path)[0] == OPEN
    with zipfile.ZipFile(path) as archive:
        assert "card/revision-1.json" in archive.namelist()
        assert "card/revision-2.json" not in archive.namelist()


def test_nobody_gets_one_who_may_not_read_nor_from_a_site_without_its_key(
    story: Story, otto: User, settings: Any, tmp_path: Path
) -> None:
    version = ModelVersion.objects.select_related("model").get(pk=story.version.pk)
    with pytest.raises((Forbidden, NotFound)):
        bundles.stream(as_actor(otto), version)
    settings.VAR, settings.KEYS_MADE_WHEN_NEEDED = tmp_path / "none", False
    with pytest.raises(Blocked, match="no ledger key"):
        bundles.stream(as_actor(story.ana), version)
    assert not list(replay("compliance.bundle.issued"))


def test_a_damaged_file_ends_the_archive_without_its_directory(
    story: Story, tmp_path: Path
) -> None:
    digest = story.version.manifest[0]["digest"]
    place = blobs.path(digest)
    whole = place.read_bytes()
    place.chmod(0o600)
    place.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    version = ModelVersion.objects.select_related("model").get(pk=story.version.pk)
    got = bytearray()
    with pytest.raises(Tampered):
        for piece in bundles.stream(as_actor(story.ana), version, with_files=True):
            got += piece
    place.write_bytes(whole)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(bytes(got)))
    assert not list(replay("compliance.bundle.issued"))


def rewritten(
    data: bytes,
    change: Callable[[dict[str, bytes]], None],
    *,
    seal: signing.LedgerKey | None = None,
    kinds: dict[str, str] | None = None,
) -> bytes:
    """The archive with its members changed; with `seal`, its index made to fit and signed by that key."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if seal is not None:
        _fit(members, seal, kinds)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _fit(members: dict[str, bytes], key: signing.LedgerKey, known: dict[str, str] | None) -> None:
    index = json.loads(members["bundle.json"])
    kinds = known or {entry["name"]: entry["kind"] for entry in index["members"]}
    index["members"] = [
        {
            "name": name,
            "kind": kinds.get(name, name.rpartition("/")[0].rpartition("/")[2].removesuffix("s")),
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
        }
        for name, content in sorted(members.items())
        if name not in {"bundle.json", "bundle.dsse.json"}
    ]
    members["bundle.json"] = json.dumps(index, sort_keys=True, separators=(",", ":")).encode()
    members["bundle.dsse.json"] = dsse.envelope(members["bundle.json"], key, bundles.PAYLOAD_TYPE)


def _named(members: dict[str, bytes], part: str) -> list[str]:
    return sorted(name for name in members if part in name)


def _swap(members: dict[str, bytes]) -> None:
    """One decision's statement and envelope in the place of the other's."""
    first, second = [n for n in _named(members, "/decision-") if not n.endswith(".dsse.json")][:2]
    for ending in (".json", ".dsse.json"):
        a, b = first[:-5] + ending, second[:-5] + ending
        members[a], members[b] = members[b], members[a]


def _forge_outcome(members: dict[str, bytes]) -> None:
    name = next(n for n in _named(members, "/decision-") if not n.endswith(".dsse.json"))
    members[name] = members[name].replace(b'"outcome":"approve"', b'"outcome":"reject"')


def _forge_result(members: dict[str, bytes]) -> None:
    name = _named(members, "checks/")[0]
    said = json.loads(members[name])
    said["result"]["n"] = 1
    members[name] = json.dumps(
        said, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def _drop_event(members: dict[str, bytes]) -> None:
    said = json.loads(members["ledger-extract.json"])
    said["events"].pop()
    said["events"] = [
        e for e in said["events"] if b"decision.recorded" not in base64.b64decode(e["body"])
    ]
    members["ledger-extract.json"] = json.dumps(said).encode()


def _drop_decision(members: dict[str, bytes]) -> None:
    """Left out with its envelope, as somebody would who does not like what it says."""
    name = next(n for n in _named(members, "/decision-") if not n.endswith(".dsse.json"))
    del members[name], members[name[:-5] + ".dsse.json"]


def _drop_pdf(members: dict[str, bytes]) -> None:
    del members[_named(members, ".pdf")[0]]


def _forge_measured(members: dict[str, bytes]) -> None:
    """Numbers that nobody measured, under a digest of their own, beside the ones of the evidence."""
    said = json.loads(members[_named(members, "checks/")[0]])
    said["result"]["n"] = 1
    own = json.dumps(
        {key: said[key] for key in ("key", "result", "statistics")},
        separators=(",", ":"),
        ensure_ascii=False,
        sort_keys=True,
    )
    said["result_digest"] = sha256(own.encode()).hexdigest()
    members["checks/00000000-0000-4000-8000-000000000000.json"] = json.dumps(said).encode()


def _forge_file(members: dict[str, bytes]) -> None:
    name = _named(members, "files/")[0]
    members[name] += b"!"


def _forge_pdf(members: dict[str, bytes]) -> None:
    name = _named(members, ".pdf")[0]
    members[name] += b"\n"


def _forge_card(members: dict[str, bytes]) -> None:
    name = _named(members, "card/")[0]
    members[name] = members[name].replace(b"sentence", b"sentense")


def _forge_policy(members: dict[str, bytes]) -> None:
    name = _named(members, "policy.json")[0]
    members[name] = members[name].replace(b"0", b"1", 1)


FORGERIES = [
    _forge_outcome,
    _forge_result,
    _drop_event,
    _drop_decision,
    _drop_pdf,
    _forge_measured,
    _forge_file,
    _forge_pdf,
    _forge_card,
    _forge_policy,
]


def test_no_forgery_passes_not_even_one_whose_index_was_made_to_fit(
    story: Story, tmp_path: Path, settings: Any
) -> None:
    """By a foreign key it is found at the index; by the site's own key, at the thing itself."""
    data = bundle_of(approved(story))
    own = signing.ledger_key()
    settings.VAR = tmp_path
    foreign = signing.ledger_key()
    path = tmp_path / "bundle.zip"
    for forge in FORGERIES:
        for seal in (None, foreign, own):
            path.write_bytes(rewritten(data, forge, seal=seal))
            status, said = verified(path)
            assert status == WRONG, (forge.__name__, seal)
            if seal is own:
                assert said["first"][0] != "bundle.json", forge.__name__
    path.write_bytes(rewritten(data, _swap, seal=own))
    assert verified(path)[0] == OPEN  # the same statements under other names say the same
    path.write_bytes(rewritten(data, lambda members: None, seal=foreign))
    assert verified(path)[1]["first"][0] == "bundle.json"


def test_the_archive_itself_is_held_to_be_one_archive(story: Story, tmp_path: Path) -> None:
    data = bundle_of(approved(story), with_files=False)
    path = tmp_path / "bundle.zip"

    def first_wrong(changed: bytes) -> str:
        path.write_bytes(changed)
        status, said = verified(path)
        assert status == WRONG
        return str(said["first"][0])

    assert first_wrong(b"MZ" + data) == "archive"
    assert first_wrong(data + b"more") == "archive"
    assert first_wrong(data + data) in {"archive", "bundle.json"}
    assert first_wrong(data[: len(data) // 2]) == "archive"
    assert first_wrong(b"") == "archive"
    assert first_wrong(rewritten(data, lambda m: m.update({"../evil": b"x"}))) == "archive"
    assert first_wrong(rewritten(data, lambda m: m.update({"extra.txt": b"x"}))) == "members"
    assert first_wrong(rewritten(data, lambda m: m.pop("README.txt") and None)) == "members"
    twice = io.BytesIO(data)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(twice, "a") as archive:
        archive.writestr("README.txt", b"another")
    assert first_wrong(twice.getvalue()) == "archive"


def test_two_hundred_edits_of_single_bytes_are_seen_or_change_nothing(
    story: Story, tmp_path: Path
) -> None:
    verify_bundle = program()
    data = bundle_of(approved(story))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    told = verify_bundle.verify(_kept(tmp_path, data), NOTHING_KEPT).items
    chance, unseen = random.Random(5), 0  # noqa: S311 - edits, not secrets
    for _ in range(200):
        place = chance.randrange(len(data))
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        report = verify_bundle.verify(_kept(tmp_path, bytes(changed)), NOTHING_KEPT)
        if report.wrong:
            continue
        unseen += 1
        assert report.items == told, place
        with zipfile.ZipFile(io.BytesIO(bytes(changed))) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == members, place
    assert unseen < 20


def _kept(folder: Path, data: bytes) -> Path:
    path = folder / "edited.zip"
    path.write_bytes(data)
    return path
