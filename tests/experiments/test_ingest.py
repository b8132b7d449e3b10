"""Logging to a run: all or nothing, idempotent, in the sizes and sentences of the protocol."""

from __future__ import annotations

import itertools
import math
import random
import threading
from collections.abc import Callable

import pytest
from django.db import connections

from apps.accounts.models import User
from apps.core.errors import Blocked, Forbidden, Invalid, NotFound
from apps.experiments import ingest, selectors, services
from apps.experiments.ingest import Pair, Point
from apps.experiments.models import Experiment, LatestMetric, Metric, Param, Run, RunTag
from tests.experiments import makers
from tests.experiments.statements import CountedStatements
from tests.support.people import as_actor, hire

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment(ana: User) -> Experiment:
    return makers.experiment(as_actor(ana))


@pytest.fixture
def run(ana: User, experiment: Experiment) -> Run:
    return makers.run(as_actor(ana), experiment, name="the run")


def latest(run: Run) -> dict[str, tuple[float, int, int]]:
    rows = LatestMetric.objects.filter(run=run)
    return {
        row.key: (math.nan if row.is_nan else row.value, row.timestamp, row.step) for row in rows
    }


def test_a_batch_writes_parameters_points_and_tags(ana: User, run: Run) -> None:
    ingest.log_batch(
        as_actor(ana),
        run_id=run.run_id,
        metrics=[Point("loss", 0.5, 10, 1), Point("loss", 0.25, 20, 2), Point("auc", "0.9", "5")],
        params=[Pair("lr", "0.1")],
        tags=[Pair("team", "risk"), Pair("team", "credit")],
    )
    view = selectors.run_view(as_actor(ana), run.run_id)
    assert latest(run) == {"loss": (0.25, 20, 2), "auc": (0.9, 5, 0)}
    assert Metric.objects.filter(run=run).count() == 3
    assert view.params == [("lr", "0.1")]
    assert dict(view.tags) == {"mlflow.runName": "the run", "team": "credit"}


def test_the_same_batch_again_changes_nothing(ana: User, run: Run) -> None:
    points = [Point("loss", 1 / (i + 1), i, i) for i in range(50)]
    for _ in range(3):
        ingest.log_batch(
            as_actor(ana), run_id=run.run_id, metrics=points, params=[Pair("lr", "0.1")]
        )
    assert Metric.objects.filter(run=run).count() == 50
    assert latest(run) == {"loss": (1 / 50, 49, 49)}
    assert Param.objects.filter(run=run).count() == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_latest_point_is_the_greatest_whatever_the_order(
    ana: User, run: Run, order: tuple[int, ...]
) -> None:
    points = [
        Point("m", 9.0, 100, 1),
        Point("m", 1.0, 50, 2),
        Point("m", 2.0, 50, 2),
        Point("m", 8.0, 49, 2),
    ]
    for position in order:
        ingest.log_metric(as_actor(ana), run_id=run.run_id, metric=points[position])
    assert latest(run) == {"m": (2.0, 50, 2)}


def test_one_batch_and_single_points_agree_with_a_naive_evaluation(ana: User, run: Run) -> None:
    chance = random.Random(7)  # noqa: S311 - a seeded test
    points = [
        Point(f"k{chance.randrange(5)}", chance.choice([0.0, 1.0, -1.0, math.nan]),
              chance.randrange(4), chance.randrange(4))
        for _ in range(300)
    ]  # fmt: skip
    for start in range(0, 300, 37):
        ingest.log_batch(as_actor(ana), run_id=run.run_id, metrics=points[start : start + 37])
    expected: dict[str, tuple[int, int, float]] = {}
    for point in points:
        value = 0.0 if math.isnan(float(point.value)) else float(point.value)
        place = (int(point.step or 0), int(point.timestamp), value)
        expected[point.key] = max(expected.get(point.key, place), place)
    stored = {
        row.key: (row.step, row.timestamp, row.value)
        for row in LatestMetric.objects.filter(run=run)
    }
    assert stored == expected
    distinct = {
        (p.key, p.timestamp, p.step, 0.0 if math.isnan(float(p.value)) else p.value,
         math.isnan(float(p.value)))
        for p in points
    }  # fmt: skip
    assert Metric.objects.filter(run=run).count() == len(distinct)


def test_nan_and_infinities_are_stored_as_the_protocol_has_them(ana: User, run: Run) -> None:
    ingest.log_batch(
        as_actor(ana),
        run_id=run.run_id,
        metrics=[Point("nan", "NaN", 1), Point("up", "Infinity", 1), Point("down", -math.inf, 1)],
    )
    view = {m.key: m.value for m in selectors.run_view(as_actor(ana), run.run_id).metrics}
    assert math.isnan(view["nan"])
    assert (view["up"], view["down"]) == (1.7976931348623157e308, -1.7976931348623157e308)


