"""Audit engagements: opening one, its control matrix, its papers, what is taken along."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.services.lending import LEND
from apps.compliance import bundles
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from apps.engagements import frameworks, reports, selectors, services
from apps.engagements.models import Engagement, Sample, SampledDecision
from apps.registry.models import ModelVersion
from apps.reviews.models import Finding
from apps.reviews.reads import findings
from apps.reviews.services import NewFinding
from apps.web import access, addresses, query
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.bundles import BundleForm
from apps.web.forms.checkpoints import KeptForm
from apps.web.forms.engagements import ConclusionForm, NoteForm, SampleForm, ScopeForm
from apps.web.forms.findings import RaiseForm
from apps.web.forms.reviews import ReasonForm
from apps.web.pages import bundles as bundle_pages
from apps.web.pages import engagement_files as files
from apps.web.pages import engagement_matrix as matrix
from apps.web.pages import engagement_papers as papers
from apps.web.pages import engagements as pages
from apps.web.responses import see_other
from apps.web.views.bundles import answer
from apps.web.views.checkpoints import kept_of

ACTS = ["GET", "HEAD", "POST"]


@require_safe
def engagements(request: HttpRequest) -> HttpResponse:
    """Those that one may read."""
    page = pages.every(access.actor(request))
    return render(request, "engagements/engagements.html", {"page": page})


@require_http_methods(ACTS)
def new(request: HttpRequest) -> HttpResponse:
    """The scope wizard. Finding models and looking at what falls into the scope change nothing; only "open" does."""
    actor = access.require(request, LEND)
    act = request.POST.get("act", "open")
    find = request.POST.get("find", "").replace("\x00", "").strip()[:100]
    choices, hits = pages.choices(actor, request.POST.getlist("models"), find)
    form = ScopeForm(sent(request), choices=choices, initial=_month())
    if request.method == "POST" and act == "open" and form.is_valid():
        made: list[Engagement] = []
        if accepted(form, lambda: made.append(services.open_engagement(actor, form.new()))):
            messages.success(request, f"{made[0].key} is open. Its auditors may read from now on.")
            return see_other(request, pages.url(made[0]))
    page = pages.scope(actor, form, find, hits)
    if act in {"find", "preview"}:
        form = _unjudged(form)
    context = {"page": page, "form": form}
    return render(request, "engagements/new.html", context, status=form_status(form))


def _month() -> dict[str, dt.date]:
    """A period and a last day to begin with."""
    today = clock.now().date()
    start = today.replace(month=1, day=1)
    return {"period_from": start, "period_to": today, "ends_on": today + dt.timedelta(days=30)}


def _unjudged(form: ScopeForm) -> ScopeForm:
    """What was typed so far, without blame for what is not filled in yet."""
    again = ScopeForm(
        choices=form.fields["models"].choices,  # type: ignore[attr-defined]  # a choice field
        initial={name: form.data.get(name) for name in form.fields}
        | {"models": form.data.getlist("models"), "find": ""},  # type: ignore[attr-defined]  # a QueryDict
    )
    again.fields["models"].initial = form.data.getlist("models")  # type: ignore[attr-defined]
    return again


@require_safe
def engagement(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """The control matrix."""
    found = access.engagement_for(request, engagement_id)
    page = matrix.page(access.actor(request), request, found)
    return render(request, "engagements/matrix.html", {"page": page})


@require_safe
def about(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """Purpose, people, scope."""
    found = access.engagement_for(request, engagement_id)
    page = pages.about(access.actor(request), found)
    return render(request, "engagements/about.html", {"page": page})


@require_safe
def cell(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """One control of one version: every item, its signature, its proof."""
    found = access.engagement_for(request, engagement_id)
    control = frameworks.get(found.framework).control(request.GET.get("control", ""))
    version = selectors.get_version(found, query.number(request.GET.get("version", "")) or 0)
    page = matrix.cell(access.actor(request), found, control, version)
    return render(request, "engagements/cell.html", {"page": page})


def _working(request: HttpRequest, engagement_id: int) -> tuple[Engagement, Actor]:
    """The engagement for who reads it; for who sends a form only if she may add to its papers."""
    found, actor = access.engagement_for(request, engagement_id), access.actor(request)
    if request.method == "POST":
        selectors.require_work(actor, found)
    return found, actor


@require_http_methods(ACTS)
def samples(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """Every drawing; sent the form, one more."""
    found, actor = _working(request, engagement_id)
    form = SampleForm(sent(request))
    if request.method == "POST" and form.is_valid():
        made: list[Sample] = []
        if accepted(
            form, lambda: made.append(services.draw_sample(actor, found, **form.cleaned_data))
        ):
            messages.success(request, f"Sample {made[0].number} is drawn and recorded.")
            return see_other(request, pages.url(found, f"samples/{made[0].number}/"))
    context = {"page": papers.samples(actor, found), "form": form}
    return render(request, "engagements/samples.html", context, status=form_status(form))


@require_safe
def sample(request: HttpRequest, engagement_id: int, number: int) -> HttpResponse:
    """What was drawn, verified, with what was concluded."""
    found = access.engagement_for(request, engagement_id)
    row = selectors.get_sample(found, number)
    page = papers.sample(access.actor(request), found, row)
    return render(request, "engagements/sample.html", {"page": page})


@require_http_methods(ACTS)
def item(request: HttpRequest, engagement_id: int, number: int, position: int) -> HttpResponse:
    """One sampled decision; sent the form, one more conclusion on it."""
    found, actor = _working(request, engagement_id)
    row = selectors.get_sample(found, number)
    drawn = selectors.get_item(row, position)
    form = ConclusionForm(sent(request), initial={"after": len(drawn.conclusions.all())})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data

        def act() -> object:
            return services.conclude(
                actor,
                drawn,
                exception=given["result"] == "yes",
                text=given["text"],
                after=given["after"],
            )

        if accepted(form, act):
            messages.success(request, "Your conclusion is recorded.")
            return see_other(request, pages.url(found, f"samples/{number}/"))
    context = {"page": papers.item(actor, found, row, drawn), "form": form}
    return render(request, "engagements/item.html", context, status=form_status(form))


Place = tuple[str, ModelVersion | None, SampledDecision | None]


def _place(request: HttpRequest, found: Engagement) -> Place:
    """What the address names: a control, a version, a sampled decision. NotFound for what is not in the engagement."""
    control = request.GET.get("control", "")
    if control:
        frameworks.get(found.framework).control(control)
    number = query.number(request.GET.get("sample", ""))
    if number is not None:
        row = selectors.get_sample(found, number)
        drawn = selectors.get_item(row, query.number(request.GET.get("position", "")) or 0)
        return control, drawn.decision.review.version, drawn
    version = query.number(request.GET.get("version", ""))
    return control, selectors.get_version(found, version) if version is not None else None, None


@require_http_methods(ACTS)
def notes(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """Every note and finding; sent the form, one more note about what the address names."""
    found, actor = _working(request, engagement_id)
    control, version, drawn = _place(request, found)
    form = NoteForm(sent(request))
    if request.method == "POST" and form.is_valid():

        def act() -> object:
            about = {"item": drawn} if drawn else {"control": control, "version": version}
            return services.write_note(actor, found, text=form.cleaned_data["text"], **about)

        if accepted(form, act):
            messages.success(request, "The note is recorded.")
            return see_other(request, pages.url(found, "notes/"))
    place = request.GET.urlencode()
    page = papers.notes(actor, found, papers.what(control, version, drawn), place)
    context = {"page": page, "form": form, "place": place}
    return render(request, "engagements/notes.html", context, status=form_status(form))


@require_http_methods(ACTS)
def finding(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """Raise a finding about the version that the address names, out of the engagement."""
    found, actor = access.engagement_for(request, engagement_id), access.actor(request)
    control, version, drawn = _place(request, found)
    if version is None:
        raise NotFound(
            "A finding is about a version.", hint="Raise it from a control or a decision."
        )
    selectors.require_work(actor, found)
    owners = [(str(user.pk), str(user)) for user in findings.possible_owners(version)]
    due = clock.now().date() + dt.timedelta(days=14)
    initial = {"owner": version.created_by_id, "due": due, "clause": control}
    form = RaiseForm(sent(request), owners=owners, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        asked = NewFinding(owner_id=given.pop("owner"), **given)
        made: list[Finding] = []
        if accepted(
            form,
            lambda: made.append(
                services.raise_audit_finding(
                    actor, found, version, asked, control=control, item=drawn
                )
            ),
        ):
            messages.success(
                request, f"{made[0].key} is raised. {made[0].owner} is asked to answer it."
            )
            return see_other(request, addresses.finding(made[0].pk))
    context = {"form": form, "version": version, "engagement": found, "back": pages.url(found, "notes/"), "about": papers.what(control, version, drawn)}  # fmt: skip
    return render(request, "engagements/finding.html", context, status=form_status(form))


@require_safe
def documents(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """The documents and bundles of the versions in scope."""
    found = access.engagement_for(request, engagement_id)
    page = files.documents(access.actor(request), request, found)
    return render(request, "engagements/documents.html", {"page": page})


@require_http_methods(ACTS)
def bundle(request: HttpRequest, engagement_id: int) -> HttpResponseBase:
    """Everything about the versions in scope in one archive, but for those that were deleted since."""
    found, actor = access.engagement_for(request, engagement_id), access.actor(request)
    versions = list(selectors.versions_of(found).filter(deleted_at__isnull=True))
    name = bundles.file_name_of(found.key.lower())
    form = BundleForm(sent(request), request.FILES or None)

    def written() -> Iterator[bytes]:
        files, since = form.cleaned_data["with_files"], form.checkpoint
        return bundles.stream_many(actor, versions, with_files=files, since=since, name=name)

    page = bundle_pages.of_engagement(found.title, pages.url(found, "documents/"), versions)
    return answer(request, form, page, written, name)


@require_safe
def exports(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """Who else took evidence away."""
    found = access.engagement_for(request, engagement_id)
    page = files.taken(access.actor(request), found)
    return render(request, "engagements/exports.html", {"page": page})


@require_http_methods(ACTS)
def checkpoint(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """The checkpoint she kept, compared with today's ledger. Nothing is changed by asking."""
    found = access.engagement_for(request, engagement_id)
    form = KeptForm(sent(request), request.FILES or None)
    kept = kept_of(form) if request.method == "POST" else None
    context = {"page": files.kept(access.actor(request), found, kept), "form": form}
    return render(request, "engagements/checkpoint.html", context, status=form_status(form))


@require_http_methods(ACTS)
def close(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """End it before its time."""
    found, actor = access.engagement_for(request, engagement_id), access.require(request, LEND)
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if accepted(form, lambda: services.close_engagement(actor, found, reason=reason)):
            messages.success(request, "It is closed; its auditors' access is over.")
            return see_other(request, pages.url(found, "about/"))
    context = {"engagement": found, "form": form, "back": pages.url(found)}
    return render(request, "engagements/close.html", context, status=form_status(form))


@require_POST
def report(request: HttpRequest, engagement_id: int) -> HttpResponse:
    """Samples and conclusions as a file; that it was taken is in the ledger, with its digest."""
    found, actor = access.engagement_for(request, engagement_id), access.actor(request)
    form = request.POST.get("form", "")
    made = {"json": (reports.written, "application/json"), "csv": (reports.as_csv, "text/csv; charset=utf-8")}  # fmt: skip
    if form not in made:
        raise Invalid("The report is made as JSON or as CSV.")
    write, kind = made[form]
    data = write(found)
    services.record_report(actor, found, form=form, data=data)
    response = HttpResponse(data, content_type=kind)
    name = f"{found.key.lower()}-report.{form}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response
