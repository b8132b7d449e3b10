"""Nobody's words widen the page of a review for everybody else."""

from __future__ import annotations

import pytest

from apps.reviews import selectors, services
from apps.reviews.models import Review
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.conftest import cast as cast  # the fixture
from tests.web.test_browser import Visit
from tests.web.test_browser import chromium as chromium
from tests.web.test_browser import visit as visit

pytestmark = pytest.mark.django_db(transaction=True)

WORD = "w" * 199


@pytest.fixture
def wordy(cast: Cast) -> Review:
    """A review in which everybody who can has said one long word, and one before it that was withdrawn."""
    review = cast.submit(PRODUCTION)
    services.recuse(cast.remo, review, reason=WORD)
    services.start_thread(cast.vera, review, text=WORD)
    round_ = selectors.live_round(review)
    assert round_ is not None
    services.decide(
        cast.vera,
        review,
        outcome="approve",
        evidence_digest=round_.digest,
        comment=WORD,
        proof=factories.proof(cast.vera),
        no_conflict=True,
    )
    services.new_round(cast.ana, review, because=WORD)
    return review


@pytest.mark.parametrize("width", [1280, 390])
def test_a_long_word_breaks(width: int, visit: Visit, wordy: Review, cast: Cast) -> None:
    visit.show_as(factories.user_of(cast.rui), "light")
    visit.page.set_viewport_size({"width": width, "height": 900})
    page = visit.go(f"/reviews/{wordy.pk}/")
    assert page.content().count(WORD) >= 4
    assert page.evaluate("document.documentElement.scrollWidth") == width
