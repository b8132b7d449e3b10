"""What whoever manages people fills in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.web.forms.base import Form

SITE = "site"


class PersonForm(Form):
    """A new person with a temporary password."""

    username = forms.CharField(
        label="Username",
        max_length=150,
        help_text="Lower-case letters, digits and . _ @ + - Never given to a second person.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    display_name = forms.CharField(
        label="Name", max_length=200, help_text="As it will stand beside signatures."
    )
    email = forms.EmailField(label="E-mail address", required=False)
    password = forms.CharField(
        label="Temporary password",
        max_length=1000,
        strip=False,
        help_text="At least 12 characters. It lets the person in once, to choose their own; nobody signs with it.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class ServiceForm(Form):
    """A new service user for pipelines."""

    username = forms.CharField(
        label="Username",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    display_name = forms.CharField(label="Name", max_length=200, help_text="CI of team credit")
    owners = forms.MultipleChoiceField(
        label="Who answers for it",
        help_text="Each of them counts as author of whatever the service writes.",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, people: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(pk), name) for pk, name in people]
        self.fields["owners"].choices = choices  # type: ignore[attr-defined]  # a choice field


class OwnersForm(ServiceForm):
    """Who answers for an existing service."""

    def __init__(self, *args: Any, people: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, people=people, **kwargs)
        del self.fields["username"], self.fields["display_name"]


class ProfileForm(Form):
    """A person's printed name and address."""

    display_name = forms.CharField(label="Name", max_length=200)
    email = forms.EmailField(label="E-mail address", required=False)


class ReasonForm(Form):
    """Why."""

    reason = forms.CharField(
        label="Why",
        max_length=500,
        help_text="It stays in the record.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class TemporaryPasswordForm(Form):
    """A temporary password for somebody who lost hers."""

    password = forms.CharField(
        label="Temporary password",
        max_length=1000,
        strip=False,
        help_text="At least 12 characters. They must choose their own before they can do anything else.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class GrantForm(Form):
    """A role on a place: the whole site or a team."""

    role = forms.ChoiceField(label="Role")
    place = forms.ChoiceField(label="On")

    def __init__(
        self,
        *args: Any,
        roles: Sequence[tuple[str, str]],
        teams: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        places = [(SITE, "the whole site"), *teams]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["place"].choices = places  # type: ignore[attr-defined]  # a ChoiceField


class GroupForm(GrantForm):
    """What a group of the directory gives its members."""

    name = forms.CharField(
        label="Group",
        max_length=150,
        help_text="Exactly as the identity provider's claim names it.",
    )
    field_order = ("name", "role", "place")


class TeamForm(Form):
    """A new team."""

    name = forms.CharField(label="Name", max_length=200)
    key = forms.CharField(
        label="Key", max_length=60, help_text="For addresses: lower-case letters, digits, hyphens."
    )


class RenameTeamForm(Form):
    """A team's name; its key stays."""

    name = forms.CharField(label="Name", max_length=200)


class MemberForm(Form):
    """A person and her role on the team."""

    person = forms.ChoiceField(label="Person")
    role = forms.ChoiceField(label="Role")

    def __init__(
        self,
        *args: Any,
        people: Sequence[tuple[str, str]],
        roles: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = people  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["role"].choices = roles  # type: ignore[attr-defined]  # a ChoiceField
