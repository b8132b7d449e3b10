"""SR 26-2 / OCC 2026-13: the rules MRM-02 and MRM-04 (MRM-06 is in test_rereview.py, the tier's signature in test_standing.py)."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import DomainError, Forbidden, Invalid
from apps.registry import materiality
from apps.registry import services as registry
from apps.registry.models import Exposure, ModelVersion, PurposeClass
from apps.reviews import evidence, in_force, selectors, services
from apps.reviews.models import FindingState
from apps.reviews.reads import findings
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_findings import LINK, new, raised
from tests.reviews.test_policies import signs, text
from tests.reviews.test_signing import sign

pytestmark = pytest.mark.django_db(transaction=True)

# Written out by hand, not computed: exposure, purpose, tier.
TIERS = [
    ("low", "informational", 3), ("low", "operational", 3), ("low", "decision", 2),
    ("medium", "informational", 3), ("medium", "operational", 2), ("medium", "decision", 1),
    ("high", "informational", 2), ("high", "operational", 1), ("high", "decision", 1),
]  # fmt: skip


@pytest.mark.parametrize(("exposure", "purpose", "tier"), TIERS)
def test_mrm_02_the_tier_is_exposure_times_purpose(exposure: str, purpose: str, tier: int) -> None:
    assert materiality.risk_tier(exposure, purpose) == tier


def test_mrm_02_the_formula_answers_every_pair_and_never_falls_as_either_grows() -> None:
    exposures, purposes = list(Exposure), list(PurposeClass)
    grid = [[materiality.risk_tier(e, p) for p in purposes] for e in exposures]
    assert all(row == sorted(row, reverse=True) for row in grid)
    assert all(list(column) == sorted(column, reverse=True) for column in zip(*grid, strict=True))
    assert len(TIERS) == len(exposures) * len(purposes)


def test_mrm_02_the_evidence_names_the_tier_and_the_version_of_the_formula(cast: Cast) -> None:
    round_ = selectors.live_round(cast.submit(PRODUCTION))
    assert round_ is not None
    told = evidence.read(round_)["version"]
    assert (told["risk_tier"], told["tier_formula"]) == (1, materiality.FORMULA_VERSION)


def test_mrm_02_another_tier_asks_for_other_controls(cast: Cast, adam: Actor) -> None:
    low = text(
        key="small", applies_to={"tiers": [3]}, gates__checks={"drift": {"psi": {"max": "0.2"}}}
    )
    change = services.propose(adam, text=low, reason="small models")
    signs(cast.vera, change)
    change.refresh_from_db()
    assert change.status == "activated"
    before = in_force.policy_for(cast.version).document.gates.checks
    small = factories.model(cast.omar, "small")
    registry.update_model(cast.omar, small, exposure="low", purpose_class="informational")
    version = factories.version(cast.omar, small)
    after = in_force.policy_for(version).document.gates.checks
    assert "drift" in after
    assert after != before


def test_mrm_04_nothing_is_in_use_before_somebody_independent_validated_it(cast: Cast) -> None:
    """Independence is computed from who made the run, the files, the data and the card; a checkbox changes nothing."""
    review = cast.submit(PRODUCTION)
    maker = factories.person("mara", "contributor", "validator")
    with pytest.raises(DomainError):
        registry.set_stage(cast.ana, cast.version, stage="Production")
    own = factories.version(maker, cast.model)
    mine = services.submit(maker, own, targets=[PRODUCTION], justification="mine")
    with pytest.raises(Forbidden, match="another person must sign"):
        sign(maker, mine)
    sign(maker, review)  # of Ana's version she made nothing
    sign(cast.rui, review)
    assert ModelVersion.objects.get(pk=cast.version.pk).stage == "Production"


def test_mrm_04_a_change_is_validated_again(cast: Cast) -> None:
    """Every change is a version, and an approval of the one before lets no other in."""
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    sign(cast.rui, review)
    changed = factories.version(cast.ana, cast.model)
    with pytest.raises(DomainError):
        registry.set_stage(cast.ana, changed, stage="Production")


def test_mrm_04_effective_challenge_is_a_finding_with_severity_owner_and_due_date(
    cast: Cast,
) -> None:
    for lacking in ({"severity": ""}, {"title": " "}, {"due": dt.date(2000, 1, 1)}):
        with pytest.raises(Invalid):
            services.raise_finding(cast.vera, cast.version, new(cast, **lacking))
    row = raised(cast)
    assert (row.severity, row.owner_id, row.due) == (
        "high",
        cast.ana.user_id,
        clock.now().date() + dt.timedelta(days=14),
    )


def test_mrm_04_a_finding_closes_with_a_response_a_re_test_and_evidence_by_somebody_independent(
    cast: Cast,
) -> None:
    row = raised(cast)
    close = {"text": "holds now", "evidence": LINK}
    with pytest.raises(DomainError):  # nothing was answered yet
        services.close_finding(cast.vera, row, **close)
    services.respond(cast.ana, row, text="retrained with more rows", evidence=LINK)
    with pytest.raises(DomainError):  # nor re-tested
        services.close_finding(cast.vera, row, **close)
    with pytest.raises(DomainError):  # by somebody who made part of it
        services.retest(cast.ana, row, passed=True, text="I say so")
    services.retest(cast.vera, row, passed=True, text="0.61 on the same rows")
    services.close_finding(cast.vera, row, **close)
    row.refresh_from_db()
    assert row.state == FindingState.CLOSED
    assert [entry.kind for entry in findings.history(row)] == [
        "raised",
        "responded",
        "retest_passed",
        "closed",
    ]
