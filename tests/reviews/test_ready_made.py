"""Ready-made policies at work: AIA-14 (two people oversee, and can stop it), and the redline of a newer version."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, Forbidden
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from apps.reviews import gates, in_force, selectors, services
from apps.reviews.policies import compare, files
from apps.reviews.policies.document import PolicyDocument, parse, plain
from tests import factories
from tests.impact import samples as assessments
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_forgery import is_whole
from tests.reviews.test_policies import activate
from tests.reviews.test_signing import sign

pytestmark = pytest.mark.django_db(transaction=True)


def pack(key: str) -> PolicyDocument:
    return next(document for document in files.packs() if document.key == key)


@pytest.fixture
def eu(cast: Cast, adam: Actor) -> Cast:
    """The model is high-risk under the EU AI Act, and the policy for that is in force."""
    registry.set_model_tag(cast.ana, cast.model, key="eu-ai-act", value="high-risk")
    activate(adam, files.dump(pack("eu-high-risk")), cast.vera)
    return cast


def test_aia_14_two_people_oversee_after_the_tests_and_one_is_not_enough(eu: Cast) -> None:
    lea = factories.person("lea", "legal")
    review = eu.submit(PRODUCTION)
    with pytest.raises((Blocked, Conflict, Forbidden), match=r"after|first|before|wait"):
        sign(eu.rui, review)
    sign(eu.vera, review)
    sign(lea, review)
    sign(eu.rui, review)
    with pytest.raises((Conflict, Forbidden)):
        sign(eu.rui, review)
    review.refresh_from_db()
    assert review.state.is_active
    with pytest.raises((Blocked, Conflict)):
        services.promote_signed(eu.ana, review)
    sign(eu.remo, review)
    review.refresh_from_db()
    assert review.status == "signed"
    assert ModelVersion.objects.get(pk=eu.version.pk).stage == "None"
    assert services.promote_signed(eu.ana, review).status == "promoted"
    assert ModelVersion.objects.get(pk=eu.version.pk).stage == "Production"
    is_whole()


def test_aia_14_the_owner_of_the_model_is_no_overseer_of_it(eu: Cast) -> None:
    review = eu.submit(PRODUCTION)
    steps = {step.role: step for step in selectors.document(review).steps}
    assert (steps["approver"].count, steps["approver"].exclude_owner) == (2, True)
    sign(eu.vera, review)
    with pytest.raises(Forbidden):
        sign(eu.omar, review)
    with pytest.raises(Forbidden):
        sign(eu.ana, review)


def test_aia_14_nothing_goes_in_without_a_stop_control_and_trained_overseers(
    eu: Cast, settings: Settings
) -> None:
    settings.PROMOTION_GATES = ["apps.reviews.gates.rules_hold", "apps.reviews.gates.quorum_signed"]
    review = eu.submit(PRODUCTION)
    for actor in (eu.vera, eu.rui, eu.remo, factories.person("lea", "legal")):
        sign(actor, review)
    with pytest.raises(Blocked, match=r"Art\. 14\(4\)\(e\)"):
        services.promote_signed(eu.ana, review)
    assert {"stop-control", "oversight-training"} == _unmet(eu)
    registry.set_model_tag(eu.ana, eu.model, key="stop-control", value="runbook 7, section 3")
    assert _unmet(eu) == {"oversight-training"}
    registry.set_model_tag(eu.ana, eu.model, key="oversight-training", value="")
    assert _unmet(eu) == {"oversight-training"}
    registry.set_model_tag(eu.ana, eu.model, key="oversight-training", value="course register 12")
    assert _unmet(eu) == set()


@pytest.mark.parametrize(
    ("key", "tag", "value"),
    [("eu-fria", "eu-fria", "required"), ("gdpr-dpia", "gdpr", "high-risk")],
)
def test_aia_27_and_gdpr_35_nothing_goes_in_without_an_assessment_in_force(
    cast: Cast, adam: Actor, settings: Settings, key: str, tag: str, value: str
) -> None:
    settings.PROMOTION_GATES = ["apps.impact.gates.assessed", "apps.reviews.gates.quorum_signed"]
    registry.set_model_tag(cast.ana, cast.model, key=tag, value=value)
    activate(adam, files.dump(pack(key)), cast.vera)
    review = cast.submit(PRODUCTION)
    for actor in (cast.vera, cast.rui, factories.person("lea", "legal")):
        sign(actor, review)
    with pytest.raises(Blocked, match="No impact assessment was signed"):
        services.promote_signed(cast.ana, review)
    drafted = assessments.save(cast.omar, cast.model)
    with pytest.raises(Blocked, match="No impact assessment was signed"):
        services.promote_signed(cast.ana, review)
    assessments.sign(cast.remo, drafted)
    assert services.promote_signed(cast.ana, review).status == "promoted"


def test_a_model_that_carries_neither_tag_is_asked_for_no_assessment(
    cast: Cast, adam: Actor
) -> None:
    """The packs change nothing by being there, and in force they cover what is tagged only."""
    before = in_force.policy_for(cast.version).document.gates.impact_assessment
    for key in ("eu-fria", "gdpr-dpia"):
        activate(adam, files.dump(pack(key)), cast.vera)
    after = in_force.policy_for(cast.version).document.gates.impact_assessment
    assert (before.tiers, after.tiers) == ((), ())


def _unmet(cast: Cast) -> set[str]:
    """The keys of the policy's conditions that the gate names as not holding."""
    policy = pack("eu-high-risk")
    found = gates.rules_hold(
        ModelVersion.objects.get(pk=cast.version.pk), [PRODUCTION], policy.terms()
    )
    return {one.key for one in policy.gates.conditions if one.title in found.fact}


