"""Asking for reviews, reading them, and every act on them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core.errors import Conflict
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import selectors, services
from apps.reviews.models import Review
from apps.web import access, addresses, signing
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.reviews import DecideForm, ReasonForm, SubmitForm
from apps.web.pages import deciding, review_viewed, submitting
from apps.web.pages import review as review_page
from apps.web.pages import reviews as pages
from apps.web.responses import page_or_fragment, see_other, wants_fragment

ACTS = ["GET", "HEAD", "POST"]


@require_http_methods(ACTS)
def submit(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Ask for a review of this version."""
    found = access.version_for(request, name, number, "review.submit")
    page = submitting.page(access.actor(request), found)
    choices = submitting.choices(found)
    form = SubmitForm(sent(request), choices=choices, initial=submitting.initial(found, choices))
    if request.method == "POST" and form.is_valid():
        review = _submitted(request, form, found)
        if review is not None:
            messages.success(request, f"{found} is submitted. Its evidence is fixed as round 1.")
            return see_other(request, addresses.review(review.pk))
    context = {"page": page, "form": form}
    return render(request, "reviews/submit.html", context, status=form_status(form))


def _submitted(request: HttpRequest, form: SubmitForm, found: ModelVersion) -> Review | None:
    made: list[Review] = []
    given = form.cleaned_data
    targets = [Target.parse(text) for text in given["targets"]]
    act = lambda: made.append(  # noqa: E731 - the form keeps what the service refuses
        services.submit(
            access.actor(request),
            found,
            targets=targets,
            justification=given["justification"],
            wanted_by=given["wanted_by"],
        )
    )
    return made[0] if accepted(form, act) else None


