"""What a version's owner may edit of it."""

from __future__ import annotations

from django import forms

from apps.web.forms.base import Form


class DescriptionForm(Form):
    """Free words about a version: recorded, never evidence."""

    description = forms.CharField(
        label="Description",
        required=False,
        max_length=100_000,
        help_text="Recorded whenever it changes; not part of the evidence.",
        widget=forms.Textarea(attrs={"rows": 8}),
    )
