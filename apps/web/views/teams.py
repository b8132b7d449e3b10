"""Teams and directory groups, for whoever manages people."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import selectors, services
from apps.accounts.models import Team, User
from apps.core.errors import Invalid
from apps.web import access
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.people import GroupForm, MemberForm, RenameTeamForm, TeamForm
from apps.web.pages import people as pages
from apps.web.pages import teams as team_pages
from apps.web.parts import Crumb
from apps.web.views.people import team_at, team_of

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def teams(request: HttpRequest) -> HttpResponse:
    """All teams."""
    access.require(request, "people.manage")
    return render(request, "people/teams.html", {"page": team_pages.teams()})


@form_methods
def new_team(request: HttpRequest) -> HttpResponse:
    """A new team."""
    actor = access.require(request, "people.manage")
    form = TeamForm(sent(request))
    made: list[Team] = []

    def act() -> None:
        made.append(services.create_team(actor, **form.cleaned_data))

    if request.method == "POST" and form.is_valid() and accepted(form, act):
        messages.success(request, f"The team {made[0]} is there. Give people roles on it.")
        return redirect("web:team", made[0].key)
    lead = "Experiments and models can belong to a team; a role on it holds for all of them."
    page = pages.form_page("New team", lead, "Make the team", reverse("web:teams"))
    return _form(request, page, form)


@form_methods
def team(request: HttpRequest, key: str) -> HttpResponse:
    """Who holds which role on the team; POST grants one."""
    found = access.team_for(request, key)
    actor = access.actor(request)
    form = MemberForm(
        sent(request),
        people=pages.person_choices(),
        roles=pages.role_choices(on_object=True),
    )

    def act() -> None:
        person = selectors.get_user(int(form.cleaned_data["person"]))
        services.grant_role(actor, form.cleaned_data["role"], person, on=found)

    if request.method == "POST" and form.is_valid() and accepted(form, act):
        messages.success(request, "The role is granted.")
        return redirect("web:team", found.key)
    context = {"page": team_pages.team(found), "form": form, "team": found}
    return render(request, "people/team.html", context, status=form_status(form))


@form_methods
def rename(request: HttpRequest, key: str) -> HttpResponse:
    """Another name; the key stays."""
    found = access.team_for(request, key)
    actor = access.actor(request)
    form = RenameTeamForm(sent(request), initial={"name": found.name})

    def act() -> None:
        services.rename_team(actor, found, name=form.cleaned_data["name"])

    if request.method == "POST" and form.is_valid() and accepted(form, act):
        messages.success(request, "Renamed.")
        return redirect("web:team", found.key)
    back = reverse("web:team", args=[found.key])
    crumbs = [pages.CRUMB, Crumb("Teams", reverse("web:teams")), Crumb(found.name, back)]
    lead = "Its key and address stay."
    page = pages.form_page(f"Rename {found.name}", lead, "Rename", back, crumbs=crumbs)
    return _form(request, page, form)


@require_POST
def revoke(request: HttpRequest, key: str) -> HttpResponse:
    """Take a role on the team away."""
    found = access.team_for(request, key)
    role = request.POST.get("role", "")
    services.revoke_role(access.actor(request), role, _holder(request), on=found)
    messages.success(request, "The role is revoked.")
    return redirect("web:team", found.key)


@form_methods
def groups(request: HttpRequest) -> HttpResponse:
    """What each directory group gives; POST maps one."""
    actor = access.require(request, "people.manage")
    form = GroupForm(sent(request), roles=pages.role_choices(), teams=pages.team_choices())

    def act() -> None:
        data = form.cleaned_data
        services.map_group(actor, name=data["name"], role=data["role"], team=team_at(data["place"]))

    if request.method == "POST" and form.is_valid() and accepted(form, act):
        messages.success(request, f"Members of {form.cleaned_data['name']} hold the role now.")
        return redirect("web:groups")
    context = {"page": team_pages.groups(), "form": form}
    return render(request, "people/groups.html", context, status=form_status(form))


@require_POST
def revoke_group(request: HttpRequest) -> HttpResponse:
    """Take a group's role away; its members lose it at their next request."""
    actor = access.require(request, "people.manage")
    on = team_of(request.POST.get("place", ""))
    services.revoke_role(actor, request.POST.get("role", ""), _holder(request), on=on)
    messages.success(request, "The mapping is gone.")
    return redirect("web:groups")


def _holder(request: HttpRequest) -> User | Group:
    """The person or group of an id such as "user:5" or "group:2"."""
    kind, _, number = request.POST.get("holder", "").partition(":")
    pk = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
    found: User | Group | None = None
    if kind == "user":
        found = User.objects.filter(pk=pk).first()
    elif kind == "group":
        found = Group.objects.filter(pk=pk).first()
    if found is not None:
        return found
    raise Invalid("It is not clear whose role this is about.")


def _form(request: HttpRequest, page: pages.FormPage, form: Form) -> HttpResponse:
    context = {"page": page, "form": form}
    return render(request, "people/form.html", context, status=form_status(form))
