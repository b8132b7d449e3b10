"""Searching runs finds what MLflow's own search finds, in its order, however it is paged."""

from __future__ import annotations

import json
import math
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.accounts.models import User
from apps.core.errors import Invalid
from apps.experiments import ingest, search, selectors, services
from apps.experiments.ingest import Pair, Point
from apps.experiments.models import Experiment, Lifecycle
from apps.experiments.search.grammar import parse_filter, parse_order
from apps.experiments.search.runs import LANGUAGE
from tests.experiments import makers
from tests.experiments.statements import CountedStatements
from tests.support.people import as_actor, hire

pytestmark = pytest.mark.django_db

CLIENT = Path(settings.BASE_DIR) / ".venv-client/bin/python"
ORACLE = Path(__file__).with_name("search_oracle.py")

QUESTIONS: list[tuple[str, list[str]]] = [
    ("", []),
    ("metrics.auc > 0.5", ["metrics.auc DESC"]),
    ("metrics.auc >= 0.5 and metrics.loss < 1e3", ["metrics.loss ASC", "params.lr DESC"]),
    ("metrics.auc != 0.5", []),
    ("metric.auc = 0.5", []),
    ("metrics.`my metric` <= -0.25", ["metrics.`my metric`"]),
    ('metrics."my metric" < 0', []),
    ("params.lr = '0.1' AND tags.team != 'a'", ["tags.team ASC"]),
    ("parameters.model LIKE 'xg%'", ["attributes.run_name DESC"]),
    ("params.model ILIKE 'XG%' and tag.team = \"b\"", []),
    ("param.model LIKE '%o_t'", []),
    ("params.model IS NULL", ["params.model"]),
    ("params.model is not null", ["params.model DESC"]),
    ("tags.team IS NULL AND metrics.auc > 0", []),
    ("attributes.status = 'FINISHED'", ["attributes.end_time ASC"]),
    ("status != 'FINISHED'", ["end_time DESC"]),
    ("attr.run_name LIKE 'run 1%'", ["run_name"]),
    ("attribute.start_time > 1003 and run.start_time <= 1010", ["start_time ASC"]),
    ("created >= 1005", ["Created DESC"]),
    ("end_time > 0", ["attributes.start_time"]),
    ("user_id = 'ana'", ["user_id DESC"]),
    ("artifact_uri LIKE '%/artifacts'", ["artifact_uri"]),
    ("dataset.name = 'd1'", []),
    ("datasets.context IN ('train', 'test')", []),
    ("dataset.digest NOT IN ('x')", []),
    ("dataset.name LIKE 'd%' AND dataset.context != 'train'", []),
    ("`run name` = 'run 3'", []),
    ("attributes.`Run name` = 'run 3'", []),
    ("metrics.auc > 0.1 AND metrics.auc < 0.9 AND params.lr = '0.1'", ["metrics.auc", "tags.team"]),
    ("", ["metrics.nanny ASC"]),
    ("", ["metrics.nanny DESC"]),
    ("metrics.nanny > -1", ["metrics.nanny DESC"]),
    ("metrics.nanny != 1", ["metrics.nanny DESC"]),
    ("", ["tags.team DESC", "metrics.auc ASC"]),
    ("", ["params.lr", "attributes.start_time ASC"]),
    ("run_id NOT IN ('nobody')", []),
]  # fmt: skip

REFUSED = [
    "metrics.auc > 'high'",
    "metrics.auc LIKE 'x'",
    "metrics.auc IS NULL",
    "params.lr > '0.1'",
    "params.lr = 0.1",
    "params.lr = bare",
    "params.lr = `0.1`",
    "params.lr IN ('a')",
    "tags.team > 'x'",
    "nonsense.key = 'x'",
    "nonsense = 'x'",
    "attributes.nonsense = 'x'",
    "status > 'RUNNING'",
    "status IN ('RUNNING')",
    "start_time = '5'",
    "start_time LIKE '5'",
    "dataset.schema = 'x'",
    "dataset.name > 'x'",
    "metrics.auc > 0.5 OR metrics.auc < 0.1",
    "(metrics.auc > 0.5)",
    "NOT metrics.auc > 0.5",
    "metrics.auc >",
    "metrics.auc",
    "> 0.5",
    "params.lr = 'unclosed",
    "run_id IN ()",
    "run_id IN (1, 2)",
    "run_id IN 'a'",
    "metrics.auc == 0.5",
    "metrics.auc <> 0.5",
    "metrics.auc > 0.5; DROP TABLE experiments_run",
    "1 = 1",
]