def test_importing_a_newer_version_of_a_pack_shows_every_difference(
    cast: Cast, adam: Actor
) -> None:
    """The one in force is version 1 of the pack, as it was shipped before: fewer signers, no deadlines."""
    newer = pack("part-11")
    document = plain(newer)
    document["source"]["pack_version"] = 1
    del document["gates"]["max_age_days"], document["review_days"], document["rereview_on"]
    for step in document["steps"]:
        step.pop("deadline_days")
    older = parse(document)
    activate(adam, files.dump(older), cast.vera)
    change = services.propose(adam, text=files.dump(newer), reason="the newer pack")
    assert change.replaces == in_force.of_key("part-11")
    assert change.version is not None
    seen = {
        line.path: (line.old, line.new)
        for line in compare.redline(parse(change.replaces.document), parse(change.version.document))
    }
    assert seen["source.pack_version"] == ("1", "2")
    assert seen["gates.max_age_days.data"] == ("", "365")
    assert seen["steps.review.deadline_days"] == ("", "20")
    assert seen["review_days"] == ("", "90")
    assert change.loosens == []


def test_each_pack_says_its_clauses_and_the_archive_is_left_as_it_was() -> None:
    clauses = {
        "eu-high-risk": "Art. 14", "part-11": "11.10(f)", "nyc-ll144": "20-871", "model-risk": "SR 26-2",
        "eu-fria": "Art. 27(1)", "gdpr-dpia": "35(11)",
    }  # fmt: skip
    for key, clause in clauses.items():
        document = pack(key)
        assert clause in files.dump(document)
        assert document.source is not None
        versions = {"nyc-ll144": 3, "eu-fria": 1, "gdpr-dpia": 1}
        assert document.source.pack_version == versions.get(key, 2)
        assert all(step.deadline_days for step in document.steps)
        assert document.review_days
        assert {"data", "use", "incident", "vendor"} <= {*document.rereview_on}
    assert pack("part-11").emergency is None
    legacy = pack("model-risk-legacy")
    assert legacy.source is not None
    assert legacy.source.pack_version == 1
