"""What goes into a bundle."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.audits import notes
from apps.web.forms.base import Form


class BundleForm(Form):
    """With the files or without, and the checkpoint that whoever gets it kept."""

    with_files = forms.BooleanField(
        label="With the model's files", required=False, help_text="They can be large."
    )
    since = forms.CharField(
        label="A checkpoint that you kept",
        required=False,
        max_length=notes.LONGEST,
        strip=False,
        help_text="Its text, or its number of events. The proof that the ledger grew out of it goes into the bundle, "
        "so that you can check it without this site.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    kept = forms.FileField(
        label="Or the checkpoint as a file",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(),
    )

    def clean_kept(self) -> str:
        """The file's text."""
        given = self.cleaned_data["kept"]
        if not given:
            return ""
        if given.size > notes.LONGEST:
            raise ValidationError("It is too long for a checkpoint.")
        try:
            return str(given.read().decode("utf-8"))
        except UnicodeDecodeError:
            raise ValidationError("It is not text: no checkpoint.") from None

    def clean(self) -> dict[str, Any]:
        """One of both, not two."""
        given = super().clean() or self.cleaned_data
        if given.get("kept") and (given.get("since") or "").strip():
            self.add_error("kept", "Give the text or the file, not both.")
        return given

    @property
    def checkpoint(self) -> str:
        """What was given, as text."""
        return str(self.cleaned_data["kept"] or self.cleaned_data["since"])
