"""The control matrix: what is verified, what fails and how it is said, and that its queries do not grow."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.audits import services as ledger
from apps.compliance.models import Document
from apps.core import blobs
from apps.engagements import evidence, frameworks, matrix, selectors, services
from apps.engagements.matrix import Cell
from apps.engagements.models import Engagement
from apps.registry.models import ModelVersion
from tests import factories
from tests.compliance.conftest import Story
from tests.engagements.conftest import new
from tests.support.people import SYSTEM, as_actor
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db


def cells(engagement: Engagement, *, deep: bool = True) -> dict[str, Cell]:
    """The first version's column."""
    found = matrix.compose(engagement, list(selectors.versions_of(engagement)), deep=deep)
    return {control.ref: row[0] for control, row in found.rows}


def test_every_framework_is_read_and_dated() -> None:
    found = frameworks.every()
    assert set(found) == {"eu-ai-act", "nyc-ll144", "model-approval"}
    for each in found.values():
        assert each.source.startswith("https://")
        assert each.as_of.year >= 2026
        assert each.digest
        for control in each.controls:
            for source in evidence.sources_of(control):
                assert source in frameworks.SOURCES


def test_signed_decisions_are_verified_in_all_three_ways(engagement: Engagement) -> None:
    assert cells(engagement)["MA-1"].state == "waiting", "no checkpoint covers it yet"
    ledger.make_checkpoint(SYSTEM)
    found = cells(engagement)
    four = found["MA-1"]
    assert (four.state, four.ruling) == (
        "verified",
        "2 people approved, none of them among the authors.",
    )
    assert (four.signed, four.logged, len(four.evidence)) == (2, 3, 3)
    assert found["MA-2"].state == "verified"
    assert found["MA-5"].state == "none", "nothing was waived: nothing to be good"
    assert found["MA-8"].state == "unanswered"
    missing = found["MA-7"]
    assert missing.state == "missing"
    assert any("model card among issued documents" in each for each in missing.wrong)


def test_nothing_is_missing_of_a_version_that_nobody_put_forward(
    engagement: Engagement, story: Story
) -> None:
    attempt = factories.version(as_actor(story.ana), story.version.model)
    rows = matrix.compose(engagement, [attempt, story.version], deep=False).rows
    states = {control.ref: (row[0].state, row[1].state) for control, row in rows}
    assert states["MA-7"] == ("none", "missing")
    assert {first for first, _second in states.values()} == {"none", "unanswered"}
    assert rows[0][1][0].ruling == matrix.NOT_PUT_FORWARD


def test_an_entry_into_production_rests_on_what_was_signed(
    story: Story, ada: User, ivy: User
) -> None:
    story.measure().write().submit()
    story.sign(story.vera)
    story.sign(story.rui)
    over = services.open_engagement(as_actor(ada), new(story.version, ivy))
    ledger.make_checkpoint(SYSTEM)
    found = cells(over)
    for ref in ("MA-1", "MA-2", "MA-3", "MA-4"):
        assert (found[ref].state, found[ref].wrong) == ("verified", []), ref
    assert "1 entry rests" in found["MA-4"].ruling or "Each of 1 entry" in found["MA-4"].ruling
    assert found["MA-3"].ruling.endswith("0 of them waived.")


def _forge(sql: str) -> None:
    """What somebody with the owner's rights could do."""
    tables = ("reviews_decision", "reviews_decisionenvelope")
    with triggers_off(*tables), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_changed_statement_fails_and_says_what(engagement: Engagement) -> None:
    ledger.make_checkpoint(SYSTEM)
    _forge(
        "UPDATE reviews_decision SET statement ="
        " convert_to(replace(convert_from(statement, 'UTF8'), 'approved', 'rejected'), 'UTF8')"
        " WHERE id = (SELECT min(id) FROM reviews_decision)"
    )
    cell = cells(engagement)["MA-1"]
    assert cell.state == "fails"
    assert any("What is stored gives" in each for each in cell.wrong)


