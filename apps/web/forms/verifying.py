"""The file that somebody wants verified."""

from __future__ import annotations

from django import forms

from apps.web.forms.base import Form


class VerifyForm(Form):
    """The field is there for the page: the file is hashed before any form is made (apps/web/hashing.py)."""

    file = forms.FileField(
        label="PDF",
        required=False,
        help_text="A document as it was downloaded or sent to you, unchanged.",
        widget=forms.FileInput(attrs={"accept": "application/pdf"}),
    )
