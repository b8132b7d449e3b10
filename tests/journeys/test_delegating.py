"""J3, Delegate: Rosa lets Nora sign for her, for one review and some days; and each way in which that can fail."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.core import clock
from apps.reviews import tasks
from apps.reviews.models import Decision, Delegation, Review
from tests import factories
from tests.journeys import stage as at
from tests.journeys.bank import Bank
from tests.journeys.stage import Stage, main, region
from tests.support.people import hire

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

AWAY = "I am at a conference."


@pytest.fixture
def nora(cast: Bank) -> User:
    """She sees the models and signs nothing of her own."""
    return hire("nora", "Nora Berg", "viewer")


def url_of(review: Review) -> str:
    return f"/reviews/{review.pk}/"


def in_days(days: int) -> str:
    return (clock.now().date() + dt.timedelta(days=days)).isoformat()


def dialog(page: Page, review: Review) -> Locator:
    """The panel that delegates, opened on the page of the review."""
    page.goto(url_of(review))
    page.get_by_role("link", name="Delegate…").click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("heading", name="Let somebody sign for you")).to_be_visible()
    return panel


def fill(panel: Locator, review: Review, *, to: str = "Nora Berg", until: str) -> None:
    panel.get_by_label("Who signs for you?").select_option(label=to)
    panel.get_by_label("In which of your roles?").select_option(label="Risk")
    panel.get_by_role("radio", name=f"{review.key} only").check()
    panel.get_by_label("Until which day?").fill(until)
    panel.get_by_label("Why").fill(AWAY)


def send(panel: Locator) -> None:
    panel.get_by_role("button", name="Delegate").click()


def send_anew(panel: Locator) -> None:
    """Send what will be refused, and wait for the form that comes back: the one sent may say the same already."""
    panel.locator("form").evaluate("form => form.setAttribute('data-sent', '')")
    send(panel)
    expect(panel.locator("form[data-sent]")).to_have_count(0)
    expect(panel.locator("form")).to_have_count(1)


def delegated(stage: Stage, cast: Bank, review: Review, *, days: int = 2) -> Page:
    """Rosa's window after she delegated this review to Nora."""
    rosa = stage.window(cast.rosa)
    panel = dialog(rosa, review)
    fill(panel, review, until=in_days(days))
    send(panel)
    expect(main(rosa)).to_contain_text("Nora Berg can sign for Rosa Almeida")
    return rosa


def opened(page: Page, review: Review) -> Locator:
    """The sign panel, filled in for an approval and not yet sent."""
    page.goto(url_of(review))
    page.get_by_role("link", name="Decide and sign…").click()
    panel = page.get_by_role("dialog")
    at.fill_decision(panel, "Approve", "I read all of it for her.")
    return panel


def test_the_delegate_signs_in_her_own_name_and_the_two_count_as_one(
    stage: Stage, cast: Bank, nora: User
) -> None:
    review = cast.submit()
    cast.sign(review, cast.vik, cast.vera, cast.leo)
    rosa = stage.window(cast.rosa)
    panel = dialog(rosa, review)

    # an author is not offered, nor is Rosa herself; what is missing or too long is said where it is
    options = panel.get_by_label("Who signs for you?").get_by_role("option")
    names = options.all_inner_texts()
    assert "Nora Berg" in names
    assert not {"Dana Whitfield", "Rosa Almeida", "Adam Novák"} & set(names)
    send(panel)
    expect(panel).to_contain_text("This is needed.")
    for day in (in_days(-1), in_days(90)):
        fill(panel, review, until=day)
        send_anew(panel)
        expect(panel.get_by_label("Until which day?")).to_have_value(day)
        expect(panel).to_contain_text("Today or later, and within 90 days.")
    assert not Delegation.objects.exists()
    fill(panel, review, until=in_days(2))
    send(panel)
    expect(main(rosa)).to_contain_text(
        "Nora Berg can sign for Rosa Almeida, as risk, to the end of"
    )
    expect(main(rosa)).to_contain_text("Nora Berg for Rosa Almeida")
    rosa.goto("/account/delegations/")
    row = rosa.get_by_role("row", name=re.compile("Nora Berg"))
    for said in ("In force", review.key, "risk", AWAY):
        expect(row).to_contain_text(said)
    at.no_barrier(rosa, "/account/delegations/", f"{url_of(review)}delegate/")

    # Nora finds it at home, and as whom she counts
    window = stage.window(nora)
    window.goto("/")
    expect(region(window, "Needs you")).to_contain_text(f"{review.key} credit v1")
    window.goto(url_of(review))
    expect(region(window, "In brief")).to_contain_text("You count as risk, for Rosa Almeida.")
    panel = opened(window, review)
    expect(panel).to_contain_text("Nora Berg for Rosa Almeida")
    panel.get_by_role("button", name="Sign this decision").click()
    expect(window.get_by_role("heading", name="Your signature is recorded")).to_be_visible()
    expect(main(window)).to_contain_text("for Rosa Almeida")
    at.no_barrier(window)

    decision = Decision.objects.get(user=nora)
    assert decision.on_behalf_of == cast.rosa
    review.refresh_from_db()
    assert review.status == "promoted"
    rosa.goto(url_of(review))
    signature = rosa.get_by_role("row", name=re.compile("Nora Berg"))
    expect(signature).to_contain_text("for Rosa Almeida")


