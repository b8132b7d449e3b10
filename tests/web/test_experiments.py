"""The list of experiments, and one with its runs: search, filter language, columns, order, paging."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import urlencode

from apps.accounts.models import User
from apps.experiments import services
from apps.experiments.models import Experiment
from apps.web.pages import experiments as list_page
from apps.web.pages import runs_table
from tests.experiments import makers
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def trials(ana: User) -> Experiment:
    return makers.experiment(as_actor(ana), "churn trials")


def page(user: User, of: Experiment, *show: str, **asked: str) -> str:
    query = urlencode([*asked.items(), *(("show", each) for each in show)])
    return browser(user).get(f"/experiments/{of.pk}/?{query}").content.decode()


def names(html: str) -> list[str]:
    """The runs of the table from top to bottom."""
    return re.findall(r'<th scope="row"><a href="/runs/\w+/">([^<]+)</a>', html)


def headings(html: str) -> list[str]:
    return re.findall(r'class="sort"[^>]*>([^<]+)<', html)


def test_the_list_tells_activity_and_is_searched_by_name(ana: User, trials: Experiment) -> None:
    for number in range(3):
        makers.run(as_actor(ana), trials, start=1000 + number)
    makers.experiment(as_actor(ana), "pricing")
    html = browser(ana).get("/experiments/?q=CHURN").content.decode()
    assert "churn trials" in html
    assert "pricing" not in html
    assert re.search(r'data-label="Runs"[^>]*><span>3</span>', html)


def test_an_empty_list_shows_the_lines_that_fill_it(ana: User, otto: User) -> None:
    html = browser(otto).get("/experiments/").content.decode()
    assert "No experiments yet" in html
    assert "mlflow.set_tracking_uri(&quot;http" in html
    assert "data-copy" in html
    assert "No experiment matches" in browser(otto).get("/experiments/?q=x").content.decode()


def test_the_list_is_paged_and_deleted_ones_are_asked_for(
    ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_page, "PAGE", 2)
    made = [makers.experiment(as_actor(ana), f"trial {number}") for number in range(4)]
    services.delete_experiment(as_actor(ana), made[0].pk)
    first = browser(ana).get("/experiments/").content.decode()
    assert ("trial 3" in first, "trial 2" in first, "trial 1" in first) == (True, True, False)
    following = re.search(r'href="(\?before=\d+)"', first)
    assert following
    second = browser(ana).get(f"/experiments/{following[1]}").content.decode()
    assert "trial 1" in second
    assert "trial 0" not in second
    assert "trial 0" in browser(ana).get("/experiments/?state=deleted").content.decode()


def test_a_filter_of_the_protocol_chooses_the_runs(ana: User, trials: Experiment) -> None:
    for name, auc, algorithm in (("low", 0.7, "gbm"), ("high", 0.9, "gbm"), ("other", 0.9, "svm")):
        makers.run(
            as_actor(ana),
            trials,
            name=name,
            metrics={"auc": auc},
            params={"algorithm": algorithm},
        )
    asked = "metrics.auc > 0.8 and params.algorithm = 'gbm'"
    assert names(page(ana, trials, filter=asked)) == ["high"]
    assert names(page(ana, trials, filter=asked, status="FINISHED")) == []
    assert names(page(ana, trials, filter=asked, status="RUNNING")) == ["high"]
    assert "No run matches this filter" in page(ana, trials, filter="metrics.auc > 2")


@pytest.mark.parametrize(
    "wrong",
    ["metrics.auc >", "metrics.auc = 'x'", "auc ~ 3", "x" * 3000, "params.a = '\x00'", "a OR b"],
)
def test_a_wrong_filter_is_told_beside_the_field(ana: User, trials: Experiment, wrong: str) -> None:
    answer = browser(ana).get(f"/experiments/{trials.pk}/", {"filter": wrong})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert 'aria-invalid="true"' in html
    assert 'class="field-error"' in html


def test_runs_are_ordered_by_a_metric_and_a_page_goes_on_after_its_last(
    ana: User, trials: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_table, "PAGE", 2)
    for name, auc in (("b", 0.8), ("a", 0.9), ("c", 0.7)):
        makers.run(as_actor(ana), trials, name=name, metrics={"auc": auc})
    html = page(ana, trials, sort="-metrics.auc")
    assert names(html) == ["a", "b"]
    assert 'aria-sort="descending"' in html
    following = re.search(r'href="(\?[^"]*before=[^"]+)"', html)
    assert following
    url = f"/experiments/{trials.pk}/{following[1].replace('&amp;', '&')}"
    assert names(browser(ana).get(url).content.decode()) == ["c"]
    assert browser(ana).get(f"/experiments/{trials.pk}/?before=forged").status_code == 422


def test_the_columns_are_chosen_in_the_address(ana: User, trials: Experiment) -> None:
    makers.run(as_actor(ana), trials, metrics={"auc": 0.9, "f1": 0.5}, params={"lr": "0.1"})
    assert {"auc", "f1", "lr"} <= set(headings(page(ana, trials)))
    shown = headings(page(ana, trials, "metrics.f1", cols="1"))
    assert "f1" in shown
    assert not {"auc", "lr"} & set(shown)
    assert not {"auc", "f1", "lr"} & set(headings(page(ana, trials, cols="1")))


def test_a_nested_run_names_its_parent_and_chosen_runs_go_to_the_comparison(
    ana: User, trials: Experiment
) -> None:
    parent = makers.run(as_actor(ana), trials, name="sweep")
    makers.run(as_actor(ana), trials, name="trial", tags={"mlflow.parentRunId": parent.run_id})
    html = page(ana, trials)
    assert "nested in sweep" in html
    assert f'name="run" value="{parent.run_id}"' in html
    assert 'action="/runs/compare/"' in html


def test_the_number_of_queries_does_not_grow_with_the_runs(ana: User, trials: Experiment) -> None:
    counts = []
    parent = makers.run(as_actor(ana), trials).run_id
    for rows in (5, 30):
        for _ in range(rows):
            tags = {"mlflow.parentRunId": parent}
            makers.run(as_actor(ana), trials, metrics={"auc": 0.5}, params={"a": "b"}, tags=tags)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(ana, trials)
        with CaptureQueriesContext(connection) as of_list:
            browser(ana).get("/experiments/")
        counts.append((len(queries), len(of_list)))
        for number in range(rows):
            makers.experiment(as_actor(ana), f"{rows} {number}")
    assert counts[0] == counts[1]


def test_what_is_not_yours_is_not_there(otto: User, trials: Experiment) -> None:
    assert browser(otto).get(f"/experiments/{trials.pk}/").status_code == 404
    assert browser(otto).get(f"/experiments/{10**30}/").status_code == 404