@require_POST
def discard_draft(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Put away what a client asked for."""
    found = access.draft_for(request, draft_id)
    services.discard_draft(access.actor(request), found)
    messages.success(request, "The draft is discarded.")
    return see_other(request, addresses.version(found.version.model.name, found.version.number))


@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """All reviews one may see, those that wait for the reader first."""
    page = pages.reviews(access.actor(request), request)
    return render(request, "reviews/reviews.html", {"page": page})


@require_safe
def review(request: HttpRequest, review_id: int) -> HttpResponse:
    """One review: what changed, the evidence, who decided what."""
    found = access.review_for(request, review_id)
    page = review_page.page(access.actor(request), found)
    return render(request, "reviews/review.html", {"page": page})


@require_http_methods(ACTS)
def decide(request: HttpRequest, review_id: int) -> HttpResponse:
    """Approve, reject or request changes: one signed decision about the evidence that was shown."""
    found = access.review_for(request, review_id)
    actor = access.actor(request)
    deciding.require_a_signing_role(actor, found)
    form = DecideForm(sent(request))
    shown = request.POST.get("evidence_digest", "")
    changed = ""
    if request.method == "POST" and form.is_valid():
        try:
            url = _decided(request, form, found, shown)
        except Conflict as error:
            found = access.review_for(request, review_id)
            changed = deciding.what_changed(found, shown, error)
        else:
            if url:
                return see_other(request, url)
    page = deciding.page(actor, found, changed=changed, step=request.POST.get("step", ""))
    status = 409 if changed else form_status(form)
    context = {"decide": page, "it": page.sign, "form": form}
    fragment = "ui/_sign.html" if page.sign else "reviews/_cannot.html"
    return page_or_fragment(request, "reviews/decide.html", fragment, context, status=status)


def _decided(request: HttpRequest, form: DecideForm, found: Review, shown: str) -> str:
    """Sign; the receipt's address, or "" if the form was refused (it says why). Conflicts rise."""
    proof = signing.proof(request, form)
    if proof is None:
        return ""
    given = form.cleaned_data
    urls: list[str] = []

    def act() -> None:
        decision = services.decide(
            access.actor(request),
            found,
            outcome=given["outcome"],
            evidence_digest=shown,
            comment=given["comment"],
            proof=proof,
            no_conflict=given["no_conflict"],
            step=request.POST.get("step", ""),
            delegation=_number(request.POST.get("delegation", "")),
            findings_shown=request.POST.get("findings", ""),
        )
        urls.append(addresses.review(found.pk, f"decisions/{decision.pk}/"))

    return urls[0] if accepted(form, act) else ""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@require_safe
def receipt(request: HttpRequest, review_id: int, decision_id: int) -> HttpResponse:
    """What was signed, where it stands in the ledger, how to verify it. Made to be printed."""
    found = access.review_for(request, review_id)
    decision = selectors.get_decision(found, decision_id)
    page = deciding.receipt(access.actor(request), found, decision)
    return render(request, "reviews/receipt.html", {"page": page})


@require_POST
def viewed(request: HttpRequest, review_id: int) -> HttpResponse:
    """Tick a section of the evidence as viewed, or take the tick back."""
    found = access.review_for(request, review_id)
    actor, section = access.actor(request), request.POST.get("section", "")
    services.mark_viewed(
        actor,
        found,
        section=section,
        digest=request.POST.get("digest", ""),
        viewed=request.POST.get("viewed") != "no",
    )
    ticks = review_viewed.of(actor, found)
    if not wants_fragment(request) or ticks is None or section not in ticks.sections:
        return redirect(f"{addresses.review(found.pk)}#{section}")
    context = {"tick": ticks.sections[section], "ticks": ticks}
    return render(request, "reviews/_viewed.html", context)


@require_http_methods(ACTS)
def step_aside(request: HttpRequest, review_id: int) -> HttpResponse:
    """Decide nothing about this review, with a reason."""
    found = access.review_for(request, review_id)
    actor = access.actor(request)
    form = ReasonForm(sent(request))
    if (
        request.method == "POST"
        and form.is_valid()
        and accepted(form, lambda: services.recuse(actor, found, **form.cleaned_data))
    ):
        messages.success(request, f"You stepped aside from {found.key}.")
        return see_other(request, addresses.review(found.pk))
    context = {"it": deciding.stepping_aside(actor, found), "form": form, "review": found}
    return page_or_fragment(
        request, "reviews/act.html", "ui/_sign.html", context, status=form_status(form)
    )


@require_http_methods(ACTS)
def withdraw(request: HttpRequest, review_id: int) -> HttpResponse:
    """Take the request back, with a reason."""
    found = access.review_for(request, review_id, "review.withdraw")
    form = ReasonForm(sent(request))
    actor = access.actor(request)
    if (
        request.method == "POST"
        and form.is_valid()
        and accepted(
            form, lambda: services.withdraw(actor, found, reason=form.cleaned_data["reason"])
        )
    ):
        messages.success(request, f"{found.key} is withdrawn.")
        return see_other(request, addresses.review(found.pk))
    context = {"it": deciding.withdrawal(actor, found), "form": form, "review": found}
    return page_or_fragment(
        request, "reviews/act.html", "ui/_sign.html", context, status=form_status(form)
    )


@require_http_methods(ACTS)
def new_round(request: HttpRequest, review_id: int) -> HttpResponse:
    """Fix the evidence as it is now; the signatures of the old round are void."""
    found = access.review_for(request, review_id, "review.submit")
    if request.method == "POST":
        made = services.new_round(access.actor(request), found)
        messages.success(request, f"Round {made.number} is open for signature.")
        return see_other(request, addresses.review(found.pk))
    page = deciding.round_question(found)
    return page_or_fragment(
        request, "reviews/new_round.html", "reviews/_new_round.html", {"page": page}
    )


@require_POST
def promote(request: HttpRequest, review_id: int) -> HttpResponse:
    """Promote what was signed and held back by a gate."""
    found = access.review_for(request, review_id, "review.submit")
    services.promote_signed(access.actor(request), found)
    messages.success(request, f"{found.version} is promoted.")
    return see_other(request, addresses.review(found.pk))
