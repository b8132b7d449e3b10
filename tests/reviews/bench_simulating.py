"""How long a proposed policy takes to be tried on 10,000 past reviews. Run by hand; it asserts nothing about time:

    python -m pytest -q -s tests/reviews/bench_simulating.py

Real rows in a real database: one decided review with two measurements, made by the services and copied in SQL.
"""

from __future__ import annotations

import time

import pytest
from django.db import connection, transaction

from apps.core.actor import Actor
from apps.reviews import services
from apps.reviews.reads import simulations
from tests.reviews.conftest import Cast
from tests.reviews.conftest import adam as adam  # the fixtures
from tests.reviews.conftest import cast as cast
from tests.reviews.test_policies import activate, text
from tests.reviews.test_simulating import HELD, decided, propose

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

REVIEWS = 10_000
_COPIES = (
    ("reviews_review", {}),
    ("reviews_round", {"review_id": "review_id + n * 100000"}),
    ("reviews_decision", {"review_id": "review_id + n * 100000", "round_id": "round_id + n * 100000"}),
)  # fmt: skip


def test_ten_thousand_past_reviews(cast: Cast, adam: Actor) -> None:
    activate(adam, text(**HELD), cast.vera, cast.rui)
    decided(cast, cast.vera, cast.rui, kinds=("performance", "fairness"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("ALTER TABLE reviews_decision DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE reviews_round DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE reviews_review DISABLE TRIGGER USER")
        for table, changes in _COPIES:
            _copy(cursor, table, {"id": "id + n * 100000", **changes})
        for table, _ in _COPIES:
            cursor.execute(
                "SELECT quote_ident(tgname) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = %s::regclass",
                [table],
            )
            for (trigger,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
    change = propose(adam, gates__checks={"performance": {"roc_auc": {"min": "0.90"}}})
    for _ in range(3):
        before, cpu = time.perf_counter(), time.process_time()
        services.simulate(adam, change)
        found = simulations.read(adam, change)
        assert found is not None
        assert found.reviews == REVIEWS
        print(  # noqa: T201 - what it is for
            f"| {found.reviews} reviews | {found.blocked.total} blocked | "
            f"{time.perf_counter() - before:.2f} s | {time.process_time() - cpu:.2f} s CPU |"
        )


def _copy(cursor: object, table: str, changes: dict[str, str]) -> None:
    columns = [field.column for field in _fields(table)]
    values = ", ".join(changes.get(name, name) for name in columns)
    cursor.execute(  # type: ignore[attr-defined]
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}, "  # noqa: S608
        f"generate_series(1, {REVIEWS - 1}) n"
    )


def _fields(table: str) -> list[object]:
    from django.apps import apps

    model = next(each for each in apps.get_models() if each._meta.db_table == table)
    return list(model._meta.concrete_fields)
