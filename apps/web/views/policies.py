"""Policies: reading them, proposing changes, signing them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core.errors import Conflict, Forbidden
from apps.reviews import services
from apps.reviews.models import PENDING, PolicyChange
from apps.reviews.policies import files
from apps.reviews.policies.document import PolicyDocument, parse
from apps.reviews.reads import policies as policy_list
from apps.reviews.reads import proposals
from apps.web import access, signing
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.policies import RetireForm, SignChangeForm
from apps.web.forms.reviews import ReasonForm
from apps.web.pages import policies as pages
from apps.web.pages import policy as policy_page
from apps.web.pages import policy_change, policy_words
from apps.web.parts import PageHeader
from apps.web.responses import page_or_fragment, see_other

ACTS = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    """What is in force, and what waits for signatures."""
    page = pages.policies(access.actor(request))
    return render(request, "policies/policies.html", {"page": page})


@require_safe
def policy(request: HttpRequest, key: str) -> HttpResponse:
    """One policy in words."""
    page = policy_page.page(access.actor(request), key)
    return render(request, "policies/policy.html", {"page": page})


@require_safe
def version(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """One version of a policy, in force or not."""
    page = policy_page.version_page(access.actor(request), key, number)
    return render(request, "policies/policy.html", {"page": page})


@require_safe
def yaml(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """One version as the file people keep."""
    row = policy_list.get_version(key, number)
    answer = HttpResponse(files.dump(parse(row.document)), content_type="text/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{row.key}-{row.number}.yaml"'
    return answer


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The JSON Schema of a policy document."""
    return JsonResponse(PolicyDocument.model_json_schema(), json_dumps_params={"indent": 2})


@ACTS
def retire(request: HttpRequest, key: str) -> HttpResponse:
    """Propose that a policy asks for nothing any more."""
    actor = access.require(request, "policy.edit")
    page = policy_page.page(actor, key)
    form = RetireForm(sent(request))
    made: list[PolicyChange] = []

    def act() -> None:
        made.append(services.propose_retirement(actor, key=key, **form.cleaned_data))

    if request.method == "POST" and form.is_valid() and accepted(form, act):
        messages.success(request, f"{made[0]} waits for {made[0].needed} to sign.")
        return see_other(request, reverse("web:policy-change", args=[made[0].pk]))
    header = PageHeader(
        f"Retire {page.header.title}", lead="It takes two signatures.", crumbs=page.header.crumbs
    )
    back = reverse("web:policy", args=[key])
    context = {"header": header, "form": form, "submit": "Propose to retire it", "back": back}
    return render(request, "policies/reason.html", context, status=form_status(form))


@require_safe
def change(request: HttpRequest, change_id: int) -> HttpResponse:
    """What is proposed, and who signed."""
    page = policy_change.page(access.actor(request), policy_list.get_change(change_id))
    return render(request, "policies/change.html", {"page": page})


@require_POST
def simulate(request: HttpRequest, change_id: int) -> HttpResponse:
    """Try a change on what was decided, now."""
    found = policy_list.get_change(change_id)
    services.simulate(access.actor(request), found)
    messages.success(request, f"{found} was tried on what was decided until now.")
    return see_other(request, reverse("web:policy-change", args=[found.pk]))


@ACTS
def sign(request: HttpRequest, change_id: int) -> HttpResponse:
    """Sign for or against a change."""
    actor = access.require(request, "policy.sign")
    found = policy_list.get_change(change_id)
    form = SignChangeForm(sent(request))
    changed = ""
    if request.method == "POST" and form.is_valid():
        try:
            if _signed(request, form, found):
                messages.success(request, f"You signed {found}.")
                return see_other(request, reverse("web:policy-change", args=[found.pk]))
        except Conflict as error:
            found = policy_list.get_change(change_id)
            if policy_change.why_not(actor, found):
                raise
            changed = f"Nothing was signed. {error}"
    box = policy_change.sign_box(actor, found, changed=changed)
    return page_or_fragment(
        request, "policies/sign.html", "ui/_sign.html", {"it": box, "form": form},
        status=409 if changed else form_status(form),
    )  # fmt: skip


def _signed(request: HttpRequest, form: SignChangeForm, found: PolicyChange) -> bool:
    proof = signing.proof(request, form)
    given = form.cleaned_data
    return proof is not None and accepted(
        form,
        lambda: services.sign_change(
            access.actor(request),
            found,
            approves=given["approves"] == "yes",
            digest=request.POST.get("digest", ""),
            simulation=request.POST.get("simulation"),
            comment=given["comment"],
            proof=proof,
        ),
    )


@ACTS
def withdraw(request: HttpRequest, change_id: int) -> HttpResponse:
    """Take a proposal back."""
    actor = access.actor(request)
    found = policy_list.get_change(change_id)
    refusal = proposals.why_not_withdraw(actor, found)
    if found.state not in PENDING:
        access.require(request, "policy.edit")
    elif refusal:
        raise Forbidden(refusal)
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid() and accepted(
        form, lambda: services.withdraw_change(actor, found, **form.cleaned_data)
    ):  # fmt: skip
        messages.success(request, f"{found} is withdrawn.")
        return redirect("web:policy-change", found.pk)
    back = reverse("web:policy-change", args=[found.pk])
    header = PageHeader(f"Withdraw {found}", crumbs=[policy_words.CRUMB])
    context = {"header": header, "form": form, "submit": "Withdraw it", "back": back}
    return render(request, "policies/reason.html", context, status=form_status(form))
