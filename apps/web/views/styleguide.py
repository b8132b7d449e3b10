"""Every part with sample data, in DEBUG only: to look at a part alone, in every state, in both themes."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.web.forms.base import Form
from apps.web.pages import samples


class SampleForm(Form):
    """One field of each kind."""

    name = forms.CharField(label="Name", max_length=40, help_text="As people will see it.")
    role = forms.ChoiceField(
        label="Role", choices=[("validator", "Validator"), ("approver", "Approver")]
    )
    reason = forms.CharField(label="Why", widget=forms.Textarea)
    agree = forms.BooleanField(label="I have read the evidence")


class PasswordForm(Form):
    """What a signature asks for."""

    comment = forms.CharField(label="Why", widget=forms.Textarea(attrs={"rows": 3}))
    password = forms.CharField(
        label="Password", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


@login_not_required
def styleguide(request: HttpRequest) -> HttpResponse:
    """All parts on one page."""
    messages.success(request, "churn version 7 was submitted for review.")
    messages.warning(request, "No worker is running: the check is queued.")
    context = {
        "page": samples.page(request),
        "form": SampleForm(),
        "wrong_form": SampleForm({"name": "", "role": "owner", "reason": ""}, auto_id="wrong_%s"),
        "sign_form": PasswordForm(auto_id="sign_%s"),
    }
    return render(request, "web/styleguide.html", context)
