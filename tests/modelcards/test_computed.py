"""Computed blocks say what the record says: every number, every gap, and where each comes from."""

from __future__ import annotations

import pytest

from apps.checks.library import drift as drifts
from apps.checks.library import fairness as fairnesses
from apps.checks.library import performance as performances
from apps.checks.library import scored
from apps.checks.statistics import (
    Contingency,
    DriftStatistics,
    FairnessStatistics,
    Labels,
    NumericColumn,
    PerformanceStatistics,
    Refused,
    RowCount,
    Side,
    UnusableColumn,
)
from apps.core import pictures
from apps.core.parts import Chart, Facts, Missing, Part, Table, Text
from apps.modelcards.card import Computed, Source
from apps.modelcards.computed import about, data, definitions, drift, fairness, performance
from apps.modelcards.renderers import svg
from apps.modelcards.renderers.pictures import bars

SOURCE = Source("measurement", "/checks/", "0" * 64)
LABELS = Labels(favourable="hired", positive="hired", other="not hired")


def drawn(chart: Chart, palette: svg.Palette = "print") -> svg.Drawing:
    return svg.drawings([chart], palette, pictures.drawn)[chart]


Counts = dict[tuple[tuple[str | None, ...], bool, bool], int]


def tables(computed: Computed) -> dict[str, Table]:
    return {part.caption: part for part in computed.parts if isinstance(part, Table)}


def kinds(computed: Computed) -> list[type[Part]]:
    return [type(part) for part in computed.parts]


def column(table: Table, title: str) -> list[str]:
    index = [c.title for c in table.columns].index(title)
    return [row[index].text for row in table.rows]


def measured(
    counts: Counts, *, features: tuple[str, ...] = ("sex",), **more: object
) -> fairnesses.FairnessResult:
    table = Contingency.of(features, counts)
    rows = RowCount(table.total, table.total)
    statistics = FairnessStatistics(rows, LABELS, (table,), **more)  # type: ignore[arg-type]
    return fairnesses.measure(statistics, fairnesses.Params())


GROUPS: Counts = {
    (("women",), True, True): 30,
    (("women",), False, False): 70,
    (("men",), True, True): 50,
    (("men",), False, False): 50,
    ((None,), False, False): 3,
}


def test_each_group_has_its_rates_with_intervals_and_n() -> None:
    table = tables(fairness.fairness(measured(GROUPS), SOURCE, ""))["Selection by sex"]
    assert column(table, "sex") == ["men", "women", "unknown"]
    assert column(table, "n") == ["100", "100", "3"]
    assert column(table, "Selection rate") == ["0.500", "0.300", "0.000"]
    assert "0.404–0.596" in [cell.text for cell in table.rows[0]]
    assert column(table, "Against reference") == ["reference", "−0.200", "−0.500"]


def test_a_rate_that_is_not_defined_is_a_dash_and_never_zero() -> None:
    table = tables(fairness.fairness(measured(GROUPS), SOURCE, ""))["Errors by sex"]
    assert column(table, "True positive rate")[2] == "—"


def test_the_lowest_and_the_highest_group_are_named_with_their_intervals() -> None:
    parts = fairness.fairness(
        measured({k: n for k, n in GROUPS.items() if k[0] != (None,)}), SOURCE, ""
    ).parts
    (headline,) = [part.text for part in parts if isinstance(part, Text) and part.heading]
    assert headline.startswith("Lowest selection rate: women, 0.300 (0.219 to 0.396, n = 100)")
    assert "highest: men, 0.500" in headline


def test_a_grouping_that_was_refused_is_a_visible_gap_with_its_reason() -> None:
    result = measured(GROUPS, refused=(Refused(("age", "sex"), "more than 1 000 groups"),))
    gaps = [
        part for part in fairness.fairness(result, SOURCE, "").parts if isinstance(part, Missing)
    ]
    assert [gap.reason for gap in gaps] == ["age × sex was not measured: more than 1 000 groups."]


def test_the_factors_name_the_smallest_group_and_the_unknown_rows() -> None:
    (table,) = tables(data.evaluated_factors(measured(GROUPS), ["sex"], SOURCE)).values()
    assert [cell.text for cell in table.rows[0]] == ["sex", "3", "unknown", "3", "3", "0"]


@pytest.mark.parametrize(
    ("computed", "says"),
    [
        (
            performance.performance(None, None, "Performance was not measured."),
            "Performance was not measured.",
        ),
        (fairness.fairness(None, None, "Fairness was not measured."), "Fairness was not measured."),
        (drift.drift(None, None, "Drift was not measured."), "Drift was not measured."),
        (definitions.metric_definitions([], {}, ()), "there is no number to define"),
        (data.evaluation_sheets([]), "No evaluation data"),
        (data.evaluated_factors(None, ["sex"], None), "Declared but not measured: sex"),
        (data.evaluated_factors(None, [], None), "No group column was declared"),
        (data.training_inputs(None, None), "no run"),
        (about.run(None, run_id="", digest=""), "registered without a run"),
        (about.files([], ""), "has no files"),
    ],
)
def test_nothing_to_compute_from_is_said_with_its_reason(computed: Computed, says: str) -> None:
    (part,) = computed.parts
    assert isinstance(part, Missing)
    assert says in part.reason