def test_who_signed_through_another_does_not_sign_again(
    stage: Stage, cast: Bank, nora: User
) -> None:
    review = cast.submit()
    rosa = delegated(stage, cast, review)
    panel = opened(stage.window(nora), review)
    panel.get_by_role("button", name="Sign this decision").click()
    expect(panel.page.get_by_role("heading", name="Your signature is recorded")).to_be_visible()
    rosa.goto(url_of(review))
    expect(rosa.get_by_role("link", name="Decide and sign…")).to_have_count(0)
    expect(region(rosa, "In brief")).to_contain_text("You count as risk: signed.")
    rosa.goto(f"{url_of(review)}decide/")
    expect(rosa.get_by_role("button", name="Sign this decision")).to_have_count(0)


def test_an_author_is_refused_whatever_the_form_sends(stage: Stage, cast: Bank, nora: User) -> None:
    review = cast.submit()
    panel = dialog(stage.window(cast.rosa), review)
    panel.get_by_label("Who signs for you?").evaluate(
        "(select, uuid) => select.add(new Option('Dana Whitfield', uuid))", str(cast.dana.uuid)
    )
    fill(panel, review, to="Dana Whitfield", until=in_days(2))
    send(panel)
    expect(panel.get_by_label("Who signs for you?")).to_have_attribute("aria-invalid", "true")
    assert not Delegation.objects.exists()


def test_it_reaches_the_review_it_names_and_no_other(stage: Stage, cast: Bank, nora: User) -> None:
    named = cast.submit()
    delegated(stage, cast, named)
    other = cast.submit("The next one.", cast.new_version())
    window = stage.window(nora)
    window.goto(url_of(other))
    expect(region(window, "In brief")).to_contain_text("You count for none of these.")
    expect(window.get_by_role("link", name="Decide and sign…")).to_have_count(0)
    window.goto(url_of(named))
    expect(window.get_by_role("link", name="Decide and sign…")).to_be_visible()


def test_the_same_is_not_delegated_twice(stage: Stage, cast: Bank, nora: User) -> None:
    review = cast.submit()
    rosa = delegated(stage, cast, review)
    panel = dialog(rosa, review)
    fill(panel, review, until=in_days(3))
    send(panel)
    expect(panel).to_contain_text("already")
    assert Delegation.objects.count() == 1


def test_one_that_is_ended_while_the_panel_is_open_signs_nothing(
    stage: Stage, cast: Bank, nora: User
) -> None:
    review = cast.submit()
    rosa = delegated(stage, cast, review)
    window = stage.window(nora)
    panel = opened(window, review)
    rosa.goto("/account/delegations/")
    rosa.get_by_role("link", name="End…").click()
    rosa.get_by_role("dialog").get_by_label("Why").fill("I am back.")
    rosa.get_by_role("dialog").get_by_role("button", name="End it").click()
    row = rosa.get_by_role("row", name=re.compile("Nora Berg"))
    expect(row).to_contain_text("Ended")
    expect(row).to_contain_text("I am back.")
    panel.get_by_role("button", name="Sign this decision").click()
    expect(
        window.get_by_text(re.compile("You cannot decide here now|Nothing was signed")).first
    ).to_be_visible()
    assert not Decision.objects.exists()


def test_it_ends_with_its_last_day(
    stage: Stage, cast: Bank, nora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = cast.submit()
    delegated(stage, cast, review, days=1)
    later = clock.now() + dt.timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    window = stage.window(nora)
    window.goto(url_of(review))
    expect(window.get_by_role("link", name="Decide and sign…")).to_have_count(0)
    window.goto("/account/delegations/")
    expect(window.get_by_role("row", name=re.compile("Nora Berg"))).to_contain_text("Over")


def test_it_ends_when_rosa_has_the_role_no_more(stage: Stage, cast: Bank, nora: User) -> None:
    review = cast.submit()
    delegated(stage, cast, review)
    window = stage.window(nora)
    panel = opened(window, review)
    accounts.revoke_role(factories.SYSTEM, "risk", cast.rosa)
    panel.get_by_role("button", name="Sign this decision").click()
    expect(
        window.get_by_text(re.compile("You cannot decide here now|Nothing was signed")).first
    ).to_be_visible()
    assert not Decision.objects.exists()
    tasks.end_orphaned_delegations()
    window.goto("/account/delegations/")
    row = window.get_by_role("row", name=re.compile("Nora Berg"))
    expect(row).to_contain_text("the delegator no longer has the role risk there")


def test_a_conflict_of_either_of_them_stops_it(stage: Stage, cast: Bank, nora: User) -> None:
    review = cast.submit()
    delegated(stage, cast, review)
    window = stage.window(nora)
    window.goto(url_of(review))
    window.get_by_role("link", name="Declare a conflict…").click()
    panel = window.get_by_role("dialog")
    panel.get_by_role("radio", name=f"{review.key} only").check()
    panel.get_by_label("Why").fill("My sister trained it.")
    panel.get_by_role("button", name="Declare it").click()
    expect(main(window)).to_contain_text("Nora Berg declared a conflict of interest")
    expect(window.get_by_role("link", name="Decide and sign…")).to_have_count(0)
    # nor is she offered to the next who looks for somebody
    vik = stage.window(cast.vik)
    names = dialog(vik, review).get_by_label("Who signs for you?").get_by_role("option")
    assert "Nora Berg" not in names.all_inner_texts()
