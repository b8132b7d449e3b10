"""A client that asks for it gets a draft of a request out of a refused promotion; the refusal stays one."""

from __future__ import annotations

from functools import partial

import pytest

from apps.audits.models import Event
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, Forbidden
from apps.registry import services as registry
from apps.registry.models import Alias, ModelVersion
from apps.reviews import services
from apps.reviews.models import Review, ReviewDraft
from apps.reviews.reads import drafts
from tests import factories
from tests.reviews.conftest import CHAMPION, PRODUCTION, Cast
from tests.reviews.test_forgery import is_whole
from tests.reviews.test_signing import sign
from tests.support.races import at_once
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "replaces v2, adds tenure"


def promotes(actor: Actor, version: ModelVersion) -> str:
    """What the client is told when it tries."""
    with pytest.raises(Blocked) as refusal:
        registry.set_stage(actor, version, stage="Production")
    return f"{refusal.value} {refusal.value.hint} {refusal.value.url}"


def tagged(cast: Cast, value: str = WHY) -> None:
    registry.set_version_tag(cast.ana, cast.version, key="request_review", value=value)


def test_without_the_tag_a_refusal_keeps_nothing(cast: Cast) -> None:
    assert "draft" not in promotes(cast.ana, cast.version)
    assert not ReviewDraft.objects.exists()


def test_with_the_tag_the_refusal_names_the_draft_and_nothing_moves(cast: Cast) -> None:
    tagged(cast)
    told = promotes(cast.ana, cast.version)
    assert "may not enter stage Production" in told
    assert told.endswith("/models/credit/1/submit/")
    row = ReviewDraft.objects.get()
    assert (row.targets, row.reason, row.asked_by_id) == (
        ["stage:production"],
        WHY,
        cast.ana.user_id,
    )
    version = ModelVersion.objects.get()
    assert (version.stage, version.submitted_review) == ("None", None)
    assert not Review.objects.exists()
    is_whole()


def test_a_tag_of_the_model_counts_for_its_versions_and_that_of_the_version_first(
    cast: Cast,
) -> None:
    registry.set_model_tag(cast.ana, cast.model, key="request_review", value="")
    promotes(cast.ana, cast.version)
    assert "Asked for by a client" in ReviewDraft.objects.get().reason
    tagged(cast)
    promotes(cast.ana, cast.version)
    assert ReviewDraft.objects.get().reason == WHY


def test_asking_again_adds_targets_and_says_nothing_twice(cast: Cast) -> None:
    tagged(cast)
    promotes(cast.ana, cast.version)
    promotes(cast.ana, cast.version)
    assert Event.objects.filter(type="reviews.draft.kept").count() == 1
    with pytest.raises(Blocked, match="nobody has asked"):
        registry.set_alias(cast.ana, cast.version, alias="champion")
    assert ReviewDraft.objects.get().targets == ["alias:champion", "stage:production"]
    assert not Alias.objects.exists()


def test_two_clients_at_once_make_one_draft(cast: Cast) -> None:
    tagged(cast)
    acts = [partial(registry.set_stage, cast.ana, cast.version, stage="Production")] * 4
    answers = at_once(*acts)
    assert all(isinstance(answer, Blocked) for answer in answers)
    assert ReviewDraft.objects.count() == 1


def test_somebody_who_may_not_edit_the_model_asks_for_nothing(cast: Cast) -> None:
    tagged(cast)
    with pytest.raises(Forbidden):
        registry.set_stage(cast.otto, cast.version, stage="Production")
    assert not ReviewDraft.objects.exists()


def test_a_version_under_review_keeps_no_draft_and_submitting_ends_the_one_there_is(
    cast: Cast,
) -> None:
    tagged(cast)
    promotes(cast.ana, cast.version)
    review = cast.submit(PRODUCTION, CHAMPION)
    assert ReviewDraft.objects.get().status == "submitted"
    assert f"REV-{review.pk} has not approved it" in promotes(cast.ana, cast.version)
    assert ReviewDraft.objects.count() == 1
    sign(cast.vera, review)
    sign(cast.rui, review)
    assert ModelVersion.objects.get().stage == "Production"


def test_the_form_begins_with_what_was_asked_and_whoever_may_submit_sees_it_at_home(
    cast: Cast,
) -> None:
    tagged(cast)
    promotes(cast.ana, cast.version)
    client = browser(factories.user_of(cast.omar))
    assert "a request to finish" in client.get("/").content.decode()
    page = client.get("/models/credit/1/submit/").content.decode()
    assert WHY in page
    assert "A client asked for this" in page
    assert (
        "a request to finish" not in browser(factories.user_of(cast.vera)).get("/").content.decode()
    )
    form = {"targets": ["stage:production"], "justification": WHY}
    assert client.post("/models/credit/1/submit/", form).status_code == 302
    assert drafts.open_draft(cast.version) is None


def test_a_draft_is_discarded_by_whoever_asked_or_may_submit_and_once(cast: Cast) -> None:
    tagged(cast)
    promotes(cast.ana, cast.version)
    row = ReviewDraft.objects.get()
    with pytest.raises(Forbidden):
        services.discard_draft(cast.vera, row)
    services.discard_draft(cast.omar, row)
    with pytest.raises(Conflict):
        services.discard_draft(cast.omar, row)
    assert ReviewDraft.objects.get().status == "discarded"
    promotes(cast.ana, cast.version)  # asking anew begins anew
    assert ReviewDraft.objects.count() == 2
    is_whole()
