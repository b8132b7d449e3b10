"""Writing a card, defining a template of cards, choosing one for a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django import forms

from apps.core.errors import Invalid
from apps.modelcards.card import CardSection
from apps.modelcards.services import Edited
from apps.modelcards.templating import document
from apps.modelcards.templating.document import CardTemplate
from apps.web.forms.base import Form, say_plainly


def _previewed(key: str, url: str) -> dict[str, Any]:
    """The attributes of a field whose preview follows while one writes."""
    shown = {
        "hx-post": url,
        "hx-trigger": "input changed delay:500ms",
        "hx-target": f"#p-{key}",
        "hx-params": f"block-{key}",
        "hx-sync": "this:replace",
    }
    return {"rows": 7, "data-block": key, **(shown if url else {})}


class CardForm(Form):
    """The written blocks of a card as its template lays them out, and those it keeps besides; `base_revision` is what
    the editor started from, `template` what the save is laid out by."""

    base_revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    read_revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    template = forms.CharField(widget=forms.HiddenInput, required=False, max_length=80)

    def __init__(
        self, *args: Any, layout: Sequence[CardSection], preview: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.layout = layout
        self.blocks = {b.key: b for each in layout for b in each.blocks if b.kind == "human"}
        for key, block in self.blocks.items():
            self.fields[f"block-{key}"] = forms.CharField(
                label=block.title + (" (required)" if block.required else ""),
                required=False,
                strip=True,
                help_text=block.help,
                widget=forms.Textarea(attrs=_previewed(key, preview)),
            )
            say_plainly(self.fields[f"block-{key}"])

    def refuse(self, error: Invalid) -> None:
        """A refusal about the block `ethics` belongs beside the field `block-ethics`."""
        fields = {
            f"block-{key}" if key in self.blocks else key: text
            for key, text in error.fields.items()
        }
        super().refuse(Invalid(error.message, fields=fields, hint=error.hint))

    def content(self) -> dict[str, str]:
        """The blocks by key, as the service takes them."""
        return {key: self.cleaned_data[f"block-{key}"] for key in self.blocks}

    def edited(self) -> Edited:
        """What was sent, with the picks of a clash."""
        given = self.cleaned_data
        picks = {key: str(self.data.get(f"pick-{key}", "")) for key in self.blocks}
        return Edited(
            self.content(),
            given["base_revision"] or 0,
            given["template"],
            given["read_revision"] or 0,
            picks,
        )


class DefineTemplateForm(Form):
    """A template as YAML, written or uploaded; `after` is the version it follows."""

    file = forms.FileField(
        label="A YAML file",
        required=False,
        help_text="Instead of the text below.",
        widget=forms.ClearableFileInput(attrs={"accept": ".yaml,.yml,text/yaml"}),
    )
    text = forms.CharField(
        label="The template as YAML",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "code-input"}),
    )
    after = forms.IntegerField(
        label="Follows version",
        required=False,
        min_value=0,
        max_value=100_000,
        help_text="The newest version of this key that you have read; 0 for a new template.",
    )

    def refuse(self, error: Invalid) -> None:
        """A line that is no YAML is named beside the text or the file that holds it."""
        where = "file" if self.cleaned_data.get("file") else "text"
        lines = {name: said for name, said in error.fields.items() if name.startswith("line ")}
        for name, said in lines.items():
            self.add_error(where, f"{name.capitalize()}: {said}.")
        if not lines:
            super().refuse(error)

    def clean(self) -> dict[str, Any]:
        """Text or a file of UTF-8, not too large to be looked at."""
        given: dict[str, Any] = super().clean() or {}
        file = given.get("file")
        if file is None:
            if not (given.get("text") or "").strip():
                self.add_error("text", "Write the template, or choose a file.")
            return given
        if file.size > document.MAX_LENGTH * 4:
            self.add_error("file", f"A template has at most {document.MAX_LENGTH:,} characters.")
            return given
        try:
            given["text"] = file.read().decode("utf-8")
        except UnicodeDecodeError:
            self.add_error("file", "The file is not UTF-8 text.")
        return given

    def text_given(self) -> str:
        """What was written or uploaded."""
        return str(self.cleaned_data["text"])


class ChooseTemplateForm(Form):
    """Which template the cards of a model follow, and why."""

    key = forms.ChoiceField(label="Template", required=False)
    reason = forms.CharField(
        label="Why",
        help_text="It stays in the record.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, templates: Iterable[CardTemplate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ChoiceField", self.fields["key"])
        field.choices = [
            ("", "Leave it to the model's tier and tags"),
            *((each.key, f"{each.title} ({each.name})") for each in templates),
        ]
