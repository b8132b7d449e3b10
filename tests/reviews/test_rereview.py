"""MRM-06: what makes a version that was let in need a new review, and what that does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audits.models import Event
from apps.checks import services as checks
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Forbidden, Invalid
from apps.registry import selectors as registry
from apps.registry import services as registry_services
from apps.registry.models import Authorization, ModelVersion, RegisteredModel
from apps.reviews import admission, rereview, services, tasks
from apps.reviews.models import Rereview, RereviewTrigger, Review
from tests import factories
from tests.checks import flow
from tests.reviews.conftest import CHAMPION, PRODUCTION, Cast
from tests.reviews.test_expiry import shifted
from tests.reviews.test_findings import raised
from tests.reviews.test_forgery import is_whole
from tests.reviews.test_policies import put_in_force
from tests.reviews.test_signing import sign
from tests.support.races import at_once
from tests.support.site import eventually
from tests.support.worker import process

pytestmark = pytest.mark.django_db(transaction=True)

ALL = ("checks", "data", "finding", "incident", "recall", "use", "vendor")
LOWER = {"gates__checks__performance__roc_auc": {"min": "0.60"}}


def promoted(cast: Cast, *targets: Any) -> Review:
    """The version is in its targets, by a review that was signed."""
    review = cast.submit(*(targets or (PRODUCTION, CHAMPION)))
    sign(cast.vera, review)
    sign(cast.rui, review)
    review.refresh_from_db()
    assert review.status == "promoted"
    return review


def measured(cast: Cast) -> None:
    """Evaluation data, and the performance measured on them."""
    ana = factories.user_of(cast.ana)
    flow.attach(cast.version, ana)
    flow.done(cast.version, ana)


def denied(version: ModelVersion) -> str:
    """What the deployment gate says of the re-review; "" where it passes."""
    results = {result.key: result for result in admission.may_run(version, PRODUCTION)}
    found = results["rereview"]
    return "" if found.passes else found.fact


def written(version: ModelVersion) -> list[tuple[str, str]]:
    """What the worker writes down, by trigger and reason."""
    services.require_rereview(Actor.system("worker"), version)
    return [(row.trigger, row.reason) for row in Rereview.objects.order_by("pk")]


def _recall(cast: Cast) -> None:
    measurement = flow.done(cast.version, factories.user_of(cast.ana))
    checks.recall_measurement(cast.vera, measurement, reason="the labels were shifted")


def _find(cast: Cast) -> None:
    raised(cast)


def _other_data(cast: Cast) -> None:
    flow.attach(cast.version, factories.user_of(cast.ana), name="spring")


def _raise_exposure(cast: Cast) -> None:
    RegisteredModel.objects.filter(pk=cast.model.pk).update(exposure="medium")
    registry_services.update_model(cast.omar, RegisteredModel.objects.get(), exposure="high")


CAUSES: dict[str, tuple[Callable[[Cast], None], str]] = {
    "recall": (_recall, "the labels were shifted"),
    "finding": (_find, "is open and blocks"),
}


@pytest.mark.parametrize("trigger", CAUSES)
def test_mrm_06_a_trigger_that_the_policy_names_suspends_the_approval(
    cast: Cast, trigger: str
) -> None:
    measured(cast)
    promoted(cast)
    assert denied(cast.version) == ""
    cause, said = CAUSES[trigger]
    cause(cast)
    assert said in denied(cast.version)  # at once, whatever the worker has got to
    assert [(kind, said in reason) for kind, reason in written(cast.version)] == [(trigger, True)]
    assert len(written(cast.version)) == 1  # the second look adds nothing
    assert Event.objects.filter(type="reviews.rereview.required").count() == 1
    is_whole()


@pytest.mark.parametrize("trigger", CAUSES)
def test_mrm_06_a_trigger_that_the_policy_does_not_name_questions_nothing(
    cast: Cast, adam: Actor, trigger: str
) -> None:
    put_in_force(adam, cast.vera, cast.rui, rereview_on=["incident"])
    measured(cast)
    promoted(cast)
    CAUSES[trigger][0](cast)
    assert written(cast.version) == []


def test_mrm_06_data_that_nobody_signed_for_need_a_new_review(cast: Cast, adam: Actor) -> None:
    put_in_force(adam, cast.vera, rereview_on=list(ALL))
    measured(cast)
    promoted(cast)
    with pytest.raises(Blocked):  # what was decided about keeps its data: there is no such door
        _other_data(cast)
    assert written(cast.version) == []


def test_mrm_06_another_use_of_the_model_needs_a_new_review(cast: Cast, adam: Actor) -> None:
    registry_services.update_model(cast.omar, cast.model, exposure="high")
    put_in_force(adam, cast.vera, rereview_on=list(ALL))
    promoted(cast)
    registry_services.update_model(cast.omar, cast.model, purpose="also for renewals")
    assert "also for renewals" in denied(cast.version)
    assert [kind for kind, _ in written(cast.version)] == ["use"]


def test_mrm_06_an_approval_that_expired_needs_a_new_review(cast: Cast) -> None:
    promoted(cast)
    with shifted(dt.timedelta(days=4000)):
        tasks.question_approvals()
        tasks.question_approvals()
    rows = Rereview.objects.filter(trigger="expiry")
    assert len(rows) == 2  # one for each target it was given for
    assert "expired on" in rows[0].reason


@pytest.mark.parametrize("trigger", ["incident", "vendor", "data", "use"])
def test_mrm_06_a_person_declares_an_incident_or_a_change_of_vendor_data_or_use(
    cast: Cast, adam: Actor, trigger: str
) -> None:
    put_in_force(adam, cast.vera, rereview_on=list(ALL))
    promoted(cast)
    said = "The scores of the bureau changed."
    with pytest.raises(Forbidden):
        services.declare_rereview(cast.otto, cast.version, trigger=trigger, reason=said)
    with pytest.raises(Invalid):
        services.declare_rereview(cast.vera, cast.version, trigger="recall", reason=said)
    (row,) = services.declare_rereview(cast.vera, cast.version, trigger=trigger, reason=said)
    assert (row.trigger, row.declared_by_id) == (trigger, cast.vera.user_id)
    with pytest.raises(AlreadyExists):
        services.declare_rereview(cast.vera, cast.version, trigger=trigger, reason=said)
    assert "The scores of the bureau changed" in denied(cast.version)
    is_whole()


def test_nothing_is_declared_about_a_version_that_is_nowhere_or_whose_policy_does_not_listen(
    cast: Cast,
) -> None:
    with pytest.raises(Blocked, match="holds no governed target"):
        services.declare_rereview(cast.vera, cast.version, trigger="incident", reason="odd")
    promoted(cast)
    with pytest.raises(Blocked, match="does not act on"):
        services.declare_rereview(cast.vera, cast.version, trigger="vendor", reason="odd")


def test_a_new_review_of_the_version_renews_its_approval_and_moves_nothing(cast: Cast) -> None:
    promoted(cast)
    services.declare_rereview(cast.vera, cast.version, trigger="incident", reason="odd scores")
    again = cast.submit(PRODUCTION, CHAMPION)
    assert "odd scores" in denied(cast.version)  # asking is not yet an approval
    sign(cast.vera, again)
    sign(cast.rui, again)
    again.refresh_from_db()
    assert again.status == "promoted"
    assert denied(cast.version) == ""
    assert rereview.needs(cast.version) == []
    assert ModelVersion.objects.get().stage == "Production"
    assert Authorization.objects.filter(spent_at__isnull=False).count() == 4
    renewed = Event.objects.filter(type="registry.approval.renewed")
    assert renewed.count() == 2
    assert Event.objects.filter(type="registry.version.promoted").count() == 2
    is_whole()


def test_what_caused_it_being_mended_is_no_approval(cast: Cast) -> None:
    """The finding is closed, and still somebody has to sign: the signed evidence had it not."""
    promoted(cast)
    row = raised(cast)
    written(cast.version)
    services.respond(cast.ana, row, text="retrained on more rows")
    services.retest(cast.vera, row, passed=True, text="0.61 now")
    services.close_finding(cast.vera, row, text="done", evidence="https://example.org/2")
    assert "blocks" in denied(cast.version)


def test_a_version_that_left_is_asked_nothing(cast: Cast) -> None:
    promoted(cast)
    services.declare_rereview(cast.vera, cast.version, trigger="incident", reason="odd scores")
    assert rereview_rows() == [cast.version.pk]
    for target in (PRODUCTION, CHAMPION):
        registry_services.leave_target(
            cast.omar, cast.version, target=target, reason="odd", proof=factories.proof(cast.omar)
        )
    assert rereview.needs(ModelVersion.objects.get()) == []
    assert rereview_rows() == []


def rereview_rows() -> list[int]:
    found = rereview.standing([row.pk for row in ModelVersion.objects.all()])
    return [row.review.version_id for rows in found.values() for row in rows]


def test_the_worker_writes_it_down_when_the_event_comes(cast: Cast) -> None:
    promoted(cast)
    with process("worker"), process("beat", HEARTBEAT_SECONDS="1"):
        raised(cast)
        eventually(Rereview.objects.exists, 120)
    assert Rereview.objects.get().trigger == RereviewTrigger.FINDING


def test_of_two_who_declare_the_same_at_once_one_is_told_that_it_is_there(cast: Cast) -> None:
    promoted(cast)

    def declares(actor: Actor) -> object:
        return services.declare_rereview(actor, cast.version, trigger="incident", reason="odd")

    answers = at_once(lambda: declares(cast.vera), lambda: declares(cast.vera))
    assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyExists", "list"]
    assert Rereview.objects.count() == 1


def test_the_list_of_what_is_questioned_costs_as_many_queries_for_many_as_for_one(
    cast: Cast,
) -> None:
    promoted(cast)
    services.declare_rereview(cast.vera, cast.version, trigger="incident", reason="one")
    with CaptureQueriesContext(connection) as few:
        assert len(rereview.open_for(cast.omar)) == 1
    for number in range(8):
        services.declare_rereview(
            cast.vera, cast.version, trigger="incident", reason=f"again {number}"
        )
    with CaptureQueriesContext(connection) as many:
        assert [len(rows) for rows in rereview.open_for(cast.omar).values()] == [9]
    assert len(many) == len(few)


def test_the_registry_tells_who_holds_what_in_two_queries(cast: Cast) -> None:
    promoted(cast)
    held = registry.held_governed_of([cast.version.pk])
    assert {*held[cast.version.pk]} == {PRODUCTION, CHAMPION}
