"""One run, its files, and runs side by side."""

from __future__ import annotations

import math
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import urlencode

from apps.accounts.models import User
from apps.accounts.services import grant_role
from apps.core import blobs
from apps.experiments import ingest, services
from apps.experiments.ingest import Point
from apps.experiments.models import Experiment, Run
from tests import factories
from tests.experiments import makers
from tests.support.people import SYSTEM, as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.fixture
def trials(ana: User) -> Experiment:
    return makers.experiment(as_actor(ana), "churn trials")


@pytest.fixture
def run(ana: User, trials: Experiment) -> Run:
    made = makers.run(as_actor(ana), trials, name="able-finch", params={"lr": "0.1"})
    curve(ana, made, "loss", [1.0, 0.5, 0.25])
    return made


def curve(user: User, of: Run, key: str, values: list[float]) -> None:
    points = [Point(key, value, 1000 + step, step) for step, value in enumerate(values)]
    ingest.log_batch(as_actor(user), run_id=of.run_id, metrics=points)


def shown(user: User, of: Run, query: str = "") -> str:
    answer = browser(user).get(f"/runs/{of.run_id}/{query}")
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def compared(user: User, *runs: Run) -> str:
    query = urlencode([("run", each.run_id) for each in runs])
    return browser(user).get(f"/runs/compare/?{query}").content.decode()


def test_a_run_shows_what_it_recorded_with_a_curve_and_its_numbers(ana: User, run: Run) -> None:
    html = shown(ana, run)
    assert all(each in html for each in ("able-finch", "churn trials", "lr", "0.25"))
    assert html.count("<figure") == 1
    assert "<svg" in html
    assert "loss by step" in html


def test_what_is_no_number_is_said_and_not_drawn(ana: User, run: Run) -> None:
    curve(ana, run, "norm", [1.0, math.nan, 2.0])
    curve(ana, run, "never", [math.nan, math.nan])
    html = shown(ana, run)
    assert "1 point not drawn" in html
    assert html.count("<figure") == 2
    assert "NaN" in html


def test_a_sealed_run_names_its_review(ana: User, run: Run) -> None:
    version = factories.version(as_actor(ana), factories.model(as_actor(ana), "churn"), run=run)
    services.seal_run(as_actor(ana), makers.ended(as_actor(ana), run), 42)
    html = shown(ana, run)
    assert 'href="/reviews/42/"' in html
    assert "Sealed" in html
    assert f'href="/models/churn/{version.number}/"' in html


def test_a_version_of_a_model_one_may_not_see_is_not_named(
    ana: User, omar: User, run: Run, otto: User
) -> None:
    factories.version(as_actor(ana), factories.model(as_actor(ana), "secret-model"), run=run)
    grant_role(SYSTEM, "viewer", otto, on=run.experiment)
    assert "secret-model" not in shown(otto, run)
    assert "secret-model" in shown(omar, run)


def test_files_are_listed_looked_into_and_downloaded_verified(ana: User, run: Run) -> None:
    makers.file(as_actor(ana), run, "model/MLmodel", b"flavors: <b>bold</b>")
    makers.file(as_actor(ana), run, "plots/roc.png", PNG)
    makers.file(as_actor(ana), run, "model/data.bin", b"\x00\x01")
    html = shown(ana, run)
    assert "3 files" in html
    assert "flavors: &lt;b&gt;bold&lt;/b&gt;" in shown(ana, run, "?file=model/MLmodel")
    assert "not text" in shown(ana, run, "?file=model/data.bin")
    assert "<img" in shown(ana, run, "?file=plots/roc.png")
    answer = browser(ana).get(f"/runs/{run.run_id}/artifacts/plots/roc.png")
    assert (answer["Content-Type"], answer["Content-Length"]) == ("image/png", str(len(PNG)))
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"".join(answer.streaming_content) == PNG  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["page.html", "page.svg", "script.js"])
def test_a_document_with_scripts_is_never_sent_as_one(ana: User, run: Run, name: str) -> None:
    makers.file(as_actor(ana), run, name, b"<svg onload='alert(1)'><script>alert(1)</script>")
    answer = browser(ana).get(f"/runs/{run.run_id}/artifacts/{name}")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "<script>alert" not in shown(ana, run, f"?file={name}")


