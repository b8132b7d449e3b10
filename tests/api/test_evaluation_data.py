"""What the unmodified client logs as data can be attached and gives the numbers of the rows that were logged."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from apps.checks import loggedinputs, origins, selectors, services
from apps.core.errors import Invalid
from apps.experiments import selectors as experiments
from apps.registry.models import ModelVersion
from tests import factories
from tests.api.server import Server
from tests.checks.flow import work
from tests.checks.support import DEMO, GERMAN
from tests.support.people import as_actor

pytestmark = pytest.mark.timeout(240)
CREDIT = DEMO / "german_credit_predictions.csv"


def _attach(user: User, version: ModelVersion, **changes: Any) -> Any:
    given = {"role": "evaluation", "mapping": GERMAN, "favourable": 1} | changes
    return services.attach_dataset(as_actor(user), version, **given)


def _measured(user: User, version: ModelVersion, kind: str = "fairness") -> tuple[Any, Any]:
    services.request_measurement(as_actor(user), version, kind)
    work()
    row = selectors.latest(version, kind)
    assert row is not None
    return row.statistics, row.result


def test_folders_and_tables_of_the_client_are_measured_like_the_file_they_were_made_of(
    server: Server, token: str, ana: User
) -> None:
    seen = server.client("evaluation_data", token, str(CREDIT))
    run = experiments.get_run(seen["run"])
    assert experiments.logged_tables(run) == [
        "eval/nested.json", "eval/table.json", "eval/table.parquet",
    ]  # fmt: skip
    version = factories.version(as_actor(ana), factories.model(as_actor(ana)), run=run)
    with CREDIT.open("rb") as stream:
        _attach(ana, version, stream=stream)
    expected = _measured(ana, version)
    parts = {"eval/scored": 3, "eval/table.json": 0, "eval/table.parquet": 0}
    for artifact, count in parts.items():
        row = _attach(ana, version, artifact=artifact)
        assert (row.rows, row.parts) == (1000, count), artifact
        assert _measured(ana, version) == expected, artifact
    _inputs_are_taken_or_refused_with_the_reason(ana, version, expected)
    with pytest.raises(Invalid, match="column 'tokens', row 1: a list or object"):
        _attach(ana, version, artifact="eval/nested.json")


def _inputs_are_taken_or_refused_with_the_reason(
    user: User, version: ModelVersion, expected: tuple[Any, Any]
) -> None:
    assert version.run is not None
    inputs = {each.name: each for each in loggedinputs.of_run(as_actor(user), version.run)}
    reasons = {name: each.place.why_not.partition(";")[0] for name, each in inputs.items()}
    assert reasons == {
        "by run": "",
        "by place": "",
        "local": "a path on the machine of the client",
        "web": "an address in the network",
        "code": "no place is noted, only what made it",
    }
    for name in ("by run", "by place"):
        row = _attach(user, version, logged_input=inputs[name].key)
        assert (row.name, row.rows) == (name, 1000)
        assert f"digest {inputs[name].digest}, says the client" in origins.told(row.source)
        assert _measured(user, version) == expected, name
    with pytest.raises(Invalid, match="a path on the machine of the client"):
        _attach(user, version, logged_input=inputs["local"].key)
