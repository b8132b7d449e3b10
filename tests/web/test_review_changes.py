"""The review page: what changed since the incumbent, and what its reader has ticked as viewed."""

from __future__ import annotations

import datetime as dt
import io
import re

import pytest
from pytest_django import Settings

from apps.accounts.models import User
from apps.core import clock
from apps.modelcards import services as cards
from apps.registry import services as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import services
from apps.reviews.models import Review, Viewed
from apps.web import diffing
from tests import factories
from tests.checks import flow
from tests.experiments import makers
from tests.support.people import as_actor
from tests.web.browsing import browser, nothing_written
from tests.web.test_reviews import sign

pytestmark = pytest.mark.django_db(transaction=True)

PRODUCTION = Target("stage", "production")


@pytest.fixture(autouse=True)
def _only_the_quorum(settings: Settings) -> None:
    """These tests are about what a page shows, not about what blocks."""
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]


@pytest.fixture
def model(ana: User) -> RegisteredModel:
    return factories.model(as_actor(ana), "churn")


def made(ana: User, model: RegisteredModel, *, depth: str, files: dict[str, bytes]) -> ModelVersion:
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor), metrics={"auc": 0.5}, params={"depth": depth})
    return factories.version(actor, model, run=makers.ended(actor, run), files=files)


def submitted(ana: User, version: ModelVersion) -> Review:
    return services.submit(as_actor(ana), version, targets=[PRODUCTION], justification="why not")


