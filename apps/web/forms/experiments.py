"""What is asked of the runs of an experiment. The form is sent by GET: a view of runs is an address."""

from __future__ import annotations

from typing import Final

from django import forms

from apps.experiments.models import Lifecycle, RunStatus
from apps.web.forms.base import Form

EXAMPLE: Final = "metrics.auc > 0.8 and params.algorithm = 'gbm'"
STATES: Final = [(Lifecycle.ACTIVE.value, "Active"), (Lifecycle.DELETED.value, "Deleted")]


class RunsForm(Form):
    """A filter in the language of the MLflow protocol, a status, and whether deleted runs are meant."""

    filter = forms.CharField(
        label="Filter",
        required=False,
        max_length=2000,
        widget=forms.TextInput(
            attrs={"placeholder": EXAMPLE, "spellcheck": "false", "autocomplete": "off"}
        ),
    )
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Any"), *((value, value.capitalize()) for value in RunStatus.values)],
    )
    state = forms.ChoiceField(label="Runs that are", required=False, choices=STATES)

    def question(self) -> str:
        """The filter as the search takes it. Only of a form that was found valid."""
        status = self.cleaned_data["status"]
        clauses = [self.cleaned_data["filter"], f"attributes.status = '{status}'" if status else ""]
        return " AND ".join(clause for clause in clauses if clause)

    def stage(self) -> Lifecycle:
        """Active runs, unless deleted ones were asked for. Only of a form that was found valid."""
        return Lifecycle(self.cleaned_data["state"] or Lifecycle.ACTIVE)