def test_a_long_text_is_cut_between_characters(ana: User, run: Run) -> None:
    makers.file(as_actor(ana), run, "long.txt", ("x" + "é" * 40_000).encode())
    html = shown(ana, run, "?file=long.txt")
    assert "The first 64 KiB" in html
    assert html.count("é") == 64 * 1024 // 2 - 1


def test_a_damaged_file_is_told_and_not_sent(ana: User, run: Run) -> None:
    digest = makers.file(as_actor(ana), run, "model.txt", b"as it was")
    place = blobs.path(digest)
    place.chmod(0o644)
    place.write_bytes(b"not so it")
    assert "Damaged file" in shown(ana, run, "?file=model.txt")
    answer = browser(ana).get(f"/runs/{run.run_id}/artifacts/model.txt")
    assert answer.status_code == 409


@pytest.mark.parametrize("path", ["none.txt", "..%2F..%2Fetc%2Fpasswd", "a%00b", "%252e%252e/x"])
def test_a_path_that_is_none_is_refused(ana: User, run: Run, path: str) -> None:
    assert browser(ana).get(f"/runs/{run.run_id}/artifacts/{path}").status_code in {404, 422}
    assert browser(ana).get(f"/runs/{run.run_id}/?file={path}").status_code in {404, 422}


def test_nested_runs_are_listed_with_their_metrics(ana: User, trials: Experiment, run: Run) -> None:
    tags = {"mlflow.parentRunId": run.run_id}
    child = makers.run(as_actor(ana), trials, name="trial-1", metrics={"auc": 0.875}, tags=tags)
    html = shown(ana, run)
    assert "trial-1" in html
    assert "0.875" in html
    assert "nested in able-finch" in shown(ana, child)


def test_runs_are_compared_with_the_first(ana: User, trials: Experiment, run: Run) -> None:
    other = makers.run(as_actor(ana), trials, name="bold-crow", params={"lr": "0.3"})
    third = makers.run(as_actor(ana), trials, name="calm-dove", params={"lr": "0.1"})
    curve(ana, other, "loss", [1.0, 0.5])
    html = compared(ana, run, other, third)
    assert "1 parameter and 1 metric differ. Changes are against able-finch." in html
    assert "(+0.25)" in html
    assert re.search(r'data-only-differences="diff-params"', html)
    assert "<svg" in html
    swapped = compared(ana, other, run)
    assert "(\u22120.25)" in swapped


def test_equal_values_are_marked_as_no_difference(ana: User, trials: Experiment, run: Run) -> None:
    same = makers.run(as_actor(ana), trials, params={"lr": "0.1"})
    assert "<tr data-same" in compared(ana, run, same)


def test_a_comparison_says_what_it_lacks(
    ana: User, otto: User, trials: Experiment, run: Run
) -> None:
    assert "Choose two runs or more" in compared(ana)
    assert "needs a second run" in compared(ana, run)
    answer = browser(ana).get(f"/runs/compare/?run={run.run_id}&run={'0' * 32}&run=%00")
    assert answer.status_code == 200
    assert "2 runs of the address" in answer.content.decode()
    assert browser(ana).get("/runs/compare/?run=nothing").status_code == 404
    assert browser(otto).get(f"/runs/compare/?run={run.run_id}").status_code == 404
    many = [makers.run(as_actor(ana), trials) for _ in range(21)]
    assert "1 run over the 20" in compared(ana, *many)


def test_the_number_of_queries_does_not_grow(ana: User, trials: Experiment, run: Run) -> None:
    counts = []
    other = makers.run(as_actor(ana), trials)
    for number in (2, 12):
        for each in range(number):
            for of in (run, other):
                curve(ana, of, f"m{number}-{each}", [1.0, 2.0])
            makers.file(as_actor(ana), run, f"f{number}/{each}.txt")
            makers.run(as_actor(ana), trials, tags={"mlflow.parentRunId": run.run_id})
        with CaptureQueriesContext(connection) as of_run:
            shown(ana, run)
        with CaptureQueriesContext(connection) as of_two:
            compared(ana, run, other)
        counts.append((len(of_run), len(of_two)))
    assert counts[0] == counts[1]