def test_a_changed_envelope_fails(engagement: Engagement) -> None:
    ledger.make_checkpoint(SYSTEM)
    _forge(
        "UPDATE reviews_decisionenvelope SET data = overlay(data placing '\\x41'::bytea from 60)"
    )
    cell = cells(engagement)["MA-2"]
    assert cell.state == "fails"
    assert any("signature" in each for each in cell.wrong)


def test_a_decision_that_the_log_does_not_tell_is_missing(engagement: Engagement) -> None:
    ledger.make_checkpoint(SYSTEM)
    _forge(
        "UPDATE reviews_decision SET statement = '\\x7b7d'::bytea, statement_digest ="
        " encode(sha256('\\x7b7d'::bytea), 'hex') WHERE id = (SELECT min(id) FROM reviews_decision)"
    )
    first = next(
        each
        for each in evidence.gather(
            list(selectors.versions_of(engagement)), engagement.period[1], ["decisions"]
        ).of(engagement.scoped.get().model.versions.get().pk, "decisions")
    )
    from apps.engagements import verifying

    log = verifying.read_log(list(selectors.versions_of(engagement)), [first])
    (checked,) = verifying.verify([first], log, deep=False)
    assert (checked.log.state, checked.seq) == ("missing", 0)


def test_damaged_bytes_of_a_document_are_found_when_read(
    engagement: Engagement, signed: Story, ada: User, ivy: User
) -> None:
    document: Document = signed.issue()
    later = services.open_engagement(as_actor(ada), new(signed.version, ivy, title="Later"))
    ledger.make_checkpoint(SYSTEM)
    assert cells(later, deep=False)["MA-7"].state == "unread"
    assert cells(later)["MA-7"].state == "verified"
    path = blobs.path(document.digest)
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    cell = cells(later)["MA-7"]
    assert cell.state == "fails"
    assert any("damaged" in each for each in cell.wrong)


def test_the_queries_do_not_grow_with_versions(
    engagement: Engagement, signed: Story, ada: User, ivy: User
) -> None:
    def queries(over: Engagement) -> int:
        versions = list(selectors.versions_of(over))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            matrix.compose(over, versions, deep=False)
        return len(asked)

    ledger.make_checkpoint(SYSTEM)
    once = queries(engagement)
    for _ in range(4):
        factories.version(as_actor(signed.ana), signed.version.model)
    more = services.open_engagement(as_actor(ada), new(signed.version, ivy, title="More"))
    assert ModelVersion.objects.count() == 5
    assert queries(more) == once


def test_rulings_fail_where_they_should(signed: Story) -> None:
    """Rules are pure: what they read is given to them."""
    from types import SimpleNamespace

    from apps.engagements import rules
    from apps.engagements.evidence import Found, Item

    version = signed.version
    found = evidence.gather(
        [version], dt.datetime.max.replace(tzinfo=dt.UTC), ["rounds", "decisions"]
    )
    before = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)

    def item(source: str, name: str, at: dt.datetime, row: object) -> Item:
        return Item(version.pk, source, name, "", "", ("", ""), "", at, again=str, row=row)

    approver = found.of(version.pk, "decisions")[0].row.user_id
    own = SimpleNamespace(
        pk=found.of(version.pk, "rounds")[0].row.pk,
        authors=[approver],
        review_id=1,
        number=1,
        digest="00",
    )
    found.items[version.pk]["rounds"] = [item("rounds", "", before, own)]
    assert rules.four_eyes(found, version, before).state == rules.FAILS

    old = Found()
    old.add(item("checks", "bias_audit", before - dt.timedelta(days=366), None))
    assert rules.bias_audit_is_recent(old, version, before).state == rules.FAILS
    old.add(item("checks", "bias_audit", before - dt.timedelta(days=364), None))
    assert rules.bias_audit_is_recent(old, version, before).state == rules.HOLDS

    entry = SimpleNamespace(seq=9, payload={"target": "stage:production", "evidence_digest": "ff"})
    found.add(item("promotions", "", before, entry))
    ruling = rules.no_bypass(found, version, before)
    assert (ruling.state, "event 9" in ruling.sentence) == (rules.FAILS, True)
