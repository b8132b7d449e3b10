"""One bundle of several versions: green or red per version, checkpoints that were kept, keys that were replaced."""

from __future__ import annotations

import base64
import io
import json
import random
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import User
from apps.audits import checkpoint_selectors, checkpoints, exporting, keys
from apps.audits import selectors as audits
from apps.audits.selectors import replay
from apps.compliance import bundles
from apps.core import signing
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from tests import factories
from tests.compliance.conftest import Story
from tests.compliance.test_bundles import approved, rewritten
from tests.compliance.verifying import (
    NOTHING_KEPT,
    OPEN,
    PROVEN,
    WRONG,
    in_browser,
    program,
    states,
    verified,
)
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)


def versions_of(story: Story) -> list[ModelVersion]:
    """Hers, a second one of the same model, and one of a model whose name looks the same in plain letters."""
    actor = as_actor(story.ana)
    factories.version(actor, story.version.model)
    factories.version(actor, factories.model(actor, name="income~"))
    return list(ModelVersion.objects.select_related("model").order_by("pk"))


def bundle_of(story: Story, versions: list[ModelVersion], **options: Any) -> bytes:
    return b"".join(bundles.stream_many(as_actor(story.ana), versions, **options))


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def key_of(story: Story) -> str:
    return keys.ledger_key(as_actor(story.ana)).key_id


def written(folder: Path, data: bytes, name: str = "bundle.zip") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def item(said: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in said["items"] if each["name"] == name)


def test_several_versions_are_one_archive_with_one_ledger_and_a_folder_each(
    story: Story, tmp_path: Path
):
    versions = versions_of(approved(story))
    data = bundle_of(story, versions, with_files=True)
    status, said = verified(written(tmp_path, data), "--key", key_of(story))
    assert (status, said["first"]) == (PROVEN, None)
    parts = {each["part"] for each in said["items"]} - {""}
    assert parts == {
        "versions/income-v1/",
        "versions/income-v2/",
        f"versions/income-v1-{versions[2].pk}/",
    }
    assert item(said, "whole versions/income-v1")["said"].count("(2 approve)") == 1
    names = list(members(data))
    assert [name for name in names if "ledger" in name] == ["ledger-extract.json"]
    told = [each.payload for each in replay("compliance.bundle.issued")]
    assert [each["version"] for each in told] == [version.pk for version in versions]
    assert len({each["digest"] for each in told}) == 1


def test_what_is_wrong_with_one_version_is_said_of_that_version(story: Story, tmp_path: Path):
    """Whoever holds the site's key leaves a decision out of one version: the others stay green."""
    data = bundle_of(story, versions_of(approved(story)))

    def leave_out(found: dict[str, bytes]) -> None:
        name = min(
            name for name in found if "/decision-" in name and not name.endswith(".dsse.json")
        )
        del found[name], found[name[:-5] + ".dsse.json"]

    path = written(tmp_path, refit(data, leave_out))
    status, said = verified(path)
    assert status == WRONG
    assert said["first"][0] == "whole versions/income-v1"
    wrong = {each["part"] for each in said["items"] if each["state"] == "wrong"}
    assert wrong == {"versions/income-v1/"}


