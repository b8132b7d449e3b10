"""Answering an impact assessment, signing it, noting what an authority was told, lowering what it demanded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django import forms

from apps.core.errors import Invalid
from apps.impact import answers as told
from apps.impact.questionnaire import Question, Questionnaire
from apps.web.forms.base import Form, say_plainly
from apps.web.forms.reviews import _password, _text

_STEPS: Final = ("likelihood", "severity")


class ImpactForm(Form):
    """Every question of an edition, none required: a draft may leave out anything. `base_revision` is where one began."""

    base_revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(self, asked: Questionnaire, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        for question in asked.questions.values():
            for name, field in _fields(asked, question):
                say_plainly(field)
                self.fields[name] = field

    def answers(self) -> dict[str, Any]:
        """What was answered, as the service takes it."""
        found = {key: self._answer(question) for key, question in self.asked.questions.items()}
        return {key: answer for key, answer in found.items() if answer not in (None, "", [], {})}

    def _answer(self, question: Question) -> Any:
        given = self.cleaned_data
        if question.type != "risk":
            return given.get(f"q-{question.key}")
        steps = {part: int(text) for part in _STEPS if (text := given.get(f"q-{question.key}-{part}"))}  # fmt: skip
        words = given.get(f"q-{question.key}-text")
        return {**steps, "text": words} if words else steps

    def refuse(self, error: Invalid) -> None:
        """A refusal about the question `purpose` belongs beside its field."""
        known = self.asked.questions
        fields = {}
        for key, problem in error.fields.items():
            suffix = "-text" if key in known and known[key].type == "risk" else ""
            fields[f"q-{key}{suffix}" if key in known else key] = problem
        super().refuse(Invalid(error.message, fields=fields, hint=error.hint))


def initial(asked: Questionnaire, answers: told.Answers, base: int) -> dict[str, Any]:
    """What the form starts with."""
    found: dict[str, Any] = {"base_revision": base}
    for key, question in asked.questions.items():
        given = answers.get(key)
        if question.type == "risk":
            found |= {f"q-{key}-{part}": value for part, value in (given or {}).items()}
        elif given is not None:
            found[f"q-{key}"] = given
    return found


def names(question: Question) -> list[str]:
    """The fields of one question."""
    parts = told.RISK_PARTS if question.type == "risk" else ("",)
    return [f"q-{question.key}-{part}" if part else f"q-{question.key}" for part in parts]


def _fields(asked: Questionnaire, question: Question) -> Iterator[tuple[str, forms.Field]]:
    if question.type == "risk":
        yield from zip(names(question), _risk(asked), strict=True)
    else:
        yield names(question)[0], _field(question)


def _risk(asked: Questionnaire) -> list[forms.Field]:
    found: list[forms.Field] = []
    for label, scale in (("Likelihood", asked.likelihood), ("Severity", asked.severity)):
        steps = [(str(n), f"{n}. {text}") for n, text in enumerate(scale.labels, 1)]
        choices = [("", "Choose a step"), *steps]
        found.append(forms.ChoiceField(label=label, choices=choices, required=False))
    return [*found, _words("Who is harmed, and how?", "")]


def _words(label: str, help_text: str) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(label=label, help_text=help_text, required=False, widget=area)


def _field(question: Question) -> forms.Field:
    about: dict[str, Any] = {
        "label": question.title,
        "help_text": question.help,
        "required": False,
    }
    choices = [(option.key, option.label) for option in question.options]
    match question.type:
        case "text":
            return _words(question.title, question.help)
        case "count":
            wrong = {"invalid": "A whole number, without signs or spaces."}
            return forms.IntegerField(
                **about, min_value=0, max_value=told.MAX_PEOPLE, error_messages=wrong
            )
        case "choices":
            box = forms.CheckboxSelectMultiple
            return forms.MultipleChoiceField(**about, choices=choices, widget=box)
    return forms.ChoiceField(**about, choices=choices, widget=forms.RadioSelect)


class SignImpactForm(Form):
    """What the signer says to it, and proof of who it is."""

    comment = _text("Why do the answers hold?", "It is part of what you sign, and stays.", rows=3)
    password = _password("Signing asks for it every time.")


class NotificationForm(Form):
    """An authority was told."""

    authority = forms.CharField(label="Authority", max_length=200)
    reference = forms.CharField(
        label="Reference",
        max_length=200,
        help_text="The number of the letter or of the receipt: by what it is found again.",
    )
    notified_on = forms.DateField(
        label="Day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "A date such as 2027-01-31."},
    )


class LowerForm(Form):
    """Why less should be demanded."""

    reason = forms.CharField(
        label="Why",
        max_length=10_000,
        required=False,
        help_text="Where the tier of the model falls by it, somebody else signs, who reads this.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
