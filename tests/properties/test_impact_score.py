"""The score of an impact assessment: a worse answer never lowers it, nor does one that is missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Invalid
from apps.impact import answers as told
from apps.impact import questionnaire, scoring
from apps.impact.questionnaire import LEVELS, Question, Questionnaire

ASKED = questionnaire.current()
COUNTED = [each for each in ASKED.questions.values() if each.dimension]


def _answer(question: Question) -> st.SearchStrategy[Any]:
    keys = [option.key for option in question.options]
    match question.type:
        case "text":
            return st.sampled_from(["So.", "Otherwise."])
        case "count":
            return st.integers(0, told.MAX_PEOPLE)
        case "risk":
            steps = st.sampled_from(told.SCALE)
            words = st.just("Somebody is refused.")
            return st.fixed_dictionaries(
                {}, optional={"likelihood": steps, "severity": steps, "text": words}
            )
        case "choices":
            return st.lists(st.sampled_from(keys), unique=True)
    return st.sampled_from(keys)


ANSWERS = st.fixed_dictionaries(
    {}, optional={key: _answer(question) for key, question in ASKED.questions.items()}
)


def points(question: Question, given_answer: Any) -> int:
    return scoring.points(question, given_answer)


@given(before=ANSWERS, data=st.data())
def test_a_worse_answer_never_lowers_the_score(before: dict[str, Any], data: st.DataObject) -> None:
    question = data.draw(st.sampled_from(COUNTED))
    one, other = data.draw(_answer(question)), data.draw(_answer(question))
    if question.type == "choices" and not (one and other):
        return
    milder, worse = sorted((one, other), key=lambda each: points(question, each))
    low = scoring.score(ASKED, told.clean(ASKED, before | {question.key: milder}))
    high = scoring.score(ASKED, told.clean(ASKED, before | {question.key: worse}))
    assert low.total <= high.total
    assert LEVELS.index(low.level) <= LEVELS.index(high.level)
    assert low.tier >= high.tier


@given(before=ANSWERS, data=st.data())
def test_leaving_an_answer_out_never_lowers_the_score(
    before: dict[str, Any], data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(list(ASKED.questions)))
    whole = told.clean(ASKED, before)
    without = told.clean(ASKED, {name: value for name, value in before.items() if name != key})
    one, other = scoring.score(ASKED, whole), scoring.score(ASKED, without)
    assert one.total <= other.total
    assert LEVELS.index(one.level) <= LEVELS.index(other.level)


@given(before=ANSWERS)
def test_cleaning_twice_changes_nothing_and_the_score_is_within_its_bounds(
    before: dict[str, Any],
) -> None:
    once = told.clean(ASKED, before)
    assert told.clean(ASKED, once) == once
    found = scoring.score(ASKED, once)
    assert 0 <= found.total <= 100
    assert found.is_complete == (not told.missing(ASKED, once))
    assert {line.question for line in found.lines} == {question.key for question in COUNTED}


def test_nothing_answered_is_the_worst_and_everything_mild_the_least() -> None:
    from tests.impact.samples import whole

    silent = scoring.score(ASKED, {})
    assert (silent.total, silent.level, silent.tier) == (100, "IV", 1)
    mild = scoring.score(ASKED, told.clean(ASKED, whole()))
    assert (mild.level, mild.tier, mild.missing) == ("I", 3, ())
    worst = scoring.score(ASKED, told.clean(ASKED, whole(worst=True)))
    assert (worst.total, worst.level) == (100, "IV")


def test_one_grave_risk_is_not_hidden_by_many_mild_answers() -> None:
    from tests.impact.samples import whole

    grave = {"safety": {"likelihood": 3, "severity": 4, "text": "An injury."}}
    found = scoring.score(ASKED, told.clean(ASKED, whole() | grave))
    assert (found.level, found.tier, found.raised_by) == ("III", 1, "Risks of harm")


def _broken(**changes: Any) -> dict[str, Any]:
    return questionnaire.plain(questionnaire.CURRENT) | changes


@pytest.mark.parametrize("name", questionnaire.PUBLISHED)
def test_every_published_edition_is_still_what_was_published(name: str) -> None:
    assert questionnaire.load(name).name == name


def test_a_question_with_points_hangs_on_the_worse_answer_only() -> None:
    sections = questionnaire.plain(questionnaire.CURRENT)["sections"]
    for section in sections:
        for question in section["questions"]:
            if question["key"] == "special":
                question["when"] = {"question": "personal_data", "answers": ["no"]}
    with pytest.raises(ValueError, match="the worse"):
        Questionnaire.model_validate(_broken(sections=sections))


BAD: list[tuple[Any, str]] = [
    ({"nobody_asked": "x"}, "no such question"),
    ({"decision": "magic"}, "Choose one of"),
    ({"groups": ["martians"]}, "Choose among"),
    ({"number": -1}, "whole number"),
    ({"number": 10**30}, "whole number"),
    ({"number": True}, "whole number"),
    ({"wrong": {"likelihood": 5}}, "1, 2, 3 or 4"),
    ({"wrong": {"likelihood": 1.0}}, "1, 2, 3 or 4"),
    ({"wrong": {"chance": 1}}, "nothing else"),
    ({"purpose": "x" * 10_001}, "At most 10,000"),
    ({"purpose": "a\x00b"}, "control character"),
    ({"purpose": ["x"]}, "Expected text"),
]


@pytest.mark.parametrize(("given_answers", "words"), BAD)
def test_what_is_no_answer_is_refused_beside_its_question(
    given_answers: dict[str, Any], words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        told.clean(ASKED, given_answers)
    assert words in refused.value.fields[next(iter(given_answers))]
