"""Facts for programs: energy as CodeCarbon writes it, packages as files name them, numbers as results hold them."""

from __future__ import annotations

import pytest

from apps.core.errors import Invalid
from apps.core.parts import Facts, Missing, Table
from apps.modelcards.computed import dependencies, energy, packages
from apps.modelcards.machine import Package

HEAD = "timestamp,project_name,run_id,duration,emissions,energy_consumed,country_name,cpu_model,codecarbon_version\n"
ROW = (
    "2026-03-01T10:00:00,codecarbon,{run},{duration},{emissions},{energy},Portugal,AMD EPYC,3.0.4\n"
)


def table(*rows: tuple[str, str, str, str]) -> bytes:
    made = (ROW.format(run=r, duration=d, emissions=e, energy=k) for r, d, e, k in rows)
    return (HEAD + "".join(made)).encode()


def test_a_table_of_codecarbon_is_read_with_its_units():
    found = energy.from_csv(table(("a", "182.4", "0.0031", "0.012345")), "logs/emissions.csv")
    assert (found.energy_kwh, found.emissions_kg, found.duration_s) == (
        "0.012345",
        "0.0031",
        "182.4",
    )
    assert (found.country, found.hardware, found.tracker) == (
        "Portugal",
        "AMD EPYC",
        "CodeCarbon 3.0.4",
    )
    (facts,) = energy.parts(found, "")
    assert isinstance(facts, Facts)
    said = {row.label: row.value.text for row in facts.rows}
    assert said["Energy of the run"] == "0.012345 kWh"
    assert said["Carbon of the run"] == "0.0031 kg CO₂ equivalent"


def test_rows_of_one_tracked_run_are_totals_so_far_and_runs_are_added():
    found = energy.from_csv(
        table(("a", "1", "0.1", "1"), ("a", "2", "0.2", "2"), ("b", "5", "0.5", "5e-1")), "e.csv"
    )
    assert (found.energy_kwh, found.emissions_kg, found.duration_s) == ("2.5", "0.7", "7")
    assert found.said_by == "e.csv, 2 tracked runs added up"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"", "has no column emissions"),
        (b"a,b\n1,2\n", "has no column emissions"),
        (HEAD.encode(), "has no row"),
        (b"emissions,emissions\n1,2\n", "names a column twice"),
        (b"emissions,duration\n1\n", "Row 2 of e.csv has another number of cells"),
        (b"emissions,duration\n1,2,3\n", "Row 2 of e.csv has another number of cells"),
        (b'emissions\n"1\n', "not a table"),
        (b"emissions\n1\x00\n", "holds a NUL"),
        (b"emissions\n-1\n", "no amount there can be"),
        (b"emissions\nNaN\n", "no amount there can be"),
        (b"emissions\nsNaN\n", "no amount there can be"),
        (b"emissions\nInfinity\n", "no amount there can be"),
        (b"emissions\n1e999999\n", "no amount there can be"),
        (b"emissions\n=HYPERLINK(1)\n", "no amount there can be"),
        (b"emissions\n" + b"9" * 300 + b"\n", "no amount there can be"),
        (b"emissions\n" + b'"' + b"x" * 200_000 + b'"\n', "not a table"),
        (b"emissions\n" + b"1\n" * 10_001, "more than 10,000 rows"),
        (b"emissions\n" + b" " * 1_000_000, "at most 1,000,000 are read"),
    ],
)
def test_a_hostile_table_is_refused_in_words(data: bytes, said: str):
    with pytest.raises(Invalid, match=said):
        energy.from_csv(data, "e.csv")


