"""What people answer: validation, which questions apply, what is still missing. Pure.

An answer is text, the key of an option ("yes"), a list of keys, a whole number, or a risk: {"likelihood", "severity",
"text"}. A draft may leave anything out. What `clean` returns can be stored, digested and shown everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from apps.core.errors import Invalid
from apps.impact.questionnaire import Form, Question, Questionnaire

MAX_TEXT: Final = 10_000
MAX_PEOPLE: Final = 100_000_000_000
SCALE: Final = (1, 2, 3, 4)
RISK_PARTS: Final = ("likelihood", "severity", "text")
_MOST_NAMED = 40
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ufffe\uffff\ud800-\udfff]"
)
Answers = Mapping[str, Any]


def clean(questionnaire: Questionnaire, given: object) -> dict[str, Any]:
    """The answers that are there, in the order of the form; those to questions that do not apply are left out.

    Raises Invalid naming each wrong one: an unknown key, another type, an option or a step of the scale that there is
    not, a number out of range, too much text, control characters.
    """
    if not isinstance(given, Mapping):
        raise Invalid(f"Answers are keys and values, got {type(given).__name__}.")
    known = questionnaire.questions
    errors: dict[str, str] = {}
    found: dict[str, Any] = {}
    for key, value in given.items():
        question = known.get(key) if isinstance(key, str) else None
        try:
            answer = _cleaned(question, value)
        except ValueError as error:
            if len(errors) < _MOST_NAMED:
                errors[str(key)[:100]] = str(error)
            continue
        if answer not in (None, "", [], {}):
            found[str(key)] = answer
    if errors:
        raise Invalid("The answers were not saved.", fields=errors, hint="Nothing was changed.")
    return {key: found[key] for key in known if key in found and applies(known[key], found)}


def _cleaned(question: Question | None, value: object) -> Any:
    if question is None:
        raise ValueError("There is no such question.")
    return None if value is None else _READ[question.type](question, value)


def text(value: object) -> str:
    """The text without blanks around it; ValueError for too much, or what cannot be kept."""
    if not isinstance(value, str):
        raise ValueError(f"Expected text, got {type(value).__name__}.")  # noqa: TRY004 - an answer, not a bug
    if len(value) > MAX_TEXT:
        raise ValueError(f"At most {MAX_TEXT:,} characters; these are {len(value):,}.")
    plain = value.replace("\r\n", "\n").replace("\r", "\n")
    if bad := _FORBIDDEN.search(plain):
        raise ValueError(f"It holds the control character U+{ord(bad.group()):04X}; remove it.")
    return plain.strip()


def _text(question: Question, value: object) -> str:
    return text(value)


def _choice(question: Question, value: object) -> str:
    known = [option.key for option in question.options]
    if value != "" and value not in known:
        raise ValueError(f"Choose one of {', '.join(known)}.")
    return str(value)


def _choices(question: Question, value: object) -> list[str]:
    known = [option.key for option in question.options]
    if not isinstance(value, list | tuple) or not set(map(str, value)) <= set(known):
        raise ValueError(f"Choose among {', '.join(known)}.")
    return [key for key in known if key in value]


def _count(question: Question, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_PEOPLE:
        raise ValueError(f"A whole number from 0 to {MAX_PEOPLE:,}.")
    return value


def _risk(question: Question, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not set(value) <= set(RISK_PARTS):
        raise ValueError("A risk has a likelihood, a severity and a text, and nothing else.")
    found: dict[str, Any] = {}
    for part in RISK_PARTS[:2]:
        step = value.get(part)
        if step is not None and (type(step) is not int or step not in SCALE):
            raise ValueError(f"The {part} is 1, 2, 3 or 4.")
        if step is not None:
            found[part] = step
    words = text(value.get("text") or "")
    return {**found, "text": words} if words else found


_READ: Final[Mapping[str, Callable[[Question, object], Any]]] = {
    "text": _text, "yes_no": _choice, "choice": _choice, "choices": _choices, "count": _count, "risk": _risk,
}  # fmt: skip


def applies(question: Question, answers: Answers) -> bool:
    """Whether the question is asked: also while nobody has answered the one it hangs on, so that silence hides none."""
    if question.when is None:
        return True
    given = answers.get(question.when.question)
    return given is None or given in question.when.answers


def is_answered(question: Question, answers: Answers) -> bool:
    """Whether the answer is whole: a risk needs both steps and its text."""
    given = answers.get(question.key)
    if question.type == "risk":
        return isinstance(given, Mapping) and all(part in given for part in RISK_PARTS)
    return given is not None


def missing(questionnaire: Questionnaire, answers: Answers) -> list[Question]:
    """The required questions that apply and are not answered."""
    return [
        question
        for question in questionnaire.questions.values()
        if question.required and applies(question, answers) and not is_answered(question, answers)
    ]


def progress(questionnaire: Questionnaire, answers: Answers, form: Form) -> tuple[int, int]:
    """How many questions of one form are answered, and how many apply."""
    asked = [
        question
        for question in questionnaire.questions.values()
        if form in question.forms and applies(question, answers)
    ]
    return sum(is_answered(question, answers) for question in asked), len(asked)


def in_words(questionnaire: Questionnaire, question: Question, answers: Answers) -> str:
    """The answer as people read it; "" for none."""
    given = answers.get(question.key)
    if given is None:
        return ""
    if question.type == "risk":
        return _risk_in_words(questionnaire, given)
    if question.type == "count":
        return f"{given:,}".replace(",", "\N{NO-BREAK SPACE}")
    if question.type == "text":
        return str(given)
    chosen = given if isinstance(given, list) else [given]
    return "; ".join(option.label for option in question.options if option.key in chosen)


def _risk_in_words(questionnaire: Questionnaire, given: Mapping[str, Any]) -> str:
    told = []
    for part, scale in (
        ("likelihood", questionnaire.likelihood),
        ("severity", questionnaire.severity),
    ):
        step = given.get(part)
        told.append(
            f"{part} {step} ({scale.labels[step - 1].partition(':')[0].lower()})"
            if step
            else f"{part} not given"
        )
    words = f"{told[0].capitalize()}, {told[1]}."
    return f"{words}\n{given['text']}" if "text" in given else words
