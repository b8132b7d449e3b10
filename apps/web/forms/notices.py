"""Which notices come by mail."""

from __future__ import annotations

from django import forms

from apps.notices.kinds import KINDS
from apps.web.forms.base import Form


class MailsForm(Form):
    """One tick for each kind; the inbox has all of them."""

    kinds = forms.MultipleChoiceField(
        label="Send me a mail when",
        choices=[(kind.key, kind.label) for kind in KINDS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="What is not ticked is told in the inbox only.",
    )