def refit(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Changed, and sealed anew with the site's own key; kinds as they were."""
    kinds = {
        each["name"]: each["kind"] for each in json.loads(members(data)["bundle.json"])["members"]
    }
    return rewritten(data, change, seal=signing.ledger_key(), kinds=kinds)


def test_a_member_moved_to_another_versions_folder_is_wrong(story: Story, tmp_path: Path):
    data = bundle_of(story, versions_of(approved(story)))

    def move(found: dict[str, bytes]) -> None:
        name = next(name for name in found if name.startswith("versions/income-v1/card/"))
        found[name.replace("income-v1/", "income-v2/")] = found[name]

    status, said = verified(written(tmp_path, refit(data, move)))
    assert status == WRONG
    assert said["first"][0] == "card versions/income-v2/card/revision-1.json"


def test_nothing_is_handed_out_where_one_of_them_may_not_be_read(story: Story, otto: User):
    versions = versions_of(story)
    for chosen, actor in ((versions, otto), ([], story.ana)):
        with pytest.raises((Forbidden, NotFound, Invalid)):
            bundles.stream_many(as_actor(actor), chosen)
    registry.delete_version(as_actor(story.ana), versions[1])
    again = list(ModelVersion.objects.select_related("model").order_by("pk"))
    with pytest.raises(NotFound):
        bundles.stream_many(as_actor(story.ana), again)
    assert not list(replay("compliance.bundle.issued"))


def test_memory_follows_the_largest_version_and_not_their_number(story: Story):
    """Ten versions with a long card each take hardly more than two."""
    actor = as_actor(story.ana)
    model = factories.model(actor, name="many")
    for number in range(10):
        version = factories.version(actor, model)
        part = Story(story.ana, story.vera, story.rui, version)
        part.write(
            **dict.fromkeys(
                ("summary", "primary_uses", "out_of_scope"), f"{number} " + "word " * 3500
            )
        )
    rows = list(ModelVersion.objects.filter(model=model).select_related("model"))
    verifier = len(bundles.verifier())

    def most(chosen: list[ModelVersion]) -> int:
        tracemalloc.start()
        for _piece in bundles.stream_many(actor, chosen):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak - verifier

    most(rows[:1])  # what is imported or cached on first use is not the archive's
    assert most(rows) < 2 * most(rows[:2])


def test_two_hundred_edits_of_single_bytes_are_seen_or_change_nothing(story: Story, tmp_path: Path):
    data = bundle_of(story, versions_of(approved(story)), with_files=True)
    whole, verify = members(data), program().verify
    told = verify(written(tmp_path, data), NOTHING_KEPT).items
    chance, unseen = random.Random(7), 0  # noqa: S311 - edits, not secrets
    for _ in range(200):
        place = chance.randrange(len(data))
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        report = verify(written(tmp_path, bytes(changed), "edited.zip"), NOTHING_KEPT)
        if not report.wrong:
            unseen += 1
            assert (report.items, members(bytes(changed))) == (told, whole), place
    assert unseen < 20


def kept_checkpoint(story: Story) -> bytes:
    return checkpoints.make_checkpoint(as_actor(story.ana)).note


def test_a_checkpoint_that_was_kept_is_the_beginning_or_the_verifier_says_what_it_is(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
):
    """Older, of the same size, newer, forked, foreign, unconnected, and no checkpoint at all; in both verifiers."""
    older = kept_checkpoint(story)
    story.write()
    versions = versions_of(story)
    data = bundle_of(story, versions, since=older.decode())
    same = members(data)["checkpoint.txt"]
    newer = kept_checkpoint(story)
    lines = older.split(b"\n")
    forged = b"\n".join([*lines[:2], base64.b64encode(bytes(32)), *lines[3:]])
    foreign = older.replace(lines[0], b"elsewhere.example/ledger")
    forked = _signed_again(forged)
    middle = _checkpoint_between(older, same)
    expected = {
        "older": (older, PROVEN, "begins with exactly its"),
        "same": (same, PROVEN, "has the same root"),
        "newer": (newer, OPEN, "ask for a newer bundle"),
        "forged": (forged, WRONG, "no key of the bundle's ledger signed it"),
        "forked": (forked, WRONG, "forked: the root at size"),
        "foreign": (foreign, WRONG, "it is of another ledger: elsewhere.example/ledger"),
        "unconnected": (middle, OPEN, "have the bundle made with it (since)"),
        "nothing": (b"hello\n", WRONG, "it is not a checkpoint"),
        "torn": (older[:-1], WRONG, "it is not a checkpoint"),
    }
    path, key = written(tmp_path, data), key_of(story)
    with in_browser(monkeypatch) as page:
        for name, (note, status, words) in expected.items():
            kept = written(tmp_path, note, "kept.txt")
            found, said = verified(path, "--key", key, "--checkpoint", str(kept))
            assert found == status, name
            told = item(said, f"checkpoint {kept}")
            assert words in told["said"], name
            page.given(key=key, kept=note)
            assert page.judge(data)[0] == status, name
    proof = checkpoint_selectors.consistency_proof(audits_size(same), audits_size(newer))
    given = written(tmp_path, json.dumps(proof).encode(), "proof.json")
    kept = written(tmp_path, newer, "kept.txt")
    assert (
        verified(path, "--key", key, "--checkpoint", str(kept), "--proof", str(given))[0] == PROVEN
    )


def audits_size(note: bytes) -> int:
    return int(note.split(b"\n")[1])


def _signed_again(note: bytes) -> bytes:
    """What it says, signed by the site's own key: a second history."""
    text = note.rpartition(b"\n\n")[0].decode() + "\n"
    key = signing.ledger_key()
    named = checkpoint_selectors.log_key(key.public)
    encoded = base64.b64encode(named.key_hash + key.sign(text.encode())).decode()
    return f"{text}\n\u2014 {named.name} {encoded}\n".encode()


def _checkpoint_between(older: bytes, same: bytes) -> bytes:
    """A genuine one that the site did not keep, so that no proof from it is enclosed."""
    size = audits_size(older) + 1
    assert size < audits_size(same)
    root = checkpoint_selectors.root_at(size)
    origin = older.split(b"\n")[0].decode()
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n\n"
    return _signed_again(text.encode())


def test_since_is_a_size_or_a_checkpoint_of_this_ledger_and_nothing_else(story: Story):
    older = kept_checkpoint(story).decode()
    story.write()
    for since in (
        older,
        older.replace("\n", "\r\n"),
        str(audits_size(older.encode())),
        f" {older}",
    ):
        proofs = json.loads(
            members(bundle_of(story, [story.version], since=since))["consistency.json"]
        )["proofs"]
        assert audits_size(older.encode()) in {each["old"]["size"] for each in proofs}
    before = audits.head().size
    for since in (
        "0",
        "999999999",
        "hello",
        older.replace("\n", "\nx", 1),
        "evil.example\n" + older.partition("\n")[2],
    ):
        with pytest.raises(Invalid) as refused:
            bundle_of(story, [story.version], since=since)
        assert "since" in refused.value.fields
    assert audits.head().size == before


def test_the_proofs_from_earlier_checkpoints_are_bounded(
    story: Story, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bundles, "MOST_EARLIER", 4)
    for number in range(12):
        story.write(summary=f"Revision {number}.")
        kept_checkpoint(story)
    said = json.loads(members(bundle_of(story, [story.version]))["consistency.json"])
    sizes = [each["old"]["size"] for each in said["proofs"]]
    assert 2 <= len(sizes) <= 4
    assert sizes == sorted(sizes)


def test_a_pinned_key_vouches_for_the_one_that_replaced_it(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The auditor knows the first key; two yearly rotations later both verifiers show the chain."""
    actor = as_actor(story.ana)
    first = key_of(story)
    kept = kept_checkpoint(story)
    second = keys.rotate(actor, signing.LEDGER, reason="yearly")
    third = keys.rotate(actor, signing.LEDGER, reason="yearly")
    line = str(checkpoint_selectors.log_key(keys.public_keys()[first]))
    data = bundle_of(story, [story.version])
    path, note = written(tmp_path, data), written(tmp_path, kept, "kept.txt")
    with in_browser(monkeypatch) as page:
        for key in (first, second, third, line, first.upper()):
            status, said = verified(path, "--key", key, "--checkpoint", str(note))
            assert status == PROVEN, said["first"]
            page.given(key=key, kept=kept)
            assert page.judge(data)[0] == PROVEN
        chain = item(verified(path, "--key", first)[1], "key")["said"]
        assert chain.endswith(f"{third[:16]} < {second[:16]} < {first[:16]}")
        strangers = ("0" * 64, line.replace(line.partition("+")[0], "other.example/ledger"))
        page.given(key=strangers[0])
        assert page.judge(data)[0] == WRONG
    status, said = verified(path, "--key", strangers[0])
    assert (status, said["first"][0]) == (WRONG, "key")


def test_a_key_that_replaced_a_lost_or_stolen_one_is_not_vouched_for(
    story: Story, tmp_path: Path, settings: Any
):
    actor = as_actor(story.ana)
    first = key_of(story)
    keys.retire(actor, first, reason="the disk")
    shutil.rmtree(Path(settings.VAR) / "keys")
    assert key_of(story) != first
    path = written(tmp_path, bundle_of(story, [story.version]))
    status, said = verified(path, "--key", first)
    assert (status, said["first"][0]) == (WRONG, "key")
    assert verified(path, "--key", key_of(story))[0] == PROVEN


def test_everything_made_anew_by_somebody_else_passes_only_until_a_key_is_named(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A whole site of the attacker's own: nothing in it is wrong, and nobody vouches for it."""
    data = bundle_of(story, [story.version])
    path = written(tmp_path, data)
    with in_browser(monkeypatch) as page:
        for key, status in (("", OPEN), ("f" * 64, WRONG)):
            found, said = verified(path, *(["--key", key] if key else []))
            page.given(key=key)
            judged, items, words = page.judge(data)
            assert (found, judged) == (status, status)
            assert states(said) == items
            assert said["first"][0] == "key"
            assert "vouch" in words


def test_with_an_export_what_the_sites_own_key_left_out_is_found(story: Story, tmp_path: Path):
    """A decision against the version, left out with its event, by whoever can sign: only the whole ledger tells."""
    story.measure().write().submit()
    story.sign(story.vera, "reject")
    data = bundle_of(story, [story.version])

    def forget(found: dict[str, bytes]) -> None:
        for name in [name for name in found if "/decision-" in name]:
            del found[name]
        extract = json.loads(found["ledger-extract.json"])
        extract["events"] = [
            each
            for each in extract["events"]
            if b"reviews.decision.recorded" not in base64.b64decode(each["body"])
        ]
        told = {value for each in extract["events"] for value in _commitments(each)}
        extract["openings"] = [each for each in extract["openings"] if each["commitment"] in told]
        found["ledger-extract.json"] = json.dumps(
            extract, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()

    whole = tmp_path / "ledger.jsonl"
    exporting.export_to(whole)
    key = key_of(story)
    honest = written(tmp_path, data)
    assert verified(honest, "--key", key, "--export", str(whole))[0] == PROVEN
    forged = written(tmp_path, refit(data, forget), "forged.zip")
    assert verified(forged, "--key", key)[0] == PROVEN  # as its documentation says
    status, said = verified(forged, "--key", key, "--export", str(whole))
    assert (status, said["first"][0]) == (WRONG, "export")
    assert "reviews.decision.recorded" in said["first"][1]


def _commitments(event: dict[str, Any]) -> list[str]:
    payload = json.loads(base64.b64decode(event["body"]))["payload"]
    return [
        each["commitment"]
        for each in payload.values()
        if isinstance(each, dict) and "commitment" in each
    ]
