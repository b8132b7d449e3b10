"""A large check counted in pieces: the same result as at once, whoever counts what, however often, whatever happens."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from pytest_django import Settings

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import kinds, progress, reconcile, selectors, services
from apps.checks.engine import parts
from apps.checks.kinds.base import Task
from apps.checks.models import Measurement, MeasurementPiece
from apps.checks.services import inputs
from apps.checks.statistics import from_data, to_data
from apps.core import blobs, clock, outbox
from apps.core.models import OutboxMessage
from apps.registry.models import ModelVersion
from tests import factories
from tests.checks import flow
from tests.checks.support import data_set, parquet, parquet_bytes, workshop
from tests.support.people import as_actor
from tests.support.races import at_once

COLUMNS = [f"n{place}" for place in range(6)]
MEANING = {"features": [*COLUMNS, "word"], "sensitive": ["group", "all_one"], "score": "n0"}


def frame(seed: int, rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    found = pd.DataFrame(rng.normal(seed / 5, 1, (rows, len(COLUMNS))), columns=COLUMNS)
    found["word"] = rng.choice(["a", "b", None], rows)
    found["group"] = rng.choice(["f", "m"], rows)
    found["all_one"] = "x"
    found["note"] = rng.choice(["ring 030 901820", "mail ada@example.org", "nothing"], rows)
    found["day"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, rows), "D")
    return found


def task(folder: Path, kind: str) -> Task:
    current = data_set(parquet(frame(2), folder, "two.parquet"), time="day", **MEANING)
    reference = data_set(parquet(frame(1), folder, "one.parquet"), **MEANING)
    return Task(workshop(), (reference, current) if kind == "drift" else (current,))


DIVIDED = [kind for kind in kinds.registered().values() if kind.divided is not None]


def test_the_kinds_that_go_through_columns_one_by_one_are_divided() -> None:
    assert {kind.key for kind in DIVIDED} == {"drift", "proxy", "pii"}


@pytest.mark.parametrize("kind", DIVIDED, ids=lambda kind: kind.key)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=strategies.sets(strategies.integers(1, 20), max_size=6))
def test_pieces_put_together_are_the_whole(kind: Any, tmp_path: Path, cuts: set[int]) -> None:
    asked, params = task(tmp_path, kind.key), kind.checked(kind.params())
    whole, result = kind.run(asked, params)
    divided = kind.divided
    units = divided.units(asked, params)
    places = [0, *sorted(cut for cut in cuts if cut < units), units]
    counted = [
        # through JSON, as they are stored in between
        from_data(to_data(divided.count(asked, params, range(first, after))), divided.statistics)
        for first, after in itertools.pairwise(places)
    ]
    together = divided.join(counted)
    assert to_data(together) == to_data(whole)
    assert to_data(divided.measure(together, params)) == to_data(result)


def test_what_is_too_much_for_the_whole_is_too_much_for_its_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MOST_CELLS", 100)  # a piece stays below, all together do not
    kind = kinds.get("drift")
    assert kind.divided is not None
    asked, params = task(tmp_path, "drift"), kind.params()
    whole, _ = kind.run(asked, params)
    pieces = [kind.divided.count(asked, params, range(n, n + 1)) for n in range(7)]
    assert to_data(kind.divided.join(pieces)) == to_data(whole)
    assert not pieces[0].slices[0].refused
    assert kind.divided.join(pieces).slices[0].refused == parts.TOO_MANY_CELLS


# --- stored, handed out, worked off -------------------------------------------------------------


@pytest.fixture
def pieces(settings: Settings) -> None:
    """Every piece is two columns of both data sets or so."""
    settings.CHECKS_PIECE_VALUES = 1_600


def asked(version: ModelVersion, user: User) -> Measurement:
    for seed, role in ((1, "reference"), (2, "current")):
        services.attach_dataset(
            as_actor(user),
            version,
            role=role,
            mapping=MEANING | ({"time": "day"} if role == "current" else {}),
            stream=parquet_bytes(frame(seed)),
        )
    return services.request_measurement(as_actor(user), version, "drift")


def waiting(task_name: str) -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(finished_at=None, task__endswith=task_name))


def count(row: OutboxMessage) -> None:
    with outbox.claimed(row.pk) as message:
        if message is not None:
            services.run_piece(message)


@pytest.mark.django_db
def test_the_pieces_give_what_one_worker_alone_would(
    version: ModelVersion, ana: User, settings: Settings
) -> None:
    settings.CHECKS_PIECE_VALUES = 1_600
    row = asked(version, ana)
    flow.work()
    rows = list(row.pieces.order_by("number"))
    assert [(piece.first, piece.after) for piece in rows] == [(0, 1), (1, 3), (3, 5), (5, 7)]
    assert (len(waiting("run_piece")), waiting("run_measurement")) == (4, [])
    for message in reversed(waiting("run_piece")):
        count(message)
    row.refresh_from_db()
    assert (row.status, row.pieces.filter(counts=None).count()) == ("running", 0)
    assert flow.work() == 1  # whoever counted the last piece had it put together
    row.refresh_from_db()
    assert (row.status, MeasurementPiece.objects.count()) == ("done", 0)

    settings.CHECKS_PIECE_VALUES = 10**9
    other = factories.version(as_actor(ana), factories.model(as_actor(ana), "another"))
    alone = asked(other, ana)
    flow.work()
    alone.refresh_from_db()
    assert (row.key, row.result_digest) == (alone.key, alone.result_digest)
    assert (row.statistics, row.result) == (alone.statistics, alone.result)
    assert list(reconcile.differences()) == []


@pytest.mark.django_db
def test_done_twice_nothing_is_counted_twice(
    version: ModelVersion, ana: User, pieces: None
) -> None:
    row = asked(version, ana)
    flow.work()
    again = OutboxMessage.objects.get(task__endswith="run_measurement")
    for _ in range(2):  # the message that handed them out comes again
        services.run_measurement(again)
    assert row.pieces.count() == 4
    first = waiting("run_piece")[0]
    for _ in range(2):
        services.run_piece(first)
    assert row.pieces.exclude(counts=None).count() == 1
    for message in waiting("run_piece"):
        count(message)
    assert flow.work() == 1
    services.run_piece(first)  # its row is gone by now
    done = [event.payload["measurement"] for event in replay("checks.measurement.done")]
    assert done == [row.pk]


@pytest.mark.django_db(transaction=True)
def test_the_last_two_at_once_have_it_put_together_once(
    version: ModelVersion, ana: User, pieces: None
) -> None:
    row = asked(version, ana)
    flow.work()
    *before, one, two = waiting("run_piece")
    for message in before:
        count(message)
    assert at_once(lambda: count(one), lambda: count(two)) == [None, None]
    assert len(waiting("run_measurement")) == 1
    flow.work()
    row.refresh_from_db()
    assert row.status == "done"


@pytest.mark.django_db
def test_progress_is_that_of_all_pieces(version: ModelVersion, ana: User, pieces: None) -> None:
    row = asked(version, ana)
    flow.work()
    limits = {"drift": {"psi": {"max": "0.25"}}}
    for expected in (0, 1, 3, 5):
        row.refresh_from_db()
        (found,) = selectors.results(version, limits)
        assert f": {expected} of 7 columns" in found.sentence
        count(waiting("run_piece")[0])


def test_what_is_left_is_told_from_the_pace_so_far() -> None:
    row = Measurement(
        progress={"done": 10, "of": 40, "what": "columns"}, inputs=[{"rows": 1_000_000}]
    )
    assert progress.of(row) == ": 10 of 40 columns of 1\u00a0000\u00a0000 rows"
    for seconds, said in (
        (1, "a few seconds"),
        (10, "about 30 seconds"),
        (200, "about 10 minutes"),
    ):
        row.started_at = clock.now() - dt.timedelta(seconds=seconds)
        assert progress.of(row).endswith(f" rows, {said} left")
    row.progress = {}
    assert progress.of(row) == ""


@pytest.mark.django_db
def test_taken_back_in_the_middle_it_leaves_no_pieces(
    version: ModelVersion, ana: User, pieces: None
) -> None:
    row = asked(version, ana)
    flow.work()
    count(waiting("run_piece")[0])
    services.cancel_measurement(as_actor(ana), row)
    assert not MeasurementPiece.objects.exists()
    for message in waiting("run_piece"):
        count(message)
    row.refresh_from_db()
    assert (row.status, waiting("run_piece"), waiting("run_measurement")) == ("cancelled", [], [])


@pytest.mark.django_db
def test_bytes_that_changed_between_two_pieces_give_no_result(
    version: ModelVersion, ana: User, pieces: None
) -> None:
    row = asked(version, ana)
    flow.work()
    for message in waiting("run_piece"):
        count(message)
    path = blobs.path(inputs.rows_of(row)[1].digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    flow.work()
    row.refresh_from_db()
    assert (row.status, row.result) == ("error", None)
    assert "changed" in row.error or "digest" in row.error
    assert not MeasurementPiece.objects.exists()


@pytest.mark.django_db
def test_a_piece_that_cannot_be_counted_ends_the_whole_with_the_reason(
    version: ModelVersion, ana: User, pieces: None
) -> None:
    row = asked(version, ana)
    flow.work()
    path = blobs.path(inputs.rows_of(row)[1].digest)
    path.chmod(0o644)
    path.write_bytes(b"PAR1" + bytes(2000) + b"PAR1")
    first, *others = waiting("run_piece")
    count(first)
    row.refresh_from_db()
    assert (row.status, row.error) == (
        "error",
        "the file cannot be read: damaged or truncated Parquet",
    )
    for message in others:
        count(message)
    assert (waiting("run_piece"), waiting("run_measurement")) == ([], [])
    again = services.request_measurement(as_actor(ana), version, "drift")
    assert again.pk != row.pk


@pytest.mark.django_db
def test_a_piece_that_kills_every_worker_is_given_up_and_said(
    version: ModelVersion, ana: User, pieces: None, settings: Settings
) -> None:
    row = asked(version, ana)
    flow.work()
    message = waiting("run_piece")[0]
    # as it stands after the workers of all earlier attempts were lost
    OutboxMessage.objects.filter(pk=message.pk).update(attempts=settings.OUTBOX_MAX_ATTEMPTS - 1)
    count(message)
    row.refresh_from_db()
    assert row.status == "error"
    assert row.error.startswith("The worker was lost during each attempt")