def test_metrics_go_before_parameters_before_tags():
    metrics = {"emissions": {"value": "0.25"}, "energy_consumed": {"value": "1.5"}, "loss": {"value": "9"}}  # fmt: skip
    facts = {"metrics": metrics, "params": {"emissions": "7"}, "tags": {"emissions": "8"}}
    found = energy.from_run(facts)
    assert found is not None
    assert (found.energy_kwh, found.emissions_kg, found.said_by) == ("1.5", "0.25", "the run's metrics")  # fmt: skip
    from_tags = energy.from_run({"metrics": {}, "params": {}, "tags": {"emissions": "8"}})
    assert from_tags is not None
    assert (from_tags.emissions_kg, from_tags.energy_kwh) == ("8", "")
    assert energy.from_run({"metrics": {"duration": {"value": "3"}}}) is None


def test_a_metric_that_cannot_be_is_refused_and_the_card_says_why():
    with pytest.raises(Invalid, match="no amount there can be"):
        energy.from_run({"metrics": {"emissions": {"value": "NaN"}}})
    (part,) = energy.parts(None, "The energy of the run was not read: so.")
    assert isinstance(part, Missing)
    assert energy.parts(None, "") == []


def test_packages_are_read_and_only_exact_pins_are_versions():
    files = {
        "model/requirements.txt": b"# comment\nscikit-learn==1.7.2 ; python_version >= '3.9'\nnumpy>=2,<3\n"
        b"--extra-index-url https://user:secret@example.org\n-e ./local\ngit+https://x.example/y\npandas[excel]\nx @ file:///y\n",
        "model/conda.yaml": b"dependencies:\n- python=3.11.9\n- conda-forge::pip\n- pip:\n  - mlflow==3.17.2\n",
    }
    found = packages.read(files)
    assert (found.unread, found.left) == ((), 4)
    assert found.packages == (
        Package("python", "=3.11.9", "model/conda.yaml", "3.11.9", "conda"),
        Package("pip", "", "model/conda.yaml", "", "conda"),
        Package("mlflow", "==3.17.2", "model/conda.yaml", "3.17.2"),
        Package("scikit-learn", "==1.7.2", "model/requirements.txt", "1.7.2"),
        Package("numpy", ">=2,<3", "model/requirements.txt"),
        Package("pandas", "", "model/requirements.txt"),
    )
    assert "secret" not in repr(found)


def test_the_card_shows_the_same_packages_as_programs_get_and_how_many_lines_it_leaves_out():
    files = {
        "requirements.txt": b"numpy>=2\npandas\n-e ./local\nx @ https://user:secret@example.org/x\n",
        "conda.yaml": b"a: &a [1]\nb: *a",
        "MLmodel": b"mlflow_version: 3.17.2\nflavors:\n  python_function: {python_version: 3.11.9}\n",
    }
    table, unread = dependencies.dependencies(files).parts
    assert isinstance(table, Table)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["numpy", ">=2", "requirements.txt"],
        ["pandas", "any", "requirements.txt"],
    ]
    assert "2 lines with options or addresses left out." in table.note
    assert unread == Missing("conda.yaml could not be read.")
    (facts,) = dependencies.environment(files, {}, ()).parts
    assert isinstance(facts, Facts)
    assert [(fact.label, fact.value.text) for fact in facts.rows] == [
        ("Flavours", "python_function"),
        ("Python", "3.11.9"),
        ("MLflow", "3.17.2"),
    ]
    (nothing,) = dependencies.dependencies({"MLmodel": b"{}"}).parts
    assert isinstance(nothing, Missing)


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"\xff",
        b"- a list",
        b"a: [",
        b"a: &a [1]\nb: *a",
        b"!!python/object/apply:os.system [echo]",
        b"x" * 200_001,
        b"[" * 3000,
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named_as_unread(data: bytes | None):
    assert packages.read({"conda.yaml": data}) == packages.Found((), ("conda.yaml",), 0)
    assert packages.library({"MLmodel": data}) == ""


def test_the_library_is_the_flavour_that_mlmodel_names():
    said = (
        b"flavors:\n  python_function: {env: conda.yaml}\n  sklearn: {pickled_model: model.pkl}\n"
    )
    assert packages.library({"model/MLmodel": said}) == "sklearn"
    assert packages.library({"model/MLmodel": b"flavors: 7\n"}) == ""
