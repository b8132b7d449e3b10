"""J3: k of n people sign. From the mail to the receipt and the promotion, and each way in which it can fail."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from apps.accounts import services as accounts
from apps.modelcards import services as cards
from apps.reviews.models import Decision, Review
from tests import factories
from tests.journeys import stage as at
from tests.journeys.bank import Bank
from tests.journeys.stage import Stage, decide, main, region, sign_in
from tests.notices.support import work_off
from tests.support.people import hire

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def url_of(review: Review) -> str:
    return f"/reviews/{review.pk}/"


def test_four_people_sign_from_the_mail_to_the_promotion(stage: Stage, cast: Bank) -> None:
    old = cast.version
    first = cast.submit()
    cast.sign(first, cast.vik, cast.vera, cast.rosa, cast.leo)
    cast.new_version()
    review = cast.submit("The next one, trained on 2026.")
    work_off()

    # 1. the mail leads to the brief
    adam = stage.window(cast.adam)
    adam.goto("/notices/mail/")
    adam.get_by_role("link", name=re.compile(f"REV-{review.pk}.*")).first.click()
    vik = stage.window()
    link = re.search(rf"{stage.url}/reviews/{review.pk}/\S*", main(adam).inner_text())
    assert link is not None
    vik.goto(link[0])
    sign_in(vik, cast.vik)
    expect(vik.get_by_role("heading", level=1)).to_contain_text(
        f"May credit v{cast.version.number}"
    )
    brief = region(vik, "In brief")
    for said in (
        "Decides about small loans",
        "Tier 1",
        "high exposure, decides about people or money",
        "Balanced accuracy",
        "95 % interval",
        "Demographic parity difference",
        "none open",
        "Not yet: Review",
        "You count as validator.",
    ):
        expect(brief).to_contain_text(said)

    # 2. the quorum, as it fills
    quorum = brief.get_by_role("list", name="Quorum")
    expect(quorum).to_have_text(re.compile(r"Validator\s*0 of 2\s*Risk\s*0 of 1\s*Legal\s*0 of 1"))
    at.no_barrier(vik, url_of(review), f"{url_of(review)}decide/")
    vik.goto(url_of(review))

    # 3. and 4. the sign panel: who, what, on which digest, and the password again
    panel = decide(vik, "Approve", "")
    expect(panel).to_contain_text("This is needed.")
    expect(panel).to_contain_text("Vik Lund, validator: independent validation")
    expect(panel).to_contain_text(
        "You decide whether credit v2 may enter stage Production and alias @champion"
    )
    expect(panel).to_contain_text("with no open finding")
    digest = review.rounds.get().digest
    expect(panel).to_contain_text(digest[:8])
    at.fill_decision(panel, "Approve", "I repeated the measurements.", password="not his own")
    panel.get_by_role("button", name="Sign this decision").click()
    expect(panel).to_contain_text("That is not your password.")
    assert not Decision.objects.filter(review=review).exists()
    at.fill_decision(panel, "Approve", "I repeated the measurements.")
    panel.get_by_role("button", name="Sign this decision").click()

    # 5. the receipt
    expect(vik.get_by_role("heading", name="Your signature is recorded")).to_be_visible()
    expect(main(vik)).to_contain_text("Vik Lund approved credit v2 for stage Production")
    expect(main(vik).get_by_role("link", name=re.compile(r"^EVT-\d+$"))).to_be_visible()
    with vik.expect_download() as proof:
        main(vik).get_by_role("link", name="as a file").click()
    assert b'"root"' in proof.value.path().read_bytes()
    at.no_barrier(vik)
    vik.goto(url_of(review))
    expect(region(vik, "In brief")).to_contain_text("You count as validator: signed.")
    expect(vik.get_by_role("list", name="Quorum")).to_contain_text("1 of 2")

    # 7. the last signature promotes, and the one before it is archived
    cast.sign(review, cast.vera, cast.rosa)
    at.approve(stage.window(cast.leo), url_of(review))
    dana = stage.window(cast.dana)
    dana.goto("/models/credit/2/")
    expect(region(dana, "In stage Production and alias @champion")).to_be_visible()
    dana.goto(f"/models/credit/{old.number}/")
    expect(main(dana)).to_contain_text("Archived")
    dana.goto(url_of(review))
    expect(main(dana)).to_contain_text("4 of 4 signed")


def test_each_other_decision_wants_a_reason_and_has_its_effect(stage: Stage, cast: Bank) -> None:
    review = cast.submit()
    rosa = stage.window(cast.rosa)
    rosa.goto(url_of(review))
    rosa.get_by_role("link", name="Step aside…").click()
    rosa.get_by_role("dialog").get_by_role("button", name="Step aside").click()
    expect(rosa.get_by_role("dialog")).to_contain_text("This is needed.")
    rosa.get_by_role("dialog").get_by_label("Why").fill("My brother works on it.")
    rosa.get_by_role("dialog").get_by_role("button", name="Step aside").click()
    expect(main(rosa)).to_contain_text("You stepped aside")
    expect(main(rosa)).to_contain_text("Rosa Almeida stepped aside: My brother works on it.")

    vik = stage.window(cast.vik)
    vik.goto(url_of(review))
    decide(vik, "Request changes", "The card is silent on the young.")
    expect(vik.get_by_role("heading", name="Your signature is recorded")).to_be_visible()
    dana = stage.window(cast.dana)
    dana.goto("/")
    expect(main(dana)).to_contain_text(f"REV-{review.pk} credit v1")
    dana.goto(url_of(review))
    expect(main(dana)).to_contain_text("Changes were asked for")
    expect(main(dana)).to_contain_text("The card is silent on the young.")
    dana.get_by_role("link", name="Make a new round", exact=True).click()
    dana.get_by_role("dialog").get_by_role("button", name=re.compile("new round", re.I)).click()
    expect(main(dana)).to_contain_text("Round 2 is open for signature.")

    leo = stage.window(cast.leo)
    leo.goto(url_of(review))
    decide(leo, "Reject", "Not for this use.")
    expect(main(leo)).to_contain_text("rejected")
    dana.goto(url_of(review))
    expect(main(dana)).to_contain_text("Rejected")
    expect(main(dana)).to_contain_text("Not for this use.")
    expect(dana.get_by_role("link", name="Decide and sign…")).to_have_count(0)


def test_what_changes_voids_and_everybody_sees_what_and_the_way_on(
    stage: Stage, cast: Bank
) -> None:
    review = cast.submit()
    at.approve(stage.window(cast.vik), url_of(review))
    vera = stage.window(cast.vera)
    vera.goto(url_of(review))
    vera.get_by_role("link", name="Decide and sign…").click()
    panel = vera.get_by_role("dialog")
    at.fill_decision(panel, "Approve", "I read it all.")

    cards.save_card(cast.trainer, cast.version, {"summary": "It scores small loans."}, 0)
    dana = stage.window(cast.dana)
    dana.goto(url_of(review))
    expect(main(dana)).to_contain_text("Newer evidence exists")
    dana.get_by_role("link", name="Make a new round", exact=True).click()
    expect(dana.get_by_role("dialog")).to_contain_text("Vik Lund")
    dana.get_by_role("dialog").get_by_role("button", name=re.compile("new round", re.I)).click()
    expect(main(dana)).to_contain_text("Round 2 is open for signature.")

    # whoever had the panel open signs nothing that she did not see
    panel.get_by_role("button", name="Sign this decision").click()
    expect(panel).to_contain_text("Nothing was signed. The evidence moved")
    expect(panel).to_contain_text("Changed: ")
    assert Decision.objects.filter(review=review).count() == 1

    vik = stage.window(cast.vik)
    vik.goto(url_of(review))
    ended = region(vik, "Rounds that ended")
    expect(ended).to_contain_text("Void with it: Vik Lund")
    expect(ended).to_contain_text("Different in round 2: ")
    expect(vik.get_by_role("row", name=re.compile("Vik Lund"))).to_contain_text(
        "void with its round"
    )
    expect(vik.get_by_role("list", name="Quorum")).to_contain_text("0 of 2")
    at.approve(vik, url_of(review), "I looked at what changed.")


def test_signing_needs_the_session_and_the_password_of_this_moment(
    stage: Stage, cast: Bank, settings: Settings
) -> None:
    review = cast.submit()
    vik = stage.window(cast.vik)
    vik.goto(url_of(review))
    vik.get_by_role("link", name="Decide and sign…").click()
    panel = vik.get_by_role("dialog")
    at.fill_decision(panel, "Approve", "I read it all.")
    vik.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    panel.get_by_role("button", name="Sign this decision").click()
    vik.wait_for_url("**/sign-in/**")
    assert not Decision.objects.exists()
    sign_in(vik, cast.vik)
    vik.goto(url_of(review))
    # as if the password had been given and then lain about: a proof is stale when it is used
    settings.REAUTHENTICATION_SECONDS = -1
    panel = decide(vik, "Approve", "I read it all.")
    expect(panel).to_contain_text("You confirmed who you are")
    expect(panel).to_contain_text("Confirm again.")
    assert not Decision.objects.exists()


def test_a_maker_cannot_sign_whatever_her_role(stage: Stage, cast: Bank) -> None:
    accounts.grant_role(factories.SYSTEM, "validator", cast.dana)
    review = cast.submit()
    dana = stage.window(cast.dana)
    dana.goto(url_of(review))
    expect(main(dana)).to_contain_text("You made part of this (registered the version")
    expect(region(dana, "In brief")).to_contain_text("You count for none of these.")
    expect(dana.get_by_role("link", name="Decide and sign…")).to_have_count(0)
    dana.goto(f"{url_of(review)}decide/")
    expect(main(dana)).to_contain_text("You cannot decide here now")


def test_two_final_signatures_at_once_promote_once_and_both_are_told(
    stage: Stage, cast: Bank
) -> None:
    max_ = hire("max", "Max Olin", "legal")
    review = cast.submit()
    cast.sign(review, cast.vik, cast.vera, cast.rosa)
    panels = []
    for person in (cast.leo, max_):
        page = stage.window(person)
        page.goto(url_of(review))
        page.get_by_role("link", name="Decide and sign…").click()
        panel = page.get_by_role("dialog")
        at.fill_decision(panel, "Approve", "Within the law.")
        panels.append((page, panel))
    # neither waits for the other: both forms are on their way before either is answered
    for _page, panel in panels:
        panel.get_by_role("button", name="Sign this decision").click(no_wait_after=True)
    told = []
    for page, _ in panels:
        said = page.get_by_text(re.compile("Your signature is recorded|Nothing was signed"))
        expect(said).to_be_visible()
        told.append(said.inner_text())
    assert sorted(told) == [
        f"Nothing was signed. REV-{review.pk} is approved; nothing is open for signature.",
        f"REV-{review.pk} Your signature is recorded",
    ]
    assert Decision.objects.filter(review=review).count() == 4
    dana = stage.window(cast.dana)
    dana.goto("/models/credit/1/")
    expect(region(dana, "In stage Production and alias @champion")).to_be_visible()


def test_who_leaves_in_the_middle_keeps_her_signature_and_is_asked_no_more(
    stage: Stage, cast: Bank
) -> None:
    review = cast.submit()
    at.approve(stage.window(cast.vik), url_of(review))
    vera, rosa = stage.window(cast.vera), stage.window(cast.rosa)
    vera.goto(url_of(review))
    vera.get_by_role("link", name="Decide and sign…").click()
    adam = stage.window(cast.adam)
    for person in (cast.vik, cast.vera):
        adam.goto(f"/people/{person.pk}/")
        adam.get_by_role("link", name="Deactivate").click()
        adam.get_by_label("Why").fill("She works elsewhere by now.")
        adam.get_by_role("button", name="Deactivate").click()
        expect(main(adam)).to_contain_text("has no access any more. What was signed stands.")
    rosa.goto(url_of(review))
    signatures = rosa.get_by_role("complementary", name="Signatures")
    expect(signatures).to_contain_text("Vik Lund")
    expect(signatures).to_contain_text("the account is closed by now; the signature stands")
    expect(rosa.get_by_role("list", name="Quorum")).to_contain_text("1 of 2")
    expect(signatures).not_to_contain_text("Vera Holm")
    expect(signatures).to_contain_text(
        "nobody can: an administrator must give somebody the role validator"
    )

    # what she had begun ends with her account
    panel = vera.get_by_role("dialog")
    at.fill_decision(panel, "Approve", "One last thing.")
    panel.get_by_role("button", name="Sign this decision").click()
    vera.wait_for_url("**/sign-in/**")
    newcomer = hire("nils", "Nils Berg", "validator")
    at.approve(stage.window(newcomer), url_of(review), "I came in yesterday and read it all.")
    cast.sign(review, cast.leo)
    at.approve(rosa, url_of(review))
    rosa.goto("/models/credit/1/")
    expect(region(rosa, "In stage Production and alias @champion")).to_be_visible()
