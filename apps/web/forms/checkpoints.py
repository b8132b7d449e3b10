"""The checkpoint that somebody kept: a file, or its text."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.audits.notes import LONGEST
from apps.web.forms.base import Form


class KeptForm(Form):
    """One of the two."""

    file = forms.FileField(label="The file you kept", required=False, allow_empty_file=True)
    text = forms.CharField(
        label="Or its text",
        required=False,
        max_length=LONGEST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "mono"}),
        help_text="All of it: three lines, an empty line, and the lines that begin with a dash.",
    )

    def clean(self) -> dict[str, Any]:
        """The bytes as `note`."""
        given = super().clean() or self.cleaned_data
        file, text = given.get("file"), given.get("text") or ""
        if file is None and not text.strip():
            self.add_error("file", "Choose a file, or paste its text below.")
        elif file is not None:
            given["note"] = file.read(LONGEST + 1)
        else:  # a form sends CRLF, and pasting loses the last line's end
            given["note"] = (text.replace("\r\n", "\n").strip("\n") + "\n").encode()
        return given
