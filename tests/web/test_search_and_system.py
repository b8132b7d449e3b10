"""Search finds what one may see and nothing else; the system page says in words who is working."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.core import clock, outbox
from apps.core.models import Heartbeat, OutboxMessage
from apps.experiments.services import experiments, runs
from apps.registry.targets import Target
from apps.reviews import services as reviews
from tests import factories
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def things(ana: User) -> str:
    """Ana's experiment, run, model and version; the id of the run."""
    actor = as_actor(ana)
    experiment = experiments.create_experiment(actor, name="churn trials")
    run = runs.create_run(actor, experiment_id=experiment.pk, run_name="churn finch")
    factories.version(actor, factories.model(actor, "churn"))
    return run.run_id


def _page(user: User, words: str) -> str:
    answer = browser(user).get("/search/", {"q": words})
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_kind_is_found_by_its_name(ana: User, things: str) -> None:
    page = _page(ana, "churn")
    for url in ('/models/churn/"', f'/runs/{things}/"', "/experiments/"):
        assert f'href="{url}' in page or f'href="{url.rstrip(chr(34))}' in page
    assert "churn trials" in page
    assert "churn finch" in page


@pytest.mark.parametrize("words", ["churn/1", "churn v1", "churn version 1", "CHURN 1"])
def test_a_version_is_found_as_people_say_it(ana: User, things: str, words: str) -> None:
    assert "churn version 1" in _page(ana, words)


def test_a_run_is_found_by_the_beginning_of_its_id(ana: User, things: str) -> None:
    assert f"/runs/{things}/" in _page(ana, things[:6])


def test_a_stranger_to_things_finds_none_of_them(otto: User, things: str) -> None:
    for words in ("churn", "churn/1", things[:6]):
        page = _page(otto, words)
        assert "Nothing you may see matches" in page
        assert "trials" not in page


def test_people_are_found_by_those_who_manage_people_only(ana: User, ada: User) -> None:
    assert f'href="/people/{ana.pk}/"' in _page(ada, "silva")
    assert f'href="/people/{ana.pk}/"' not in _page(ana, "silva")


@pytest.mark.parametrize("words", ["", "   ", "%", "_", "\x00", "'; DROP TABLE", "ü" * 300, "\\"])
def test_odd_words_find_nothing_and_break_nothing(ana: User, things: str, words: str) -> None:
    page = _page(ana, words)
    assert "churn trials" not in page


def test_search_asks_as_many_queries_for_many_hits_as_for_few(ada: User, things: str) -> None:
    client = browser(ada)

    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            assert client.get("/search/?q=person").status_code == 200
        return len(counted)

    few = queries()
    User.objects.bulk_create(User(username=f"person{n}", display_name=f"P {n}") for n in range(40))
    assert queries() == few


def test_no_worker_is_said_in_words(ada: User) -> None:
    page = browser(ada).get("/system/").content.decode()
    assert "No worker is running" in page
    assert "The scheduler (beat) is not running" in page


def test_a_worker_that_was_seen_is_listed_and_work_that_gave_up_too(ada: User) -> None:
    now = clock.now()
    for kind in ("worker", "beat"):
        Heartbeat.objects.create(kind=kind, host="alpha", pid=7, started_at=now, last_seen=now)
    OutboxMessage.objects.create(
        task="apps.checks.tasks.run_measurement",
        payload={},
        created_at=now - dt.timedelta(hours=1),
        not_before=now,
        finished_at=now,
        failed=True,
        attempts=5,
        last_error="Traceback\nValueError: the file is empty",
    )
    page = browser(ada).get("/system/").content.decode()
    assert "No worker is running" not in page
    assert "alpha" in page
    assert "1 task gave up" in page
    assert "ValueError: the file is empty" in page


def test_health_needs_no_sign_in() -> None:
    answer = browser().get("/health")
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert outbox.queue_state().workers == []


def test_a_review_is_found_by_its_number(ana: User, vera: User, things: str) -> None:
    from apps.registry.models import ModelVersion

    version = ModelVersion.objects.get(model__name="churn")
    review = reviews.submit(
        as_actor(ana),
        version,
        targets=(Target("stage", "production"),),
        justification="replaces the scorecard",
    )
    for words in (f"REV-{review.pk}", f"rev{review.pk}", "scorecard"):
        assert f'href="/reviews/{review.pk}/"' in _page(vera, words)
