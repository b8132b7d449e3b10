"""Proposing a change of policy, and signing one."""

from __future__ import annotations

from django import forms

from apps.core.errors import Invalid
from apps.reviews.policies.files import MAX_LENGTH
from apps.web.forms.base import Form
from apps.web.forms.reviews import ReasonForm, _password, _text


class ProposeForm(Form):
    """The whole document as YAML, and why."""

    text = forms.CharField(
        label="The policy, as YAML",
        max_length=MAX_LENGTH,
        strip=False,
        help_text="The site gives the number. A version that is proposed never changes; propose again to correct it.",
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false", "class": "mono"}),
    )
    reason = _text("Why", "Whoever signs reads this first. It stays in the record.", rows=3)

    def refuse(self, error: Invalid) -> None:
        """What is wrong in the document stands beside it, a line each."""
        lines = [f"{where}: {why}" for where, why in error.fields.items() if where != "reason"]
        for line in lines:
            self.add_error("text", line[:1].upper() + line[1:])
        if "reason" in error.fields:
            self.add_error("reason", error.fields["reason"])
        if not error.fields:
            self.add_error("text", str(error))


class SignChangeForm(Form):
    """For or against, with a reason and proof of who it is."""

    approves = forms.ChoiceField(
        label="Your decision",
        choices=(("yes", "Approve: it may be in force"), ("no", "Reject: this proposal ends here")),
        widget=forms.RadioSelect,
    )
    comment = _text("Why", "It is part of what you sign, and stays.", rows=3)
    password = _password("Signing asks for it every time.")


class RetireForm(ReasonForm):
    """Why a policy should ask for nothing any more."""
