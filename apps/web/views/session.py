"""Coming in and going out: sign-in, sign-out, the first administrator."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import provider, selectors, services
from apps.core.errors import Forbidden
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.session import SetupForm, SignInForm
from apps.web.responses import safe_next

PASSWORD_BACKEND = "apps.accounts.backends.PasswordBackend"  # noqa: S105 - a dotted path


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """By password, or at the identity provider when there is one. Says the same for every wrong pair."""
    next_url = safe_next(request, "/")
    if request.user.is_authenticated:
        return redirect(next_url)
    form = SignInForm(sent(request))
    if request.method == "POST" and form.is_valid() and _signed_in(request, form):
        return redirect(next_url)
    context = {
        "form": form,
        "next": next_url,
        "sso_url": _sso_url(next_url),
        "provider_name": settings.OIDC_PROVIDER_NAME,
        "unclaimed": not selectors.administrators().exists(),
    }
    return render(request, "registration/sign_in.html", context, status=form_status(form))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here. (What the identity provider remembers is its own.)"""
    logout(request)
    messages.info(request, "You are signed out.")
    return redirect("web:sign-in")


@login_not_required
@never_cache
@sensitive_post_parameters("password", "again", "setup_token")
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """The first administrator, by whoever has the token that the server printed."""
    if selectors.administrators().exists():
        return render(request, "registration/setup_done.html", status=409)
    form = SetupForm(sent(request), initial={"setup_token": request.GET.get("token", "")})
    if request.method == "POST" and form.is_valid() and _set_up(request, form):
        messages.success(request, "You are the administrator. Sign in.")
        return redirect("web:sign-in")
    return render(request, "registration/setup.html", {"form": form}, status=form_status(form))


def _signed_in(request: HttpRequest, form: SignInForm) -> bool:
    try:
        person = authenticate(
            request,
            username=form.cleaned_data["username"],
            password=form.cleaned_data["password"],
        )
    except Forbidden as locked:
        form.refuse_all(str(locked))
        return False
    if person is None:
        form.refuse_all("This username and password do not belong together.")
        return False
    login(request, person, backend=PASSWORD_BACKEND)
    return True


def _set_up(request: HttpRequest, form: SetupForm) -> bool:
    data = form.cleaned_data

    def act() -> None:
        services.set_up_first_administrator(
            data["setup_token"],
            data["username"],
            data["password"],
            data["display_name"],
            remote_addr=request.META.get("REMOTE_ADDR", ""),
        )

    try:
        return accepted(form, act)
    except Forbidden as refusal:  # the service has recorded the attempt
        form.add_error("setup_token", str(refusal))
        return False


def _sso_url(next_url: str) -> str:
    if not provider.enabled():
        return ""
    return f"{reverse('oidc_authentication_init')}?{urlencode({'next': next_url})}"
