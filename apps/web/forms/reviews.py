"""Asking for a review, deciding, taking a request back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.reviews.models import Outcome
from apps.web.forms.base import Form

LONG = 10_000


def _text(label: str, help_text: str = "", rows: int = 4) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def _password(help_text: str) -> forms.CharField:
    return forms.CharField(
        label="Your password",
        help_text=help_text,
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class SubmitForm(Form):
    """What a version should enter, and why."""

    targets = forms.MultipleChoiceField(
        label="Where should it go?", widget=forms.CheckboxSelectMultiple
    )
    justification = _text(
        "Why should it?",
        "What it is for, what it replaces, what changed. The people who sign read this first.",
    )

    wanted_by = forms.DateField(
        label="By which day would you like it to be there? (optional)",
        help_text="That day counts, in UTC. A wish that signers see; by when they must sign is the policy's.",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "A date such as 2027-01-31."},
    )

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["targets"].choices = choices  # type: ignore[attr-defined]  # a choice field


OUTCOMES = (
    (Outcome.APPROVE.value, "Approve: it may go there"),
    (Outcome.REQUEST_CHANGES.value, "Request changes: the submitter answers with new evidence"),
    (Outcome.REJECT.value, "Reject: the review ends here"),
)


class DecideForm(Form):
    """One signed decision."""

    outcome = forms.ChoiceField(label="Your decision", choices=OUTCOMES, widget=forms.RadioSelect)
    comment = _text("Why", "It is part of what you sign, and stays.", rows=3)
    no_conflict = forms.BooleanField(
        label="I have no conflict of interest in this",
        help_text="It is part of what you sign. If you have one, declare it or step aside.",
    )
    password = _password("Signing asks for it every time.")


class ReasonForm(Form):
    """A reason that stays in the record."""

    reason = _text("Why", "It stays in the record.", rows=3)


class LeaveForm(ReasonForm):
    """Out of a governed target: a reason, and proof of who it is."""

    password = _password("Taking a version out of a governed target asks for it.")
