"""Words, links of lists, differences, charts and statuses: the small things every page is made of."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from django.test import RequestFactory

from apps.checks.verdicts import Verdict
from apps.core import clock
from apps.experiments.models import RunStatus
from apps.registry.models import Governance, Stage
from apps.reviews.models import ReviewStatus
from apps.web import charts, diffing, query, status, words
from apps.web.parts import DecisionBox, Requirement

NOW = dt.datetime(2026, 3, 2, 14, 5, 31, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.87123456, "0.8712"),
        (-0.5, "\u22120.5"),
        (40210, "40\u202f210"),
        (-3, "\u22123"),
        (None, "—"),
        (math.nan, "NaN"),
        (-math.inf, "\u2212Infinity"),
        (0.0000123, "1.23e-05"),
        ("0.25", "0.25"),
        (1e300, "1e+300"),
    ],
)
def test_numbers_are_said_without_losing_what_they_are(value: float, said: str) -> None:
    assert words.decimals(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3, "just now"),
        (45, "45 s ago"),
        (125, "2 min ago"),
        (2 * 3600 + 1, "2 h ago"),
        (3 * 86400, "3 d ago"),
        (30 * 86400, "31 Jan 2026"),
        (-7200.5, "in 2 h"),
    ],
)
def test_moments_are_relative_until_they_are_dates(
    monkeypatch: pytest.MonkeyPatch, seconds: float, said: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert words.ago(NOW - dt.timedelta(seconds=seconds)) == said


def test_sizes_durations_and_counts_have_units() -> None:
    assert [words.size(n) for n in (0, 999, 41_200_000, 3 * 10**12)] == [
        "0 B",
        "999 B",
        "41.2 MB",
        "3 TB",
    ]
    assert [words.duration(n) for n in (0.42, 12.4, 185, 7800)] == [
        "0.42 s",
        "12 s",
        "3 min 5 s",
        "2 h 10 min",
    ]
    assert [words.plural(1, "run"), words.plural(2, "entry", "entries")] == ["1 run", "2 entries"]
    assert [words.signed(0.012), words.signed(-0.4), words.signed(0)] == [
        "+0.012",
        "\u22120.4",
        "±0",
    ]


def test_every_stored_state_has_a_chip_of_its_own() -> None:
    kinds: dict[str, list[str]] = {
        "verdict": [each.value for each in Verdict],
        "review": ReviewStatus.values,
        "stage": Stage.values,
        "governance": Governance.values,
        "run": RunStatus.values,
    }
    for kind, values in kinds.items():
        assert set(values) <= set(status.STATUSES[kind]), kind


def test_what_is_not_known_never_looks_good() -> None:
    assert status.chip("verdict", "SPLENDID").tone == "unknown"
    assert status.chip("verdict", "NOT_RUN").tone == "unknown"
    good = {name for name, chip in status.STATUSES["verdict"].items() if chip.tone == "good"}
    assert good == {"PASS"}


def test_a_box_without_requirements_is_not_ready() -> None:
    assert not DecisionBox("To reach production", []).ready
    met = Requirement("met", "Card", "complete")
    assert DecisionBox("", [met, Requirement("waived", "Drift", "until June")]).ready
    for state in ("failed", "missing", "waiting", "unknown"):
        assert not DecisionBox("", [met, Requirement(state, "Drift", "")]).ready


def test_links_of_a_list_keep_its_filters_and_start_over() -> None:
    request = RequestFactory().get("/runs/?status=failed&status=killed&sort=auc&before=90")
    assert query.without(request, "status", "failed") == "?status=killed&sort=auc"
    assert query.with_values(request, sort="-auc") == "?status=failed&status=killed&sort=-auc"
    assert query.next_page(request, 40).endswith("before=40")
    assert query.first_page(request) == "?status=failed&status=killed&sort=auc"
    column = query.sortable(request, "AUC", "auc", numeric=True)
    assert column.sorted == "ascending"
    assert "sort=-auc" in column.sort_url
    chips = query.filter_chips(request, {"status": "status is {}"})
    assert [chip.label for chip in chips] == ["status is failed", "status is killed"]


def test_a_list_without_filters_leads_back_to_its_own_address() -> None:
    request = RequestFactory().get("/runs/?status=failed")
    assert query.without(request, "status") == "/runs/"
    assert query.first_page(request) == ""


def test_both_texts_can_be_read_out_of_their_difference() -> None:
    before = "scores applicants for loans up to 20 000 euro"
    after = "scores applicants for loans and cards up to 25 000 euro"
    pieces = diffing.text(before, after)
    assert "".join(text for kind, text in pieces if kind != "added") == before
    assert "".join(text for kind, text in pieces if kind != "removed") == after
    assert diffing.text("same", "same") == [("same", "same")]
    assert diffing.text("", "new") == [("added", "new")]


def test_a_long_text_is_compared_in_reasonable_time() -> None:
    before = "\n".join(f"line {n} of the description" for n in range(20_000))
    pieces = diffing.text(before, before.replace("line 77 ", "line seventy-seven "))
    assert [kind for kind, _ in pieces].count("added") == 1


def test_a_chart_takes_the_pages_colours_and_carries_nothing_inline() -> None:
    spec = charts.lines(
        [charts.Series("train", [(0, 0.5), (1, 0.7)]), charts.Series("test", [(0, 0.4), (1, 0.6)])],
        x="step",
        y="auc",
    )
    svg = charts.for_page(spec)
    assert "var(--chart-1)" in svg
    assert "var(--chart-2)" in svg
    assert "currentColor" in svg
    assert " style=" not in svg
    assert "<style" not in svg
    assert "<script" not in svg
    assert charts.SERIES[0] in charts.for_paper(spec)
    assert charts.for_page(spec) == svg


@pytest.mark.parametrize(
    "spec",
    [
        charts.bars([("18 to 29", 0.71), ("30 to 49", 0.88)], x="rate", y="", limit=0.8),
        charts.intervals([("a", 0.68, 0.71, 0.74)], x="ratio", limit=0.8),
        charts.histogram([("20", {"reference": 0.2, "current": 0.3})], x="age", y="share"),
        charts.lines([charts.Series("one", [(0, 1.0)])], x="step", y="loss", points=True),
        charts.lines([], x="step", y="loss"),
    ],
)
def test_every_kind_of_chart_is_drawn(spec: dict[str, object]) -> None:
    assert charts.for_page(spec).startswith("<svg")


@pytest.mark.parametrize(
    "spec",
    [
        {"data": {"url": "http://evil.example/data.csv"}},
        {"layer": [{"data": {"url": "file:///etc/passwd"}}]},
    ],
)
def test_a_chart_never_fetches_its_data(spec: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="never data from an address"):
        charts.for_page(spec)


def test_a_label_with_markup_stays_text() -> None:
    svg = charts.for_page(charts.bars([("<script>alert(1)</script>", 1.0)], x="x", y=""))
    assert "<script" not in svg
