"""Raising a finding and what happens to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.reviews.models import Severity
from apps.reviews.reads.waivers import REQUIREMENTS
from apps.web.forms.base import Form
from apps.web.forms.reviews import ReasonForm

LONG = 10_000
LINE = 200
EVIDENCE = "The id of a measurement, the id of a run, or an address (http or https)."


def _words(label: str, help_text: str = "", rows: int = 4) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def _evidence(help_text: str, *, required: bool) -> forms.CharField:
    return forms.CharField(
        label="Evidence", help_text=help_text, max_length=LINE, required=required
    )


class RaiseForm(Form):
    """What is wrong, how grave it is, who answers by when."""

    title = forms.CharField(label="What is wrong, in one line", max_length=LINE)
    text = _words("What you saw", "Markdown. With numbers, and where they come from.", rows=6)
    severity = forms.ChoiceField(
        label="How grave is it?", choices=Severity.choices, widget=forms.RadioSelect
    )
    blocking = forms.BooleanField(
        label="It blocks the promotion until it is closed, or its risk accepted", required=False
    )
    owner = forms.TypedChoiceField(
        label="Who answers it?", coerce=int, help_text="Somebody who may see the model."
    )
    due = forms.DateField(
        label="By when?",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "A date such as 2027-01-31."},
    )
    clause = forms.CharField(
        label="Against what?",
        max_length=LINE,
        required=False,
        help_text="The clause of the policy or the law, if there is one.",
    )
    reproduction = forms.CharField(
        label="Where can it be seen again?",
        max_length=2_000,
        required=False,
        help_text="An address (http or https) of a notebook, a run, a ticket.",
    )

    def __init__(self, *args: Any, owners: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].choices = owners  # type: ignore[attr-defined]  # a choice field


class RespondForm(Form):
    """What was done about it."""

    text = _words("Your answer", "Markdown. What you changed, or why nothing needs changing.")
    evidence = _evidence(EVIDENCE, required=False)


class RetestForm(Form):
    """What testing the answer gave."""

    result = forms.ChoiceField(
        label="The re-test",
        choices=(("passed", "Passed: it can be closed"), ("failed", "Failed: it is asked again")),
        widget=forms.RadioSelect,
    )
    text = _words("What you did and saw", rows=3)
    evidence = _evidence(EVIDENCE, required=False)


class CloseForm(Form):
    """Why nothing is left of it."""

    text = _words("Why it is closed", rows=3)
    evidence = _evidence(f"{EVIDENCE} A finding is closed with evidence.", required=True)


class AcceptForm(ReasonForm):
    """Signing for the risk that is left."""

    password = forms.CharField(
        label="Your password",
        help_text="Signing asks for it every time.",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class WaiverForm(Form):
    """Which requirement need not hold, why, and how long."""

    requirement = forms.ChoiceField(
        label="Which requirement?", choices=tuple(REQUIREMENTS.items()), widget=forms.RadioSelect
    )
    reason = _words("Why", "It is part of what you sign, and stays.", rows=3)
    until = forms.DateField(
        label="Until and including",
        help_text="At most a year. Then the requirement counts again.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "A date such as 2027-01-31."},
    )
    password = forms.CharField(
        label="Your password",
        help_text="Signing asks for it every time.",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CommentForm(Form):
    """What somebody says."""

    text = _words("Your comment", "Markdown. @name calls somebody who may see the model.", rows=3)


class ThreadForm(CommentForm):
    """What somebody says, and about what."""

    about = forms.ChoiceField(label="About")

    field_order = ("about", "text")

    def __init__(self, *args: Any, about: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["about"].choices = about  # type: ignore[attr-defined]  # a choice field
