"""What runs where is recorded by whoever deploys, and in a governed environment only on a valid approval."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.audits import selectors as audits
from apps.core import clock
from apps.core.errors import AlreadyExists, Blocked, Conflict, Forbidden, Invalid
from apps.registry import deployed, services
from apps.registry import selectors as registry
from apps.registry.models import (
    Authorization,
    Deployment,
    EnvironmentEntry,
    GovernedTarget,
    ModelVersion,
)
from apps.registry.targets import Target
from apps.reviews import admission
from apps.reviews import services as reviews
from apps.reviews.models import Review
from tests import factories
from tests.deployments.conftest import PROD, Site
from tests.reviews.conftest import PRODUCTION
from tests.reviews.test_forgery import is_whole
from tests.reviews.test_policies import put_in_force
from tests.support.races import at_once
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)


def allowed(site: Site, target: Target = PROD, digest: str = "") -> bool:
    return all(gate.passes for gate in admission.may_run(site.cast.version, target, digest))


def test_an_environment_that_a_policy_names_is_governed_whether_or_not_it_was_added(
    site: Site,
) -> None:
    assert GovernedTarget.objects.filter(kind="environment", name="prod").exists()
    put_in_force(site.adam, site.cast.vera, governs__environments=["prod", "Mars"])
    assert registry.is_governed(site.cast.model, Target.parse("environment:MARS"))
    assert Target.parse("environment:MARS") in registry.governed_targets()


def test_the_first_deployment_spends_the_approval_and_closes_the_review(site: Site) -> None:
    review = site.approve()
    assert (review.status, review.note) == (
        "signed",
        "environment prod is entered by the first deployment recorded there",
    )
    assert allowed(site)
    made = site.record(traffic="25")
    row = Authorization.objects.get()
    assert row.spent_at is not None
    assert (made.authorization, made.governed, made.share_text) == (row, True, "25")
    assert registry.held_governed_targets(site.cast.version) == [PROD]
    reviews.note_promotion(factories.SYSTEM, review)
    assert Review.objects.get().status == "promoted"
    told = [event.type for event in audits.events_for(f"version:{site.cast.version.pk}")]
    assert told.index("registry.deployment.recorded") < told.index("registry.version.promoted")
    assert allowed(site)
    is_whole()


def test_without_an_approval_nothing_is_recorded(site: Site) -> None:
    with pytest.raises(Blocked, match="nobody has asked for a review"):
        site.record()
    review = site.cast.submit(PROD)
    with pytest.raises(Blocked, match=f"{review.key} has not approved it"):
        site.record()
    assert not allowed(site)
    assert not Deployment.objects.exists()
    assert not EnvironmentEntry.objects.exists()


def test_an_approval_for_another_target_is_none_for_an_environment(site: Site) -> None:
    site.approve(None, PRODUCTION)
    with pytest.raises(Blocked, match="may not enter environment prod"):
        site.record()
    assert not allowed(site)


def test_restarts_and_more_traffic_rest_on_the_same_approval(site: Site) -> None:
    site.approve()
    first = site.record(traffic="10", place="eu-1")
    second = site.record(traffic="20", place="eu-2")
    assert second.authorization == first.authorization
    services.change_traffic(site.cast.ana, first, traffic="80")
    services.end_deployment(site.cast.ana, second, reason="eu-2 is closed")
    third = site.record(traffic="20", place="eu-2")
    assert third.pk != second.pk
    assert Authorization.objects.count() == 1
    is_whole()


def test_several_versions_share_the_traffic_and_never_more_than_all_of_it(site: Site) -> None:
    site.approve()
    site.record(traffic="90")
    other = factories.version(site.cast.ana, site.cast.model)
    site.approve(other)
    with pytest.raises(Conflict, match=r"10\.01 % is more than is left"):
        site.record(other, traffic="10.01")
    assert registry.held_targets(other) == []
    canary = site.record(other, traffic="10")
    with pytest.raises(Conflict, match="have 90 % of the traffic"):
        services.change_traffic(site.cast.ana, canary, traffic="11")
    assert {PROD} == {*registry.held_targets(other)} & {*registry.held_targets(site.cast.version)}
    leading = registry.holder(site.cast.model, PROD)
    assert leading is not None
    assert leading.number == 1


def test_two_at_once_never_add_up_to_more_than_all_of_the_traffic(site: Site) -> None:
    site.approve()
    results = at_once(
        *(lambda place=place: site.record(traffic="40", place=place) for place in "abcd")
    )
    made = [each for each in results if isinstance(each, Deployment)]
    assert len(made) == 2
    assert deployed.live_share(site.cast.model.pk, site.prod.pk) == 80
    assert sum(isinstance(each, Conflict) for each in results) == 2
    is_whole()


def test_an_approval_that_expired_starts_nothing_and_a_new_one_does(site: Site) -> None:
    review = site.approve()
    running = site.record(traffic="50")
    reviews.note_promotion(factories.SYSTEM, review)
    with triggers_off("registry_authorization"):
        Authorization.objects.update(expires_at=clock.now())
    assert registry.held_targets(site.cast.version) == []
    assert not allowed(site)
    with pytest.raises(Blocked, match="may not enter environment prod"):
        site.record(traffic="10", place="b")
    with pytest.raises(Blocked, match="does not hold any more"):
        services.change_traffic(site.cast.ana, running, traffic="60")
    site.approve()
    made = site.record(traffic="10", place="b")
    assert made.authorization != running.authorization
    with pytest.raises(Blocked, match="does not hold any more"):
        services.change_traffic(site.cast.ana, running, traffic="60")
    services.end_deployment(site.cast.ana, running)
    assert EnvironmentEntry.objects.filter(left_at__isnull=True).count() == 1
    is_whole()


def test_where_nobody_governs_it_is_recorded_as_ungoverned(site: Site) -> None:
    made = site.record(environment=site.dev)
    assert (made.governed, made.authorization) == (False, None)
    ada = factories.person("ada", "administrator", "contributor")
    toy = factories.version(ada, factories.model(ada, "toy", governance="sandbox"))
    made = services.record_deployment(ada, toy, environment=site.prod)
    assert not made.governed
    assert registry.held_governed_targets(toy) == []
    is_whole()


def test_what_runs_when_its_environment_becomes_governed_stays_recorded_and_gets_no_more(
    site: Site,
) -> None:
    made = site.record(environment=site.dev, traffic="50")
    put_in_force(site.adam, site.cast.vera, governs__environments=["prod", "dev"])
    with pytest.raises(Blocked, match="does not hold any more"):
        services.change_traffic(site.cast.ana, made, traffic="60")
    assert not allowed(site, Target("environment", "dev"))
    services.end_deployment(site.cast.ana, made)
    is_whole()


@pytest.mark.parametrize("traffic", ["-1", "100.01", "1.005", "NaN", "all", "", "1e999"])
def test_what_is_no_share_is_refused(site: Site, traffic: str) -> None:
    with pytest.raises(Invalid, match="Not a share"):
        site.record(environment=site.dev, traffic=traffic)


def test_the_moment_lies_between_the_approval_and_now(site: Site) -> None:
    before = clock.now()
    site.approve()
    with pytest.raises(Invalid, match="has not come yet"):
        site.record(started_at=clock.now() + dt.timedelta(minutes=5))
    with pytest.raises(Invalid, match="was approved at"):
        site.record(started_at=before)
    assert not EnvironmentEntry.objects.exists()
    made = site.record()
    with pytest.raises(Invalid, match="cannot be before"):
        services.end_deployment(site.cast.ana, made, ended_at=before)


def test_other_files_than_those_deployed_are_refused(site: Site) -> None:
    site.approve()
    with pytest.raises(Conflict, match="has other files"):
        site.record(digest="sha256:" + "0" * 64)
    assert site.record(digest=f"sha256:{site.cast.version.manifest_digest}").is_running


def test_the_same_twice_is_refused(site: Site) -> None:
    site.record(environment=site.dev, traffic="10")
    with pytest.raises(AlreadyExists, match="is recorded as running in dev already"):
        site.record(environment=site.dev, traffic="10")
    made = Deployment.objects.get()
    services.end_deployment(site.cast.ana, made)
    with pytest.raises(Conflict, match="This deployment ended"):
        services.end_deployment(site.cast.ana, made)


def test_whoever_only_reads_records_nothing(site: Site) -> None:
    for actor in (site.cast.vera, site.cast.rui, site.cast.otto, site.adam):
        with pytest.raises(Forbidden, match=r"deployment\.record"):
            services.record_deployment(actor, site.cast.version, environment=site.dev)
    with pytest.raises(Forbidden, match=r"environment\.manage"):
        services.create_environment(site.cast.ana, key="stage", title="Stage")


def test_a_gate_that_fails_at_the_deployment_spends_nothing(
    site: Site, settings: pytest.FixtureRequest
) -> None:
    site.approve()
    settings.PROMOTION_GATES = ["apps.modelcards.gates.card_complete"]  # type: ignore[attr-defined]
    with pytest.raises(Blocked, match="signed but not promoted"):
        site.record()
    assert Authorization.objects.get().spent_at is None
    assert not Deployment.objects.exists()


def test_an_environment_is_left_by_its_owner_once_nothing_runs_there(site: Site) -> None:
    site.approve()
    made = site.record()
    given = {"target": PROD, "reason": "too slow", "proof": factories.proof(site.cast.omar)}
    with pytest.raises(Blocked, match="end its deployment there first"):
        services.leave_target(site.cast.omar, site.cast.version, **given)
    services.end_deployment(site.cast.ana, made)
    services.leave_target(site.cast.omar, site.cast.version, **given)
    assert registry.held_targets(site.cast.version) == []
    with pytest.raises(Blocked):
        site.record()
    is_whole()


def test_of_a_review_for_two_targets_what_was_used_stays_approved(site: Site) -> None:
    review = site.approve(None, PRODUCTION, PROD)
    assert review.status == "signed"
    site.cast.version.refresh_from_db()
    assert registry.held_targets(site.cast.version) == [PRODUCTION]
    reviews.note_promotion(factories.SYSTEM, review)
    review.refresh_from_db()
    assert review.status == "signed"
    with pytest.raises(Conflict, match="entered stage Production"):
        reviews.new_round(site.cast.ana, review)
    with pytest.raises(Conflict, match="entered by the first deployment"):
        reviews.promote_signed(site.cast.ana, review)
    reviews.withdraw(site.cast.ana, review, reason="not to prod after all")
    review.refresh_from_db()
    assert review.status == "promoted"
    assert allowed(site, PRODUCTION)
    with pytest.raises(Blocked):
        site.record()
    is_whole()


def test_what_ran_on_a_day_is_a_question_with_an_answer(site: Site) -> None:
    with triggers_off("registry_modelversion"):
        ModelVersion.objects.update(created_at=clock.now() - dt.timedelta(days=9))
    rows = deployed.of_model(site.cast.model.pk)
    now = clock.now()
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)

    def day(number: int) -> dt.datetime:
        return noon - dt.timedelta(days=number)

    first = site.record(environment=site.dev, traffic="50", started_at=day(5))
    services.end_deployment(site.cast.ana, first, ended_at=day(3))
    second = site.record(environment=site.dev, traffic="100", started_at=day(2))
    services.change_traffic(site.cast.ana, second, traffic="25")
    shown = {
        number: [
            (span.deployment.pk, span.traffic) for span in deployed.on(rows, day(number).date())
        ]
        for number in (6, 5, 4, 3, 2, 1, 0)
    }
    assert shown[6] == []
    assert shown[5] == shown[4] == shown[3] == [(first.pk, 50)]
    assert shown[2] == shown[1] == [(second.pk, 100)]
    assert shown[0] == [(second.pk, 100), (second.pk, 25)]
    is_whole()


def test_a_record_made_late_counts_with_what_ran_at_that_time(site: Site) -> None:
    with triggers_off("registry_modelversion"):
        ModelVersion.objects.update(created_at=clock.now() - dt.timedelta(days=9))
    now = clock.now()
    first = site.record(environment=site.dev, traffic="80", started_at=now - dt.timedelta(days=5))
    services.end_deployment(site.cast.ana, first, ended_at=now - dt.timedelta(days=3))
    with pytest.raises(Conflict, match="have 80 % of the traffic"):
        site.record(environment=site.dev, traffic="30", started_at=now - dt.timedelta(days=4))
    assert site.record(environment=site.dev, traffic="30", started_at=now - dt.timedelta(days=3))


def test_a_retired_environment_takes_nothing_and_one_in_use_is_not_retired(site: Site) -> None:
    made = site.record(environment=site.dev)
    with pytest.raises(Blocked, match="is in use: 1 deployment is recorded"):
        services.change_environment(site.adam, site.dev, retired=True)
    services.end_deployment(site.cast.ana, made)
    services.change_environment(site.adam, site.dev, retired=True, title="Old development")
    with pytest.raises(Blocked, match="is retired"):
        site.record(environment=site.dev)
    with pytest.raises(AlreadyExists, match="There is an environment dev already"):
        services.create_environment(site.adam, key="DEV", title="again")
    services.change_environment(site.adam, site.dev, retired=False)
    assert site.record(environment=site.dev).is_running
    is_whole()
