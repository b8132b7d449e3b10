"""The brief on top of a review: the numbers that stand worst, what is set aside, by when, and as whom one counts."""

from __future__ import annotations

import datetime as dt

import pytest
from pytest_django import Settings

from apps.accounts.models import User
from apps.checks import selectors as checks
from apps.checks.services import request_measurement
from apps.core import clock
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import services
from apps.reviews.models import Review
from apps.web.pages import review
from apps.web.pages.review_brief import Brief
from tests import factories
from tests.checks import flow
from tests.notices.support import sign
from tests.reviews.test_policies import put_in_force
from tests.support.people import as_actor, hire
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _only_the_quorum(settings: Settings) -> None:
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    made = factories.version(actor, factories.model(actor, "churn"))
    flow.attach(made, ana)
    for kind in ("performance", "fairness"):
        flow.done(made, ana, kind)
    return made


def submit(ana: User, version: ModelVersion) -> Review:
    return services.submit(
        as_actor(ana), version, targets=[Target("stage", "production")], justification="better"
    )


def brief(person: User, of: Review) -> Brief:
    of.refresh_from_db()
    found = review.page(as_actor(person), of).brief
    assert found is not None
    return found


def fact(of: Brief, label: str) -> str:
    return next(
        (f"{row.value.text} {row.value.note}" for row in of.facts if row.label == label), ""
    )


def test_one_number_of_each_check_the_one_that_stands_worst(
    ana: User, vera: User, version: ModelVersion
) -> None:
    found = brief(vera, submit(ana, version))
    assert [each.label for each in found.figures] == [
        "Balanced accuracy",  # inconclusive, where ROC AUC passed
        "Demographic parity difference, sex",
        "Drift",
    ]
    assert found.figures[0].value == "0.6731"
    assert found.figures[0].note == "inconclusive, at least 0.65, 95 % interval 0.642 to 0.704, n = 1\N{NARROW NO-BREAK SPACE}000"  # fmt: skip
    assert (found.figures[2].value, found.figures[2].note) == ("—", "not run")


def test_with_one_check_demanded_there_is_room_for_more_of_its_numbers(
    ana: User, vera: User, rui: User, version: ModelVersion
) -> None:
    ada = hire("adam", "Adam Novák", "administrator")
    limits = {"performance": {"roc_auc": {"min": "0.60"}, "accuracy": {"min": "0.50"}}}
    put_in_force(as_actor(ada), as_actor(vera), as_actor(rui), gates__checks=limits)
    found = brief(vera, submit(ana, version))
    assert {each.label for each in found.figures} == {"Accuracy", "ROC AUC"}


def test_what_is_set_aside_is_said(ana: User, vera: User, rui: User, version: ModelVersion) -> None:
    adam = hire("adam", "Adam Novák", "administrator")
    put_in_force(
        as_actor(adam),
        as_actor(vera),
        as_actor(rui),
        gates__accept_inconclusive={"performance": "a small town"},
    )
    asked = submit(ana, version)
    assert "Performance is inconclusive, which the policy accepts: a small town" in fact(
        brief(vera, asked), "Exceptions"
    )
    services.grant_waiver(
        as_actor(rui),
        version,
        requirement="checks.drift",
        reason="no reference yet",
        until=clock.now().date() + dt.timedelta(days=9),
        proof=factories.proof(as_actor(rui)),
    )
    assert "Drift check waived by Rui Costa until" in fact(brief(vera, asked), "Exceptions")


def test_when_it_is_due_and_that_it_is_late(ana: User, vera: User, version: ModelVersion) -> None:
    adam = hire("adam", "Adam Novák", "administrator")
    step = {"key": "v", "title": "Validation", "role": "validator", "count": 1, "deadline_days": 3}
    more = {"key": "a", "title": "Approval", "role": "approver", "count": 1}
    put_in_force(as_actor(adam), as_actor(vera), steps=[step, more])
    asked = submit(ana, version)
    assert fact(brief(vera, asked), "Due").startswith("Validation by ")
    assert "overdue" not in fact(brief(vera, asked), "Due")
    live = asked.rounds.get()
    with triggers_off("reviews_round"):
        type(live).objects.filter(pk=live.pk).update(
            created_at=live.created_at - dt.timedelta(days=4)
        )
    assert fact(brief(vera, asked), "Due").endswith("overdue")


def test_as_whom_one_counts_before_and_after(
    ana: User, vera: User, rui: User, version: ModelVersion
) -> None:
    asked = submit(ana, version)
    assert brief(ana, asked).you == "You count for none of these."
    assert brief(vera, asked).you == "You count as validator."
    sign(as_actor(vera), asked)
    assert brief(vera, asked).you == "You count as validator: signed."
    assert [(seat.label, seat.chip.label) for seat in brief(rui, asked).quorum] == [
        ("Validator", "1 of 1"),
        ("Approver", "0 of 1"),
    ]
    sign(as_actor(rui), asked)
    closed = brief(vera, asked)
    assert closed.you == "You count as validator: signed."
    assert fact(closed, "Due") == ""


def test_the_place_in_the_queue_counts_those_of_others_before(
    ana: User, version: ModelVersion
) -> None:
    actor = as_actor(ana)
    other = factories.version(actor, version.model)
    flow.attach(other, ana, mapping={"target": "y_true", "prediction": "y_pred"})
    before = request_measurement(actor, other, "performance")
    place = checks.place_of([before])
    assert place.ahead == 0
    assert place.seconds is not None
    assert place.seconds >= 0
    third = factories.version(actor, version.model)
    flow.attach(
        third, ana, mapping={"target": "y_true", "prediction": "y_pred", "score": "y_score"}
    )
    assert checks.place_of([request_measurement(actor, third, "performance")]).ahead == 1
