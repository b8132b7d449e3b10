"""How long a proposed policy takes to be tried on 10,000 past reviews. Run by hand; it asserts nothing about time:

    python -m pytest -q -s tests/reviews/bench_simulating.py

Real rows in a real database: one decided review with two measurements, made by the services and copied in SQL. Each copy
has a version of its own with measurements of its own, each result under a digest of its own: nothing is judged once
for all of them.
"""

from __future__ import annotations

import time

import pytest
from django.db import connection, transaction

from apps.checks.models import EvaluationDataset, Measurement
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
_APART = "n * 100000"
_UUID = "md5(uuid::text || n)::uuid"
# Of each table that is copied: what of a copy differs from the original.
_COPIES: dict[str, dict[str, str]] = {
    "registry_modelversion": {
        "uuid": _UUID,
        "number": "number + n * 10",
        "stage": "'None'",
        "stage_slot": "NULL",
    },
    "checks_evaluationdataset": {"uuid": _UUID, "version_id": f"version_id + {_APART}"},
    "checks_measurement": {
        "uuid": _UUID,
        "version_id": f"version_id + {_APART}",
        "key": "md5(key || n) || md5(n || key)",
        "result_digest": "md5(result_digest || n) || md5(n || result_digest)",
    },
    "reviews_review": {"version_id": f"version_id + {_APART}"},
    "reviews_round": {"review_id": f"review_id + {_APART}"},
    "reviews_decision": {"review_id": f"review_id + {_APART}", "round_id": f"round_id + {_APART}"},
}


def test_ten_thousand_past_reviews(cast: Cast, adam: Actor) -> None:
    activate(adam, text(**HELD), cast.vera, cast.rui)
    decided(cast, cast.vera, cast.rui, kinds=("performance", "fairness"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, changes in _COPIES.items():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            _copy(cursor, table, {"id": f"id + {_APART}", **changes})
        _name_their_own(cursor)
        for table in _COPIES:
            _guard_again(cursor, table)
    assert Measurement.objects.values("result_digest").distinct().count() == 2 * REVIEWS
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


def _name_their_own(cursor: object) -> None:
    """Each copied manifest names the copied data and measurements, and is signed by its own digest."""
    named = [
        str(found)
        for model in (EvaluationDataset, Measurement)
        for found in model.objects.filter(pk__lt=100_000).values_list("uuid", flat=True)
    ]
    text = "convert_from(manifest, 'UTF8')"
    for found in named:
        text = f"replace({text}, '{found}', md5('{found}' || (id / 100000))::uuid::text)"
    cursor.execute(  # type: ignore[attr-defined]
        f"UPDATE reviews_round SET manifest = convert_to({text}, 'UTF8') WHERE id > 100000;"  # noqa: S608
        "UPDATE reviews_round SET digest = encode(sha256(manifest), 'hex') WHERE id > 100000;"
        "UPDATE reviews_decision d SET evidence_digest = r.digest FROM reviews_round r WHERE r.id = d.round_id"
    )


def _guard_again(cursor: object, table: str) -> None:
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT quote_ident(tgname) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = %s::regclass",
        [table],
    )
    for (trigger,) in cursor.fetchall():  # type: ignore[attr-defined]
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")  # type: ignore[attr-defined]


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