# MLflow's parser lets these pass; a clause that a person forgot is not guessed here.
STRICTER = [
    "metrics.auc > 0.5 metrics.loss < 1",
    "AND",
    "metrics.auc > 0.5 AND",
    "run_id IN ('a' 'b')",
]

BAD_ORDERS = ["metrics.a b", "nonsense", "metrics.a DESC NULLS", "", "dataset.name", "metrics.a,b"]


def _values(number: int, chance: random.Random) -> dict[str, Any]:
    """Run `number`: some keys are missing, some values equal, some NaN."""
    metrics = {"auc": chance.choice([0.1, 0.5, 0.5, 0.9]), "loss": number / 7}
    if number % 3:
        metrics["my metric"] = -number / 10
    if number % 4:
        metrics["nanny"] = math.nan if number % 4 == 1 else float(number % 5)
    if number % 5 == 0:
        del metrics["auc"]
    params = {"lr": chance.choice(["0.1", "0.01"])}
    if number % 2:
        params["model"] = chance.choice(["xgboost", "XGB", "forest"])
    tags = {"team": chance.choice("abc")} if number % 4 else {}
    return {
        "name": f"run {number}",
        "start": 1000 + number // 2,
        "end": 2000 + number if number % 3 else None,
        "status": "FINISHED" if number % 3 else "RUNNING",
        "user": chance.choice(["ana", "bo"]),
        "metrics": metrics,
        "params": params,
        "tags": tags,
        "datasets": [["d1", "x", "train"]] if number % 6 == 0 else [["d2", "y", "test"]] if number % 5 == 0 else [],
    }  # fmt: skip


@pytest.fixture
def experiment(ana: User) -> Experiment:
    return makers.experiment(as_actor(ana))


@pytest.fixture
def runs(ana: User, experiment: Experiment) -> list[dict[str, Any]]:
    """Thirty runs in the database, and the same ones as plain values for the oracle."""
    actor, chance = as_actor(ana), random.Random(11)  # noqa: S311 - a seeded test
    made = []
    for number in range(30):
        values = _values(number, chance)
        run = services.create_run(
            actor,
            experiment_id=experiment.pk,
            start_time=values["start"],
            run_name=values["name"],
            user_label=values["user"],
        )
        ingest.log_batch(
            actor,
            run_id=run.run_id,
            metrics=[Point(key, value, 1, 0) for key, value in values["metrics"].items()],
            params=[Pair(key, value) for key, value in values["params"].items()],
            tags=[Pair(key, value) for key, value in values["tags"].items()],
        )
        services.log_inputs(
            actor,
            run_id=run.run_id,
            datasets=[
                services.InputClaim(
                    services.DatasetClaim(name, digest, "local", "source"),
                    [Pair("mlflow.data.context", context)],
                )
                for name, digest, context in values["datasets"]
            ],
        )
        if values["end"]:
            services.update_run(actor, run_id=run.run_id, status="FINISHED", end_time=values["end"])
        uri = selectors.get_run(run.run_id).artifact_uri
        made.append(values | {"run_id": run.run_id, "artifact_uri": uri})
    return made


