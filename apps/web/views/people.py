"""People and services, for whoever manages them. The services refuse; these views only ask."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import selectors, services
from apps.accounts.models import Team, User
from apps.core.errors import Invalid
from apps.web import access
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.people import (
    SITE,
    GrantForm,
    OwnersForm,
    PersonForm,
    ProfileForm,
    ReasonForm,
    ServiceForm,
    TemporaryPasswordForm,
)
from apps.web.pages import people as pages

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody."""
    access.require(request, "people.manage")
    return render(request, "people/people.html", {"page": pages.people(request)})


@require_safe
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """One person or service."""
    who = access.person_for(request, user_id)
    return _person(request, who, _grant_form(None))


@sensitive_post_parameters("password")
@form_methods
def new_person(request: HttpRequest) -> HttpResponse:
    """A new person with a temporary password."""
    actor = access.require(request, "people.manage")
    form = PersonForm(sent(request))
    made: list[User] = []
    if _sent(request, form, lambda: made.append(services.create_user(actor, **form.cleaned_data))):
        messages.success(request, f"{made[0]} can sign in now. Grant a role.")
        return redirect("web:person", made[0].pk)
    lead = "The temporary password lets them in once, to choose their own."
    page = pages.form_page("New person", lead, "Make the account", reverse("web:people"))
    return _form(request, page, form)


@form_methods
def new_service(request: HttpRequest) -> HttpResponse:
    """A new service user."""
    actor = access.require(request, "people.manage")
    form = ServiceForm(sent(request), people=pages.human_choices())
    made: list[User] = []

    def act() -> None:
        data = form.cleaned_data
        owners = _people_named(data["owners"])
        made.append(
            services.create_service(
                actor,
                username=data["username"],
                display_name=data["display_name"],
                owners=owners,
            )
        )

    if _sent(request, form, act):
        messages.success(request, f"{made[0]} is there. Whoever answers for it makes its tokens.")
        return redirect("web:person", made[0].pk)
    lead = "For pipelines: tokens only, no password, never a signature."
    page = pages.form_page("New service", lead, "Make the service", reverse("web:people"))
    return _form(request, page, form)


@form_methods
def edit(request: HttpRequest, user_id: int) -> HttpResponse:
    """The printed name and address."""
    who = access.person_for(request, user_id)
    initial = {"display_name": who.display_name, "email": who.email}
    form = ProfileForm(sent(request), initial=initial)
    actor = access.actor(request)
    if _sent(request, form, lambda: services.update_user(actor, who, **form.cleaned_data)):
        messages.success(request, "Saved.")
        return redirect("web:person", who.pk)
    page = pages.form_page(f"Edit {who}", "The name stands beside signatures.", "Save", _url(who))
    return _form(request, page, form)


@form_methods
def owners(request: HttpRequest, user_id: int) -> HttpResponse:
    """Who answers for a service."""
    who = access.person_for(request, user_id)
    initial = {"owners": [str(pk) for pk in selectors.owners_of(who).values_list("pk", flat=True)]}
    form = OwnersForm(sent(request), initial=initial, people=pages.human_choices())
    actor = access.actor(request)

    def act() -> None:
        services.set_service_owners(actor, who, owners=_people_named(form.cleaned_data["owners"]))

    if _sent(request, form, act):
        messages.success(
            request, "Saved. Whoever ever answered for it stays an author of its work."
        )
        return redirect("web:person", who.pk)
    lead = "Each of them counts as author of whatever the service writes, so none of them can sign for it."
    page = pages.form_page(f"Who answers for {who}", lead, "Save", _url(who))
    return _form(request, page, form)