def performed(counts: Counts) -> performances.PerformanceResult:
    table = Contingency.of((), counts)
    rows = RowCount(table.total + 4, table.total, {"missing prediction": 4})
    statistics = PerformanceStatistics(rows, LABELS, table)
    return performances.measure(statistics, performances.Params())


def test_performance_says_what_was_left_out_and_why_a_metric_has_no_value() -> None:
    counts: Counts = {((), True, True): 40, ((), False, False): 60}
    block = performance.performance(performed(counts), SOURCE, "")
    assert isinstance(block.parts[0], Text)
    assert block.parts[0].text == (
        "Accuracy 1.000 (0.963 to 1.000). 100 of 104 rows counted; 4 left out: missing prediction."
    )
    table = tables(block)["Metrics on the evaluation data"]
    assert column(table, "Value")[0] == "1.000"
    (auc,) = [row for row in table.rows if row[0].text == "ROC AUC"]
    assert (auc[1].text, auc[-1].text) == ("—", scored.NO_SCORES)


def test_a_chart_leaves_out_what_has_no_value_and_is_nothing_when_none_has() -> None:
    counts: Counts = {((), True, True): 40, ((), False, False): 60}
    (chart,) = [
        p
        for p in performance.performance(performed(counts), SOURCE, "").parts
        if isinstance(p, Chart)
    ]
    assert [bar.label for bar in bars.drawable(chart)] == [
        "Accuracy",
        "Balanced accuracy",
        "Precision",
        "Recall",
        "Specificity",
        "F1",
    ]
    empty = Chart("nothing", "x", tuple(bar for bar in chart.bars if bar.label == "ROC AUC"))
    assert drawn(empty).reason == bars.NO_VALUE


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "", "not a number"])
def test_a_chart_never_draws_what_is_no_finite_number(value: str) -> None:
    from apps.core.parts import Bar

    chart = Chart("t", "x", (Bar("a", value), Bar("b", "0.5", value, "0.7")), limit=value)
    assert [bar.label for bar in bars.drawable(chart)] == ["b"]
    assert "<svg" in drawn(chart).wide


def test_a_chart_is_plain_vector_without_script_style_or_address() -> None:
    from apps.core.parts import Bar

    chart = Chart(
        "t", "x", (Bar("</text><script>alert(1)</script>", "0.5"), Bar("url(http://x)", "1"))
    )
    for palette in ("print", "page"):
        picture = drawn(chart, palette).wide  # type: ignore[arg-type]
        assert "<script" not in picture
        assert "style=" not in picture
        assert "href" not in picture
        assert picture == drawn(chart, palette).wide  # type: ignore[arg-type]
    assert "currentColor" in drawn(chart, "page").wide


def test_drift_shows_effects_beside_the_noise_and_columns_that_could_not_be_compared() -> None:
    side = Side(100, 100, 0)
    moved = NumericColumn(
        "age", "feature", side, side, "5000", ("30", "40"), (40, 30, 30), (20, 30, 50)
    )
    result = drifts.measure(
        DriftStatistics(
            100, 100, (moved, UnusableColumn("zip", "feature", "text in one, numbers in the other"))
        ),
        drifts.Params(),
    )
    block = drift.drift(result, SOURCE, "")
    table = tables(block)["Columns compared"]
    assert column(table, "Column") == ["age"]
    assert column(table, "PSI") == ["0.2408"]
    assert column(table, "KS or V") == ["0.500"]
    assert column(table, "p, adjusted") == ["< 0.001"]
    gaps = [part.reason for part in block.parts if isinstance(part, Missing)]
    assert gaps == ["zip was not compared: text in one, numbers in the other."]


FACTS = {
    "name": "lively-run",
    "status": "FINISHED",
    "start_time": "2 March 2026, 14:05 UTC",
    "end_time": "",
    "params": {"b": "2", "a": "x" * 6000},
    "metrics": {"loss": {"value": "NaN", "step": "3", "timestamp": "7"}},
    "tags": {},
    "datasets": [],
}


def test_a_run_shows_parameters_in_order_long_values_clipped_and_nan_as_it_is() -> None:
    block = about.run(FACTS, run_id="8f3a51c0" * 4, digest="1" * 64)
    shown = tables(block)
    assert column(shown["Parameters"], "Name") == ["a", "b"]
    assert column(shown["Parameters"], "Value")[0].endswith("… (6,000 characters)")
    assert column(shown["Metrics logged"], "Last value") == ["NaN"]
    assert "Tags" not in shown
    assert block.sources[0].link == f"/runs/{'8f3a51c0' * 4}/"


def test_identity_leaves_out_what_is_empty_and_keeps_the_digest_whole() -> None:
    facts = about.Identity(
        model="credit", number=3, label="", description="", owner="Ana", team="", registered_by="Ana",
        registered_at="today", governance="Governed", risk_tier=1, exposure="High", purpose_class="Decides",
        purpose="", targets=(), manifest_digest="2" * 64, url="/models/credit/",
    )  # fmt: skip
    (part,) = about.identity(facts).parts
    assert isinstance(part, Facts)
    labels = {row.label: row.value.text for row in part.rows}
    assert "Team" not in labels
    assert labels["Digest of the files"] == f"sha256:{'2' * 64}"
    assert labels["Stage and aliases"] == "none"
