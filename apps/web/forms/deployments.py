"""Environments, and what is recorded as running in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.web.forms.base import Form

_LINE = 500


def _share(help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label="Share of the traffic, in percent",
        max_length=20,
        help_text=help_text,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 8}),
    )


def _moment(label: str, help_text: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        help_text=help_text,
        error_messages={"invalid": "A moment such as 2027-01-31 14:05."},
    )


class NewEnvironmentForm(Form):
    """A place where versions run."""

    key = forms.CharField(
        label="Key",
        max_length=64,
        help_text="Short, in ASCII, such as prod. Programs and policies name it so, and it never changes.",
    )
    title = forms.CharField(
        label="Title", max_length=200, help_text="What people call it: Production cluster, EU."
    )


class EnvironmentForm(Form):
    """Its title, and whether anything new may run there."""

    title = forms.CharField(label="Title", max_length=200)
    retired = forms.BooleanField(label="Retired: nothing new runs there", required=False)


class RecordForm(Form):
    """Where a version runs."""

    environment = forms.ChoiceField(label="Where does it run?")
    place = forms.CharField(
        label="Where in it?",
        required=False,
        max_length=_LINE,
        help_text="A cluster, a region, an address; empty if there is only one.",
    )
    traffic = _share(
        "100 if it serves everything there. All versions of a model together have at most 100."
    )
    started_at = _moment("Since when?", "UTC, such as 2027-01-31 14:05. Empty: now.")

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["environment"].choices = choices  # type: ignore[attr-defined]  # a choice field


class TrafficForm(Form):
    """Another share of the traffic."""

    traffic = _share("From now on. What it had before stays on record.")


class EndForm(Form):
    """That a deployment stopped."""

    reason = forms.CharField(
        label="Why did it stop?",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    ended_at = _moment("When?", "UTC, such as 2027-01-31 14:05. Empty: now.")
