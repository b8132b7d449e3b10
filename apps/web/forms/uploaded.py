"""Uploading what another tool reported."""

from __future__ import annotations

from django import forms

from apps.web.forms.base import Form

LONGEST = 100


class UploadForm(Form):
    """A results file, and what it does not say itself."""

    file = forms.FileField(
        label="Results file",
        allow_empty_file=True,
        help_text="JUnit XML, results as JSON (countersign.results.v1), or an in-toto statement (v1), plain or in a DSSE "
        "envelope. What it is, is told from its content.",
    )
    name = forms.CharField(
        label="What the result is called",
        required=False,
        max_length=LONGEST,
        help_text="The same at each run, such as unit-tests: the newest of a name is the one that stands. The file's own name "
        "for it if left empty.",
    )
    tool = forms.CharField(
        label="Tool",
        required=False,
        max_length=LONGEST,
        help_text="Needed where the file names none.",
    )
    tool_version = forms.CharField(
        label="Version of the tool", required=False, max_length=LONGEST, help_text="Such as 9.1."
    )
