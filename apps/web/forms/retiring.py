"""Retiring a model, and bringing it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.registry import retirement
from apps.web.forms.base import Form, say_plainly
from apps.web.forms.reviews import ReasonForm

_NONE = ("", "None: nothing takes its place")


def _password() -> forms.CharField:
    return forms.CharField(
        label="Your password",
        help_text="Retiring a model, and bringing it back, asks for it.",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def _note(question: retirement.Question) -> forms.CharField:
    words = dict(question.answers)
    wanted = " or ".join(f"“{words[key]}”" for key in sorted(question.explain))
    return forms.CharField(
        label="More about that",
        help_text=f"Needed with {wanted}.",
        required=False,
        max_length=retirement.LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2, "aria-label": f"More about that: {question.text}"}),
    )


class RetireForm(Form):
    """Why, the checklist, and what takes its place."""

    reason = forms.CharField(
        label="Why is it retired?", max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, models: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in retirement.QUESTIONS:
            self._add(
                question.key,
                forms.ChoiceField(
                    label=question.text,
                    help_text=question.help,
                    choices=question.answers,
                    widget=forms.RadioSelect,
                ),
            )
            self._add(f"{question.key}_note", _note(question))
        names = [(name, name) for name in models]
        self._add(
            "successor",
            forms.ChoiceField(
                label="What takes its place?",
                required=False,
                choices=[_NONE, *names],
                help_text="Its name is shown to everybody who sees this model.",
            ),
        )
        self._add(
            "no_successor",
            forms.CharField(
                label="Why does nothing?",
                required=False,
                max_length=2000,
                help_text="Needed if nothing takes its place.",
                widget=forms.Textarea(attrs={"rows": 2}),
            ),
        )
        self._add("password", _password())

    def _add(self, name: str, field: forms.Field) -> None:
        say_plainly(field)
        self.fields[name] = field

    def answers(self) -> dict[str, dict[str, str]]:
        """The checklist as the service takes it."""
        given = self.cleaned_data
        return {
            question.key: {"answer": given[question.key], "note": given[f"{question.key}_note"]}
            for question in retirement.QUESTIONS
        }


class BringBackForm(ReasonForm):
    """Why it comes back."""

    password = _password()
