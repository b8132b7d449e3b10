"""What a model has measured regularly: who may say so, what starts it, once, in whose name, and what is told when it cannot."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.checks import definitions, services, tasks
from apps.checks.models import DEMANDED, DefinitionRevision, DefinitionRun, Measurement, StartReason
from apps.checks.reconcile import differences
from apps.checks.services.definitions import Draft, start
from apps.core import clock, outbox
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.core.models import OutboxMessage
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import services as reviews
from apps.reviews.in_force import demanded_checks
from apps.reviews.selectors import live_round
from tests import factories
from tests.checks.flow import attach, work
from tests.support.people import as_actor
from tests.support.triggers import triggers_off
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db

Promote = Callable[[ModelVersion], None]

ONLY_PERFORMANCE = "tests.checks.test_definitions.only_performance"
NOBODY_KNOWS = "tests.checks.test_definitions.nobody_knows"


def only_performance(_version: ModelVersion) -> list[str]:
    return ["performance", "drift"]


def nobody_knows(_version: ModelVersion) -> list[str]:
    raise RuntimeError("the words of this error are for the log")


def define(user: User, version: ModelVersion, **changes: Any) -> DefinitionRevision:
    given: dict[str, Any] = {"name": "Weekly", "kind": "performance", "on_data": True, **changes}
    return services.save_definition(as_actor(user), version.model, Draft(**given))


def change(row: DefinitionRevision, user: User, **changes: Any) -> DefinitionRevision:
    same = {
        name: getattr(row, name)
        for name in ("name", "kind", "params", "on_data", "on_registration", "every_days")
    }
    base = changes.pop("base", row.number)
    draft = Draft(**{**same, **changes})
    return services.save_definition(
        as_actor(user), row.definition.model, draft, definition=row.definition, base=base
    )


@pytest.fixture
def in_use(ana: User, vera: User, rui: User, settings: Settings) -> Callable[[ModelVersion], None]:
    """Has a version signed for and promoted; of the gates only the signatures are asked."""
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]

    def promote(version: ModelVersion) -> None:
        target = Target("stage", "production")
        review = reviews.submit(as_actor(ana), version, targets=[target], justification="why")
        for user in (vera, rui):
            actor, round_ = as_actor(user), live_round(review)
            assert round_ is not None
            reviews.decide(
                actor,
                review,
                outcome="approve",
                evidence_digest=round_.digest,
                comment="fine",
                proof=factories.proof(actor),
                no_conflict=True,
            )
        version.refresh_from_db()
        assert version.stage == "Production"

    return promote


def answered(task: str) -> int:
    """What a worker does with the open messages of a task."""

    waiting = OutboxMessage.objects.filter(
        finished_at__isnull=True, task=f"apps.checks.tasks.{task}"
    )
    for row in waiting:
        getattr(tasks, task)(row.pk)
    return len(waiting)


def runs() -> list[DefinitionRun]:
    return list(DefinitionRun.objects.order_by("pk"))


def test_new_data_are_measured_as_the_definition_says(
    version: ModelVersion, ana: User, vera: User
) -> None:
    define(vera, version, params={"draws": 10})
    data = attach(version, ana)
    assert answered("start_on_data") == 1
    [row] = Measurement.objects.all()
    assert (row.kind, row.params["draws"], row.started_by) == ("performance", 10, vera)
    [run] = runs()
    assert (run.slot, run.made, run.measurement, run.error) == (f"data {data.pk}", True, row, "")
    work()
    row.refresh_from_db()
    assert row.status == "done"


def test_each_change_and_each_start_is_in_the_ledger(version: ModelVersion, ana: User) -> None:
    row = define(ana, version)
    change(row, ana, name="Daily")
    attach(version, ana)
    answered("start_on_data")
    told = [event.type for event in reversed(audits.events_for(f"definition:{row.definition_id}"))]
    assert told == [
        "checks.definition.saved",
        "checks.definition.saved",
        "checks.definition.started",
    ]
    assert list(differences()) == []


def test_data_of_another_purpose_start_nothing_new(version: ModelVersion, ana: User) -> None:
    define(ana, version)
    attach(version, ana)
    answered("start_on_data")
    attach(version, ana, role="reference")
    answered("start_on_data")
    assert Measurement.objects.count() == 1
    assert [run.made for run in runs()] == [True, False]


def test_a_check_waits_for_the_data_that_it_lacks(version: ModelVersion, ana: User) -> None:
    define(ana, version, kind="leakage")
    attach(version, ana)
    answered("start_on_data")
    assert runs() == []
    attach(version, ana, role="reference")
    answered("start_on_data")
    assert [run.kind for run in runs()] == ["leakage"]


def test_what_the_policy_demands_is_asked_when_it_starts(
    version: ModelVersion, ana: User, settings: Settings
) -> None:
    settings.CHECKS_DEMANDED = ONLY_PERFORMANCE
    define(ana, version, kind=DEMANDED)
    attach(version, ana)
    answered("start_on_data")
    assert [run.kind for run in runs()] == ["performance"]  # drift waits for its reference


def test_the_policy_in_force_demands_what_the_gate_asks(version: ModelVersion, ana: User) -> None:

    assert demanded_checks(version) == ["performance", "fairness", "drift"]


def test_a_registered_version_is_scanned_with_the_settings_of_the_definition(
    version: ModelVersion, ana: User
) -> None:
    define(ana, version, kind="files", on_data=False, on_registration=True)
    define(ana, version, name="Other", kind="performance", on_registration=True)
    services.start_on_registration(version.pk)
    services.start_on_registration(version.pk)
    assert [run.kind for run in runs()] == ["files"]


def test_a_schedule_starts_versions_in_use_once_in_its_stretch(
    version: ModelVersion, ana: User, in_use: Promote
) -> None:
    attach(version, ana)
    define(ana, version, on_data=False, every_days=7)
    services.start_due()
    assert runs() == []  # nobody uses it
    in_use(version)
    services.start_due()
    services.start_due()
    assert [(run.reason, run.slot, run.made) for run in runs()] == [
        ("schedule", "every 7 days, 0", True)
    ]


def test_the_next_stretch_finds_the_same_measurement_at_no_cost(
    version: ModelVersion, ana: User, in_use: Promote
) -> None:
    attach(version, ana)
    row = define(ana, version, on_data=False, every_days=7)
    in_use(version)
    services.start_due()
    later = clock.now() + dt.timedelta(days=16)
    [due] = list(definitions.due(later))
    assert due.slot == "every 7 days, 2"  # what was missed is not made up for
    start(row, version, StartReason.SCHEDULE, due.slot)
    assert [run.made for run in runs()] == [True, False]
    assert Measurement.objects.count() == 1


def test_a_schedule_without_data_tells_its_error(
    version: ModelVersion, ana: User, in_use: Promote
) -> None:
    define(ana, version, on_data=False, every_days=1)
    in_use(version)
    services.start_due()
    [run] = runs()
    assert "No evaluation data are attached" in run.error
    assert run.measurement is None


def test_a_broken_definition_stops_no_other(
    version: ModelVersion, ana: User, settings: Settings
) -> None:
    settings.CHECKS_DEMANDED = NOBODY_KNOWS
    define(ana, version, name="A", kind=DEMANDED)
    define(ana, version, name="B", kind="performance", params={"against": "nope"})
    define(ana, version, name="C", kind="performance")
    attach(version, ana)
    answered("start_on_data")
    told = [(run.revision.name, run.error) for run in runs()]
    assert told[0] == ("A", "It broke off: RuntimeError.")
    assert told[1][0] == "B"
    assert "there is no column 'nope'" in told[1][1]
    assert told[2] == ("C", "")


def test_who_set_it_must_still_be_allowed(
    version: ModelVersion, ana: User, vera: User, ada: User
) -> None:
    define(vera, version)
    accounts.deactivate_user(as_actor(ada), vera, reason="left")
    attach(version, ana)
    answered("start_on_data")
    [run] = runs()
    assert "may not run checks of this model any more" in run.error
    assert Measurement.objects.count() == 0


def test_a_retired_definition_starts_nothing_and_can_be_brought_back(
    version: ModelVersion, ana: User
) -> None:
    row = change(define(ana, version), ana, retired=True)
    attach(version, ana)
    answered("start_on_data")
    assert runs() == []
    change(row, ana, retired=False)
    attach(version, ana)
    answered("start_on_data")
    assert len(runs()) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"on_data": False}, "on_data"),
        ({"every_days": 0}, "every_days"),
        ({"every_days": 367}, "every_days"),
        ({"kind": "luck"}, "kind"),
        ({"params": {"confidence": "2"}}, "confidence"),
        ({"params": {"luck": 1}}, "params"),
        ({"kind": DEMANDED, "params": {"draws": 1}}, "params"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    version: ModelVersion, ana: User, changes: dict[str, Any], field: str
) -> None:
    with nothing_written(), pytest.raises(Invalid) as refused:
        define(ana, version, **changes)
    assert field in refused.value.fields


def test_a_name_is_taken_once(version: ModelVersion, ana: User) -> None:
    define(ana, version)
    with nothing_written(), pytest.raises(Invalid, match="taken"):
        define(ana, version, name="weekly")


def test_a_save_over_somebody_elses_is_refused(
    version: ModelVersion, ana: User, vera: User
) -> None:
    row = define(ana, version)
    change(row, vera, name="Vera's")
    with nothing_written(), pytest.raises(Conflict, match="Vera Lund saved revision 2"):
        change(row, ana, name="Ana's")
    with nothing_written(), pytest.raises(Invalid, match="another definition"):
        change(row, ana, base=2, kind="fairness")


@pytest.mark.parametrize("who", ["otto", "rui"])
def test_who_may_not_run_checks_defines_none(
    version: ModelVersion, request: pytest.FixtureRequest, who: str
) -> None:
    user: User = request.getfixturevalue(who)
    with nothing_written(), pytest.raises(Forbidden):
        define(user, version)


def test_what_is_due_takes_as_many_queries_for_many(
    version: ModelVersion, ana: User, in_use: Promote, django_assert_num_queries: Any
) -> None:

    in_use(version)
    define(ana, version, every_days=1)
    with CaptureQueriesContext(connection) as few:
        assert len(list(definitions.due(clock.now()))) == 1
    for number in range(8):
        define(ana, version, name=f"n{number}", every_days=1)
    with django_assert_num_queries(len(few)):
        assert len(list(definitions.due(clock.now()))) == 9


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_start_it_once(version: ModelVersion, ana: User, in_use: Promote) -> None:
    attach(version, ana)
    define(ana, version, on_data=False, every_days=1)
    in_use(version)
    gate = threading.Barrier(2)

    def beat() -> None:
        gate.wait()
        try:
            services.start_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=beat) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(run.error, run.made) for run in runs()] == [("", True)]
    assert Measurement.objects.filter(kind="performance").count() == 1
    assert outbox.queue_state() is not None


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("checks_definitionrevision", "UPDATE checks_definitionrevision SET on_data = false, every_days = 1"),
        ("checks_definitionrevision", "UPDATE checks_definitionrevision SET params = '{\"seed\": 3}'"),
        ("checks_definitionrevision", "UPDATE checks_definitionrevision SET number = 7"),
        ("checks_definitionrun", "UPDATE checks_definitionrun SET made = NOT made"),
        ("checks_definitionrun", "DELETE FROM checks_definitionrun"),
    ],
)  # fmt: skip
def test_reconciling_names_what_was_edited(
    version: ModelVersion, ana: User, table: str, sql: str
) -> None:
    define(ana, version)
    attach(version, ana)
    answered("start_on_data")
    assert list(differences()) == []
    with triggers_off(table), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(differences())
