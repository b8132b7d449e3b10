"""An impact assessment answered and signed in the browser raises the tier; the next request takes one more signature."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from apps.impact import questionnaire
from apps.registry.models import RegisteredModel
from apps.reviews import services
from tests import factories
from tests.impact.samples import moderate
from tests.journeys import stage as at
from tests.journeys.stage import Stage, main
from tests.journeys.test_policy_journey import House
from tests.reviews.test_policies import put_in_force
from tests.support.people import PASSWORD, as_actor, hire

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

CHECK = {"key": "check", "title": "Check", "role": "validator", "count": 1}
RISK = {"key": "risk", "title": "Risk", "role": "approver", "count": 1}


@pytest.fixture
def house(settings: Settings, db: None) -> House:
    """A validator signs alone for a model of tier 3; from tier 2 on an approver signs as well."""
    settings.PROMOTION_GATES = ["apps.impact.gates.assessed", "apps.reviews.gates.quorum_signed"]
    made = House()
    adam, vik, rosa = as_actor(made.adam), as_actor(made.vik), as_actor(made.rosa)
    put_in_force(adam, vik, rosa, steps=[CHECK])
    grave = {"steps": [CHECK, RISK], "applies_to": {"tiers": [1, 2]}}
    put_in_force(adam, vik, key="grave", title="Grave", **grave, gates__impact_assessment={"tiers": [1, 2]})  # fmt: skip
    return made


def mild_model(house: House) -> RegisteredModel:
    """Of tier 3, declared before its first version."""
    actor = as_actor(hire("olga", "Olga Berg", "contributor", "owner"))
    model = factories.model(actor, "letters")
    low = {"exposure": "low", "purpose_class": "informational"}
    assert services.change_settings(actor, model, **low) is None
    return model


def answer(page: Page) -> None:
    """Fill in the form as somebody who knows the process."""
    given = moderate()
    for key, question in questionnaire.current().questions.items():
        name, value = f"q-{key}", given[key]
        if question.type == "risk":
            for part in ("likelihood", "severity"):
                page.locator(f"[name={name}-{part}]").select_option(str(value[part]))
            page.locator(f"[name={name}-text]").fill(value["text"])
        elif question.type in {"text", "count"}:
            page.locator(f"[name={name}]").fill(str(value))
        else:
            for each in value if isinstance(value, list) else [value]:
                page.locator(f"[name={name}][value={each}]").check()


def test_an_assessment_raises_the_tier_and_one_more_person_signs(
    stage: Stage, house: House
) -> None:
    model = mild_model(house)
    first = house.submit(model)
    dana = stage.window(house.dana)
    dana.goto(f"/reviews/{first.pk}/")
    expect(dana.locator("body")).to_contain_text("Check (validator)")
    expect(dana.locator("body")).not_to_contain_text("Risk (approver)")

    dana.goto("/models/letters/impact/")
    at.no_barrier(dana)
    dana.get_by_role("link", name="Begin the assessment").click()
    live = dana.locator("#impact-live")
    expect(live).to_contain_text("100 of 100")
    answer(dana)
    expect(live).to_contain_text("Level II")
    expect(live).to_contain_text("the model is at least tier 2")
    dana.get_by_role("button", name="Save as a new revision").click()
    expect(main(dana)).to_contain_text("Saved as a new revision.")
    expect(dana.get_by_role("link", name="Sign it")).to_have_count(0)
    at.no_barrier(dana, "/models/letters/impact/", "/models/letters/impact/edit/")

    rosa = stage.window(house.rosa)
    rosa.goto("/models/letters/impact/")
    rosa.get_by_role("link", name="Sign it").click()
    panel = rosa.get_by_role("dialog")
    expect(panel).to_contain_text("the model is at least tier 2")
    panel.get_by_label("Why do the answers hold?").fill("I know the post room.")
    panel.get_by_label("Your password").fill(PASSWORD)
    panel.get_by_role("button", name="Sign the assessment").click()
    expect(main(rosa)).to_contain_text("In force, level II")
    rosa.goto("/models/letters/")
    expect(main(rosa)).to_contain_text("Risk tier 2")

    rosa.goto(f"/reviews/{first.pk}/")
    expect(main(rosa)).to_contain_text("The risk tier changed since")
    expect(main(rosa)).to_contain_text("The review keeps its policy.")
    second = house.submit(model)
    rosa.goto(f"/reviews/{second.pk}/")
    expect(rosa.locator("body")).to_contain_text("Risk (approver)")
    expect(rosa.locator(".brief")).to_contain_text("Level II")
