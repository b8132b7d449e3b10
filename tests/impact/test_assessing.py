"""AIA-27, G-06, MRM-02: an impact assessment is answered, signed by somebody else, and can raise the tier of its model."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.audits.selectors import replay
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, DomainError, Forbidden, Invalid
from apps.impact import gates, reconcile, selectors, services
from apps.impact.models import AssessmentRevision, AssessmentSignature, AuthorityNotification
from apps.notices import wording
from apps.notices.models import Notice
from apps.registry import services as registry
from apps.registry.models import RegisteredModel
from apps.reviews import evidence, rereview
from apps.reviews import selectors as reviews
from apps.reviews import services as review_services
from tests import factories
from tests.deployments.test_retiring import retire
from tests.impact.samples import moderate, save, sign, whole
from tests.notices.support import told, work_off
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.conftest import cast as cast
from tests.reviews.test_forgery import is_whole
from tests.reviews.test_standing import signs
from tests.support.people import SYSTEM
from tests.support.races import at_once
from tests.support.triggers import triggers_off
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

TERMS = {"checks": {}, "impact_assessment": {"tiers": [1, 2], "max_age_days": None}}


@pytest.fixture
def low(cast: Cast) -> Cast:
    """The model declared low before its version was submitted, by a signed change."""
    change = review_services.change_settings(
        cast.omar, cast.model, reason="ten people", exposure="low", purpose_class="informational"
    )
    assert change is not None
    signs(cast.vera, change)
    cast.model.refresh_from_db()
    assert cast.model.risk_tier == 3
    return cast


def tier(cast: Cast) -> tuple[int, int]:
    model = RegisteredModel.objects.get(pk=cast.model.pk)
    return model.risk_tier, model.demanded_tier


def test_a_revision_keeps_who_gave_which_answer(cast: Cast) -> None:
    first = save(cast.ana, cast.model, {"purpose": "To sort letters."})
    second = save(cast.vera, cast.model, {"purpose": "To sort letters.", "process": "Post room."})
    assert (first.number, second.number) == (1, 2)
    authors = {key: entry["author"] for key, entry in second.content["answers"].items()}
    assert authors["purpose"] != authors["process"]
    assert selectors.authors_of(second) == {cast.ana.user_id, cast.vera.user_id}
    assert (
        save(cast.ana, cast.model, {"purpose": "To sort letters.", "process": "Post room."})
        == second
    )
    is_whole()


def test_a_save_on_an_older_revision_is_refused_and_loses_nothing(cast: Cast) -> None:
    save(cast.ana, cast.model)
    with nothing_written(), pytest.raises(Conflict, match="Ana saved revision 1"):
        services.save_assessment(cast.vera, cast.model, {"purpose": "x"}, 0)
    with nothing_written(), pytest.raises(Conflict, match="Load it again"):
        services.save_assessment(cast.vera, cast.model, {"purpose": "x"}, 7)


def test_two_who_save_at_once_make_one_revision_and_one_conflict(cast: Cast) -> None:
    saves = [
        partial(services.save_assessment, who, cast.model, {"purpose": str(who.label)}, 0)
        for who in (cast.ana, cast.vera)
    ]
    results = at_once(*saves)
    assert sorted(isinstance(each, Conflict) for each in results) == [False, True]
    assert AssessmentRevision.objects.count() == 1
    is_whole()


def test_nothing_at_all_and_wrong_answers_are_refused(cast: Cast) -> None:
    with nothing_written(), pytest.raises(Invalid, match="Nothing is answered"):
        services.save_assessment(cast.ana, cast.model, {}, 0)
    with nothing_written(), pytest.raises(Invalid):
        services.save_assessment(cast.ana, cast.model, {"wrong": {"likelihood": 9}}, 0)


def test_a_stranger_and_an_auditor_do_not_answer_it(cast: Cast) -> None:
    for who in (cast.otto, factories.person("aud", "auditor"), SYSTEM):
        with nothing_written(), pytest.raises(DomainError):
            services.save_assessment(who, cast.model, {"purpose": "x"}, 0)


def test_somebody_else_signs_a_whole_one_and_the_ledger_has_the_score(cast: Cast) -> None:
    revision = save(cast.ana, cast.model)
    row = sign(cast.rui, revision)
    assert (row.level, row.tier, row.formula) == ("I", 3, 1)
    assert row.due_on == clock.now().date() + dt.timedelta(days=365)
    [event] = list(replay("impact.assessment.signed"))
    assert (event.payload["level"], event.payload["digest"]) == ("I", revision.digest)
    assert tier(cast) == (1, 3)
    is_whole()


def test_the_owner_of_the_model_is_told_once_it_is_in_force(cast: Cast) -> None:
    sign(cast.rui, save(cast.ana, cast.model, moderate()))
    work_off()
    assert told(cast.ana) == ["impact.signed"]
    said = wording.words(Notice.objects.get())
    assert said.title == "Rui signed the impact assessment of credit: level II"
    assert "at least risk tier 2" in said.text
    assert said.path == "/models/credit/impact/"


REFUSED = [
    ("ana", "You gave some|sign a model"),
    ("vera", "sign a model"),
    ("otto", "."),
]


@pytest.mark.parametrize(("who", "words"), REFUSED)
def test_its_authors_and_people_without_the_right_do_not_sign(
    who: str, words: str, cast: Cast
) -> None:
    revision = save(cast.ana, cast.model)
    with nothing_written(), pytest.raises(DomainError, match=words):
        sign(getattr(cast, who), revision)


def test_an_approver_who_answered_one_question_does_not_sign(cast: Cast) -> None:
    save(cast.rui, cast.model, {"purpose": "To sort letters."})
    revision = save(cast.ana, cast.model, whole() | {"purpose": "To sort letters."})
    with nothing_written(), pytest.raises(Forbidden, match="You gave some of its answers"):
        sign(cast.rui, revision)
    assert cast.rui.user_id not in {user.pk for user in selectors.may_sign(revision)}
    sign(cast.remo, revision)


def test_a_gap_an_old_revision_and_another_digest_are_not_signed(cast: Cast) -> None:
    gap = save(cast.ana, cast.model, {"purpose": "To sort letters."})
    with nothing_written(), pytest.raises(Invalid, match="required questions are not answered"):
        sign(cast.rui, gap)
    newer = save(cast.ana, cast.model, whole())
    with nothing_written(), pytest.raises(Conflict, match="the newest is revision 2"):
        sign(cast.rui, gap)
    sign(cast.rui, newer)
    with nothing_written(), pytest.raises(Conflict, match="signed already"):
        sign(cast.remo, newer)


def test_two_who_sign_at_once_make_one_signature(cast: Cast) -> None:
    revision = save(cast.ana, cast.model)
    results = at_once(*[partial(sign, who, revision) for who in (cast.rui, cast.remo)])
    assert sorted(isinstance(each, Conflict) for each in results) == [False, True]
    assert AssessmentSignature.objects.count() == 1
    is_whole()


def test_mrm_02_a_grave_assessment_raises_the_tier_and_a_mild_one_does_not_lower_it(
    low: Cast,
) -> None:
    sign(low.rui, save(low.ana, low.model, moderate()))
    assert tier(low) == (2, 2)
    sign(low.rui, save(low.ana, low.model, whole(worst=True)))
    assert tier(low) == (1, 1)
    sign(low.rui, save(low.ana, low.model, whole()))
    assert tier(low) == (1, 1)
    because = [e.payload.get("because") for e in replay("registry.model.updated")]
    assert because[-1] == "impact assessment 2 is level IV (100 of 100)"
    is_whole()


def test_exposure_and_use_do_not_get_below_what_is_demanded(low: Cast) -> None:
    sign(low.rui, save(low.ana, low.model, moderate()))
    registry.update_model(low.omar, low.model, exposure="high", purpose_class="decision")
    assert tier(low) == (1, 2)
    change = review_services.change_settings(
        low.omar, low.model, reason="so", exposure="low", purpose_class="informational"
    )
    assert change is not None
    assert change.after["risk_tier"] == 2
    signs(low.vera, change)
    assert tier(low) == (2, 2)
    is_whole()


def test_a_lower_demand_takes_a_new_assessment_and_somebody_elses_signature(low: Cast) -> None:
    sign(low.rui, save(low.ana, low.model, moderate()))
    with nothing_written(), pytest.raises(Conflict, match="demands less"):
        review_services.lower_demand(low.omar, low.model, reason="fewer people")
    sign(low.rui, save(low.ana, low.model, whole()))
    with nothing_written(), pytest.raises(Forbidden):
        review_services.lower_demand(low.rui, low.model, reason="fewer people")
    with nothing_written(), pytest.raises(Invalid):
        review_services.lower_demand(low.omar, low.model, reason=" ")
    change = review_services.lower_demand(low.omar, low.model, reason="fewer people")
    assert change is not None
    assert change.loosens[0] == "the risk tier falls from 2 to 3 (1 is the highest)"
    assert tier(low) == (2, 2)
    with nothing_written(), pytest.raises(Forbidden):
        signs(low.omar, change)
    signs(low.vera, change)
    assert tier(low) == (3, 3)
    is_whole()


def test_a_newer_grave_assessment_stops_an_open_proposal(low: Cast) -> None:
    sign(low.rui, save(low.ana, low.model, moderate()))
    sign(low.rui, save(low.ana, low.model, whole()))
    change = review_services.lower_demand(low.omar, low.model, reason="fewer people")
    assert change is not None
    sign(low.rui, save(low.ana, low.model, moderate()))
    with nothing_written(), pytest.raises(Conflict, match="newer impact assessment demands tier 2"):
        signs(low.vera, change)


def test_a_demand_that_decides_nothing_falls_at_once_and_on_record(cast: Cast) -> None:
    sign(cast.rui, save(cast.ana, cast.model, moderate()))
    sign(cast.rui, save(cast.ana, cast.model, whole()))
    assert tier(cast) == (1, 2)
    assert review_services.lower_demand(cast.omar, cast.model, reason="") is None
    assert tier(cast) == (1, 3)
    is_whole()


def test_an_open_review_keeps_its_policy_and_says_that_the_tier_rose(low: Cast) -> None:
    review = low.submit(PRODUCTION)
    round_ = reviews.live_round(review)
    assert round_ is not None
    assert evidence.read(round_)["impact"] == []
    sign(low.rui, save(low.ana, low.model, moderate()))
    again = reviews.live_round(reviews.find_review(review.pk) or review)
    assert again is not None
    assert evidence.tier_since(again) == (3, 2)
    newer = evidence.newer(again, reviews.document(review))
    assert {"the impact assessment", "the model's settings"} <= set(newer)
    made = review_services.new_round(low.ana, review)
    [told] = evidence.read(made)["impact"]
    assert (told["level"], told["tier"]) == ("II", 2)
    assert low.ana.user_id in made.authors
    is_whole()


def test_a_version_in_use_needs_a_new_review_where_the_policy_says_so(low: Cast) -> None:
    assert "demanded_tier" in evidence.read(reviews.live_round(low.submit(PRODUCTION)))["version"]  # type: ignore[arg-type]
    sign(low.rui, save(low.ana, low.model, moderate()))
    low.model.refresh_from_db()

    class _Approval:
        review = low.version.reviews.select_related("version__model").get()

    manifest = {"version": {"demanded_tier": 3, "exposure": "low"}}
    seen = list(rereview._other_use(_Approval, None, manifest))  # type: ignore[arg-type]
    assert seen == [
        ("demanded_tier:2", "the model's tier demanded by its impact assessment was 3 and is 2 now")
    ]


def test_the_gate_asks_for_one_by_tier_and_for_a_new_one_when_it_is_due(
    low: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gates.assessed(low.version, [], {"checks": {}}).passes
    assert gates.assessed(_fresh(low), [], TERMS).passes
    registry.update_model(low.omar, low.model, exposure="high")
    assert gates.assessed(_fresh(low), [], TERMS).state == "missing"
    sign(low.rui, save(low.ana, low.model, moderate()))
    assert gates.assessed(_fresh(low), [], TERMS).passes
    later = clock.now() + dt.timedelta(days=366)
    monkeypatch.setattr(clock, "now", lambda: later)
    found = gates.assessed(_fresh(low), [], TERMS)
    assert found.state == "fail"
    assert "was due again" in found.fact


def _fresh(cast: Cast) -> Any:
    return type(cast.version).objects.select_related("model").get(pk=cast.version.pk)


def test_a_policy_may_want_a_newer_signature(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sign(cast.rui, save(cast.ana, cast.model))
    terms = {"checks": {}, "impact_assessment": {"tiers": [1], "max_age_days": 90}}
    assert gates.assessed(_fresh(cast), [], terms).passes
    later = clock.now() + dt.timedelta(days=91)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "more than 90 days ago" in gates.assessed(_fresh(cast), [], terms).fact


def test_changed_bytes_fail_the_gate_and_the_ledger_names_them(cast: Cast) -> None:
    revision = save(cast.ana, cast.model)
    sign(cast.rui, revision)
    with triggers_off("impact_assessmentrevision"):
        AssessmentRevision.objects.filter(pk=revision.pk).update(document=b"{}")
    assert gates.assessed(_fresh(cast), [], TERMS).state == "fail"
    assert any("expected digest" in each.message for each in reconcile.differences())


def test_a_row_written_by_hand_is_refused_or_found(cast: Cast) -> None:
    revision = save(cast.ana, cast.model, whole(worst=True))
    sign(cast.rui, revision)
    for sql in (
        "UPDATE registry_registeredmodel SET demanded_tier = 3, risk_tier = 1",
        "UPDATE registry_registeredmodel SET demanded_tier = 2, risk_tier = 2",
        "UPDATE impact_assessmentsignature SET tier = 3",
        "DELETE FROM impact_assessmentrevision",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    with triggers_off("impact_assessmentsignature"):
        AssessmentSignature.objects.update(tier=3)
    assert any("tier is 3, the ledger says 1" in each.message for each in reconcile.differences())


def test_a_notification_is_about_a_signed_one_and_between_its_days(cast: Cast) -> None:
    today = clock.now().date()
    told: dict[str, Any] = {"authority": "Market surveillance", "reference": "MS-7"}
    with nothing_written(), pytest.raises(Conflict, match="no signed"):
        services.note_notification(cast.ana, cast.model, **told, notified_on=today)
    sign(cast.rui, save(cast.ana, cast.model))
    for day in (today + dt.timedelta(days=1), today - dt.timedelta(days=1)):
        with nothing_written(), pytest.raises(Invalid):
            services.note_notification(cast.ana, cast.model, **told, notified_on=day)
    services.note_notification(cast.ana, cast.model, **told, notified_on=today)
    assert AuthorityNotification.objects.get().reference == "MS-7"
    is_whole()


def test_a_retired_model_takes_no_answers(cast: Cast) -> None:
    revision = save(cast.ana, cast.model)
    retire(factories.person("olga", "owner"), cast.model)
    with nothing_written(), pytest.raises(Blocked, match="was retired"):
        save(cast.ana, cast.model, {"purpose": "x"})
    with nothing_written(), pytest.raises(Blocked, match="was retired"):
        sign(cast.rui, revision)


def test_the_site_signs_nothing(cast: Cast) -> None:
    revision = save(cast.ana, cast.model)
    with nothing_written(), pytest.raises(DomainError):
        services.sign_assessment(
            Actor.system("shell"),
            revision,
            digest=revision.digest,
            comment="x",
            proof=factories.proof(cast.rui),
        )
