"""The page of a version's data: what could be taken, what was, and what is wrong beside the field that says it."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.checks.models import EvaluationDataset
from apps.experiments import ingest
from apps.experiments import services as experiments
from apps.experiments.models import Run
from apps.experiments.selectors import get_run
from apps.experiments.services.inputs import DatasetClaim, InputClaim
from apps.registry.models import ModelVersion
from tests import factories
from tests.checks.support import GOOD
from tests.support.people import as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db

GIVEN = {
    "role": "evaluation",
    "task": "binary",
    "target": "y",
    "prediction": "p",
    "score": "s",
    "sensitive": "g",
    "favourable": "1",
}


@pytest.fixture
def run(ana: User) -> Run:
    actor = as_actor(ana)
    experiment = experiments.create_experiment(actor, name="credit")
    return get_run(experiments.create_run(actor, experiment_id=experiment.pk).run_id)


@pytest.fixture
def version(ana: User, run: Run) -> ModelVersion:
    return factories.version(as_actor(ana), factories.model(as_actor(ana)), run=run)


def put(user: User, run: Run, path: str, frame: pd.DataFrame) -> None:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    buffer.seek(0)
    experiments.put_artifact(as_actor(user), run, path, buffer)


def url_of(version: ModelVersion) -> str:
    return reverse("web:version-data", args=[version.model.name, version.number])


def errors_of(client: Client, version: ModelVersion, **given: str) -> dict[str, list[str]]:
    """What the form says of what was sent; nothing was written."""
    with nothing_written():
        answer = client.post(url_of(version), GIVEN | given)
    assert answer.status_code == 422
    return dict(answer.context["form"].errors)


def test_folders_and_tables_of_the_run_are_offered_by_what_they_are(version, ana, run):
    for name in ("eval/a.parquet", "eval/b.parquet", "eval/_SUCCESS", "mixed/a.parquet"):
        put(ana, run, name, GOOD)
    for name in ("mixed/notes.txt", "lone/a.parquet", "table.json", "other.json"):
        put(ana, run, name, GOOD)
    named = json.dumps(
        [{"path": path, "type": "table"} for path in ("table.json", "gone.json", "t.parquet")]
    )
    pair = ingest.Pair("mlflow.loggedArtifacts", named)
    ingest.log_batch(as_actor(ana), run_id=run.run_id, tags=[pair])
    page = browser(ana).get(url_of(version)).context["page"]
    assert [(offer.path, offer.note) for offer in page.artifacts] == [
        ("eval", "folder, 2 files"),
        ("table.json", "table"),
        ("eval/a.parquet", ""),
        ("eval/b.parquet", ""),
        ("lone/a.parquet", ""),
        ("mixed/a.parquet", ""),
    ]


def test_a_tag_that_is_no_list_offers_nothing_and_breaks_nothing(version, ana, run):
    pair = ingest.Pair("mlflow.loggedArtifacts", '{"path": 3')
    ingest.log_batch(as_actor(ana), run_id=run.run_id, tags=[pair])
    answer = browser(ana).get(url_of(version))
    assert (answer.status_code, list(answer.context["page"].artifacts)) == (200, [])


def test_a_folder_is_attached_from_the_form_and_the_page_says_of_what_it_consists(
    version, ana, run
):
    put(ana, run, "eval/a.parquet", GOOD.iloc[:10])
    put(ana, run, "eval/b.parquet", GOOD.iloc[10:])
    client = browser(ana)
    assert client.post(url_of(version), GIVEN | {"artifact": "eval"}).status_code == 302
    assert EvaluationDataset.objects.get().parts == 2
    assert "the run&#x27;s folder eval: 2 files" in client.get(url_of(version)).content.decode()
    history = client.get(reverse("web:version", args=[version.model.name, version.number]))
    assert history.status_code == 200


def test_what_is_wrong_with_a_folder_stands_beside_its_path_and_names_the_file(version, ana, run):
    put(ana, run, "eval/a.parquet", GOOD)
    put(ana, run, "eval/b.parquet", GOOD.assign(y="1"))
    found = errors_of(browser(ana), version, artifact="eval")
    assert found == {"artifact": ["b.parquet: column 'y' holds string, not int64 as in a.parquet"]}


def log_inputs(user: User, run: Run, **sources: str) -> None:
    claims = [
        InputClaim(DatasetClaim(name, "abc", "artifacts", source), [])
        for name, source in sources.items()
    ]
    experiments.log_inputs(as_actor(user), run_id=run.run_id, datasets=claims)


def test_data_that_the_run_says_it_used_are_offered_or_shown_with_the_reason(version, ana, run):
    put(ana, run, "eval/a.parquet", GOOD)
    log_inputs(ana, run, here=f"runs:/{run.run_id}/eval/a.parquet", there="/home/ana/a.csv")
    client = browser(ana)
    page = client.get(url_of(version))
    choices = page.context["form"].fields["logged_input"].choices
    assert [label.partition(" ")[0] for _, label in choices] == ["none", "here"]
    assert "a path on the machine of the client" in page.content.decode()
    answer = client.post(url_of(version), GIVEN | {"logged_input": choices[1][0]})
    assert answer.status_code == 302
    row = EvaluationDataset.objects.get()
    assert (row.name, row.rows) == ("here", 40)
    both = {"logged_input": choices[1][0], "artifact": "eval/a.parquet"}
    assert list(errors_of(client, version, **both)) == ["file"]
    assert list(errors_of(client, version, logged_input="0" * 16)) == ["logged_input"]


def test_where_no_input_leads_anywhere_there_is_no_field_and_the_reasons_stand_open(
    version, ana, run
):
    log_inputs(ana, run, there="https://example.org/a.csv")
    answer = browser(ana).get(url_of(version))
    assert "logged_input" not in answer.context["form"].fields
    assert "an address in the network" in answer.content.decode()


def test_who_may_not_read_the_run_sees_neither_its_files_nor_its_inputs(version, ana, otto, run):
    put(ana, run, "eval/a.parquet", GOOD)
    log_inputs(ana, run, secret=f"runs:/{run.run_id}/eval/a.parquet")
    accounts.grant_role(factories.SYSTEM, "contributor", otto, on=version.model)
    page = browser(otto).get(url_of(version)).context["page"]
    assert (list(page.artifacts), page.inputs) == ([], None)


def test_s3_is_asked_for_only_where_the_site_may_read_it_and_refusals_stand_beside_it(
    version, ana, run, settings
):
    client = browser(ana)
    assert "s3" not in client.get(url_of(version)).context["form"].fields
    settings.CHECKS_S3_ALLOWED = ["data/eval"]
    settings.CHECKS_S3_ENDPOINT = "http://127.0.0.1:1"
    assert "s3" in client.get(url_of(version)).context["form"].fields
    found = errors_of(client, version, s3="s3://data/evaluation/a.csv")
    assert found == {
        "s3": ["s3://data/evaluation/a.csv is not among the places in S3 that this site may read"]
    }
    log_inputs(ana, run, there="s3://data/eval/a.csv", out="s3://other/a.csv")
    page = client.get(url_of(version))
    (_, (key, label)) = page.context["form"].fields["logged_input"].choices
    assert label.endswith("s3://data/eval/a.csv")
    assert list(errors_of(client, version, logged_input=key)) == ["logged_input"]


def test_a_path_that_is_not_there_is_said_beside_the_field(version, ana):
    found = errors_of(browser(ana), version, artifact="evil/nothing")
    assert "has no artifact 'evil/nothing'" in found["artifact"][0]


def test_a_column_that_is_not_there_is_said_beside_its_own_field(version, ana, run):
    put(ana, run, "eval/a.parquet", GOOD)
    found = errors_of(browser(ana), version, artifact="eval/a.parquet", sensitive="region")
    assert list(found) == ["sensitive"]


def test_the_page_asks_as_often_for_many_files_as_for_few(version, ana, run):
    client, counts = browser(ana), []
    for number in (2, 30):
        for place in range(number):
            put(ana, run, f"eval-{number}/{place}.parquet", GOOD.assign(n=place))
        client.post(url_of(version), GIVEN | {"artifact": f"eval-{number}"})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url_of(version)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
