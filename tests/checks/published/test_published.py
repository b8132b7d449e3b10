"""Published figures come out of the checks, each from a file through the engine; their sources stand with the cases."""

from __future__ import annotations

import pytest

from apps.checks import kinds
from tests.checks.published.cases import Case, Printed, result_of
from tests.checks.published.page import CASES, COMMAND, ELSEWHERE, PAGE, rendered


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_what_was_published_comes_out(case: Case) -> None:
    result = result_of(case)
    wrong = {
        each.what: f"printed {each.text}, here {each.value(result)!r}"
        for each in case.printed
        if not each.agrees(result)
    }
    assert not wrong


@pytest.mark.parametrize(
    ("text", "value", "agrees"),
    [
        ("44.85 %", 0.448468, True),
        ("44.85 %", 0.44856, False),
        ("68 %", 0.681, True),
        ("0.0005367", 0.00053672, True),
        ("2.954e-07", 2.9535e-07, True),
        ("2.954e-07", 2.952e-07, False),
        ("0.5", float("nan"), False),
        ("0.5", None, False),
    ],
)
def test_a_figure_agrees_to_its_last_printed_digit_only(text, value, agrees) -> None:
    assert Printed("figure", text, lambda result: result).agrees(value) is agrees


def test_every_case_has_a_source_a_known_kind_and_a_name_of_its_own() -> None:
    assert len({case.key for case in CASES}) == len(CASES)
    for case in CASES:
        assert kinds.get(case.kind)
        assert case.printed
        assert len(case.source) > 10


def test_the_page_of_published_figures_says_what_the_cases_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(), COMMAND


def test_what_is_said_to_be_tested_elsewhere_is_there() -> None:
    root = PAGE.parents[2]
    for _, where in ELSEWHERE:
        assert (root / where).is_file()
