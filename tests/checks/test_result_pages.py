"""Each kind's result as people read it: the sentence, the picture, the table, the formula, the parameters, the origin."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd
import pytest

from apps.accounts.models import User
from apps.checks import kinds, selectors
from apps.checks.kinds import _BUILT_IN
from apps.checks.models import Measurement, MeasurementStatus
from apps.core import drawing
from apps.core.models import Picture
from apps.core.parts import Chart, Curve, Heat, Table, Text
from apps.modelcards import collect
from apps.modelcards.renderers.html import computed_html
from apps.modelcards.templatetags.cards import tied
from apps.registry.models import ModelVersion
from tests.checks import flow
from tests.checks.support import parquet_bytes
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)

RNG = np.random.default_rng(4)
N = 600
BINARY = pd.DataFrame(
    {
        "y": RNG.integers(0, 2, N),
        "p": RNG.integers(0, 2, N),
        "s": RNG.random(N).round(3),
        "g": RNG.choice(["one", "two", "three"], N),
        "age": RNG.integers(18, 80, N),
        "mail": [f"person{i}@example.org" if i % 5 else None for i in range(N)],
        "at": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(N) // 5, unit="D"),
    }
)
ROLES = {"target": "y", "prediction": "p", "score": "s", "sensitive": ["g"], "features": ["age", "mail"], "time": "at"}  # fmt: skip
LABELS = pd.DataFrame({"y": ["cat", "dog", "cow"] * 60, "p": ["cat", "dog", "dog"] * 60})
NUMBERS = pd.DataFrame({"y": RNG.normal(10, 3, 200), "g": RNG.choice(["one", "two"], 200)}).assign(
    p=lambda f: f["y"] + RNG.normal(size=200)
)
TASKS = {
    "multiclass": (LABELS, {}),
    "regression": (NUMBERS, {}),
    "regression_gaps": (NUMBERS, {"sensitive": ["g"]}),
}
KINDS = [kind.key for kind in _BUILT_IN]


def measured(version: ModelVersion, user: User, kind: str) -> Measurement:
    if kind in TASKS:
        frame, roles = TASKS[kind]
        task = "multiclass" if kind == "multiclass" else "regression"
        mapping = {"target": "y", "prediction": "p", "task": task, **roles}
        flow.attach(version, user, stream=parquet_bytes(frame), mapping=mapping, favourable="")
    elif kind != "files":
        flow.attach(version, user, stream=parquet_bytes(BINARY), mapping=ROLES)
        other = BINARY.assign(age=BINARY["age"] + 20)
        flow.attach(
            version,
            user,
            role="reference",
            stream=parquet_bytes(other),
            mapping=ROLES,
            name="before",
        )
    row = flow.done(version, user, kind)
    assert row.status == MeasurementStatus.DONE, row.error
    return row


def url_of(version: ModelVersion, row: Measurement) -> str:
    return f"/models/{version.model.name}/{version.number}/checks/{row.uuid}/"


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_is_read_in_order_and_in_words_that_promise_nothing(
    version: ModelVersion, ana: User, kind: str
) -> None:
    row = measured(version, ana, kind)
    page = browser(ana).get(url_of(version, row)).content.decode()
    sentence = collect.analysis(version, row).parts[0]
    assert isinstance(sentence, Text)
    landmarks = [
        html.escape(tied(sentence.text)),
        "<figure",
        "<table",
        ">Formulas<",
        ">Parameters<",
        ">Where it comes from<",
    ]
    found = [page.find(mark, page.find(">What was measured<")) for mark in landmarks]
    assert -1 not in found, dict(zip(landmarks, found, strict=True))
    assert found == sorted(found)
    said = re.sub(r"<[^>]+>", " ", page).lower()
    for word in ("unbiased", "debias", "is fair", "fair model"):
        assert word not in said


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_is_drawn_twice_with_its_name_and_has_its_numbers_in_a_table_below(
    version: ModelVersion, ana: User, kind: str
) -> None:
    computed = collect.analysis(version, measured(version, ana, kind))
    pictures = [part for part in computed.parts if isinstance(part, Chart | Curve | Heat)]
    assert pictures
    after = [part for part in computed.parts if isinstance(part, Chart | Curve | Heat | Table)]
    drawn_before = 0
    for part in after:
        drawn_before = 0 if isinstance(part, Table) else drawn_before + 1
        assert drawn_before <= 2, f"no table below {part}"  # two pictures may share one
    assert isinstance(after[-1], Table)
    page, paper = computed_html(computed), computed_html(computed, palette="print")
    drawn = len(pictures) - page.count("Nothing to draw:")
    assert drawn >= 1
    assert page.count('<svg role="img"') == 2 * drawn
    assert paper.count('<svg role="img"') == drawn
    assert page.count("<title>") == page.count("<desc>") == 2 * drawn
    assert " style=" not in page
    assert "var(--chart-1)" in page
    assert "var(" not in paper


@pytest.mark.parametrize("kind", ["performance", "fairness", "drift"])
def test_who_looks_again_draws_nothing_again(version: ModelVersion, ana: User, kind: str) -> None:
    url = url_of(version, measured(version, ana, kind))
    first = browser(ana).get(url).content
    kept = Picture.objects.count()
    assert kept
    drawing.drawn.cache_clear()  # as in another process
    again = browser(ana).get(url).content
    assert drawing.drawn.cache_info().misses == 0
    assert Picture.objects.count() == kept
    assert first.count(b"<svg role") == again.count(b"<svg role") > 0


def test_the_picture_in_the_card_is_the_one_of_the_page(version: ModelVersion, ana: User) -> None:
    computed = collect.analysis(version, measured(version, ana, "fairness"))
    wide = re.findall(r'chart-wide">(<svg.*?</svg>)', computed_html(computed), re.S)
    paper = re.findall(
        r'chart-wide">(<svg.*?</svg>)', computed_html(computed, palette="print"), re.S
    )
    assert len(wide) == len(paper) > 0
    shapes = [re.findall(r' d="([^"]*)"', svg) for svg in wide]
    assert shapes == [re.findall(r' d="([^"]*)"', svg) for svg in paper]


def test_a_refused_grouping_is_part_of_the_sentence(version: ModelVersion, ana: User) -> None:
    twice = pd.concat([BINARY, BINARY.assign(g="four")], ignore_index=True)
    many = twice.assign(region=[f"r{i % N}" for i in range(2 * N)])
    flow.attach(
        version,
        ana,
        stream=parquet_bytes(many),
        mapping={**ROLES, "sensitive": ["g", "region"]},
    )
    row = flow.done(version, ana, "fairness")
    first = collect.analysis(version, row).parts[0]
    assert isinstance(first, Text)
    assert "n = 1\u00a0200; g × region was not measured." in first.text
    limits = {"fairness": {"features": ["g"], "demographic_parity_difference": {"max": "0.9"}}}
    [found] = selectors.results(version, limits)
    assert found.sentence.endswith("region measured and not judged; g × region was not measured.")


def test_every_built_in_kind_says_how_its_numbers_are_made() -> None:
    from apps.modelcards.computed import definitions

    assert [key for key in KINDS if not definitions.formulas(key)] == []
    assert set(KINDS) <= set(kinds.registered())
