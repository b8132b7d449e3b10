"""What is asked when a model is retired: the one checklist, as data with a version of its own.

A new wording is a new VERSION: what was answered before stays with the questions it was answered to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from apps.core import canonical
from apps.core.errors import Invalid

VERSION: Final = 1
LONGEST_NOTE: Final = 2000


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its possible answers; those in `explain` take a note that says more."""

    key: str
    text: str
    help: str
    answers: tuple[tuple[str, str], ...]
    explain: frozenset[str]


_YES: Final = ("yes", "Yes")
QUESTIONS: Final = (
    Question(
        "consumers",
        "Do all who use its results know?",
        "People, reports and systems that read what it says.",
        (_YES, ("nobody", "Nobody uses it"), ("no", "Not all of them")),
        frozenset({"no"}),
    ),
    Question(
        "data",
        "Is it decided how long its data and files are kept?",
        "Training and evaluation data, logs, files: under which rule, until when.",
        (_YES, ("none", "There are none outside this site")),
        frozenset({"yes"}),
    ),
    Question(
        "documentation",
        "Is its documentation archived?",
        "The card and the evidence stay here; what else was written about it.",
        (_YES, ("only_here", "There is none but what is here"), ("no", "Not yet")),
        frozenset({"no"}),
    ),
    Question(
        "operations",
        "Are its jobs, endpoints and alerts switched off?",
        "What calls it on a schedule, what serves it, what watches it.",
        (_YES, ("none", "There were none"), ("no", "Not all of them")),
        frozenset({"no"}),
    ),
)
Answers = dict[str, dict[str, str]]


def plain() -> dict[str, Any]:
    """The checklist as data."""
    return {
        "version": VERSION,
        "questions": [
            {"key": q.key, "text": q.text, "answers": [list(each) for each in q.answers]}
            for q in QUESTIONS
        ],
    }


def digest() -> str:
    """Of the questions as they are asked now."""
    return canonical.digest_of(plain())


def checked(answers: Mapping[str, Any]) -> Answers:
    """The answers, one for each question; raises Invalid naming what is missing or not among the choices."""
    wrong = {key: "there is no such question" for key in answers if key not in _KEYS}
    found: Answers = {}
    for question in QUESTIONS:
        given = answers.get(question.key) or {}
        answer, note = given.get("answer", ""), str(given.get("note", "")).strip()
        if answer not in dict(question.answers):
            wrong[question.key] = f"one of {', '.join(key for key, _ in question.answers)}"
        elif answer in question.explain and not note:
            wrong[f"{question.key}_note"] = "say more about it"
        elif len(note) > LONGEST_NOTE or "\x00" in note:
            wrong[f"{question.key}_note"] = f"at most {LONGEST_NOTE} characters of text"
        found[question.key] = {"answer": str(answer), "note": note}
    if wrong:
        raise Invalid("The checklist is not answered.", fields=wrong)
    return found


_KEYS: Final = {question.key for question in QUESTIONS}


def ordered(answers: Mapping[str, Mapping[str, str]]) -> list[tuple[str, Mapping[str, str]]]:
    """The answers in the order in which they are asked now; what is asked no more comes last."""
    asked = [question.key for question in QUESTIONS]
    keys = [key for key in asked if key in answers]
    keys += sorted(key for key in answers if key not in asked)
    return [(key, answers[key]) for key in keys]


def in_words(answers: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str, str]]:
    """Question, answer and note of what was answered; a question that is asked no more is named by its key."""
    known = {question.key: question for question in QUESTIONS}
    found = []
    for key, given in ordered(answers):
        question = known.get(key)
        labels = dict(question.answers) if question else {}
        answer = labels.get(given["answer"], given["answer"])
        found.append((question.text if question else key, answer, given["note"]))
    return found