def ask_oracle(runs: list[dict[str, Any]], questions: list[tuple[str, list[str]]]) -> list[Any]:
    shown = [run | {"metrics": {k: str(v) for k, v in run["metrics"].items()}} for run in runs]
    asked = [{"filter": text, "order": order} for text, order in questions]
    done = subprocess.run(
        [CLIENT, ORACLE],
        input=json.dumps({"runs": shown, "questions": asked}),
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def walk(ana: User, experiment: Experiment, text: str, order: list[str], size: int) -> list[str]:
    """The names found, page by page."""
    names, token = [], ""
    while True:
        page = search.search_runs(
            as_actor(ana),
            [experiment.pk],
            filter=text,
            order=order,
            max_results=size,
            page_token=token,
        )
        names += [run.name for run in page.items]
        token = page.next_token
        if not token:
            return names


def test_every_answer_is_that_of_mlflow_on_every_page_size(
    ana: User, experiment: Experiment, runs: list[dict[str, Any]]
) -> None:
    expected = ask_oracle(runs, QUESTIONS)
    for (text, order), names in zip(QUESTIONS, expected, strict=True):
        assert names is not None, f"the oracle refuses {text!r}"
        for size in (3, 7, 100):
            assert walk(ana, experiment, text, order, size) == names, (text, order, size)


def test_what_mlflow_refuses_is_refused_with_a_sentence(runs: list[dict[str, Any]]) -> None:
    refusals = ask_oracle(runs, [(text, []) for text in REFUSED])
    for text, answer in zip(REFUSED, refusals, strict=True):
        with pytest.raises(Invalid) as refusal:
            parse_filter(text, LANGUAGE)
        assert refusal.value.fields
        assert answer is None, f"mlflow answers {text!r}"


@pytest.mark.parametrize("text", STRICTER)
def test_a_clause_that_is_half_there_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_filter(text, LANGUAGE)


@pytest.mark.parametrize("order", BAD_ORDERS)
def test_a_bad_order_is_refused(order: str) -> None:
    with pytest.raises(Invalid):
        parse_order([order], LANGUAGE)


def test_one_key_cannot_be_sorted_by_twice() -> None:
    with pytest.raises(Invalid, match="duplicate fields"):
        parse_order(["metrics.a", "metrics.a DESC"], LANGUAGE)


@pytest.mark.parametrize(
    "text",
    [
        "params.p = ''' OR 1=1 --'",
        "params.`p' OR '1'='1` = 'x'",
        "tags.\"'; DROP TABLE x; --\" = ''",
    ],
)
def test_quotes_do_not_reach_the_statement(
    ana: User, experiment: Experiment, runs: list[dict[str, Any]], text: str
) -> None:
    try:
        assert walk(ana, experiment, text, [], 10) == []
    except Invalid as refusal:
        assert "filter" in refusal.fields  # noqa: PT017 - either is right


def test_a_pattern_may_end_in_a_backslash(
    ana: User, experiment: Experiment, runs: list[dict[str, Any]]
) -> None:
    assert walk(ana, experiment, "params.lr LIKE 'a\\'", [], 10) == []


def test_a_token_of_another_request_or_of_nobody_is_refused(
    ana: User, experiment: Experiment, runs: list[dict[str, Any]]
) -> None:
    actor = as_actor(ana)
    token = search.search_runs(actor, [experiment.pk], max_results=2).next_token
    for text, order, bad in (
        ("metrics.auc > 0", [], token),
        ("", ["metrics.auc"], token),
        ("", [], token[:-2]),
        ("", [], "eyJvZmZzZXQiOiAxfQ=="),
    ):
        with pytest.raises(Invalid, match="page token"):
            search.search_runs(
                actor, [experiment.pk], filter=text, order=order, max_results=2, page_token=bad
            )


def test_a_page_stays_put_while_runs_are_added(
    ana: User, experiment: Experiment, runs: list[dict[str, Any]]
) -> None:
    actor = as_actor(ana)
    first = search.search_runs(actor, [experiment.pk], max_results=5)
    makers.run(actor, experiment, name="newer than all", start=9000)
    second = search.search_runs(actor, [experiment.pk], max_results=5, page_token=first.next_token)
    seen = [run.name for run in first.items + second.items]
    assert len(set(seen)) == 10
    assert "newer than all" not in seen


def test_deleted_runs_are_found_only_when_asked_for(ana: User, experiment: Experiment) -> None:
    actor = as_actor(ana)
    kept, gone = makers.run(actor, experiment), makers.run(actor, experiment)
    services.delete_run(actor, run_id=gone.run_id)
    for stage, expected in (
        (Lifecycle.ACTIVE, {kept.run_id}),
        (Lifecycle.DELETED, {gone.run_id}),
        (None, {kept.run_id, gone.run_id}),
    ):
        found = search.search_runs(actor, [experiment.pk], stage=stage)
        assert {run.run_id for run in found.items} == expected


def test_runs_of_experiments_out_of_sight_are_not_found(
    ana: User, otto: User, experiment: Experiment, runs: list[dict[str, Any]]
) -> None:
    assert search.search_runs(as_actor(otto), [experiment.pk]).items == []
    assert search.search_runs(as_actor(otto), [experiment.pk], order=["metrics.auc"]).items == []
    assert search.search_experiments(as_actor(otto)).items == []
    reader = hire("rita", "Rita", "viewer")
    assert len(search.search_runs(as_actor(reader), [experiment.pk]).items) == 30


def test_several_experiments_are_searched_as_one(ana: User) -> None:
    actor = as_actor(ana)
    first, second = makers.experiment(actor), makers.experiment(actor)
    for number in range(6):
        makers.run(
            actor,
            (first, second)[number % 2],
            name=f"r{number}",
            start=number,
            metrics={"m": number / 10},
        )
    found = search.search_runs(actor, [first.pk, second.pk], order=["metrics.m DESC"])
    assert [run.name for run in found.items] == ["r5", "r4", "r3", "r2", "r1", "r0"]


@pytest.mark.parametrize("order", [[], ["metrics.auc DESC"], ["params.lr", "tags.team DESC"]])
def test_a_page_takes_the_same_statements_for_few_and_for_many(
    ana: User, experiment: Experiment, runs: list[dict[str, Any]], order: list[str]
) -> None:
    def statements(size: int) -> int:
        with CountedStatements() as counted:
            search.search_runs(
                as_actor(ana),
                [experiment.pk],
                filter="metrics.auc > 0",
                order=order,
                max_results=size,
            )
        return counted.number

    statements(1)
    assert statements(2) == statements(25)


def test_experiments_are_found_by_name_tag_and_time(ana: User) -> None:
    actor = as_actor(ana)
    for name, tag in (("credit risk", "a"), ("churn", "b"), ("Credit scoring", "")):
        made = services.create_experiment(actor, name=name, tags=[Pair("team", tag)] if tag else [])
        services.set_experiment_tag(actor, made.pk, key="kind", value="test")

    def names(text: str, order: list[str] | None = None) -> list[str]:
        found = search.search_experiments(actor, filter=text, order=order or [], max_results=10)
        return [view.name for view in found.items]

    assert names("name LIKE 'credit%'") == ["credit risk"]
    assert sorted(names("name ILIKE 'credit%'")) == ["Credit scoring", "credit risk"]
    assert names("tags.team = 'b'") == ["churn"]
    assert names("tags.kind = 'test' AND tags.team IS NULL") == ["Credit scoring"]
    assert names("tags.kind = 'test'", ["name ASC"]) == ["Credit scoring", "churn", "credit risk"]
    assert names("creation_time > 0 AND attribute.name != 'Default'")[-1] == "credit risk"
    for bad in ("start_time > 0", "experiment_id LIKE '1'", "metrics.m > 1", "experiment_id = 'x'"):
        with pytest.raises(Invalid):
            names(bad)


def test_logged_models_are_found_by_attribute_tag_and_metric(ana: User) -> None:
    actor = as_actor(ana)
    experiment = makers.experiment(actor)
    run = makers.run(actor, experiment)
    for number in range(5):
        made = services.create_logged_model(
            actor,
            experiment_id=experiment.pk,
            name=f"model-{number}",
            source_run_id=run.run_id if number % 2 else "",
            params=[Pair("depth", str(number))],
            tags=[Pair("t", "odd" if number % 2 else "even")],
        )
        ingest.log_metric(
            actor,
            run_id=run.run_id,
            metric=Point(
                "auc", number / 10, 1, 0, made.model_id, "data" if number else "other", "x"
            ),
        )

    def names(text: str, **more: Any) -> list[str]:
        found = search.search_logged_models(actor, [experiment.pk], filter=text, **more)
        return [view.name for view in found.items]

    by_auc = [search.ModelOrder("metrics.auc", ascending=False)]
    assert names("", order=by_auc) == [f"model-{n}" for n in (4, 3, 2, 1, 0)]
    assert names("metrics.auc >= 0.3", order=by_auc) == ["model-4", "model-3"]
    assert names("name IN ('model-1', 'model-2') AND tags.t = 'odd'") == ["model-1"]
    assert names("params.depth = '3'") == ["model-3"]
    assert sorted(names(f"source_run_id = '{run.run_id}'")) == ["model-1", "model-3"]
    assert names("status = 'READY'") == []
    assert names("metrics.auc >= 0", datasets=[search.DatasetChoice("other")]) == ["model-0"]
    assert names("", datasets=[search.DatasetChoice("other", "x")]) == ["model-0"]
    services.delete_logged_model(actor, model_id=made.model_id)
    assert "model-4" not in names("")
    pages, token = [], ""
    while True:
        page = search.search_logged_models(
            actor, [experiment.pk], order=by_auc, max_results=1, page_token=token
        )
        pages += [view.name for view in page.items]
        token = page.next_token
        if not token:
            break
    assert pages == [f"model-{n}" for n in (3, 2, 1, 0)]