def page(user: User, review: Review) -> str:
    answer = browser(user).get(f"/reviews/{review.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def section(html: str, name: str) -> str:
    """The words of one section, without its tags."""
    found = re.search(rf'<details class="evidence-part" id="{name}".*?</details>', html, re.DOTALL)
    assert found, html
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


@pytest.fixture
def incumbent(ana: User, vera: User, rui: User, model: RegisteredModel) -> ModelVersion:
    """A version in production, measured, with a card."""
    version = made(ana, model, depth="3", files={"model.bin": b"old", "gone.txt": b"x"})
    flow.attach(version, ana)
    flow.done(version, ana)
    cards.save_card(as_actor(ana), version, {"summary": "It ranks.\n\nIt never decides."}, 0)
    review = submitted(ana, version)
    assert sign(vera, review)[0] == 302
    assert sign(rui, review)[0] == 302
    version.refresh_from_db()
    assert version.stage == "Production"
    return version


def test_without_an_incumbent_everything_is_new(ana: User, model: RegisteredModel) -> None:
    review = submitted(ana, made(ana, model, depth="3", files={"model.bin": b"x"}))
    assert "no incumbent: everything is new" in section(page(ana, review), "changes")


def test_every_kind_of_change_since_the_incumbent_is_shown(
    ana: User, vera: User, model: RegisteredModel, incumbent: ModelVersion
) -> None:
    version = made(ana, model, depth="4", files={"model.bin": b"new", "came.txt": b"y"})
    flow.attach(version, ana)
    flow.done(version, ana)
    cards.save_card(
        as_actor(ana),
        version,
        {"summary": "It ranks.\n\nIt <b>sometimes</b> decides."},
        0,
    )
    registry.update_model(as_actor(ana), model, description="ranks customers")
    html = page(vera, submitted(ana, version))
    text = section(html, "changes")
    assert "Changed since v1" in text
    assert "ROC AUC" in text
    assert "95 % interval" in text
    assert "different data" not in text
    assert "depth" in text
    assert "gone.txt" in text
    assert "came.txt" in text
    assert "1 paragraph unchanged" in text
    assert "&lt;b&gt;" in html
    assert "<b>sometimes" not in html
    assert "ranks customers" in text


def test_measurements_on_different_data_say_so(
    ana: User, vera: User, model: RegisteredModel, incumbent: ModelVersion
) -> None:
    version = made(ana, model, depth="3", files={"model.bin": b"new"})
    flow.attach(version, ana)
    half = flow.DEMO / "german_credit_predictions.csv"
    lines = half.read_bytes().splitlines(keepends=True)
    flow.attach(version, ana, stream=io.BytesIO(b"".join(lines[:401])))
    flow.done(version, ana)
    text = section(page(vera, submitted(ana, version)), "changes")
    assert "Performance was measured on different data" in text
    assert "intervals overlap" in text or "intervals apart" in text


def test_another_incumbent_by_now_is_said_and_not_swapped(
    ana: User, vera: User, rui: User, model: RegisteredModel, incumbent: ModelVersion
) -> None:
    waiting = submitted(ana, made(ana, model, depth="4", files={"model.bin": b"b"}))
    other = submitted(ana, made(ana, model, depth="5", files={"model.bin": b"c"}))
    assert sign(vera, other)[0] == 302
    assert sign(rui, other)[0] == 302
    text = section(page(vera, waiting), "changes")
    assert "Changed since v1" in text
    assert "stage Production now has v3" in text
    assert "Compare with v3" in text


def raise_one(vera: User, owner: User, review: Review) -> None:
    given = services.NewFinding(
        title="Recall drops",
        text="0.41 there.",
        severity="high",
        owner_id=owner.pk,
        due=clock.now().date() + dt.timedelta(days=14),
        blocking=True,
        clause="",
        reproduction="https://example.org/12",
    )
    services.raise_finding(as_actor(vera), review.version, given, review=review)


def tick(user: User, review: Review, name: str, digest: str = "", **form: str) -> int:
    found = re.search(
        rf'name="section" value="{name}"><input type="hidden" name="digest" value="(\w+)"',
        page(user, review),
    )
    assert found
    given = {"section": name, "digest": digest or found[1], "viewed": "yes"} | form
    return browser(user).post(f"/reviews/{review.pk}/viewed/", given).status_code


def test_a_tick_is_ones_own_and_clears_with_what_it_was_about(
    ana: User, vera: User, rui: User, model: RegisteredModel
) -> None:
    version = made(ana, model, depth="3", files={"model.bin": b"x"})
    review = submitted(ana, version)
    assert "You have viewed 0 of 6 sections" in page(vera, review)
    assert tick(vera, review, "card") == 302
    assert tick(vera, review, "files") == 302
    html = page(vera, review)
    assert "You have viewed 2 of 6 sections" in html
    assert "Not yet: What changed, Checks, Data, Lineage." in html
    assert "You have viewed 2 of 6" in browser(vera).get(f"/reviews/{review.pk}/decide/").content.decode()  # fmt: skip
    assert "You have viewed 0 of 6 sections" in page(rui, review)
    cards.save_card(as_actor(ana), version, {"summary": "To rank."}, 0)
    services.new_round(as_actor(ana), review)
    assert "You have viewed 1 of 6 sections" in page(vera, review)
    assert tick(vera, review, "files", viewed="no") == 302
    assert "You have viewed 0 of 6 sections" in page(vera, review)


def test_a_tick_at_other_contents_or_nothing_is_refused(
    ana: User, vera: User, otto: User, model: RegisteredModel
) -> None:
    review = submitted(ana, made(ana, model, depth="3", files={"model.bin": b"x"}))
    with nothing_written():
        assert tick(vera, review, "card", digest="0" * 64) == 409
        assert browser(vera).post(f"/reviews/{review.pk}/viewed/", {"section": "x"}).status_code == 422  # fmt: skip
        assert browser(otto).post(f"/reviews/{review.pk}/viewed/", {"section": "card"}).status_code == 404  # fmt: skip
        assert browser(vera).get(f"/reviews/{review.pk}/viewed/").status_code == 405


def test_a_tick_answers_htmx_with_its_own_part(
    ana: User, vera: User, model: RegisteredModel
) -> None:
    review = submitted(ana, made(ana, model, depth="3", files={"model.bin": b"x"}))
    digest = re.search(
        r'value="card"><input type="hidden" name="digest" value="(\w+)"', page(vera, review)
    )
    assert digest
    answer = browser(vera).post(
        f"/reviews/{review.pk}/viewed/",
        {"section": "card", "digest": digest[1], "viewed": "yes"},
        headers={"HX-Request": "true"},
    )
    html = answer.content.decode()
    assert 'id="tick-card"' in html
    assert "You have viewed 1 of 6 sections" in html
    assert "<html" not in html
    assert Viewed.objects.get().user == vera


def test_findings_are_a_section_once_there_are_any(
    ana: User, vera: User, model: RegisteredModel
) -> None:
    review = submitted(ana, made(ana, model, depth="3", files={"model.bin": b"x"}))
    raise_one(vera, ana, review)
    assert "You have viewed 0 of 7 sections" in page(vera, review)
    assert tick(vera, review, "findings") == 302
    assert "You have viewed 1 of 7 sections" in page(vera, review)


def test_paragraphs_that_stayed_are_counted_and_the_others_compared_by_word() -> None:
    found = diffing.paragraphs(
        "one\n\ntwo words\n\nthree", "one\n\ntwo other words\n\nthree\n\nfour"
    )
    assert [each.same for each in found] == [1, 0, 1, 0]
    assert ("added", "other ") in found[1].pieces
    assert list(found[3].pieces) == [("added", "four")]


def test_versions_whose_files_were_scanned_are_compared_wherever_a_version_is(
    ana: User, vera: User, rui: User, model: RegisteredModel
) -> None:
    """Each has other files; the scan of files has no data set, so nothing speaks of its rows."""
    old, new = (
        made(ana, model, depth=depth, files={"model.bin": depth.encode()}) for depth in ("2", "3")
    )
    for version in (old, new):
        flow.done(version, ana, "files")
    review = submitted(ana, old)
    for signer in (vera, rui):
        sign(signer, review)
    trainer = browser(ana)
    for path in ("/models/churn/2/submit/", "/models/churn/2/compare/?with=1"):
        answer = trainer.get(path)
        assert answer.status_code == 200
        assert "was measured on different data" not in answer.content.decode()
    assert "Changed since v1" in page(vera, submitted(ana, new))
