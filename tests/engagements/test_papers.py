"""Samples, conclusions, notes and findings: what auditors write, and that it stays."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.core import clock
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.engagements import drawing, reconcile, reports, selectors, services
from apps.engagements.models import (
    Conclusion,
    Engagement,
    EngagementFinding,
    Note,
    Sample,
    SampledDecision,
)
from apps.reviews.services import NewFinding
from tests.compliance.conftest import Story
from tests.support.people import as_actor
from tests.support.races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def sample(engagement: Engagement, ivy: User) -> Sample:
    return services.draw_sample(as_actor(ivy), engagement, size=25, seed="dice-41635226")


@pytest.fixture
def item(engagement: Engagement, sample: Sample) -> SampledDecision:
    return selectors.get_item(sample, 1)


def test_a_sample_is_drawn_again_by_hand(engagement: Engagement, sample: Sample) -> None:
    digests = list(selectors.population(engagement).values_list("statement_digest", flat=True))
    by_hand = sorted(
        (hashlib.sha256(f"dice-41635226:{digest}".encode()).hexdigest(), digest)
        for digest in digests
    )
    drawn = sample.items.order_by("position").select_related("decision")
    assert [(row.ticket, row.decision.statement_digest) for row in drawn] == by_hand
    assert (sample.population, sample.asked, drawn.count()) == (2, 25, 2)
    event = audits.events(scopes=None, types=["engagements.sample.drawn"])[0]
    assert event.payload["population_digest"] == sample.population_digest
    assert event.payload["decisions"] == [digest for _ticket, digest in by_hand]


def test_the_rule_takes_the_smallest_tickets_of_any_order() -> None:
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(200)]
    drawn = drawing.draw("a-seed-of-mine", digests, 25)
    assert drawn == drawing.draw("a-seed-of-mine", reversed(digests), 25)
    assert drawn[:10] == drawing.draw("a-seed-of-mine", digests, 10)
    assert drawn != drawing.draw("another-seed", digests, 25)
    # What is drawn does not depend on what else is there, but for what is drawn instead.
    fewer = [digest for digest in digests if digest != drawn[0][1]]
    assert drawing.draw("a-seed-of-mine", fewer, 24) == drawn[1:]


def test_drawing_again_adds_a_sample_and_hides_none(
    engagement: Engagement, sample: Sample, jon: User
) -> None:
    again = services.draw_sample(as_actor(jon), engagement, size=1)
    assert (sample.number, again.number, len(again.seed)) == (1, 2, 32)
    assert [row.number for row in selectors.samples(engagement)] == [2, 1]


@pytest.mark.parametrize(
    ("given", "field"),
    [({"size": 0}, "size"), ({"size": 501}, "size"), ({"size": 5, "seed": "a b"}, "seed")],
)
def test_a_sample_that_cannot_be_drawn(
    given: dict[str, object], field: str, engagement: Engagement, ivy: User
) -> None:
    with pytest.raises(Invalid) as refused:
        services.draw_sample(as_actor(ivy), engagement, **given)  # type: ignore[arg-type]
    assert field in refused.value.fields
    assert not Sample.objects.exists()


@pytest.mark.parametrize("who", ["aud", "ada", "vera", "otto"])
def test_only_its_auditors_add_to_the_papers(
    who: str, engagement: Engagement, item: SampledDecision, request: pytest.FixtureRequest
) -> None:
    actor = as_actor(request.getfixturevalue(who))
    acts = (
        lambda: services.draw_sample(actor, engagement, size=1),
        lambda: services.conclude(actor, item, exception=False, text=""),
        lambda: services.write_note(actor, engagement, text="A note."),
    )
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    assert not Note.objects.exists()
    assert not Conclusion.objects.exists()


def test_no_token_adds_to_the_papers(engagement: Engagement, ivy: User) -> None:
    with pytest.raises(Forbidden):
        services.write_note(as_actor(ivy, scopes={"read"}), engagement, text="A note.")


def test_a_later_conclusion_counts_and_the_first_stays(
    item: SampledDecision, ivy: User, jon: User
) -> None:
    services.conclude(as_actor(ivy), item, exception=False, text="", after=0)
    with pytest.raises(Conflict, match="while you were reading"):
        services.conclude(as_actor(jon), item, exception=True, text="No reason given.", after=0)
    services.conclude(as_actor(jon), item, exception=True, text="No reason given.", after=1)
    rows = item.conclusions.order_by("number").values_list("number", "exception")
    assert list(rows) == [(1, False), (2, True)]
    with pytest.raises(Invalid, match="missing"):
        services.conclude(as_actor(ivy), item, exception=True, text=" ")
    assert not list(reconcile.differences())


def test_an_auditor_who_became_an_author_concludes_no_more(
    engagement: Engagement, item: SampledDecision, signed: Story, ivy: User
) -> None:
    """Work may go on after the engagement was opened: independence is asked again."""
    from apps.accounts import services as accounts
    from tests.support.people import SYSTEM

    accounts.grant_role(SYSTEM, "contributor", ivy)
    Story(ivy, signed.vera, signed.rui, signed.version).write(limitations="Ivy's own words.")
    with pytest.raises(Forbidden, match="wrote the model card"):
        services.conclude(as_actor(ivy), item, exception=False, text="")
    assert not Conclusion.objects.exists()


def test_notes_are_about_something_in_scope_and_their_words_are_committed(
    engagement: Engagement, item: SampledDecision, signed: Story, ivy: User
) -> None:
    actor = as_actor(ivy)
    services.write_note(actor, engagement, text="Overall: *fine*.")
    services.write_note(actor, engagement, text="On a control.", control="MA-1")
    services.write_note(actor, engagement, text="On a version.", version=signed.version)
    row = services.write_note(actor, engagement, text="On a decision.", item=item)
    assert [note.about for note in selectors.notes(engagement)] == [
        "engagement",
        "control",
        "version",
        "item",
    ]
    event = audits.events(scopes=[engagement.scope_id], types=["engagements.note.written"])[0]
    assert event.payload["text"] == "On a decision."
    assert "On a decision." not in event.body.decode()
    assert event.payload["digest"] == row.digest
    with pytest.raises(NotFound):
        services.write_note(actor, engagement, text="No such.", control="MA-99")
    with pytest.raises(Invalid):
        services.write_note(actor, engagement, text="\x00")
    assert not list(reconcile.differences())


def test_a_finding_is_linked_both_ways(
    engagement: Engagement, item: SampledDecision, signed: Story, ivy: User, ana: User
) -> None:
    new = NewFinding(
        title="No reason given",
        text="The decision does not say why.",
        severity="medium",
        owner_id=ana.pk,
        due=clock.now().date() + dt.timedelta(days=14),
        blocking=False,
    )
    finding = services.raise_audit_finding(
        as_actor(ivy), engagement, signed.version, new, control="MA-1", item=item
    )
    row = EngagementFinding.objects.get()
    assert (row.finding, finding.engagement) == (finding, row)
    assert not list(reconcile.differences())
    services.close_engagement(as_actor(User.objects.get(username="ada")), engagement, reason="End.")
    with pytest.raises((Conflict, Forbidden)):
        services.raise_audit_finding(as_actor(ivy), engagement, signed.version, new)
    assert EngagementFinding.objects.count() == 1


def test_nothing_of_the_papers_changes(
    engagement: Engagement, item: SampledDecision, ivy: User
) -> None:
    services.write_note(as_actor(ivy), engagement, text="A note.")
    services.conclude(as_actor(ivy), item, exception=False, text="")
    tables = [
        "engagement", "scopedmodel", "engagementauditor", "sample", "sampleddecision", "conclusion", "note",
    ]  # fmt: skip
    for table in tables:
        for sql in (f"UPDATE engagements_{table} SET id = id", f"DELETE FROM engagements_{table}"):  # noqa: S608 - names of ours
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                connection.cursor().execute(sql)


def test_the_report_says_what_was_drawn_and_concluded(
    engagement: Engagement, item: SampledDecision, ivy: User
) -> None:
    services.conclude(as_actor(ivy), item, exception=True, text="=SUM(A1) no reason;=1+1\nnor here")
    data = reports.as_json(engagement)
    assert data["samples"][0]["items"][0]["conclusions"][0]["exception"] is True
    lines = reports.as_csv(engagement).decode().splitlines()
    assert len(lines) == 1 + 2
    assert "'=SUM(A1) no reason;'=1+1 nor here" in lines[1], "a sheet would run it"


@pytest.mark.django_db(transaction=True)
def test_two_auditors_draw_at_once_and_both_drawings_stand(
    engagement: Engagement, ivy: User, jon: User
) -> None:
    results = at_once(
        *(
            lambda person=person: services.draw_sample(as_actor(person), engagement, size=2)
            for person in (ivy, jon)
        )
    )
    assert sorted(row.number for row in results) == [1, 2]  # type: ignore[attr-defined]
    assert len(audits.events(scopes=None, types=["engagements.sample.drawn"])) == 2
    assert not list(reconcile.differences())
