"""From a registered version to a verdict: the scan as a measurement of the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import gates, reconcile, selectors, services
from apps.checks.models import Measurement
from apps.core import blobs, outbox
from apps.core.errors import Forbidden, Invalid
from apps.core.models import OutboxMessage
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from tests import factories
from tests.checks.files.samples import SYSTEM, fitted, joblibbed
from tests.checks.flow import work
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)
DEMANDED = {"files": {}}


def registered(user: User, **files: bytes) -> ModelVersion:
    actor = as_actor(user)
    contents = {name.replace("__", "/").replace("_", "."): data for name, data in files.items()}
    return factories.version(actor, factories.model(actor), files=contents)


def scanned(user: User, version: ModelVersion) -> Measurement:
    services.request_measurement(as_actor(user), version, "files")
    work()
    found = selectors.latest(version, "files")
    assert found is not None
    return found


def result(version: ModelVersion, **limits: object) -> selectors.CheckResult:
    (found,) = selectors.results(version, {"files": limits})
    return found


def test_a_version_with_an_unsafe_pickle_fails_and_says_where(ana: User) -> None:
    version = registered(ana, MLmodel=b"flavors: {}\n", model_pkl=SYSTEM.stream(4))
    scanned(ana, version)
    found = result(version)
    assert found.verdict == "FAIL"
    assert (
        found.sentence
        == "1 of 2 files holds code that runs when it is loaded: model.pkl calls os.system at byte 25."
    )
    gate = gates.required_checks_pass(version, [], {"checks": DEMANDED})
    assert (gate.state, gate.fact) == ("fail", found.sentence)


def test_a_version_of_known_files_passes_and_the_ledger_agrees(ana: User) -> None:
    model = joblibbed(fitted()["random forest"], ("zlib", 3))
    version = registered(ana, MLmodel=b"flavors: {}\n", model_joblib=model)
    row = scanned(ana, version)
    assert result(version).verdict == "PASS"
    assert gates.required_checks_pass(version, [], {"checks": DEMANDED}).state == "pass"
    assert row.inputs[0]["digest"] == version.manifest_digest
    assert set(row.libraries) == {"python", "picklescan"}
    assert list(reconcile.differences()) == []


def test_a_file_of_an_unknown_kind_is_not_verified_unless_the_policy_lets_some_be(
    ana: User,
) -> None:
    version = registered(ana, weights_h5=b"\x89HDF\r\n\x1a\n" + b"\0" * 50, a_txt=b"hello")
    scanned(ana, version)
    assert result(version).verdict == "INSUFFICIENT"
    assert "weights.h5: HDF5: nothing here reads it" in result(version).sentence
    assert result(version, max_unverified=1).verdict == "PASS"


def test_a_name_on_no_list_is_inconclusive_until_the_policy_lists_it(ana: User) -> None:
    version = registered(ana, model_pkl=b"\x80\x02cmine.steps\nClipper\n)\x81.")
    scanned(ana, version)
    assert result(version).verdict == "INCONCLUSIVE"
    assert "mine.steps.Clipper" in result(version).sentence
    for allowed in ("mine.steps.Clipper", "mine.steps.*"):
        assert result(version, allow_globals=[allowed]).verdict == "PASS"
    for other in ("mine.*", "mine.steps.Clippers"):
        assert result(version, allow_globals=[other]).verdict == "INCONCLUSIVE"


def test_a_policy_cannot_let_in_what_is_known_to_be_dangerous(ana: User) -> None:
    version = registered(ana, model_pkl=SYSTEM.stream(2))
    scanned(ana, version)
    assert result(version, allow_globals=["os.system", "os.*"]).verdict == "FAIL"


@pytest.mark.parametrize(
    "limits",
    [
        {"allow_globals": ["*"]},
        {"allow_globals": ["os"]},
        {"allow_globals": ["a.b c"]},
        {"max_unverified": -1},
        {"max_unverifed": 1},
        {"allow_globals": "os.system"},
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        selectors.CheckLimits.parse({"files": limits})


def test_nothing_scanned_is_not_clean(ana: User) -> None:
    actor = as_actor(ana)
    version = registry.create_version(actor, factories.model(actor), source="s3://elsewhere/model")
    assert result(version).verdict == "NOT_RUN"
    scanned(ana, version)
    assert result(version).verdict == "INSUFFICIENT"
    assert result(version).sentence == "The version has no files, so nothing was scanned."


def test_the_same_files_and_scanner_give_the_stored_measurement_back(
    ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registered(ana, model_pkl=SYSTEM.stream(2))
    first = scanned(ana, version)
    again = services.request_measurement(as_actor(ana), version, "files")
    assert again.pk == first.pk
    newer = {"python": "3.11", "picklescan": "99"}
    monkeypatch.setattr("apps.checks.services.measurements.libraries", lambda kind="": newer)
    other = services.request_measurement(as_actor(ana), version, "files")
    assert other.pk != first.pk, "a new scanner measures again"
    assert other.status == "queued"


def test_a_damaged_file_is_an_error_and_never_clean(ana: User) -> None:
    version = registered(ana, model_txt=b"hello, world")
    path = blobs.path(version.manifest[0]["digest"])
    path.chmod(0o600)
    path.write_bytes(b"HELLO, WORLD")
    services.request_measurement(as_actor(ana), version, "files")
    work()
    assert result(version).verdict == "ERROR"
    assert "could not be measured" in result(version).sentence


def test_a_recalled_scan_no_longer_counts(ana: User, vera: User) -> None:
    version = registered(ana, a_txt=b"hello")
    row = scanned(ana, version)
    services.recall_measurement(as_actor(vera), row, reason="The scanner missed a form.")
    assert result(version).verdict == "NOT_RUN"


def test_registering_a_version_has_its_files_scanned(ana: User) -> None:
    version = registered(ana, model_pkl=SYSTEM.stream(2))
    (waiting,) = OutboxMessage.objects.filter(task="apps.checks.tasks.scan_registered")
    for _ in range(2):  # sent twice, it asks once
        with outbox.claimed(waiting.pk) as message:
            if message is not None:
                from apps.core.actor import Actor

                services.scan_registered(Actor.system("worker"), message.payload["version"])
    (row,) = Measurement.objects.filter(version=version)
    assert (row.kind, row.started_by) == ("files", ana)
    work()
    assert result(version).verdict == "FAIL"
    assert [event.payload["kind"] for event in replay("checks.measurement.done")] == ["files"]


def test_registering_a_version_without_files_asks_for_nothing(ana: User) -> None:
    actor = as_actor(ana)
    version = registry.create_version(actor, factories.model(actor), source="s3://elsewhere/model")
    assert services.scan_registered(actor, version.pk) is None
    assert not Measurement.objects.exists()


def test_somebody_without_the_right_cannot_ask_for_a_scan(ana: User, otto: User) -> None:
    version = registered(ana, a_txt=b"hello")
    with pytest.raises(Forbidden):
        services.request_measurement(as_actor(otto), version, "files")
    assert not Measurement.objects.exists()


def test_nobody_raises_the_room_above_what_the_site_allows(ana: User, settings) -> None:
    settings.CHECKS_MAX_FILE_BYTES = 1000
    version = registered(ana, a_txt=b"hello")
    row = services.request_measurement(as_actor(ana), version, "files", {"unpack_bytes": 10**12})
    assert row.params == {"unpack_bytes": 1000}


def test_the_scratch_folder_is_empty_afterwards(ana: User, settings) -> None:
    version = registered(ana, model_joblib=joblibbed({"a": "b" * 1000}, ("zlib", 3)))
    scanned(ana, version)
    assert list(Path(settings.CHECKS_SCRATCH).glob("check-*")) == []
