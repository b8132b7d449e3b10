"""Proposing a change of policy, and signing one."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.core.errors import Invalid
from apps.reviews.policies.files import MAX_LENGTH
from apps.web.forms.base import Form
from apps.web.forms.reviews import ReasonForm, _password, _text


class YamlForm(Form):
    """The whole document as YAML."""

    text = forms.CharField(
        label="The policy, as YAML",
        max_length=MAX_LENGTH,
        strip=False,
        help_text="The site gives the number. A version that is proposed never changes; propose again to correct it.",
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false", "class": "mono"}),
    )

    def refuse(self, error: Invalid) -> None:
        """What is wrong in the document stands beside it, a line each."""
        for where, why in error.fields.items() or [("", str(error))]:
            line = f"{where}: {why}" if where else why
            self.add_error("text", line[:1].upper() + line[1:])


class ImportForm(Form):
    """A file of somebody's own."""

    file = forms.FileField(
        label="A file with a policy as YAML",
        help_text=f"At most {MAX_LENGTH:,} characters. It replaces what is on this page; nothing is proposed yet.",
    )

    def clean_file(self) -> str:
        """The text of the file; one that is too large is not read."""
        file = self.cleaned_data["file"]
        if file.size > 4 * MAX_LENGTH:
            raise forms.ValidationError(f"It has {file.size:,} bytes; a policy is far smaller.")
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = file.open().read(error.start).count(b"\n") + 1
            raise forms.ValidationError(f"Line {line}: it is not text in UTF-8.") from error


def _effective_on() -> forms.DateField:
    return forms.DateField(
        label="In force from",
        required=False,
        help_text="Empty: with the last signature. Else from 00:00 UTC of that day, if it is signed by then; until then "
        "its proposer and those who may sign it can withdraw it.",
        error_messages={"invalid": "Give a day, such as 2027-01-31."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class ProposeForm(YamlForm):
    """A document that was looked at, and why it is proposed."""

    reason = _text("Why", "Whoever signs reads this first. It stays in the record.", rows=3)
    effective_on = _effective_on()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].widget = forms.HiddenInput()

    def refuse(self, error: Invalid) -> None:
        """The reason and the day have fields of their own."""
        own = error.fields.keys() & {"reason", "effective_on"}
        if own:
            for name in own:
                self.add_error(name, error.fields[name])
        else:
            super().refuse(error)


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
    """Why a policy should ask for nothing any more, and from when on."""

    effective_on = _effective_on()