def test_a_parameter_never_changes_and_nothing_of_the_batch_is_kept(ana: User, run: Run) -> None:
    actor = as_actor(ana)
    ingest.log_param(actor, run_id=run.run_id, key="lr", value="0.1")
    with pytest.raises(Invalid, match=r"'old_value': '0\.1', 'new_value': '0\.2'"):
        ingest.log_batch(
            actor,
            run_id=run.run_id,
            metrics=[Point("loss", 1.0, 1)],
            params=[Pair("depth", "3"), Pair("lr", "0.2")],
            tags=[Pair("t", "v")],
        )
    with pytest.raises(Invalid, match=r"Param with key='lr' was already logged with value='0\.1'"):
        ingest.log_param(actor, run_id=run.run_id, key="lr", value="0.3")
    assert not LatestMetric.objects.filter(run=run).exists()
    assert list(Param.objects.filter(run=run).values_list("key", "value")) == [("lr", "0.1")]
    assert not RunTag.objects.filter(run=run, key="t").exists()


def test_the_name_of_a_run_and_its_tag_are_one(ana: User, run: Run) -> None:
    actor = as_actor(ana)
    ingest.set_tag(actor, run_id=run.run_id, key="mlflow.runName", value="second")
    assert selectors.get_run(run.run_id).name == "second"
    services.update_run(actor, run_id=run.run_id, name="third")
    view = selectors.run_view(actor, run.run_id)
    assert (view.name, dict(view.tags)["mlflow.runName"]) == ("third", "third")


def test_long_values_are_cut_where_the_protocol_cuts_them(ana: User, run: Run) -> None:
    ingest.log_batch(
        as_actor(ana),
        run_id=run.run_id,
        params=[Pair("p", "x" * 7000)],
        tags=[Pair("t", "y" * 9000)],
    )
    view = selectors.run_view(as_actor(ana), run.run_id)
    assert (len(dict(view.params)["p"]), len(dict(view.tags)["t"])) == (6000, 8000)
    with pytest.raises(Invalid, match="Changing param values"):
        ingest.log_param(as_actor(ana), run_id=run.run_id, key="p", value="z" * 7000)
    ingest.log_param(as_actor(ana), run_id=run.run_id, key="p", value="x" * 7000)


BAD_BATCHES = {
    "a key of 251 characters": {"metrics": [Point("x" * 251, 1.0, 1)]},
    "an absolute key": {"params": [Pair("/a", "1")]},
    "a key that climbs": {"tags": [Pair("a/../b", "1")]},
    "a key with a comma": {"metrics": [Point("a,b", 1.0, 1)]},
    "a key with a line break": {"tags": [Pair("a\n", "1")]},
    "a negative time": {"metrics": [Point("m", 1.0, -1)]},
    "a time beyond 64 bits": {"metrics": [Point("m", 1.0, 2**63)]},
    "a step beyond 64 bits": {"metrics": [Point("m", 1.0, 1, -(2**63) - 1)]},
    "a value that is no number": {"metrics": [Point("m", "high", 1)]},
    "a NUL in a parameter": {"params": [Pair("p", "a\x00b")]},
    "a NUL in a tag": {"tags": [Pair("t", "a\x00b")]},
    "1001 metrics": {"metrics": [Point("m", 1.0, i) for i in range(1001)]},
    "101 parameters": {"params": [Pair(f"p{i}", "1") for i in range(101)]},
    "101 tags": {"tags": [Pair(f"t{i}", "1") for i in range(101)]},
    "one parameter twice": {"params": [Pair("p", "1"), Pair("p", "1")]},
}


@pytest.mark.parametrize("batch", BAD_BATCHES.values(), ids=BAD_BATCHES.keys())
def test_a_bad_batch_is_refused_and_leaves_nothing(
    ana: User, run: Run, batch: dict[str, list[object]]
) -> None:
    good: dict[str, list[object]] = {
        "metrics": [Point("fine", 1.0, 1)],
        "params": [Pair("fine", "1")],
    }
    mixed = {kind: [*good.get(kind, []), *items] for kind, items in batch.items()}
    with pytest.raises(Invalid):
        ingest.log_batch(as_actor(ana), run_id=run.run_id, **mixed)  # type: ignore[arg-type]
    assert not Metric.objects.filter(run=run).exists()
    assert not Param.objects.filter(run=run).exists()
    assert RunTag.objects.filter(run=run).count() == 1


