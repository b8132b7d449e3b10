"""Findings: the list of a version, raising one, and every act on one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core import clock
from apps.core.errors import Conflict
from apps.registry.models import ModelVersion
from apps.reviews import selectors, services
from apps.reviews.models import EntryKind, Finding, Review
from apps.reviews.reads import findings
from apps.reviews.services import NewFinding
from apps.web import access, addresses, signing
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.findings import RaiseForm
from apps.web.pages import findings as pages
from apps.web.responses import see_other

TWO_WEEKS = dt.timedelta(days=14)


@require_safe
def version_findings(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """What was found about this version."""
    found = access.version_for(request, name, number, "review.read")
    page = pages.page(access.actor(request), found)
    return render(request, "reviews/findings.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def raise_finding(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Say what is wrong with this version, in a review or without one."""
    found = access.version_for(request, name, number, "finding.raise")
    review = _review(request, found)
    owners = [(str(user.pk), str(user)) for user in findings.possible_owners(found)]
    due = clock.now().date() + TWO_WEEKS
    form = RaiseForm(
        sent(request),
        owners=owners,
        initial={"owner": found.created_by_id, "due": due, "clause": request.GET.get("clause", "")},
    )
    if request.method == "POST" and form.is_valid():
        made = _raised(request, form, found, review)
        if made is not None:
            messages.success(request, f"{made.key} is raised. {made.owner} is asked to answer it.")
            return see_other(request, addresses.finding(made.pk))
    back = addresses.review(review.pk) if review else addresses.version(name, number, "findings/")
    context = {"form": form, "version": found, "review": review, "back": back}
    return render(request, "reviews/finding_new.html", context, status=form_status(form))


def _review(request: HttpRequest, version: ModelVersion) -> Review | None:
    """The open review that the address names."""
    asked = request.POST.get("review") or request.GET.get("review") or ""
    if not asked:
        return None
    known = asked.isascii() and asked.isdigit() and len(asked) < 19
    review = (
        selectors.active_reviews_of(version.pk).filter(pk=int(asked)).first() if known else None
    )
    if review is None:
        raise Conflict(
            f"{version} has no such open review.",
            hint="Raise the finding on the page of the version.",
            url=addresses.version(version.model.name, version.number, "findings/new/"),
        )
    return review


def _raised(
    request: HttpRequest, form: RaiseForm, version: ModelVersion, review: Review | None
) -> Finding | None:
    given = dict(form.cleaned_data)
    new = NewFinding(owner_id=given.pop("owner"), **given)
    made: list[Finding] = []

    def act() -> None:
        actor = access.actor(request)
        made.append(services.raise_finding(actor, version, new, review=review))

    return made[0] if accepted(form, act) else None


@require_safe
def finding(request: HttpRequest, finding_id: int) -> HttpResponse:
    """One finding, what happened to it, and what the reader may do."""
    found = access.finding_for(request, finding_id)
    page = pages.finding(access.actor(request), found)
    return render(request, "reviews/finding.html", {"page": page})


Act = Callable[[dict[str, Any]], object]


def _act(
    request: HttpRequest, found: Finding, name: str, kind: EntryKind, act: Act, done: str
) -> HttpResponse:
    """One act on a finding: refused before its form is read, or done, or its form again with what is wrong."""
    actor = access.actor(request)
    findings.require(actor, found, kind)
    form: Form = pages.form_of(name, request.POST)
    if form.is_valid() and accepted(form, lambda: act(form.cleaned_data)) and not form.errors:
        messages.success(request, f"{found.key} is {done}.")
        return see_other(request, addresses.finding(found.pk))
    page = pages.finding(actor, found, sent=form, act=name)
    return render(request, "reviews/finding.html", {"page": page}, status=422)


@require_POST
def respond(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Answer."""
    found, actor = access.finding_for(request, finding_id), access.actor(request)
    act = lambda given: services.respond(actor, found, **given)  # noqa: E731 - what the form holds
    return _act(request, found, "respond", EntryKind.RESPONDED, act, "answered")


@require_POST
def retest(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Record what testing the answer gave."""
    found, actor = access.finding_for(request, finding_id), access.actor(request)

    def act(given: dict[str, Any]) -> object:
        passed = given.pop("result") == "passed"
        return services.retest(actor, found, passed=passed, **given)

    return _act(request, found, "retest", EntryKind.RETEST_PASSED, act, "re-tested")


@require_POST
def close(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Close with evidence."""
    found, actor = access.finding_for(request, finding_id), access.actor(request)
    act = lambda given: services.close_finding(actor, found, **given)  # noqa: E731 - as above
    return _act(request, found, "close", EntryKind.CLOSED, act, "closed")


@require_POST
def accept(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Sign for the risk that is left."""
    found, actor = access.finding_for(request, finding_id), access.actor(request)
    findings.require(actor, found, EntryKind.ACCEPTED)
    form = pages.form_of("accept", request.POST)
    proof = signing.proof(request, form) if form.is_valid() else None
    if proof is not None and accepted(
        form,
        lambda: services.accept_risk(actor, found, reason=form.cleaned_data["reason"], proof=proof),
    ):
        messages.success(request, f"The residual risk of {found.key} is accepted.")
        return see_other(request, addresses.finding(found.pk))
    page = pages.finding(actor, found, sent=form, act="accept")
    return render(request, "reviews/finding.html", {"page": page}, status=422)


@require_POST
def reopen(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Ask again."""
    found, actor = access.finding_for(request, finding_id), access.actor(request)
    act = lambda given: services.reopen(actor, found, **given)  # noqa: E731 - as above
    return _act(request, found, "reopen", EntryKind.REOPENED, act, "open again")
