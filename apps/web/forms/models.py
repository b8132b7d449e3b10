"""Registering models by upload, and their settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from apps.registry.models import Exposure, Governance, PurposeClass
from apps.web.forms.base import Form, say_plainly

Choices = Sequence[tuple[str, str]]
_TAG = "tag:"


class ManyFilesInput(forms.FileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class ManyFiles(forms.FileField):
    """A list of uploaded files, possibly none. Empty files arrive too: the registry says which may be."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        found = data if isinstance(data, list | tuple) else [data] if data else []
        return [file for file in found if file]


def _files() -> ManyFiles:
    return ManyFiles(
        label="Files",
        required=False,
        widget=ManyFilesInput(attrs={"multiple": True}),
        help_text="Several at once. Each must be what its name says: a .onnx, .parquet, .pkl, .json, MLmodel…",
    )


def _folder() -> ManyFiles:
    return ManyFiles(
        label="Or a folder",
        required=False,
        widget=ManyFilesInput(attrs={"multiple": True, "webkitdirectory": True}),
        help_text="With everything in it; the folders inside are kept.",
    )


class _WithFiles(Form):
    """At least one file, from either input."""

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not given.get("files") and not given.get("folder"):
            self.add_error("files", "Choose at least one file, or a folder.")
        return given


class UploadVersionForm(_WithFiles):
    """A version of an existing model."""

    files = _files()  # type: ignore[assignment]  # fields leave the class; `form.files` stays Django's
    folder = _folder()
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=100_000,
        help_text="What is new in it. Recorded, not evidence.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _live(field: forms.ChoiceField, url: str) -> None:
    """Choosing shows the risk tier at once; without JavaScript it is shown after saving."""
    field.widget.attrs.update(
        {
            "hx-get": url,
            "hx-trigger": "change",
            "hx-target": "#tier",
            "hx-swap": "outerHTML",
            "hx-include": "[name=exposure],[name=purpose_class]",
        }
    )


def _purpose() -> forms.CharField:
    return forms.CharField(
        label="Purpose",
        required=False,
        max_length=2000,
        help_text="What it decides or informs, in one sentence.",
    )


def _exposure() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Exposure",
        choices=Exposure.choices,
        initial=Exposure.HIGH,
        help_text="How many people or how much money it touches.",
    )


def _purpose_class() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="What it is used for", choices=PurposeClass.choices, initial=PurposeClass.DECISION
    )


class NewModelForm(_WithFiles):
    """A model with its first version."""

    name = forms.CharField(
        label="Name",
        max_length=255,
        help_text="As the client will call it: models:/name. No / : or \\.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    purpose = _purpose()
    exposure = _exposure()
    purpose_class = _purpose_class()
    team = forms.ChoiceField(label="Team", required=False)
    governance = forms.ChoiceField(
        label="Governance",
        choices=Governance.choices,
        help_text="A sandbox model is outside the approval rules and shown so everywhere.",
    )
    files = _files()  # type: ignore[assignment]  # fields leave the class; `form.files` stays Django's
    folder = _folder()

    def __init__(
        self, *args: Any, teams: Choices, sandbox: bool, governance: str, live: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = teams  # type: ignore[attr-defined]  # a choice field
        self.fields["governance"].initial = governance
        _live(self.fields["exposure"], live)  # type: ignore[arg-type]  # a choice field
        _live(self.fields["purpose_class"], live)  # type: ignore[arg-type]  # a choice field
        if len(teams) < 2:
            del self.fields["team"]
        if not sandbox:
            del self.fields["governance"]


class RegisterRunForm(Form):
    """A version from a run: which of its files, under which name; what a new model begins with."""

    source = forms.ChoiceField(label="What to register", widget=forms.RadioSelect)
    name = forms.CharField(
        label="Model",
        max_length=255,
        help_text="A model that is there gets its next version; a name that is free makes the model.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "list": "model-names"}
        ),
    )
    description = forms.CharField(
        label="Description of the version",
        required=False,
        max_length=100_000,
        help_text="What is new in it. Recorded, not evidence.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    purpose = _purpose()
    exposure = _exposure()
    purpose_class = _purpose_class()
    team = forms.ChoiceField(label="Team", required=False)
    shown = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, sources: Choices, teams: Choices, live: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = sources  # type: ignore[attr-defined]  # a choice field
        self.fields["team"].choices = teams  # type: ignore[attr-defined]  # a choice field
        _live(self.fields["exposure"], live)  # type: ignore[arg-type]  # a choice field
        _live(self.fields["purpose_class"], live)  # type: ignore[arg-type]  # a choice field
        if len(teams) < 2:
            del self.fields["team"]


class SettingsForm(Form):
    """Who answers for a model and what it is for; the risk tier follows."""

    owner = forms.ChoiceField(label="Owner", help_text="Answers for it, and can take versions out.")
    team = forms.ChoiceField(label="Team", required=False)
    purpose = _purpose()
    exposure = _exposure()
    purpose_class = _purpose_class()
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=10_000,
        help_text="Needed when the risk tier falls, or a policy would cover the model no more: somebody else signs that.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self,
        *args: Any,
        owners: Choices,
        teams: Choices,
        manage: bool,
        live: str,
        scopes: Mapping[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._scopes = scopes if manage else {}
        for key, value in self._scopes.items():
            self.fields[_TAG + key] = _scope_tag(key, value)
        self.fields["reason"] = self.fields.pop("reason")  # last: it is about all of the others
        self.fields["owner"].choices = owners  # type: ignore[attr-defined]  # a choice field
        self.fields["team"].choices = teams  # type: ignore[attr-defined]  # a choice field
        _live(self.fields["exposure"], live)  # type: ignore[arg-type]  # a choice field
        _live(self.fields["purpose_class"], live)  # type: ignore[arg-type]  # a choice field
        if not manage:
            for name in set(self.fields) - {"description"}:
                del self.fields[name]

    def changes(self) -> dict[str, Any]:
        """What the form says, as `reviews.services.change_settings` takes it."""
        given = dict(self.cleaned_data)
        tags = {key: given.pop(_TAG + key).strip() or None for key in self._scopes}
        if tags:
            given["tags"] = tags
        if "owner" in given:
            given["owner_id"] = int(given.pop("owner"))
            team = given.pop("team")
            given["team_id"] = int(team) if team else None
        return given


def _scope_tag(key: str, value: str) -> forms.CharField:
    field = forms.CharField(
        label=f"Tag {key}",
        required=False,
        max_length=5000,
        initial=value,
        help_text="Decides which policies cover the model. Empty: the model does not carry it.",
    )
    say_plainly(field)
    return field


class GovernanceForm(Form):
    """Into or out of the approval rules, with a reason."""

    governance = forms.ChoiceField(
        label="Governance", choices=Governance.choices, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label="Why",
        max_length=2000,
        help_text="It stays in the record.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
