"""The form of a report's statement: the fields of its kind."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.compliance.kinds import Kind
from apps.compliance.reports import fields
from apps.web.forms.base import Form, say_plainly


class StatementForm(Form):
    """`base` is the number of the statement that the writer started from."""

    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(self, *args: Any, kind: Kind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys = [field.key for field in kind.fields]
        for field in kind.fields:
            self.fields[field.key] = _field(field)
            say_plainly(self.fields[field.key])

    def content(self) -> dict[str, str]:
        """The fields by key, as the service takes them."""
        return {key: self.cleaned_data[key] for key in self.keys}

    def asked(self) -> list[Any]:
        """The visible fields, in their order."""
        return [self[key] for key in self.keys]


def _field(field: fields.Field) -> forms.CharField | forms.ChoiceField:
    common: dict[str, Any] = {"label": field.label, "help_text": field.help, "required": False}
    if field.kind == "choice":
        return forms.ChoiceField(choices=[("", "Not stated"), *field.choices], **common)
    if field.kind == "text":
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), **common)
    if field.kind == "date":
        widget = forms.TextInput(attrs={"type": "date"})
        return forms.CharField(widget=widget, **common)
    return forms.CharField(**common)
