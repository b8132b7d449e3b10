"""Attaching data, recalling a result, editing the card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms

from apps.checks import s3
from apps.checks.loggedinputs import LoggedInput
from apps.checks.mapping import Role
from apps.core.errors import Invalid
from apps.web.forms.base import Form

ROLES = [
    (Role.EVALUATION.value, "Evaluation: measured for performance and fairness"),
    (Role.REFERENCE.value, "Reference: what drift compares with"),
    (Role.CURRENT.value, "Current: recent data for drift (else the evaluation data)"),
]

_PLACES = ("file", "artifact", "logged_input", "s3")

TASKS = [
    ("binary", "Two labels, one of which people want"),
    ("multiclass", "Labels, more than two"),
    ("regression", "Numbers"),
]


def _column(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=200, help_text=help_text)


class DataForm(Form):
    """A file, uploaded or from the run, and what its columns mean."""

    role = forms.ChoiceField(label="What is it for", choices=ROLES)
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=200,
        help_text="As people will read it; the file's name if left empty.",
    )
    file = forms.FileField(
        label="Upload a file",
        required=False,
        allow_empty_file=True,
        help_text="Parquet or CSV (UTF-8, with a header). What it is, is told from its content.",
    )
    artifact = forms.CharField(
        label="Or take what the run logged",
        required=False,
        max_length=1000,
        help_text="The path of a file, of a table (mlflow.log_table), or of a folder whose files are one data set.",
    )
    logged_input = forms.ChoiceField(
        label="Or take data that the run says it used",
        required=False,
        help_text="What mlflow.log_input noted, where its source can be read here.",
    )
    s3 = forms.CharField(
        label="Or copy it from S3",
        required=False,
        max_length=1200,
        help_text="Such as s3://bucket/evaluation/scored: an object, or what several begin with. What is copied stays.",
    )
    task = forms.ChoiceField(
        label="What the outcomes are",
        choices=TASKS,
        required=False,
        help_text="Which check of performance takes the evaluation data follows from it.",
    )
    target = _column("Column of the true outcome", "Such as y_true.")
    prediction = _column(
        "Column of the decision", "Such as y_pred: the outcome the model decided for."
    )
    score = _column("Column of the score", "Such as y_score: a number, higher means more likely.")
    sensitive = _column(
        "Columns of groups", "Separated by commas, such as sex, race. Compared with each other."
    )
    features = _column(
        "Columns compared for drift", "Separated by commas. The score is compared as well."
    )
    time = _column(
        "Column of the time",
        "When a row is from: dates, or years or batches. Drift is shown as a curve over them.",
    )
    favourable = _column(
        "Favourable outcome",
        "The value that is good for the person, such as 1. Needed where there are two labels.",
    )

    def __init__(self, *args: Any, inputs: Sequence[LoggedInput] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(each.key, _titled(each)) for each in inputs if not each.place.why_not]
        if choices:
            field = cast("forms.ChoiceField", self.fields["logged_input"])
            field.choices = [("", "none"), *choices]
        else:
            del self.fields["logged_input"]
        if not s3.is_set_up():
            del self.fields["s3"]

    def mapping(self) -> dict[str, Any]:
        """The meaning of the columns as the service takes it."""
        given = self.cleaned_data
        lists = {name: _names(given[name]) for name in ("sensitive", "features")}
        return (
            {name: given[name] for name in ("target", "prediction", "score", "time")}
            | lists
            | {"task": given["task"] or "binary"}
        )

    def refuse(self, error: Invalid) -> None:
        """A refusal about the file belongs beside the field that named it."""
        fields = dict(error.fields)
        if "s3" in fields and self.cleaned_data.get("logged_input"):
            fields["logged_input"] = fields.pop("s3")
        place = next((name for name in _PLACES[1:] if self.cleaned_data.get(name)), "")
        if "file" in fields and place:
            fields[place] = fields.pop("file")
        super().refuse(Invalid(error.message, fields=fields, hint=error.hint))

    def clean(self) -> dict[str, Any]:
        """One file, from one place."""
        data = super().clean() or {}
        wrong = any(place in self.errors for place in _PLACES)
        if not wrong and sum(bool(data.get(place)) for place in _PLACES) != 1:
            self.add_error("file", "Upload a file or name what to take: one place, not several.")
        return data


def _titled(each: LoggedInput) -> str:
    context = f", {each.context}" if each.context else ""
    return f"{each.name} (digest {each.digest}{context}): {each.source}"[:200]


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


class RecallForm(Form):
    """Why a result does not count any more."""

    reason = forms.CharField(
        label="Reason", max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )
