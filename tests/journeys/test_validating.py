"""J2: Vik validates. From his inbox over findings to a signature that counts them, and what he may not do."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from playwright.sync_api import Page, expect

from apps.accounts import services as accounts
from apps.checks.models import Measurement
from apps.core import clock
from apps.modelcards import services as cards
from apps.reviews import services
from apps.reviews.models import Decision, Finding, Review
from tests import factories
from tests.checks.test_rechecking import alter
from tests.journeys import stage as at
from tests.journeys.bank import Bank
from tests.journeys.stage import Stage, decide, main, region
from tests.support import worker
from tests.support.people import PASSWORD, as_actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

LINK = "https://example.org/notebooks/12"


def url_of(review: Review) -> str:
    return f"/reviews/{review.pk}/"


def raise_finding(page: Page, title: str, *, blocking: bool) -> Finding:
    """Fill in the form that is open and send it."""
    page.get_by_label("What is wrong, in one line").fill(title)
    page.get_by_label("What you saw").fill("On the 2018 data recall is 0.41 there, 0.63 elsewhere.")
    page.get_by_role("radio", name="High").check()
    page.get_by_label("It blocks the promotion").set_checked(blocking)
    page.get_by_label("Who answers it?").select_option(label="Dana Whitfield")
    page.get_by_label("By when?").fill((clock.now().date() + dt.timedelta(days=7)).isoformat())
    page.get_by_label("Where can it be seen again?").fill(LINK)
    page.get_by_role("button", name="Raise the finding").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    return Finding.objects.latest("pk")


def test_from_the_inbox_over_a_finding_to_a_signature_that_counts_it(
    stage: Stage, cast: Bank
) -> None:
    cards.save_card(cast.trainer, cast.version, {"ethics": "Nobody under 21 is scored."}, 0)
    review = cast.submit()
    vik = stage.window(cast.vik)

    # 1. the inbox: what is due first, with its tier
    vik.goto("/")
    needs = region(vik, "Needs you")
    expect(needs).to_contain_text(f"REV-{review.pk} credit v1")
    expect(needs).to_contain_text("risk tier 1, due by ")
    at.no_barrier(vik, "/")
    vik.goto("/")
    needs.get_by_role("link", name=f"REV-{review.pk} credit v1").click()

    # 2. claim, evidence and clause side by side; 3. every group with its count and interval
    row = region(vik, "Claim, evidence and clause").get_by_role("row", name=re.compile("Fairness"))
    expect(row).to_contain_text("Nobody under 21 is scored.")
    expect(row).to_contain_text("Demographic parity difference at most 0.10")
    expect(row).to_contain_text("standard v2, fairness")
    at.no_barrier(vik)
    vik.goto(url_of(review))
    row.get_by_role("link", name="Fairness").click()
    table = vik.get_by_role("table", name="Selection by sex", exact=True)
    expect(table.get_by_role("columnheader", name="n", exact=True)).to_be_visible()
    expect(table.get_by_role("columnheader", name="95 % interval").first).to_be_visible()
    expect(table.get_by_role("row", name=re.compile("female"))).to_contain_text("310")
    vik.go_back()

    # he ticks what he has read
    vik.get_by_role("button", name="Mark as viewed : Checks").click()
    expect(vik.get_by_text(re.compile("^You have viewed 1 of"))).to_be_visible()

    # 4. a finding against that clause
    row.get_by_role("link", name="Finding…").click()
    expect(vik.get_by_label("Against what?")).to_have_value("standard v2, fairness")
    at.no_barrier(vik)
    found = raise_finding(vik, "Recall drops for the young", blocking=False)
    about = vik.get_by_role("complementary", name="About this finding")
    for said in ("Dana Whitfield", "standard v2, fairness", LINK, f"REV-{review.pk}"):
        expect(about).to_contain_text(said)
    at.no_barrier(vik)

    # 5. the finding is counted in what he signs, and in what the receipt says
    vik.goto(url_of(review))
    expect(region(vik, "In brief")).to_contain_text("1 open non-blocking finding")
    panel = decide(vik, "Approve", "")
    expect(panel).to_contain_text("This is needed.")
    expect(panel).to_contain_text("with 1 open non-blocking finding.")
    at.fill_decision(panel, "Approve", "Sound but for the young.")

    # somebody raises another one while the panel is open: he is told, and signs nothing unseen
    services.raise_finding(
        as_actor(cast.vera),
        cast.version,
        services.NewFinding(
            title="No calibration",
            text="There is none.",
            severity="low",
            owner_id=cast.dana.pk,
            due=clock.now().date(),
            blocking=False,
        ),
    )
    panel.get_by_role("button", name="Sign this decision").click()
    expect(panel).to_contain_text("The findings changed while you read: there is 2 open")
    assert not Decision.objects.exists()
    at.fill_decision(panel, "Approve", "Sound but for the young.")
    panel.get_by_role("button", name="Sign this decision").click()
    expect(vik.get_by_role("heading", name="Your signature is recorded")).to_be_visible()
    expect(main(vik)).to_contain_text("approved with 2 open non-blocking findings")
    statement = json.loads(bytes(Decision.objects.get().statement))
    assert statement["meaning"] == "approved with 2 open non-blocking findings"
    assert statement["open_findings"] == [found.key, "F-2"]


def test_a_blocking_finding_stops_the_promotion_until_it_is_answered_and_closed(
    stage: Stage, cast: Bank
) -> None:
    review = cast.submit()
    vik, dana = stage.window(cast.vik), stage.window(cast.dana)
    vik.goto(f"/models/credit/1/findings/new/?review={review.pk}")
    found = raise_finding(vik, "Recall drops for the young", blocking=True)
    cast.sign(review, cast.vera, cast.rosa, cast.leo)
    at.approve(vik, url_of(review))
    dana.goto(url_of(review))
    expect(main(dana)).to_contain_text("Signed, not promoted")
    expect(main(dana)).to_contain_text(f"{found.key} (high, open) blocks the promotion.")

    # Dana answers with evidence
    dana.goto("/")
    region(dana, "Findings to answer").get_by_role("link", name="Recall drops").click()
    dana.get_by_label("Your answer").fill("Trained again with weights.")
    dana.get_by_label("Evidence").fill(LINK)
    dana.get_by_role("button", name="Answer").click()
    expect(main(dana)).to_contain_text("Trained again with weights.")
    expect(dana.get_by_role("button", name="Close the finding")).to_have_count(0)

    # Vik re-tests and closes
    vik.goto(f"/findings/{found.pk}/")
    vik.get_by_role("radio", name="Passed").check()
    vik.get_by_label("What you did and saw").fill("0.61 there now.")
    vik.get_by_role("button", name="Record the re-test").click()
    expect(main(vik)).to_contain_text("0.61 there now.")
    at.no_barrier(vik)
    vik.goto(f"/findings/{found.pk}/")
    vik.get_by_label("Why it is closed").fill("The gap is gone.")
    close = vik.get_by_role("region", name="Close it")
    close.get_by_role("button", name="Close the finding").click()
    expect(close).to_contain_text("This is needed.")
    close.get_by_label("Evidence").fill(LINK)
    close.get_by_role("button", name="Close the finding").click()
    expect(main(vik)).to_contain_text("Closed")

    # nothing blocks any more: what is signed is promoted
    dana.goto(url_of(review))
    dana.get_by_role("button", name="Promote now").click()
    expect(main(dana)).to_contain_text("credit v1 is promoted.")


def test_the_risk_that_is_left_is_accepted_by_the_role_of_the_policy_only(
    stage: Stage, cast: Bank
) -> None:
    review = cast.submit()
    vik, rosa = stage.window(cast.vik), stage.window(cast.rosa)
    vik.goto(f"/models/credit/1/findings/new/?review={review.pk}")
    found = raise_finding(vik, "No data of the far north", blocking=True)
    vik.goto(f"/findings/{found.pk}/")
    expect(vik.get_by_role("button", name="Sign for the risk")).to_have_count(0)
    rosa.goto(f"/findings/{found.pk}/")
    accept = region(rosa, "Accept the residual risk")
    expect(accept).to_contain_text(
        "You sign, as risk, that credit v1 may be used with this finding as it is."
    )
    accept.get_by_label("Why").fill("Four loans a year.")
    accept.get_by_label("Your password").fill(PASSWORD)
    accept.get_by_role("button", name="Sign for the risk").click()
    expect(main(rosa)).to_contain_text("Four loans a year.")
    expect(main(rosa)).to_contain_text("signed as risk")
    rosa.goto(url_of(review))
    expect(region(rosa, "In brief")).to_contain_text("none open")


def test_an_author_is_told_what_he_made_and_judges_nothing(stage: Stage, cast: Bank) -> None:
    """Vik wrote a part of the card: he signs nothing, and closes nothing about this version."""
    accounts.grant_role(factories.SYSTEM, "contributor", cast.vik)
    cards.save_card(as_actor(cast.vik), cast.version, {"ethics": "It is fair."}, 0)
    review = cast.submit()
    vik = stage.window(cast.vik)
    vik.goto("/")
    expect(main(vik)).not_to_contain_text(f"REV-{review.pk} credit v1stage")
    vik.goto(url_of(review))
    expect(main(vik)).to_contain_text(
        "You made part of this (wrote the model card), so others must sign"
    )
    expect(vik.get_by_role("link", name="Decide and sign…")).to_have_count(0)
    vik.goto(f"{url_of(review)}decide/")
    expect(main(vik)).to_contain_text("You cannot decide here now")
    expect(vik.get_by_role("button", name="Sign this decision")).to_have_count(0)

    vik.goto(f"/models/credit/1/findings/new/?review={review.pk}")
    found = raise_finding(vik, "I was wrong about the card", blocking=True)
    services.respond(cast.trainer, found, text="Mended.")
    vik.goto(f"/findings/{found.pk}/")
    expect(main(vik)).to_contain_text("You made part of this version, so somebody else must judge")
    expect(vik.get_by_role("button", name="Close the finding")).to_have_count(0)


def test_who_answered_a_finding_does_not_close_it(stage: Stage, cast: Bank) -> None:
    review = cast.submit()
    vik = stage.window(cast.vik)
    vik.goto(f"/models/credit/1/findings/new/?review={review.pk}")
    found = raise_finding(vik, "The notebook is missing", blocking=True)
    accounts.grant_role(factories.SYSTEM, "contributor", cast.vik)
    services.respond(as_actor(cast.vik), found, text="I found it myself.")
    vik.goto(f"/findings/{found.pk}/")
    expect(main(vik)).to_contain_text("You answered this finding, so somebody else must judge")
    expect(vik.get_by_role("button", name="Close the finding")).to_have_count(0)
    vera = stage.window(cast.vera)
    vera.goto(f"/findings/{found.pk}/")
    expect(vera.get_by_role("button", name="Record the re-test")).to_be_visible()


def test_what_changed_since_his_last_look_is_said(stage: Stage, cast: Bank) -> None:
    review = cast.submit()
    vik = stage.window(cast.vik)
    vik.goto(url_of(review))
    vik.get_by_text("Model card", exact=True).first.click()
    vik.get_by_role("button", name="Mark as viewed : Model card").click()
    expect(vik.get_by_text(re.compile("^You have viewed 1 of"))).to_be_visible()
    cards.save_card(cast.trainer, cast.version, {"ethics": "Nobody under 21 is scored."}, 0)
    services.new_round(cast.trainer, review)
    vik.goto(url_of(review))
    expect(main(vik)).to_contain_text("Changed since you viewed it: Model card.")
    expect(region(vik, "Rounds that ended")).to_contain_text("Different in round 2: ")


def test_any_check_is_executed_again_from_beside_its_claim(stage: Stage, cast: Bank) -> None:
    """The worker measures the stored bytes once more; what was tampered with in the meantime is found and named."""
    review = cast.submit()
    vik = stage.window(cast.vik)
    vik.goto(url_of(review))
    vik.get_by_role("link", name="Re-execute…").first.click()
    again = vik.locator("#rechecks")
    expect(again).to_contain_text("Never executed again")
    page = vik.url.partition("#")[0]  # with the place in it nothing would be loaded anew
    at.no_barrier(vik, page)
    vik.get_by_role("button", name="Re-execute and compare").click()
    expect(again).to_contain_text("Waiting for a worker")
    with worker.process("worker"):
        expect(again).to_contain_text("The same came out", timeout=60_000)
        expect(again).to_contain_text("Vik Lund")
        at.no_barrier(vik, page)
        alter("result = jsonb_set(result, '{metrics,accuracy,value}', '\"0.99\"')")
        vik.get_by_role("button", name="Re-execute and compare").click()
        expect(again).to_contain_text("Something else came out", timeout=60_000)
    at.no_barrier(vik, page)


def test_who_asked_for_a_check_does_not_judge_it_by_executing_it_again(
    stage: Stage, cast: Bank
) -> None:
    dana = stage.window(cast.dana)
    row = Measurement.objects.get(kind="performance")
    dana.goto(f"/models/credit/1/checks/{row.uuid}/")
    expect(dana.locator("#rechecks")).to_contain_text("Never executed again")
    expect(dana.get_by_role("button", name="Re-execute and compare")).to_have_count(0)