@sensitive_post_parameters("password")
@form_methods
def reset(request: HttpRequest, user_id: int) -> HttpResponse:
    """A temporary password for somebody who lost hers."""
    who = access.person_for(request, user_id)
    form = TemporaryPasswordForm(sent(request))
    actor = access.actor(request)
    if _sent(request, form, lambda: services.reset_password(actor, who, **form.cleaned_data)):
        messages.success(
            request, f"{who} must choose a password of their own before anything else."
        )
        return redirect("web:person", who.pk)
    lead = "It is recorded. Until they have chosen their own, nobody signs in their name."
    page = pages.form_page(f"Reset the password of {who}", lead, "Set it", _url(who))
    return _form(request, page, form)


@form_methods
def deactivate(request: HttpRequest, user_id: int) -> HttpResponse:
    """End somebody's access at once."""
    who = access.person_for(request, user_id)
    form = ReasonForm(sent(request))
    actor = access.actor(request)
    if _sent(request, form, lambda: services.deactivate_user(actor, who, **form.cleaned_data)):
        messages.success(request, f"{who} has no access any more. What was signed stands.")
        return redirect("web:person", who.pk)
    lead = "Sessions and tokens end at once, and so does the right to sign. What was signed stands."
    page = pages.form_page(f"Deactivate {who}", lead, "Deactivate", _url(who), danger=True)
    return _form(request, page, form)


@require_POST
def reactivate(request: HttpRequest, user_id: int) -> HttpResponse:
    """Let somebody in again."""
    who = access.person_for(request, user_id)
    services.reactivate_user(access.actor(request), who)
    messages.success(request, f"{who} can come in again. Revoked tokens stay revoked.")
    return redirect("web:person", who.pk)


@require_POST
def grant(request: HttpRequest, user_id: int) -> HttpResponse:
    """Give a role on the site or on a team."""
    who = access.person_for(request, user_id)
    form = _grant_form(request)
    actor = access.actor(request)

    def act() -> None:
        on = team_at(form.cleaned_data["place"])
        services.grant_role(actor, form.cleaned_data["role"], who, on=on)

    if _sent(request, form, act):
        messages.success(request, f"{who} holds the role {form.cleaned_data['role']}.")
        return redirect("web:person", who.pk)
    return _person(request, who, form)


@require_POST
def revoke(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take a role away."""
    who = access.person_for(request, user_id)
    role, place = request.POST.get("role", ""), request.POST.get("place", "")
    services.revoke_role(access.actor(request), role, who, on=team_of(place))
    messages.success(request, f"{who} no longer holds the role {role} there.")
    return redirect("web:person", who.pk)


def team_at(key: str) -> Team | None:
    """The team chosen in a form; None for the whole site."""
    return None if key == SITE else selectors.get_team(key)


def team_of(place: str) -> Team | None:
    """The team of an id such as "team:3"; None for "site". Refuses anything else."""
    if place == SITE:
        return None
    kind, _, number = place.partition(":")
    found = Team.objects.filter(pk=int(number)).first() if _is_id(kind, number) else None
    if found is None:
        raise Invalid(f"{place!r} is not a place where a role is held.")
    return found


def _is_id(kind: str, number: str) -> bool:
    return kind == "team" and number.isascii() and number.isdecimal() and len(number) < 19


def _person(request: HttpRequest, who: User, form: GrantForm) -> HttpResponse:
    page = pages.person(access.actor(request), who)
    context = {"page": page, "form": form, "person": who}
    return render(request, "people/person.html", context, status=form_status(form))


def _grant_form(request: HttpRequest | None) -> GrantForm:
    data = request.POST if request else None
    return GrantForm(data, roles=pages.role_choices(), teams=pages.team_choices())


def _people_named(chosen: list[str]) -> list[User]:
    return list(User.objects.filter(pk__in=[int(each) for each in chosen]))


def _sent(request: HttpRequest, form: Form, act: Callable[[], object]) -> bool:
    return request.method == "POST" and form.is_valid() and accepted(form, act)


def _form(request: HttpRequest, page: pages.FormPage, form: Form) -> HttpResponse:
    context = {"page": page, "form": form}
    return render(request, "people/form.html", context, status=form_status(form))


def _url(who: User) -> str:
    return reverse("web:person", args=[who.pk])
