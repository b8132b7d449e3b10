"""What people change about their own account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms

from apps.accounts.verbs import SCOPES
from apps.web.forms.base import Form

LIVES = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year")]


class NewPasswordForm(Form):
    """A new password, twice."""

    new = forms.CharField(
        label="New password",
        max_length=1000,
        strip=False,
        help_text="At least 12 characters; a sentence is fine. Pasting is welcome.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="New password again",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """The second spelling must be the first."""
        data = super().clean() or {}
        if data.get("new") and data.get("again") and data["new"] != data["again"]:
            self.add_error("again", "This is not the same password.")
        return data


class PasswordForm(NewPasswordForm):
    """A new password, by whoever knows the present one."""

    current = forms.CharField(
        label="Present password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("current", "new", "again")


class TokenForm(Form):
    """A new access token."""

    name = forms.CharField(
        label="Name", max_length=100, help_text="Where it will be used: laptop, CI of churn."
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=[(key, f"{key}: {what}") for key, what in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=["read", "tracking", "registry"],
        help_text="Never more than you may. No token signs, manages or promotes past a review.",
    )
    expires_in = forms.ChoiceField(label="Expires after", choices=LIVES, initial="90")
    service = forms.ChoiceField(label="For", required=False)

    def __init__(self, *args: Any, services: Sequence[tuple[int, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "myself"), *((str(pk), name) for pk, name in services)]
        if services:
            self.fields["service"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField
        else:
            del self.fields["service"]

    def life(self) -> dt.timedelta:
        """How long the token will live."""
        return dt.timedelta(days=int(self.cleaned_data["expires_in"]))
