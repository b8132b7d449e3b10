"""Bias audits and proxies from the request to the gate and the card, through the doors that people use."""

from __future__ import annotations

import html

import pytest

from apps.accounts.models import User
from apps.checks import kinds, selectors, services
from apps.checks.demands import CheckLimits
from apps.checks.gates import required_checks_pass
from apps.checks.models import Measurement, MeasurementStatus
from apps.core.errors import Invalid
from apps.modelcards import collect
from apps.modelcards.templatetags.cards import tied
from apps.registry.models import ModelVersion
from tests.checks import flow
from tests.checks.support import GERMAN
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)
WITH_FEATURES = {**GERMAN, "sensitive": ["sex"], "features": ["age_group"]}
KINDS = {
    "bias_audit": {"impact_ratio": {"min": "0.80"}, "features": ["sex"]},
    "proxy": {"cramers_v": {"max": "0.99"}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_measured_judged_by_the_gate_and_shown_in_the_card(
    version: ModelVersion, ana: User, kind: str
) -> None:
    flow.attach(version, ana, mapping=WITH_FEATURES)
    limits = {kind: KINDS[kind]}
    before = required_checks_pass(version, [], {"checks": limits})
    assert not before.passes
    row = flow.done(version, ana, kind)
    assert row.status == MeasurementStatus.DONE, row.error
    [result] = selectors.results(version, limits)
    gate = required_checks_pass(version, [], {"checks": limits})
    assert gate.passes is result.verdict.satisfies
    assert result.sentence in gate.fact
    card = collect.collect(version)["further_checks"]
    assert card.sources[0].digest == row.result_digest
    assert collect.analysis(version, row).parts
    headings = [getattr(part, "heading", "") for part in card.parts]
    assert {"bias_audit": "Bias audit", "proxy": "Proxies"}[kind] in headings


@pytest.mark.parametrize("kind", KINDS)
def test_its_page_has_the_sentence_a_picture_and_the_tables(
    version: ModelVersion, ana: User, kind: str
) -> None:
    flow.attach(version, ana, mapping=WITH_FEATURES)
    row = flow.done(version, ana, kind)
    url = f"/models/{version.model.name}/{version.number}/checks/{row.uuid}/"
    page = browser(ana).get(url)
    assert page.status_code == 200
    shown = page.content.decode()
    first = kinds.get(kind).parts(selectors.result_of(row))[0]
    assert html.escape(tied(first.text)) in shown
    assert '<svg role="img"' in shown
    assert {"bias_audit": "Selection rate by sex", "proxy": "Columns that tell sex"}[kind] in shown


@pytest.mark.parametrize("kind", KINDS)
def test_asking_again_measures_nothing_again(version: ModelVersion, ana: User, kind: str) -> None:
    flow.attach(version, ana, mapping=WITH_FEATURES)
    first = flow.done(version, ana, kind)
    again = flow.done(version, ana, kind)
    assert again.pk == first.pk
    assert Measurement.objects.filter(kind=kind).count() == 1


def test_another_median_is_another_question(version: ModelVersion, ana: User) -> None:
    flow.attach(version, ana, mapping=WITH_FEATURES)
    first = flow.done(version, ana, "bias_audit")
    services.request_measurement(
        as_actor(ana), version, "bias_audit", params={"median_over": "all"}
    )
    flow.work()
    second = selectors.latest(version, "bias_audit")
    assert second is not None
    assert second.pk != first.pk
    assert second.result["median_over"] == "all"


def test_a_parameter_that_is_none_is_refused_by_name_and_nothing_is_written(
    version: ModelVersion, ana: User
) -> None:
    flow.attach(version, ana, mapping=WITH_FEATURES)
    with pytest.raises(Invalid) as refusal:
        services.request_measurement(
            as_actor(ana), version, "bias_audit", params={"exclude_below": "0.5"}
        )
    assert "exclude_below" in refusal.value.fields
    assert not Measurement.objects.exists()


def test_without_features_or_scores_there_is_no_proxy_to_look_for(
    version: ModelVersion, ana: User
) -> None:
    with pytest.raises(Invalid, match="No evaluation data"):
        services.request_measurement(as_actor(ana), version, "proxy")
    flow.attach(version, ana, mapping={**GERMAN, "score": ""})
    assert "proxy" not in selectors.runnable(version)
    assert "bias_audit" in selectors.runnable(version)
    with pytest.raises(Invalid, match="no feature and no score"):
        services.request_measurement(as_actor(ana), version, "proxy")
    assert not Measurement.objects.exists()


def test_limits_of_both_kinds_are_read_and_wrong_ones_named_by_field() -> None:
    assert CheckLimits.parse(KINDS).kinds == ("bias_audit", "proxy")
    with pytest.raises(Invalid) as refusal:
        CheckLimits.parse({"bias_audit": {"impact_ratio": {"min": 0.8}}, "proxy": {"alpha": "2"}})
    assert {"bias_audit.impact_ratio.min", "proxy.alpha"} <= set(refusal.value.fields)
