"""J5: Adam changes a policy. Proposed, compared, signed by others, in force; and what is refused on the way."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.core import clock
from apps.registry.models import RegisteredModel
from apps.registry.targets import Target
from apps.reviews import services, tasks
from apps.reviews.models import Review
from tests import factories
from tests.journeys import stage as at
from tests.journeys.stage import Stage, main, region
from tests.reviews.test_scheduled_policies import scheduled
from tests.support.people import PASSWORD, as_actor, hire

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

YAML = "The policy, as YAML"


class House:
    """Adam administers, Vik validates, Rosa approves, Dana trains."""

    def __init__(self) -> None:
        self.adam = hire("adam", "Adam Novák", "administrator", "validator")
        self.vik = hire("vik", "Vik Lund", "validator")
        self.rosa = hire("rosa", "Rosa Almeida", "approver")
        self.dana = hire("dana", "Dana Whitfield", "contributor")

    def submit(self, model: RegisteredModel) -> Review:
        actor = as_actor(self.dana)
        return services.submit(
            actor,
            factories.version(actor, model),
            targets=[Target("stage", "production")],
            justification="for the release",
        )


@pytest.fixture
def house(db: None) -> House:
    return House()


def draft(page: Page, change: tuple[str, str]) -> None:
    """From the list over the policy to the form, there to the YAML; change one thing of it and look at what it means."""
    page.goto("/policies/")
    region(page, "In force").get_by_role("link", name="Standard approval").click()
    page.get_by_role("link", name="Propose a change").click()
    page.get_by_role("button", name="YAML", exact=True).click()
    text = page.get_by_label(YAML).input_value()
    assert change[0] in text
    page.get_by_label(YAML).fill(text.replace(*change))
    preview(page)


def preview(page: Page) -> None:
    main(page).get_by_role("button", name="Preview").last.click()


def propose(page: Page, change: tuple[str, str], why: str = "the committee asked for it") -> None:
    """Draft it, and propose what the preview shows."""
    draft(page, change)
    page.get_by_label("Why").fill(why)
    page.get_by_role("button", name="Propose it").click()
    expect(main(page)).to_contain_text(re.compile(r"waits for \d to sign"))


def sign(stage: Stage, person: User, change: str, decision: str = "Approve") -> Page:
    page = stage.window(person)
    page.goto(change)
    again = page.get_by_role("button", name=re.compile("^Try it (now|again)$"))
    again.click()  # no worker runs here; nobody signs what she was not shown
    expect(main(page)).to_contain_text("was tried on what was decided")
    page.get_by_role("link", name="Sign", exact=True).click()
    panel = page.get_by_role("dialog")
    panel.get_by_role("radio", name=re.compile(f"^{decision}")).check()
    panel.get_by_label("Why").fill("I read the redline.")
    panel.get_by_label("Your password").fill(PASSWORD)
    panel.get_by_role("button", name="Sign this decision").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    return page


def policy_of(page: Page, review: Review) -> str:
    page.goto(f"/reviews/{review.pk}/")
    found = re.search(r"standard v\d+", main(page).inner_text())
    assert found is not None
    return found[0]


def test_a_stricter_policy_takes_one_other_person_and_open_reviews_keep_theirs(
    stage: Stage, house: House
) -> None:
    model = factories.model(as_actor(house.dana), "credit")
    before = house.submit(model)
    adam = stage.window(house.adam)
    at.no_barrier(adam, "/policies/", "/policies/of/standard/")
    propose(adam, ("0.70", "0.80"))

    # the redline, and that its author does not sign it whatever his role
    expect(main(adam)).to_contain_text("waits for 1 to sign")
    row = region(adam, "What changes").get_by_role("row", name=re.compile("roc_auc"))
    expect(row).to_contain_text("0.70")
    expect(row).to_contain_text("0.80")
    expect(main(adam)).to_contain_text("This loosens nothing")
    expect(main(adam)).to_contain_text("You proposed it, so others must sign it.")
    expect(adam.get_by_role("link", name="Sign", exact=True)).to_have_count(0)
    at.no_barrier(adam)
    change = adam.url.removeprefix(stage.url)
    adam.goto(f"{change}sign/")
    expect(main(adam)).to_contain_text("Whoever administers people does not sign.")
    expect(adam.get_by_role("button", name="Sign this decision")).to_have_count(0)

    sign(stage, house.vik, change)
    adam.goto("/policies/")
    expect(region(adam, "In force")).to_contain_text("standard v2")
    dana = stage.window(house.dana)
    assert policy_of(dana, before) == "standard v1"
    assert policy_of(dana, house.submit(model)) == "standard v2"


def test_a_loosening_with_one_signature_is_not_in_force(stage: Stage, house: House) -> None:
    adam = stage.window(house.adam)
    propose(adam, ("0.70", "0.60"))
    change = adam.url.removeprefix(stage.url)
    expect(main(adam)).to_contain_text("This loosens the policy")
    expect(main(adam)).to_contain_text("performance.roc_auc: min 0.70 becomes min 0.60")
    expect(main(adam)).to_contain_text("It takes 2 signatures")
    at.no_barrier(adam)
    vik = sign(stage, house.vik, change)
    vik.goto(change)
    expect(main(vik)).to_contain_text("1 of 2")
    expect(main(vik)).to_contain_text("You have signed it; a signature stays.")
    vik.goto("/policies/")
    expect(region(vik, "In force")).to_contain_text("standard v1")
    expect(region(vik, "Waiting for signatures")).to_contain_text("1 of 2")
    sign(stage, house.rosa, change)
    vik.goto("/policies/")
    expect(region(vik, "In force")).to_contain_text("standard v2")

    # back again is a change like any other, signed like any other
    propose(adam, ("0.60", "0.70"), "it was too weak")
    expect(main(adam)).to_contain_text("waits for 1 to sign")
    sign(stage, house.rosa, adam.url.removeprefix(stage.url))
    adam.goto("/policies/")
    expect(region(adam, "In force")).to_contain_text("standard v3")


def test_a_change_that_names_a_day_waits_for_it(stage: Stage, house: House) -> None:
    adam = stage.window(house.adam)
    draft(adam, ("0.70", "0.80"))
    adam.get_by_label("Why").fill("from the new year on")
    today = clock.now().date()
    adam.get_by_label("In force from").fill(today.isoformat())
    adam.get_by_role("button", name="Propose it").click()
    expect(adam.get_by_label("In force from")).to_have_attribute("aria-invalid", "true")
    adam.get_by_label("In force from").fill((today + dt.timedelta(days=9)).isoformat())
    adam.get_by_role("button", name="Propose it").click()
    expect(main(adam)).to_contain_text("waits for 1 to sign")
    change = adam.url.removeprefix(stage.url)
    sign(stage, house.vik, change)
    adam.goto(change)
    expect(main(adam)).to_contain_text("Signed, not yet in force")
    at.no_barrier(adam)
    adam.goto("/policies/")
    expect(region(adam, "In force")).to_contain_text("standard v1")

    # until its day whoever proposed it can take it back; on its day another one comes into force by itself
    adam.goto(change)
    adam.get_by_role("link", name="Withdraw").click()
    adam.get_by_label("Why").fill("not this year")
    adam.get_by_role("button", name="Withdraw").click()
    scheduled(as_actor(house.adam), as_actor(house.vik), ago=2)
    tasks.put_policies_in_force()
    adam.goto("/policies/")
    expect(region(adam, "In force")).to_contain_text("standard v3")


def test_one_who_says_no_ends_the_proposal(stage: Stage, house: House) -> None:
    adam = stage.window(house.adam)
    propose(adam, ("0.70", "0.60"))
    change = adam.url.removeprefix(stage.url)
    sign(stage, house.rosa, change, "Reject")
    adam.goto(change)
    expect(main(adam)).to_contain_text("Rejected")
    adam.goto("/policies/")
    expect(region(adam, "In force")).to_contain_text("standard v1")


def test_somebody_who_never_saw_yaml_changes_a_limit_in_the_form(
    stage: Stage, house: House
) -> None:
    adam = stage.window(house.adam)
    adam.goto("/policies/of/standard/")
    adam.get_by_role("link", name="Propose a change").click()
    expect(adam.get_by_role("button", name="Form", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    first = adam.get_by_role("group", name="Limit 1", exact=True).get_by_role(
        "textbox", name="Limit"
    )
    expect(first).to_have_value("0.25")
    first.fill("seven")
    preview(adam)
    expect(first).to_have_attribute("aria-invalid", "true")
    at.no_barrier(adam, "/policies/propose/?from=standard")
    adam.goto("/policies/propose/?from=standard")
    first.fill("0.20")
    preview(adam)
    row = region(adam, "What changes").get_by_role("row", name=re.compile("psi"))
    expect(row).to_contain_text("0.25")
    expect(row).to_contain_text("0.20")
    expect(region(adam, "Whom it reaches")).to_be_visible()
    adam.get_by_label("Why").fill("the committee asked for it")
    adam.get_by_role("button", name="Propose it").click()
    sign(stage, house.vik, adam.url.removeprefix(stage.url))
    adam.goto("/policies/")
    expect(region(adam, "In force")).to_contain_text("standard v2")


def test_what_is_wrong_is_said_with_the_line_and_the_reason(stage: Stage, house: House) -> None:
    adam = stage.window(house.adam)
    draft(adam, ("approval_days:", "approval_days: [oops"))
    field = adam.get_by_label(YAML)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(main(adam)).to_contain_text(re.compile(r"Line \d+"))
    expect(field).to_contain_text("[oops")
    expect(adam.get_by_role("button", name="Propose it")).to_have_count(0)

    # a thing that no policy has; a number that is none
    draft(adam, ("approval_days:", "aproval_days:"))
    expect(main(adam)).to_contain_text(re.compile(r"Line \d+", re.I))
    expect(main(adam)).to_contain_text("aproval_days")
    draft(adam, ("0.70", "a lot"))
    expect(main(adam)).to_contain_text("is not a decimal number")
    adam.goto("/policies/")
    expect(adam.get_by_role("region", name="Waiting for signatures")).to_have_count(0)


def test_a_policy_that_contradicts_another_in_force_is_refused(stage: Stage, house: House) -> None:
    adam = stage.window(house.adam)
    adam.goto("/policies/propose/?pack=light&as=yaml")
    text = adam.get_by_label(YAML).input_value()
    assert "min: '0.60'" in text
    adam.get_by_label(YAML).fill(text.replace("min: '0.60'", "max: '0.90'"))
    preview(adam)
    expect(main(adam)).to_contain_text("a metric has a floor in one, a ceiling in the other")
    expect(adam.get_by_role("button", name="Propose it")).to_have_count(0)
