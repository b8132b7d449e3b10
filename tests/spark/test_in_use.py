"""A site that counts elsewhere: its results say so, are those of a site that counts locally, and come out again."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from apps.accounts.models import User
from apps.checks import services
from apps.checks.models import EvaluationDataset, Measurement, MeasurementStatus
from apps.registry.models import ModelVersion
from tests.checks.conftest import version as version  # the fixture
from tests.checks.flow import attach, done, work
from tests.checks.support import ACS, DEMO
from tests.checks.test_rechecking import recheck
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def attached(version: ModelVersion, ana: User) -> EvaluationDataset:
    data = BytesIO((DEMO / "acs_employment_ma_2018.parquet").read_bytes())
    return attach(version, ana, stream=data, mapping=ACS)


def asked(version: ModelVersion, ana: User, kind: str) -> Measurement:
    row = services.request_measurement(as_actor(ana), version, kind)
    work()
    row.refresh_from_db()
    return row


def test_a_result_says_what_counted_it_and_is_that_of_the_local_engine(
    address: str, version: ModelVersion, ana: User, vera: User, attached: EvaluationDataset, settings: Any
):  # fmt: skip
    local = done(version, ana, "fairness")
    settings.CHECKS_ENGINE = address
    elsewhere = done(version, ana, "fairness")
    assert elsewhere.pk != local.pk
    assert elsewhere.key != local.key
    assert "engine" not in local.libraries
    assert elsewhere.libraries["engine"] == address.partition("://")[0]
    assert (elsewhere.statistics, elsewhere.result) == (local.statistics, local.result)
    again = services.request_measurement(as_actor(ana), version, "fairness")
    assert again.pk == elsewhere.pk, "the same question is answered from the stored row"
    found = recheck(vera, elsewhere)
    assert (found.outcome, found.reason) == ("equal", "")
    assert found.libraries == elsewhere.libraries


def test_a_result_of_another_engine_does_not_count_as_measured_now(
    address: str, version: ModelVersion, ana: User, attached: EvaluationDataset, settings: Any
):
    row = services.request_measurement(as_actor(ana), version, "fairness")
    settings.CHECKS_ENGINE = address
    work()
    row.refresh_from_db()
    assert row.status == MeasurementStatus.ERROR
    assert "ask again" in row.error


def test_data_that_are_not_counted_there_end_in_an_error_with_the_reason(
    address: str, version: ModelVersion, ana: User, settings: Any
):
    settings.CHECKS_ENGINE = address
    attach(version, ana)  # a CSV
    row = asked(version, ana, "fairness")
    assert row.status == MeasurementStatus.ERROR
    assert "attach the data as Parquet" in row.error
    assert row.result is None


def test_a_check_that_counts_in_the_worker_does_so_whatever_the_setting(
    address: str, version: ModelVersion, ana: User, settings: Any
):
    settings.CHECKS_ENGINE = address
    attach(version, ana)
    row = done(version, ana, "proxy")
    assert "engine" not in row.libraries
