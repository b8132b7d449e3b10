"""Delegations and declared conflicts of interest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.web.forms.base import Form
from apps.web.forms.reviews import ReasonForm

Choices = Sequence[tuple[str, str]]


class _Chosen(Form):
    """A form whose choices are known when it is shown."""

    def __init__(self, *args: Any, choices: dict[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]  # a choice field


class DelegateForm(_Chosen, ReasonForm):
    """Who signs for you, as what, where and until when."""

    to = forms.ChoiceField(label="Who signs for you?")
    role = forms.ChoiceField(label="In which of your roles?")
    scope = forms.ChoiceField(label="Where?", widget=forms.RadioSelect)
    until = forms.DateField(
        label="Until which day?",
        help_text="That day counts, in UTC; at most 90 days.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    field_order = ["to", "role", "scope", "until", "reason"]


class ConflictForm(_Chosen, ReasonForm):
    """Whose conflict of interest, and how far it reaches."""

    person = forms.ChoiceField(label="Who has it?")
    scope = forms.ChoiceField(label="In what?", widget=forms.RadioSelect)

    field_order = ["person", "scope", "reason"]
