"""What questions an approval, and emergency rollbacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.reviews.models import DECLARED
from apps.web.forms.base import Form
from apps.web.forms.reviews import ReasonForm, _password, _text


class QuestionForm(Form):
    """Something happened that the record cannot know of."""

    trigger = forms.ChoiceField(
        label="What happened?",
        choices=[(trigger.value, str(trigger.label)) for trigger in DECLARED],
        widget=forms.RadioSelect,
    )
    reason = _text("In a sentence or two", "It stays in the record, and the gate says it.", rows=3)


class RollBackForm(ReasonForm):
    """Where the version goes back to, and why."""

    targets = forms.MultipleChoiceField(
        label="Put it back into", widget=forms.CheckboxSelectMultiple
    )
    password = _password("Putting a version back asks for it.")

    field_order = ["targets", "reason", "password"]

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["targets"].choices = choices  # type: ignore[attr-defined]  # a choice field


class RollbackReviewForm(Form):
    """Whether it was right, signed."""

    verdict = forms.ChoiceField(
        label="Was it right?",
        choices=[
            ("confirm", "Confirm: it was right"),
            ("refuse", "Do not confirm: the version needs a new review"),
        ],
        widget=forms.RadioSelect,
    )
    comment = _text("Why", "It is part of what you sign, and stays.", rows=3)
    password = _password("Signing asks for it every time.")
