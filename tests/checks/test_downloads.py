"""A result as a file: JSON whose digest follows from the file alone, and CSV of what its page shows."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import exact, kinds, records, services
from apps.checks import selectors as checks
from apps.checks.kinds.base import Kind
from apps.checks.models import Measurement
from apps.core import canonical
from apps.core.errors import Conflict
from apps.registry.models import ModelVersion
from apps.reviews.reads import measurement_sheet
from tests.checks.flow import attach, done
from tests.checks.support import ROLES
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db

EVIL = '=HYPERLINK("http://x")'
DATA = ["performance", "fairness", "bias_audit", "proxy", "quality", "pii"]


def _csv(frame: pd.DataFrame) -> io.BytesIO:
    return io.BytesIO(frame.to_csv(index=False).encode())


@pytest.fixture
def measured(version: ModelVersion, ana: User) -> Measurement:
    attach(version, ana)
    return done(version, ana, "fairness")


def get(user: User, row: Measurement, ending: str) -> Any:
    client: Client = browser(user)
    return client.get(f"/models/credit/1/checks/{row.uuid}/result.{ending}")


def sheet(version: ModelVersion, row: Measurement) -> list[dict[str, str]]:
    data = b"".join(measurement_sheet.written(version, row)).decode("utf-8")
    return list(csv.DictReader(io.StringIO(data)))


def test_an_auditor_computes_the_digest_from_the_file_alone(
    measured: Measurement, ana: User, tmp_path: Path
) -> None:
    """By the very lines that docs/checks/index.md gives, in a Python that knows nothing of this site."""
    page = (Path(settings.BASE_DIR) / "docs/checks/index.md").read_text()
    (lines,) = re.findall(r"```python\n(.+?)```", page, re.DOTALL)
    assert len(lines.splitlines()) == 3
    answer = get(ana, measured, "json")
    (tmp_path / "result.json").write_bytes(answer.getvalue())

    def told() -> list[str]:
        command = [sys.executable, "-I", "-S", "-c", lines]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.split()

    assert told() == [measured.result_digest] * 2
    found = json.loads((tmp_path / "result.json").read_bytes())
    found["statistics"]["rows"]["total"] += 1
    (tmp_path / "result.json").write_bytes(canonical.dumps(found))
    stored, computed = told()
    assert stored == measured.result_digest != computed


def test_the_file_is_canonical_and_says_where_it_comes_from(
    measured: Measurement, version: ModelVersion, ana: User
) -> None:
    answer = get(ana, measured, "json")
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == 'attachment; filename="credit-v1-fairness.json"'
    data = answer.getvalue()
    found = json.loads(data)
    assert canonical.dumps(found) == data
    assert found["key"] == canonical.digest_of(
        {
            "kind": found["kind"],
            "params": found["params"],
            "inputs": found["inputs"],
            "code": found["code_version"],
            "libraries": found["libraries"],
        }
    )
    told = found["provenance"]
    assert (told["model"], told["version"]) == ("credit", 1)
    assert told["manifest_digest"] == version.manifest_digest
    assert told["asked_by"]["name"] == str(ana)
    assert told["finished_at"].endswith("+00:00")


def test_the_digest_is_the_one_in_the_ledger(measured: Measurement) -> None:
    (event,) = replay("checks.measurement.done")
    assert event.payload["result_digest"] == measured.result_digest


@pytest.mark.parametrize("kind", DATA)
def test_the_tables_of_the_page_stand_in_the_csv_with_every_number(
    version: ModelVersion, ana: User, kind: str
) -> None:
    attach(version, ana)
    row = done(version, ana, kind)
    page = browser(ana).get(f"/models/credit/1/checks/{row.uuid}/").content.decode()
    lines = sheet(version, row)
    captions = {each["table"] for each in lines if each["line"] == "head"}
    shown = {html.unescape(each).strip() for each in re.findall(r"<caption[^>]*>([^<]+)", page)}
    assert shown
    assert shown <= captions
    stored = [each for each in lines if each["table"] == "Every number as stored"]
    expected = list(exact.numbers(checks.result_of(row)))
    assert [each["1"] for each in stored if each["line"] == "row"] == [path for path, _ in expected]
    facts = {each["1"]: each["2"] for each in lines if each["line"] == "fact"}
    assert facts["Digest of key, counts and result"] == row.result_digest
    assert facts["Data, evaluation"] == row.inputs[0]["digest"]
    assert facts["Rows of the data, evaluation"] == "1000"


def test_a_scan_of_files_names_its_manifest_and_has_no_empty_table(
    version: ModelVersion, ana: User
) -> None:
    row = done(version, ana, "files")
    lines = sheet(version, row)
    facts = {each["1"]: each["2"] for each in lines if each["line"] == "fact"}
    assert facts["Manifest of the files"] == version.manifest_digest
    heads = {each["table"] for each in lines if each["line"] == "head"}
    assert heads == {each["table"] for each in lines if each["line"] == "row"}


def test_denominators_formulas_and_the_reference_group_are_in_it(
    measured: Measurement, version: ModelVersion
) -> None:
    lines = sheet(version, measured)
    by_number = {each["1"]: each for each in lines if each["table"] == "Every number as stored"}
    group = by_number["groupings[sex].groups[female].rates.true_positive_rate"]
    result: Any = checks.result_of(measured)
    truth = next(g for g in result.find(["sex"]).groups if g.label == "female")
    assert (int(group["5"]), int(group["6"])) == (truth.tp, truth.tp + truth.fn)
    assert float(group["2"]) == truth.tp / (truth.tp + truth.fn)
    assert group["8"] == "Wilson"
    formulas = {each["1"]: each["2"] for each in lines if each["table"] == "Formulas"}
    assert formulas["Selection rate"] == "predicted favourable / n, per group"
    notes = [
        each["1"]
        for each in lines
        if each["table"] == "Selection by sex" and each["line"] == "note"
    ]
    assert any("minus that of male" in note for note in notes)
    limits = [
        each for each in lines if each["table"].startswith("Against") and each["line"] == "row"
    ]
    assert limits
    assert all(each["3"] in {"PASS", "FAIL", "INCONCLUSIVE", "INSUFFICIENT"} for each in limits)


def test_numbers_are_numbers_and_every_record_is_as_wide(
    measured: Measurement, version: ModelVersion
) -> None:
    data = b"".join(measurement_sheet.written(version, measured)).decode("utf-8")
    rows = list(csv.reader(io.StringIO(data)))
    assert len({len(row) for row in rows}) == 1
    selection = [r for r in rows if r[:2] == ["Selection by sex", "row"]]
    assert [float(r[3]) for r in selection]
    signed = [r[6] for r in selection if r[6] != "reference"]
    assert all(re.fullmatch(r"[+-]?\d+\.\d+", each) for each in signed), signed
    assert "<" not in data.replace("< 0.001", "").replace("(p <", "")


def test_what_comes_from_the_data_is_no_formula(version: ModelVersion, ana: User) -> None:
    frame = pd.DataFrame(
        {"y": [1, 0] * 60, "p": [1, 1, 0] * 40, "=g": [EVIL, "@b", "+c;=d", "-3"] * 30}
    )
    mapping = {"target": "y", "prediction": "p", "sensitive": ["=g"]}
    attach(version, ana, stream=_csv(frame), mapping=mapping)
    row = done(version, ana, "fairness")
    lines = sheet(version, row)
    cells = [cell for each in lines for cell in each.values()]
    assert f"'{EVIL}" in cells
    assert "'+c;'=d" in cells
    assert "-3" in cells
    for cell in cells:
        for part in cell.split(";"):
            assert part.lstrip()[:1] not in {"=", "@"}, cell
            assert part.lstrip()[:1] not in {"+", "-"} or re.fullmatch(r"[-+]?[\d.e-]+", cell), cell


def test_without_a_result_there_is_no_table_and_no_link(version: ModelVersion, ana: User) -> None:
    attach(version, ana)
    row = services.request_measurement(as_actor(ana), version, "performance")
    with pytest.raises(Conflict, match="no result"):
        measurement_sheet.written(version, row)
    assert get(ana, row, "csv").status_code == 409
    page = browser(ana).get(f"/models/credit/1/checks/{row.uuid}/").content.decode()
    assert "result.json" in page
    assert "result.csv" not in page
    found = json.loads(get(ana, row, "json").getvalue())
    assert (found["status"], found["result"], found["result_digest"]) == ("queued", None, "")


def test_the_page_of_a_result_links_to_both(measured: Measurement, ana: User) -> None:
    page = browser(ana).get(f"/models/credit/1/checks/{measured.uuid}/").content.decode()
    for ending in ("json", "csv"):
        assert f"/checks/{measured.uuid}/result.{ending}" in page
    answer = get(ana, measured, "csv")
    assert answer["Content-Type"] == "text/csv"
    assert answer["Content-Disposition"] == 'attachment; filename="credit-v1-fairness.csv"'


def test_a_result_whose_package_is_gone_is_not_made_into_an_empty_file(
    measured: Measurement, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest: dict[str, Kind] = {k: v for k, v in kinds.registered().items() if k != "fairness"}
    monkeypatch.setattr(kinds, "registered", lambda: rest)
    with pytest.raises(Conflict, match="not installed"):
        measurement_sheet.written(version, measured)
    assert json.loads(b"".join(records.written(version, measured)))["result"] == measured.result


def test_a_recalled_result_says_so(
    measured: Measurement, version: ModelVersion, vera: User
) -> None:
    row = services.recall_measurement(as_actor(vera), measured, reason="the labels were swapped")
    row = checks.get_measurement(version, row.uuid)
    facts = {each["1"]: each["2"] for each in sheet(version, row) if each["line"] == "fact"}
    assert facts["State"] == "Recalled"
    assert facts["Recalled because"] == "the labels were swapped"
    told = json.loads(b"".join(records.written(version, row)))["provenance"]
    assert told["recall_reason"] == "the labels were swapped"
    assert told["recalled_by"]["name"] == str(vera)


def test_many_groups_cost_no_more_queries_and_come_in_chunks(
    version: ModelVersion, ana: User
) -> None:
    def measured_with(groups: int) -> Measurement:
        names = [f"group {number}" for number in range(groups)] * 40
        size = len(names)
        frame = pd.DataFrame(
            {"y": ([1, 0, 0] * size)[:size], "p": ([1, 0] * size)[:size], "g": names}
        )
        mapping = {**ROLES}
        del mapping["score"]
        attach(version, ana, stream=_csv(frame), mapping=mapping)
        return done(version, ana, "fairness")

    def asked(row: Measurement) -> tuple[int, int, list[int]]:
        row = checks.get_measurement(version, row.uuid)
        with CaptureQueriesContext(connection) as queries:
            csv_chunks = [len(each) for each in measurement_sheet.written(version, row)]
            json_chunks = [len(each) for each in records.written(version, row)]
        return len(queries), len(csv_chunks), json_chunks

    few, many = asked(measured_with(3)), asked(measured_with(200))
    assert few[0] == many[0]
    assert many[1] > few[1]
    assert len(many[2]) > 2
    assert max(many[2]) < 1 << 18
