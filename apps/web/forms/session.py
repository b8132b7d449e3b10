"""Getting in: sign-in and the first administrator."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.web.forms.base import Form


def _new_password() -> forms.PasswordInput:
    return forms.PasswordInput(attrs={"autocomplete": "new-password"})


class SignInForm(Form):
    """Username and password."""

    username = forms.CharField(
        label="Username",
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label="Password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class SetupForm(Form):
    """What the first administrator says of herself, with the token that the server printed."""

    setup_token = forms.CharField(
        label="Set-up token",
        max_length=200,
        help_text="Printed where the server was started; manage.py setup_token prints a new one.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    username = forms.CharField(
        label="Username",
        max_length=150,
        help_text="Lower-case letters, digits and . _ @ + -",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    display_name = forms.CharField(
        label="Your name",
        max_length=200,
        help_text="As it will stand in the record.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=1000,
        strip=False,
        help_text="At least 12 characters; a sentence is fine.",
        widget=_new_password(),
    )
    again = forms.CharField(
        label="Password again", max_length=1000, strip=False, widget=_new_password()
    )

    def clean(self) -> dict[str, Any]:
        """The second spelling must be the first."""
        data = super().clean() or {}
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", "This is not the same password.")
        return data
