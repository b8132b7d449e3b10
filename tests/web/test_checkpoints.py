"""Audit > Checkpoints: what was signed can be taken away, and what was kept is compared in a sentence."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.audits import checkpoint_selectors, keeping, keys, selectors
from apps.audits.models import Checkpoint, CheckpointDelivery
from apps.audits.services import make_checkpoint
from apps.core import clock, signing
from apps.core.actor import Actor
from apps.core.errors import Blocked
from tests.support.ledger import append_some, thing_template
from tests.support.outside import verify
from tests.web.browsing import browser, nothing_written

__all__ = ["thing_template"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("thing_template")]
SYSTEM = Actor.system("test")
URL = "/audit/checkpoints/"


@pytest.fixture(autouse=True)
def _own_key(settings, tmp_path):
    settings.VAR = tmp_path / "var"
    settings.CHECKPOINT_KEPT = []


def _file(content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = "kept.checkpoint"
    return file


def test_without_any_the_page_says_when_there_will_be_one(ana: User) -> None:
    page = browser(ana).get(URL).content.decode()
    assert "No checkpoint has been signed yet" in page
    assert "Sign one now" not in page


def test_an_auditor_signs_one_and_everybody_downloads_it(ana: User, aud: User) -> None:
    append_some(2)
    assert browser(aud).post(f"{URL}new/").status_code == 302
    made = selectors.latest_checkpoint()
    assert made
    answer = browser(ana).get(f"{URL}{made.size}/")
    assert answer.content == made.note
    assert f"countersign-{made.size}.checkpoint" in answer["Content-Disposition"]
    assert browser(ana).get(f"{URL}{made.size + 1}/").status_code == 404


def test_an_export_is_signed(aud: User) -> None:
    append_some(2)
    content = b"".join(browser(aud).get("/audit/export/").streaming_content)
    made = selectors.latest_checkpoint()
    assert made
    header = json.loads(content.splitlines()[0])
    assert (header["size"], header["root"]) == (made.size, made.root)


@pytest.mark.parametrize("pasted", [True, False])
def test_a_kept_one_is_compared_and_its_proof_checks_without_us(
    ana: User, tmp_path: Path, pasted: bool
) -> None:
    append_some(3)
    kept = make_checkpoint(SYSTEM)
    append_some(4)
    text = kept.note.decode().replace("\n", "\r\n").strip()
    with nothing_written():
        answer = browser(ana).post(URL, {"text": text} if pasted else {"file": _file(kept.note)})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "It is the same record" in page
    assert f"begins with exactly its {kept.size} events; 4 were added since" in page
    size = kept.size + 4
    head = selectors.head()
    assert f"--root {size}:{head.root}" in page
    (tmp_path / "kept").write_bytes(kept.note)
    proof = browser(ana).get(f"{URL}{kept.size}/to/{size}/").content
    (tmp_path / "proof").write_bytes(proof)
    (tmp_path / "new").write_bytes(make_checkpoint(SYSTEM).note)
    key = str(checkpoint_selectors.log_key(signing.ledger_key().public))
    done = verify(
        tmp_path, "--checkpoint", "kept", "--checkpoint", "new", "--proof", "proof", "--key", key
    )
    assert done.status == 0, done.text
    shown = ("--checkpoint", "kept", "--proof", "proof", "--root", f"{size}:{head.root}")
    done = verify(tmp_path, *shown, "--key", key)
    assert done.status == 0, done.text


def test_one_that_is_not_ours_is_told_and_bad_input_is_refused(ana: User, settings) -> None:
    append_some(3)
    kept = make_checkpoint(SYSTEM)
    changed = kept.note.replace(b"\n%d\n" % kept.size, b"\n%d\n" % (kept.size - 1))
    page = browser(ana).post(URL, {"file": _file(changed)}).content.decode()
    assert "It does not agree with the record" in page
    assert "No key that ever signed for this site" in page
    for sent in (
        {}, {"text": "  "}, {"text": "hello"}, {"file": _file(b"\xff\x00")}, {"file": _file(b"")},
        {"file": _file(b"x" * 200_000)}, {"text": "\x00"},
    ):  # fmt: skip
        assert browser(ana).post(URL, sent).status_code == 422, sent


def test_one_of_a_key_that_somebody_else_may_have_had_says_so(ana: User) -> None:
    append_some(3)
    kept = make_checkpoint(SYSTEM)
    keys.retire(SYSTEM, kept.key_id, reason="stolen", compromised_since=clock.now())
    page = browser(ana).post(URL, {"file": _file(kept.note)}).content.decode()
    panel = page[page.index('id="compared"') : page.index('id="check"')]
    assert "It is the same record" in panel
    assert "proves nothing" in panel
    assert "Compromised" in page


def test_keys_are_listed_with_who_vouches_for_them(ana: User) -> None:
    old = keys.ledger_key(SYSTEM).key_id
    new = keys.rotate(SYSTEM, signing.LEDGER, reason="yearly <b>change</b>")
    page = browser(ana).get(URL).content.decode()
    assert page.count(new[:16]) == 1
    assert page.count(old[:16]) == 2  # itself, and vouching for the new one
    assert "Retired" in page
    assert "yearly &lt;b&gt;change" in page


def test_the_list_turns_its_pages_and_asks_as_often_for_many_as_for_few(ana: User) -> None:
    def queries() -> int:
        client = browser(ana)
        client.get(URL)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(URL)
        return len(asked)

    append_some(1)
    first = make_checkpoint(SYSTEM).size
    few = queries()
    for _ in range(27):
        append_some(1)
        make_checkpoint(SYSTEM)
    assert queries() == few
    page = browser(ana).get(URL).content.decode()
    assert "before=" in page
    later = browser(ana).get(f"{URL}?before={first + 3}").content.decode()
    assert f"{URL}{first + 2}/" in later
    assert f"{URL}{first + 3}/" not in later


class TestSystemPage:
    def test_places_that_fail_are_told_with_how_far_they_are_behind(
        self, ada: User, settings, tmp_path
    ) -> None:
        folder = tmp_path / "there"
        folder.mkdir()
        settings.CHECKPOINT_KEPT = [f"file:{folder}", f"file:{tmp_path}/gone"]
        append_some(3)
        make_checkpoint(SYSTEM)
        for row in CheckpointDelivery.objects.all():
            try:
                keeping.deliver(row.pk)
            except Blocked:
                assert row.target.endswith("gone")
        page = browser(ada).get("/system/").content.decode()
        assert f"Checkpoints do not arrive: file:{tmp_path}/gone" in page
        assert "There is no folder" in page
        assert f"do not arrive: file:{folder}" not in page

    def test_a_site_that_keeps_none_outside_is_told_so(self, ada: User) -> None:
        page = browser(ada).get("/system/").content.decode()
        assert "kept in this database only" in page

    def test_a_checkpoint_that_is_overdue_is_told(self, ada: User, settings) -> None:
        settings.CHECKPOINT_SECONDS = 3600
        append_some(1)
        assert (
            "No checkpoint has been signed for a while"
            not in browser(ada).get("/system/").content.decode()
        )
        settings.CHECKPOINT_SECONDS = -1
        assert (
            "No checkpoint has been signed for a while"
            in browser(ada).get("/system/").content.decode()
        )
        make_checkpoint(SYSTEM)
        assert Checkpoint.objects.count() == 1
        assert (
            "No checkpoint has been signed for a while"
            not in browser(ada).get("/system/").content.decode()
        )
