"""The form of a draft, as Django shows it: one field a control, and one a list so that a refusal can be about the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.utils import ErrorDict

from apps.web.forms.base import Form, say_plainly
from apps.web.policy_form.draft import Draft
from apps.web.policy_form.kinds import LINE, Choices, Entry, Rows
from apps.web.policy_form.layout import SECTIONS


class PolicyForm(Form):
    """What was typed, with what is wrong beside it. It is not asked whether it is valid: the document was."""

    def __init__(self, draft: Draft, problems: Mapping[str, str] | None = None) -> None:
        super().__init__(draft.given)
        self.draft, self.problems = draft, problems or {}
        for part in (part for section in SECTIONS for part in section.parts):
            if isinstance(part, Rows):
                self._add_rows(part)
            else:
                self._add(part.path, part)

    def _add(self, name: str, entry: Entry) -> None:
        self.fields[name] = _field(entry, self._choices(name, entry), self._typed(name))

    def _add_rows(self, rows: Rows) -> None:
        self.fields[f"rows.{rows.path}"] = forms.MultipleChoiceField(
            label=rows.title, required=False, widget=forms.MultipleHiddenInput
        )
        for row in self.draft.rows(rows.path):
            for entry in rows.entries:
                self._add(f"{rows.path}.{row}.{entry.path}", entry)

    def _typed(self, name: str) -> str:
        return str(self.draft.given.get(name, ""))

    def _choices(self, name: str, entry: Entry) -> Choices:
        if not name.endswith(".after"):
            return entry.choices
        rows = self.draft.rows("steps")
        before = rows[: rows.index(name.split(".")[1])]
        return [(row, self._step(place, row)) for place, row in enumerate(before, 1)]

    def _step(self, place: int, row: str) -> str:
        title = self._typed(f"steps.{row}.title").strip()
        return f"{place}. {title}" if title else f"Step {place}"

    def full_clean(self) -> None:
        self._errors = ErrorDict()
        self.cleaned_data: dict[str, Any] = {}
        for name, reason in self.problems.items():
            self.add_error(name if name in self.fields else None, reason)


def _field(entry: Entry, choices: Choices, typed: str) -> forms.Field:
    field = entry.kind.made(choices)
    if entry.kind is LINE and "\n" in typed:
        field.widget = forms.Textarea(attrs={"rows": 2})  # a line would lose what follows the first
    field.label, field.help_text, field.required = entry.label, entry.help, entry.needed
    if entry.placeholder:
        field.widget.attrs["placeholder"] = entry.placeholder
    say_plainly(field)
    return field
