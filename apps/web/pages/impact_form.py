"""The form of an impact assessment: sections with how far each is, fields by question, the score beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.errors import Invalid
from apps.impact import answers as told
from apps.impact.models import AssessmentRevision
from apps.impact.questionnaire import Question, Questionnaire, Section
from apps.registry.models import RegisteredModel
from apps.web.forms.impact import ImpactForm, names
from apps.web.pages import impact
from apps.web.pages.impact import ScoreBox
from apps.web.parts import Notice, PageHeader


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: its fields, and in small words its forms, its law and when it is asked."""

    question: Question
    fields: Sequence[Any]
    about: str
    only_if: str


@dataclass(frozen=True, slots=True)
class FormSection:
    section: Section
    questions: Sequence[Asked]
    progress: str
    done: bool
    wrong: int


@dataclass(frozen=True, slots=True)
class FormPage:
    header: PageHeader
    sections: Sequence[FormSection]
    url: str
    back: str
    score: ScoreBox
    conflict: Notice | None


def given_by(form: ImpactForm) -> dict[str, Any]:
    """The answers as far as they can be read, for the preview of the score; raises nothing."""
    found: dict[str, Any] = {}
    for key, answer in form.answers().items():
        try:
            found |= told.clean(form.asked, {key: answer})
        except Invalid:
            continue
    return told.clean(form.asked, found)


def page(
    model: RegisteredModel,
    form: ImpactForm,
    given: told.Answers,
    conflict: str,
    latest: AssessmentRevision | None,
) -> FormPage:
    """The form with these answers in it."""
    title = "Answer the impact assessment"
    return FormPage(
        header=impact.header(model, title),
        sections=[_section(form, section, given) for section in form.asked.sections],
        url=impact.url(model, "edit"),
        back=impact.url(model),
        score=impact.score_box(form.asked, given),
        conflict=_conflict(model, conflict, latest),
    )


def _section(form: ImpactForm, section: Section, given: told.Answers) -> FormSection:
    asked = [each for each in section.questions if told.applies(each, given)]
    done = sum(told.is_answered(each, given) for each in asked)
    fields = [form[name] for each in section.questions for name in names(each)]
    return FormSection(
        section,
        [_asked(form, each) for each in section.questions],
        f"{done} of {len(asked)}",
        done == len(asked),
        sum(bool(bound.errors) for bound in fields) if form.is_bound else 0,
    )


def _asked(form: ImpactForm, question: Question) -> Asked:
    about = "; ".join([" and ".join(question.forms), *question.law])
    return Asked(
        question,
        [form[name] for name in names(question)],
        about,
        _only_if(form.asked, question),
    )


def _only_if(asked: Questionnaire, question: Question) -> str:
    if question.when is None:
        return ""
    other = asked.questions[question.when.question]
    chosen = [option.label for option in other.options if option.key in question.when.answers]
    return f"Only if the answer to \u201c{other.title}\u201d is: {' or '.join(chosen)}"


def _conflict(
    model: RegisteredModel, said: str, latest: AssessmentRevision | None
) -> Notice | None:
    if not said:
        return None
    url = f"{impact.url(model)}?revision={latest.number}" if latest else ""
    return Notice(said, "warn", "Nothing was saved", url=url, url_label="Read theirs")
