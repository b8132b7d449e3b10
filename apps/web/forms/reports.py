"""The forms of reports: the statement of a kind, and many documents at once."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.compliance import batches
from apps.compliance.kinds import KINDS, Kind
from apps.compliance.models import Batch
from apps.compliance.reports import fields
from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
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


class BatchForm(Form):
    """Which kind of document, of which versions: all in a stage, or those on a list."""

    kind = forms.ChoiceField(
        label="Document", choices=[(kind.key, kind.title) for kind in KINDS.values()]
    )
    stage = forms.ChoiceField(
        label="Versions",
        required=False,
        choices=[
            ("production", "All governed versions in stage Production"),
            ("staging", "All governed versions in stage Staging"),
            ("", "Those on the list below"),
        ],
    )
    listed = forms.CharField(
        label="List",
        required=False,
        max_length=100_000,
        help_text="One version a line, as income/3. Only read when the list is chosen above.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def ask(self, actor: Actor) -> Batch:
        """Have them made; Invalid names the line that is no version one may read."""
        given = self.cleaned_data
        if given["stage"]:
            return batches.request_stage(actor, given["kind"], given["stage"])
        named = [_named(line) for line in _lines(given["listed"])]
        try:
            return batches.request_listed(actor, given["kind"], named)
        except NotFound as error:
            raise Invalid("Not a version.", fields={"listed": str(error)}) from None


def _lines(text: str) -> list[str]:
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if not found:
        raise Invalid("The list is empty.", fields={"listed": "Name at least one version."})
    if len(found) > batches.MOST:
        raise Invalid("Too many.", fields={"listed": f"At most {batches.MOST} versions."})
    return found


def _named(line: str) -> tuple[str, int]:
    name, _, number = line.rpartition("/")
    if not name or not number.isascii() or not number.isdigit() or len(number) > 9:
        text = f"There is no version {line[:100]!r}."
        raise Invalid("Not a version.", fields={"listed": text})
    return name, int(number)
