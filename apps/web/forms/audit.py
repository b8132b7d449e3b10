"""The filters of the record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms

from apps.core import clock
from apps.web.forms.base import Form

SINCE = (("", "Ever"), ("1", "1 day"), ("7", "7 days"), ("30", "30 days"), ("365", "1 year"))


class RecordFilter(Form):
    """What about, by whom, of what kind, since when. All optional; all in the address."""

    subject = forms.CharField(
        label="About",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "churn/7 or REV-3"}),
    )
    who = forms.ChoiceField(label="Who", required=False)
    what = forms.ChoiceField(label="What", required=False)
    since = forms.ChoiceField(label="Since", required=False, choices=SINCE)

    def __init__(
        self,
        *args: Any,
        people: Sequence[tuple[str, str]],
        kinds: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["who"].choices = [("", "Anybody"), *people]  # type: ignore[attr-defined]  # a choice field
        self.fields["what"].choices = [("", "Anything"), *kinds]  # type: ignore[attr-defined]  # a choice field

    def start(self) -> dt.datetime | None:
        """The moment since when, if one was chosen."""
        days = self.cleaned_data.get("since")
        return clock.now() - dt.timedelta(days=int(days)) if days else None
