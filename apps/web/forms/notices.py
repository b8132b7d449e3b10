"""Which notices come by mail, and what webhooks are told."""

from __future__ import annotations

from django import forms

from apps.notices.kinds import HOOKED, KINDS
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


class WebhookForm(Form):
    """Where to, and what of."""

    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="https:// and a public host. It may hold a secret: only its host is shown in the record.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    description = forms.CharField(label="What it is for", max_length=200, required=False)
    wanted = forms.MultipleChoiceField(
        label="It is told of",
        choices=[(each, each) for each in HOOKED],
        widget=forms.CheckboxSelectMultiple,
    )


class WebhookOffForm(Form):
    """Why."""

    reason = forms.CharField(label="Why", max_length=200, help_text="It stays in the record.")