WRITES: dict[str, Callable[..., object]] = {
    "a batch": lambda a, r: ingest.log_batch(a, run_id=r, metrics=[Point("m", 1.0, 1)]),
    "a metric": lambda a, r: ingest.log_metric(a, run_id=r, metric=Point("m", 1.0, 1)),
    "a parameter": lambda a, r: ingest.log_param(a, run_id=r, key="p", value="1"),
    "a tag": lambda a, r: ingest.set_tag(a, run_id=r, key="t", value="1"),
    "a tag's removal": lambda a, r: ingest.delete_tag(a, run_id=r, key="mlflow.runName"),
    "an end": lambda a, r: services.update_run(a, run_id=r, status="FINISHED"),
    "a data set": lambda a, r: services.log_inputs(
        a,
        run_id=r,
        datasets=[services.InputClaim(services.DatasetClaim("d", "x", "local", "s"), [])],
    ),
    "an output": lambda a, r: services.log_outputs(a, run_id=r, models=[]),
    "a file": lambda a, r: makers.file(a, selectors.get_run(r), "f.txt"),
    "a file's removal": lambda a, r: services.delete_artifacts(a, selectors.get_run(r)),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_who_may_not_write_is_refused(
    ana: User, otto: User, run: Run, write: Callable[..., object]
) -> None:
    reader = hire("rita", "Rita", "viewer")
    before = selectors.run_digest(run)
    with pytest.raises(NotFound, match="not found"):
        write(as_actor(otto), run.run_id)
    with pytest.raises(Forbidden, match=r"experiment\.write"):
        write(as_actor(reader), run.run_id)
    with pytest.raises(Forbidden, match="scope"):
        write(as_actor(ana, scopes={"read"}), run.run_id)
    assert selectors.run_digest(selectors.get_run(run.run_id)) == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_deleted_run_takes_nothing(ana: User, run: Run, write: Callable[..., object]) -> None:
    services.delete_run(as_actor(ana), run_id=run.run_id)
    with pytest.raises(Invalid, match="deleted"):
        write(as_actor(ana), run.run_id)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_sealed_run_takes_nothing_and_names_the_review(
    ana: User, run: Run, write: Callable[..., object]
) -> None:
    actor = as_actor(ana)
    sealed = services.seal_run(actor, makers.ended(actor, run), review_id=41)
    before = selectors.run_digest(sealed)
    with pytest.raises(Blocked) as refusal:
        write(actor, run.run_id)
    assert refusal.value.url.endswith("/reviews/41/")
    assert selectors.run_digest(selectors.get_run(run.run_id)) == before


def test_every_writer_becomes_an_author_by_credential(ana: User, experiment: Experiment) -> None:
    bo, cy = hire("bo", "Bo", "contributor"), hire("cy", "Cy", "contributor")
    run = makers.run(as_actor(ana), experiment)
    ingest.set_tag(as_actor(bo), run_id=run.run_id, key="mlflow.user", value="somebody else")
    makers.file(as_actor(cy), run, "model.pkl")
    assert selectors.run_authors(run) == {ana.pk, bo.pk, cy.pk}
    services.delete_artifacts(as_actor(ana), run)
    assert selectors.run_authors(run) == {ana.pk, bo.pk, cy.pk}


def test_a_batch_of_metrics_costs_the_same_statements_whatever_its_size(
    ana: User, run: Run
) -> None:
    def statements(size: int, offset: int) -> int:
        """As the database counts them: prepared once, executed once each."""
        points = [Point(f"k{i}", 1.0, offset + i, i) for i in range(size)]
        with CountedStatements() as counted:
            ingest.log_batch(as_actor(ana), run_id=run.run_id, metrics=points)
        return counted.number

    statements(5, 0)
    assert statements(1, 10) == statements(1000, 10_000)


@pytest.mark.django_db(transaction=True)
def test_writers_that_meet_on_one_run_all_succeed_and_the_latest_is_right(ana: User) -> None:
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor))
    failures: list[BaseException] = []

    def write(worker: int) -> None:
        try:
            keys = [f"k{i}" for i in range(20)]
            random.Random(worker).shuffle(keys)  # noqa: S311 - a seeded test
            for step in range(10):
                ingest.log_batch(
                    actor,
                    run_id=run.run_id,
                    metrics=[Point(key, float(worker), step, step * 8 + worker) for key in keys],
                    tags=[Pair(key, str(worker)) for key in keys]
                    + ([Pair("mlflow.runName", f"by {worker}")] if step == worker else []),
                )
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {row.step for row in LatestMetric.objects.filter(run=run)} == {9 * 8 + 5}
    assert Metric.objects.filter(run=run).count() == 6 * 10 * 20


@pytest.mark.django_db(transaction=True)
def test_a_seal_comes_wholly_before_or_wholly_after_each_write(ana: User) -> None:
    """Whatever the digest of the seal covers is what the run holds afterwards."""
    actor = as_actor(ana)
    experiment = makers.experiment(actor)
    for _ in range(10):
        run = makers.ended(actor, makers.run(actor, experiment))
        ready = threading.Barrier(2)
        refused: list[str] = []

        def write(
            run: Run = run, ready: threading.Barrier = ready, refused: list[str] = refused
        ) -> None:
            try:
                ready.wait()
                for step in range(40):
                    ingest.log_metric(actor, run_id=run.run_id, metric=Point("m", 1.0, step, step))
            except Blocked as error:
                refused.append(error.url)
            finally:
                connections.close_all()

        thread = threading.Thread(target=write)
        thread.start()
        ready.wait()
        services.seal_run(actor, run, review_id=7)
        sealed = selectors.run_digest(selectors.get_run(run.run_id))
        thread.join()
        assert selectors.run_digest(selectors.get_run(run.run_id)) == sealed
        assert refused in ([], ["http://localhost:8000/reviews/7/"])
