"""How a measurement stands afterwards: assessed, recalled, replaced, guarded, reconciled."""

from __future__ import annotations

import pandas as pd
import pytest
from django.db import connection, transaction

from apps.checks import gates, reconcile, selectors, services
from apps.checks.models import Measurement
from apps.checks.verdicts import Verdict
from apps.core.errors import Conflict, Forbidden, Invalid
from tests.checks.flow import LIMITS, attach, done
from tests.checks.support import DEMO, csv_bytes
from tests.support.people import as_actor
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)


def test_assessing_needs_no_new_measurement(version, ana):
    attach(version, ana)
    done(version, ana)
    done(version, ana, "fairness")
    strict = {**LIMITS, "performance": {"roc_auc": {"min": "0.90"}}}
    first, strict_one = (selectors.results(version, limits) for limits in (LIMITS, strict))
    assert [result.verdict for result in first] == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert strict_one[0].verdict is Verdict.FAIL
    assert strict_one[0].measurement == first[0].measurement
    assert Measurement.objects.count() == 2


def test_a_recalled_measurement_is_kept_marked_and_counts_no_more(version, ana, vera):
    attach(version, ana)
    measured = done(version, ana)
    services.recall_measurement(as_actor(vera), measured, reason="wrong file")
    kept = Measurement.objects.get()
    assert (kept.status, kept.recall_reason, kept.result) == (
        "recalled",
        "wrong file",
        measured.result,
    )
    result = selectors.results(version, LIMITS)[0]
    assert result.verdict is Verdict.NOT_RUN
    assert "wrong file" in result.sentence
    assert [row.pk for row in selectors.recalled([str(measured.uuid)])] == [measured.pk]
    with pytest.raises(Conflict):
        services.recall_measurement(as_actor(vera), kept, reason="again")
    assert list(reconcile.differences()) == []
    assert done(version, ana).pk != measured.pk


def test_a_contributor_cannot_recall(version, ana):
    attach(version, ana)
    measured = done(version, ana)
    with pytest.raises(Forbidden):
        services.recall_measurement(as_actor(ana), measured, reason="I do not like it")
    assert Measurement.objects.get().status == "done"


def test_a_recall_wants_a_reason(version, ana, vera):
    attach(version, ana)
    measured = done(version, ana)
    with pytest.raises(Invalid) as refusal:
        services.recall_measurement(as_actor(vera), measured, reason="  ")
    assert "reason" in refusal.value.fields


def test_new_data_make_an_old_result_not_run(version, ana):
    attach(version, ana)
    done(version, ana)
    frame = pd.read_csv(DEMO / "german_credit_predictions.csv").head(500)
    attach(version, ana, stream=csv_bytes(frame))
    result = selectors.results(version, LIMITS)[0]
    assert result.verdict is Verdict.NOT_RUN
    assert "replaced" in result.sentence


def test_the_gate_says_what_is_missing_and_passes_when_it_is_there(version, ana):
    terms = {"checks": {"performance": {"roc_auc": {"min": "0.70"}}}, "card_complete": True}
    assert gates.required_checks_pass(version, [], terms).state == "missing"
    attach(version, ana)
    done(version, ana)
    answer = gates.required_checks_pass(version, [], terms)
    assert answer.state == "pass"
    assert "ROC AUC 0.786" in answer.fact
    assert gates.required_checks_pass(version, [], {"checks": LIMITS}).state == "missing"
    assert gates.required_checks_pass(version, [], {"checks": {}}).state == "fail"
    assert gates.required_checks_pass(version, [], {}).state == "fail"
    wrong = {"checks": {"performance": {"roc_auc": {"min": "high"}}}}
    assert gates.required_checks_pass(version, [], wrong).state == "fail"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE checks_measurement SET result = '{}'",
        "UPDATE checks_measurement SET status = 'queued'",
        "UPDATE checks_measurement SET key = repeat('0', 64)",
        "DELETE FROM checks_measurement",
        "TRUNCATE checks_measurement CASCADE",
        "UPDATE checks_evaluationdataset SET rows = 1",
        "DELETE FROM checks_evaluationdataset",
    ],
)
def test_the_database_refuses_to_change_what_was_measured(version, ana, change):
    attach(version, ana)
    done(version, ana)
    with (
        pytest.raises(Exception, match=r"append-only|recalled|never removed|cannot change"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert list(reconcile.differences()) == []


def test_reconciling_names_rows_that_were_edited_behind_the_triggers(version, ana):
    data = attach(version, ana)
    measured = done(version, ana)
    tables = ("checks_measurement", "checks_evaluationdataset")
    with triggers_off(*tables), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE checks_measurement SET result = jsonb_set(result, '{metrics,accuracy,value}', '\"0.99\"')"
        )
        cursor.execute("UPDATE checks_evaluationdataset SET rows = 999")
    named = {difference.subject for difference in reconcile.differences()}
    assert named == {f"measurement:{measured.pk}", f"dataset:{data.pk}"}
