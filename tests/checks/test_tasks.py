"""What the outcomes are decides which checks take the data: from attaching to the gate and the page."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from apps.accounts.models import User
from apps.checks import selectors
from apps.checks.gates import required_checks_pass
from apps.checks.mapping import Mapping
from apps.core.errors import Invalid
from apps.core.parts import Chart, Table
from apps.modelcards import collect
from apps.registry.models import ModelVersion
from tests.checks import flow
from tests.checks.support import csv_bytes

pytestmark = pytest.mark.django_db(transaction=True)
RNG = np.random.default_rng(9)
NUMBERS = pd.DataFrame({"y": RNG.normal(10, 3, 200)}).assign(p=lambda f: f["y"] + RNG.normal(size=200))  # fmt: skip
LABELS = pd.DataFrame({"y": ["cat", "dog", "cow"] * 60, "p": ["cat", "dog", "dog"] * 60})


def attach(version: ModelVersion, user: User, frame: pd.DataFrame, task: str) -> None:
    mapping = {"target": "y", "prediction": "p", "task": task}
    flow.attach(version, user, stream=csv_bytes(frame), mapping=mapping, favourable="")


@pytest.mark.parametrize(
    ("frame", "task", "limits", "passes"),
    [
        (NUMBERS, "regression", {"mae": {"max": "2"}, "r2": {"min": "0.5"}}, True),
        (NUMBERS, "regression", {"mae": {"max": "0.2"}}, False),
        (LABELS, "multiclass", {"accuracy": {"min": "0.5"}}, True),
        (LABELS, "multiclass", {"macro_recall": {"min": "0.9"}}, False),
    ],
)
def test_it_is_measured_judged_by_the_gate_and_shown(
    version: ModelVersion, ana: User, frame: pd.DataFrame, task: str, limits: object, passes: bool
) -> None:
    attach(version, ana, frame, task)
    assert task in selectors.runnable(version)
    assert {"performance", "fairness", "bias_audit"}.isdisjoint(selectors.runnable(version))
    row = flow.done(version, ana, task)
    gate = required_checks_pass(version, [], {"checks": {task: limits}})
    assert gate.passes is passes
    shown = collect.analysis(version, row).parts
    assert {Chart, Table} <= {type(part) for part in shown}
    assert collect.collect(version)["further_checks"].sources[0].digest == row.result_digest


@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_two_labels_are_not_measured_as_something_else(
    version: ModelVersion, ana: User, kind: str
) -> None:
    flow.attach(version, ana)
    assert kind not in selectors.runnable(version)
    with pytest.raises(Invalid, match=f"declared as binary; this check takes {kind}"):
        flow.done(version, ana, kind)


def test_numbers_are_not_measured_as_decisions(version: ModelVersion, ana: User) -> None:
    attach(version, ana, NUMBERS, "regression")
    with pytest.raises(Invalid, match="declared as regression; this check takes binary"):
        flow.done(version, ana, "performance")


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("y", ["a", "b"], "'y' does not hold numbers only"),
        ("p", [float("inf"), float("nan")], "'p' holds no number at all"),
        ("p", [None, None], "'p' does not hold numbers only"),
    ],
)
def test_what_is_no_number_is_refused_when_it_is_attached(
    version: ModelVersion, ana: User, column: str, values: list[object], said: str
) -> None:
    frame = pd.DataFrame({"y": [1.5, 2.5], "p": [1.0, 2.0]}).assign(**{column: values})
    with pytest.raises(Invalid, match=said) as refusal:
        attach(version, ana, frame, "regression")
    assert {"y": "target", "p": "prediction"}[column] in refusal.value.fields
    assert not selectors.datasets(version).exists()


def test_an_unknown_task_is_refused_by_name(version: ModelVersion, ana: User) -> None:
    with pytest.raises(Invalid) as refusal:
        attach(version, ana, LABELS, "clustering")
    assert "task" in refusal.value.fields


def test_what_was_declared_before_there_were_tasks_keeps_its_digest() -> None:
    declared = Mapping.parse({"target": "y", "prediction": "p"})
    assert "task" not in declared.to_data()
    assert Mapping.parse(declared.to_data()) == declared
    many = Mapping.parse({"target": "y", "prediction": "p", "task": "multiclass"})
    assert Mapping.parse(many.to_data()) == many


def test_the_form_takes_numbers() -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from apps.web.forms.evidence import DataForm

    file = SimpleUploadedFile("data.csv", BytesIO(b"y,p\n1.0,2.0\n").read())
    given = {"role": "evaluation", "target": "y", "prediction": "p", "task": "regression"}
    form = DataForm(given, {"file": file})
    assert form.is_valid(), form.errors
    assert form.mapping()["task"] == "regression"
    older = DataForm({key: text for key, text in given.items() if key != "task"}, {"file": file})
    assert older.is_valid(), older.errors
    assert older.mapping()["task"] == "binary"
