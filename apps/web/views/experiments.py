"""Experiments: the list, and one with its runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.web import access
from apps.web.forms.base import form_status
from apps.web.forms.experiments import RunsForm
from apps.web.pages import experiments as pages
from apps.web.pages import runs_table


@require_safe
def experiments(request: HttpRequest) -> HttpResponse:
    """All experiments one may see."""
    page = pages.experiments(access.actor(request), request)
    return render(request, "experiments/experiments.html", {"page": page})


@require_safe
def experiment(request: HttpRequest, experiment_id: int) -> HttpResponse:
    """One experiment: its runs, filtered and sorted by the address."""
    found = access.experiment_for(request, experiment_id)
    form = RunsForm(request.GET)
    page = runs_table.page(access.actor(request), found, request, form)
    context = {"page": page, "form": form}
    return render(request, "experiments/experiment.html", context, status=form_status(form))
