"""Every list page asks the database as often for a hundred rows as for ten."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.audits.attempts import attempt
from apps.core.actor import Actor
from apps.experiments.models import Experiment
from apps.registry.models import RegisteredModel
from apps.registry.targets import Target
from apps.reviews import services as reviews
from tests import factories
from tests.experiments import makers
from tests.impact import samples
from tests.support.people import as_actor, hire
from tests.web.browsing import browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

FEW, MANY = 10, 100


@pytest.fixture
def shelf(ana: User) -> tuple[Experiment, RegisteredModel]:
    """The experiment whose runs, and the model whose versions, are listed."""
    actor = as_actor(ana)
    return makers.experiment(actor, "trials"), factories.model(actor, "churn")


def grow(numbers: range, ana: Actor, shelf: tuple[Experiment, RegisteredModel]) -> None:
    """One more row of everything that a page lists."""
    trials, churn = shelf
    year = dt.timedelta(days=30)
    for number in numbers:
        makers.experiment(ana, f"experiment {number}")
        run = makers.run(ana, trials, metrics={"auc": 0.5}, params={"a": "b"}, tags={"c": "d"})
        makers.file(ana, run, f"plot-{number}.txt")
        factories.version(ana, churn, run=makers.ended(ana, run))
        asked = factories.version(ana, factories.model(ana, f"churn {number}"))
        samples.save(ana, asked.model)
        why = "replaces the scorecard"
        reviews.submit(ana, asked, targets=[Target("stage", "production")], justification=why)
        someone = hire(f"person-{number}", f"Person {number}", "viewer")
        accounts.grant_role(factories.SYSTEM, "viewer", someone, on=churn)
        accounts.create_team(factories.SYSTEM, key=f"team-{number}", name=f"Team {number}")
        accounts.map_group(factories.SYSTEM, name=f"group-{number}", role="viewer")
        accounts.issue_token(ana, name=f"token {number}", scopes={"read"}, expires_in=year)
        act, reason = "model.edit", "no role"
        attempt(as_actor(someone), act=act, subject="model:1", outcome="refused", reason=reason)


def pages(shelf: tuple[Experiment, RegisteredModel]) -> dict[str, str]:
    """Who looks at which list. `vera` is asked for every review, `ada` administers, `aud` audits."""
    return {
        "/experiments/": "ana",
        f"/experiments/{shelf[0].pk}/": "ana",
        "/models/": "ana",
        "/models/churn/": "ana",
        "/checks/": "ana",
        "/reviews/": "vera",
        "/": "vera",
        "/?also": "rui",
        "/search/?q=churn": "ana",
        "/account/tokens/": "ana",
        "/people/": "ada",
        "/people/teams/": "ada",
        "/people/groups/": "ada",
        "/audit/": "aud",
        "/audit/attempts/": "aud",
    }


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200, url
    return len(asked)


def test_a_list_of_a_hundred_costs_as_many_queries_as_a_list_of_ten(
    ana: User,
    vera: User,
    rui: User,
    ada: User,
    aud: User,
    shelf: tuple[Experiment, RegisteredModel],
) -> None:
    lists = pages(shelf)
    clients = {
        "ana": browser(ana),
        "vera": browser(vera),
        "rui": browser(rui),
        "ada": browser(ada),
        "aud": browser(aud),
    }

    def counted() -> dict[str, int]:
        for url, who in lists.items():
            clients[who].get(url)  # what is remembered for a process is remembered now
        return {url: queries(clients[who], url) for url, who in lists.items()}

    grow(range(FEW), as_actor(ana), shelf)
    few = counted()
    grow(range(FEW, MANY), as_actor(ana), shelf)
    assert counted() == few
    assert browser(vera).get("/").content.count(b"/reviews/") > FEW
