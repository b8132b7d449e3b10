"""Opening an audit engagement, drawing a sample, concluding, noting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.accounts.models import User
from apps.engagements import frameworks, services
from apps.engagements.services import NewEngagement
from apps.web.forms.base import Form
from apps.web.forms.findings import LINE, LONG

DAY = {"invalid": "A date such as 2027-01-31."}


def _day(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=DAY,
    )


class ScopeForm(Form):
    """The scope wizard: what, when, against what; by whom, until when. `models` are those chosen and those just found."""

    find = forms.CharField(
        label="Find models by name",
        max_length=100,
        required=False,
        help_text="What is found is listed below, to be chosen. What you chose stays.",
    )
    models = forms.TypedMultipleChoiceField(
        label="Models in scope", coerce=int, widget=forms.CheckboxSelectMultiple
    )
    period_from = _day("Period from", "The first day of it (UTC).")
    period_to = _day("Period to", "The last one; today at the latest.")
    framework = forms.ChoiceField(label="Framework", widget=forms.RadioSelect)
    title = forms.CharField(label="Title of the engagement", max_length=LINE)
    purpose = forms.CharField(
        label="Purpose",
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the audit is to find out. Whoever sees the models reads it.",
    )
    auditors = forms.CharField(
        label="Auditors",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Their user names, one a line. None of them may have made or decided anything in scope.",
    )
    ends_on = _day("Last day of the engagement", "After it the auditors' access is over by itself.")

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["models"].choices = choices  # type: ignore[attr-defined]  # a choice field
        self.fields["framework"].choices = [  # type: ignore[attr-defined]  # a choice field
            (key, f"{each.title} (as of {each.as_of:%-d %B %Y})")
            for key, each in frameworks.every().items()
        ]
        self.fields["models"].error_messages["required"] = "Find and choose at least one."

    def clean_auditors(self) -> list[int]:
        """Ids of the people named. Refuses names that nobody has."""
        names = {User.normalise(each) for each in self.cleaned_data["auditors"].split() if each}
        found = dict(User.objects.filter(username__in=names).values_list("username", "pk"))
        unknown = sorted(names - found.keys())
        if unknown:
            raise forms.ValidationError(f"Nobody is called {', '.join(unknown)[:200]}.")
        return list(found.values())

    def new(self) -> NewEngagement:
        """What a valid form asks for."""
        given = {key: value for key, value in self.cleaned_data.items() if key != "find"}
        return NewEngagement(**given)


class SampleForm(Form):
    """How many decisions, and the auditor's own seed if she wants one."""

    size = forms.IntegerField(
        label="How many decisions?",
        initial=25,
        min_value=1,
        max_value=services.MOST_SAMPLED,
        help_text="All of them, if there are fewer.",
    )
    seed = forms.CharField(
        label="Seed",
        required=False,
        max_length=100,
        help_text="Yours, from dice for instance: 8 to 100 letters, digits, dots or dashes. Empty: 128 random bits.",
    )


class ConclusionForm(Form):
    """What an auditor concludes of a decision."""

    result = forms.ChoiceField(
        label="Conclusion",
        choices=(("no", "No exception"), ("yes", "Exception")),
        widget=forms.RadioSelect,
    )
    text = forms.CharField(
        label="Note",
        required=False,
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Markdown. An exception needs one.",
    )
    after = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)


class NoteForm(Form):
    """A workpaper note."""

    text = forms.CharField(
        label="Note",
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Markdown. It stays; a later note can correct it.",
    )
