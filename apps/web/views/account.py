"""One's own account: profile, password, access tokens."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import selectors, services, sso
from apps.accounts.models import User
from apps.core.errors import Forbidden, NotFound
from apps.web import access
from apps.web.forms.account import NewPasswordForm, PasswordForm, TokenForm
from apps.web.forms.base import accepted, form_status, sent
from apps.web.pages import account as pages


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Who one is here, what one may, and the switches."""
    page = pages.profile(access.actor(request), access.user(request))
    return render(request, "account/profile.html", {"page": page})


@never_cache
@sensitive_post_parameters("current", "new", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Choose a new password; for whoever signs in at the provider, the password that signs."""
    person = access.user(request)
    at_provider = selectors.signs_in_at_provider(person)
    form = (NewPasswordForm if at_provider else PasswordForm)(sent(request))
    if request.method == "POST" and form.is_valid() and _changed(request, form, at_provider):
        messages.success(request, "The new password is in force. Other sessions have ended.")
        return redirect("web:account")
    context = {"page": pages.password(person, at_provider=at_provider), "form": form}
    return render(request, "account/password.html", context, status=form_status(form))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens and those of the services one answers for; a new one is shown once, in this answer only."""
    actor, person = access.actor(request), access.user(request)
    in_charge = selectors.services_of(person)
    form = TokenForm(sent(request), services=[(each.pk, str(each)) for each in in_charge])
    if request.method == "POST" and form.is_valid():
        made: list[str] = []

        def act() -> None:
            service = _service(in_charge, form.cleaned_data.get("service", ""))
            _, raw = services.issue_token(
                actor,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_in=form.life(),
                service=service,
            )
            made.append(raw)

        if accepted(form, act):
            page = pages.new_token(person, form.cleaned_data["name"], made[0])
            return render(request, "account/token_made.html", {"page": page})
    context = {"page": pages.tokens(person, in_charge), "form": form}
    return render(request, "account/tokens.html", context, status=form_status(form))


@require_POST
def revoke_token(request: HttpRequest, token_uuid: uuid.UUID) -> HttpResponse:
    """End a token."""
    actor = access.actor(request)
    token = pages.find_token(actor, token_uuid)
    if token is None:
        raise NotFound("There is no such token.")
    services.revoke_token(actor, token)
    messages.success(request, f"The token {token.name} is revoked.")
    return redirect("web:tokens")


def _changed(request: HttpRequest, form: NewPasswordForm, at_provider: bool) -> bool:
    actor, new = access.actor(request), form.cleaned_data["new"]
    changed: list[User] = []

    def act() -> None:
        if at_provider:
            proof = sso.fresh_proof(request)
            changed.append(services.set_signing_password(actor, password=new, proof=proof))
        else:
            current, address = form.cleaned_data["current"], request.META.get("REMOTE_ADDR", "")
            user = services.change_password(actor, current=current, new=new, remote_addr=address)
            changed.append(user)

    try:
        done = accepted(form, act)
    except Forbidden as refusal:  # a wrong password: the service has recorded it
        form.refuse_all(str(refusal))
        return False
    if done:
        update_session_auth_hash(request, changed[0])
    return done


def _service(in_charge: list[User], chosen: str) -> User | None:
    return next((each for each in in_charge if str(each.pk) == chosen), None)
