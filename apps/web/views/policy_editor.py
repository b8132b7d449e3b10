"""Writing a policy: two views of one draft, which lives in the form alone, and the preview that is proposed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from apps.reviews import services
from apps.reviews.models import PolicyChange
from apps.reviews.policies import files
from apps.reviews.policies.document import PolicyDocument
from apps.web import access
from apps.web.forms.base import accepted, form_status
from apps.web.forms.policies import ImportForm, ProposeForm, YamlForm
from apps.web.pages import policy_editor as pages
from apps.web.parts import Notice
from apps.web.policy_form import draft as drafts
from apps.web.policy_form.draft import Draft, NotInForm
from apps.web.policy_form.form import PolicyForm
from apps.web.policy_form.layout import ROWS
from apps.web.responses import page_or_fragment, see_other

_ACTS: Final = require_http_methods(["GET", "HEAD", "POST"])


@_ACTS
def propose(request: HttpRequest) -> HttpResponse:
    """A new policy, or a new version of one. What a press of a button does is told by `do`; without it the draft is proposed."""
    actor = access.require(request, "policy.edit")
    if request.method != "POST":
        return _begin(request, actor)
    act, _, about = request.POST.get("do", "propose").partition(":")
    if about in ROWS or act in {"remove", "up"}:
        return _change_rows(request, act, about)
    if act == "import":
        return _imported(request)
    if act == "start":
        return _shown(request, pages.begun(request.POST.get("start", "")))
    if act == "propose" and "text" in request.POST:
        return _propose(request, actor)
    tabs = {"form": _as_form, "yaml": _as_yaml}
    return tabs[act](request) if act in tabs else _look(request, actor)


def _begin(request: HttpRequest, actor: Actor) -> HttpResponse:
    asked = request.GET
    start = asked.get("start", "")
    start = f"policy:{asked['from']}" if asked.get("from") else start
    start = f"pack:{asked['pack']}" if asked.get("pack") else start
    number = asked.get("number", "")
    if number and not (number.isascii() and number.isdigit() and len(number) < 9):
        raise NotFound("No such version.")
    document = pages.begun(start, int(number) if number else None)
    if asked.get("as") == "preview":
        return _preview(request, actor, document)
    if asked.get("as") == "yaml":
        return _yaml(request, files.dump(document))
    return _shown(request, document)


def _shown(request: HttpRequest, document: PolicyDocument) -> HttpResponse:
    """In the form if it can hold all of it, else as YAML, saying why."""
    try:
        return _form(request, drafts.of_document(document))
    except NotInForm as error:
        return _yaml(request, files.dump(document), notice=_not_in_form(error))


def _not_in_form(error: NotInForm) -> Notice:
    return Notice(
        "The form has no place for it, so this draft is edited here.",
        "warn",
        f"Written as YAML only: {', '.join(error.paths[:5])}",
    )


def _form(
    request: HttpRequest,
    draft: Draft,
    problems: dict[str, str] | None = None,
    focus: str = "",
    notice: Notice | None = None,
) -> HttpResponse:
    form = PolicyForm(draft, problems)
    page = pages.form_page(form, focus=focus, notice=notice)
    return page_or_fragment(
        request, "policies/edit.html", "policies/_editor.html", {"page": page}, status=form_status(form)
    )  # fmt: skip


def _yaml(
    request: HttpRequest,
    text: str,
    error: Invalid | None = None,
    notice: Notice | None = None,
) -> HttpResponse:
    form = YamlForm({"text": text})
    form.is_valid()
    if error is not None and not form.errors:
        form.refuse(error)
    status = 422 if error is not None else 200
    context = {"page": pages.yaml_page(notice), "form": form}
    return page_or_fragment(
        request, "policies/yaml.html", "policies/_yaml.html", context, status=status
    )


def _change_rows(request: HttpRequest, act: str, about: str) -> HttpResponse:
    """Add a row, take one away, or move one up; what was typed stays as it is."""
    draft = Draft(request.POST)
    path, _, row = about.partition(":")
    if path not in ROWS:
        return _form(request, draft)
    if act == "add":
        draft, row = draft.with_row(path)
        return _form(request, draft, focus=f"{path}.{row}")
    if act == "up":
        return _form(request, draft.moved_up(path, row), focus=f"{path}.{row}")
    return _form(request, draft.without_row(path, row), focus=path)


def _text(request: HttpRequest) -> str:
    """The draft as YAML text, however it was sent."""
    if "text" in request.POST:
        return request.POST["text"]
    draft = Draft(request.POST)
    try:
        return files.dump(draft.document())
    except Invalid:
        return files.write(drafts.typed(draft))


def _as_yaml(request: HttpRequest) -> HttpResponse:
    return _yaml(request, _text(request))


def _as_form(request: HttpRequest) -> HttpResponse:
    """The text in the form; one that is not valid yet too, as far as the form has a place for all of it."""
    if "text" not in request.POST:
        return _form(request, Draft(request.POST))
    text = request.POST["text"]
    try:
        return _shown(request, files.load(text, number=1))
    except Invalid as error:
        try:
            return _form(request, drafts.of_data(files.read(text)))
        except (Invalid, NotInForm):
            return _yaml(request, text, error)


def _imported(request: HttpRequest) -> HttpResponse:
    """A file takes the place of the draft; one that is not valid is shown as YAML with the lines that are wrong."""
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        reasons = [str(each) for each in form.errors.get("file", [])]
        notice = Notice("", "bad", "The file was not taken", reasons)
        if "text" in request.POST:
            response = _yaml(request, request.POST["text"], notice=notice)
        else:
            response = _form(request, Draft(request.POST), notice=notice)
        response.status_code = 422
        return response
    text = form.cleaned_data["file"]
    try:
        return _shown(request, files.load(text, number=1))
    except Invalid as error:
        return _yaml(request, text, error)


def _look(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The preview, if the draft is valid; else the same view of it, with what is wrong beside it."""
    if "text" in request.POST:
        text = request.POST["text"]
        try:
            return _preview(request, actor, files.load(text, number=1))
        except Invalid as error:
            return _yaml(request, text, error)
    draft = Draft(request.POST)
    try:
        return _preview(request, actor, draft.document())
    except Invalid as error:
        return _form(request, draft, dict(error.fields))


def _preview(
    request: HttpRequest,
    actor: Actor,
    document: PolicyDocument,
    form: ProposeForm | None = None,
) -> HttpResponse:
    page = pages.preview_page(actor, document)
    form = form or ProposeForm(initial={"text": files.dump(document)})
    context = {"page": page, "form": form}
    return render(request, "policies/preview.html", context, status=form_status(form))


def _propose(request: HttpRequest, actor: Actor) -> HttpResponse:
    form = ProposeForm(request.POST)
    made: list[PolicyChange] = []
    if form.is_valid() and accepted(form, _proposing(actor, form, made)):
        messages.success(request, f"{made[0]} waits for {made[0].needed} to sign.")
        return see_other(request, reverse("web:policy-change", args=[made[0].pk]))
    text = request.POST["text"]
    try:
        document = files.load(text, number=1)
        return _preview(request, actor, document, form)
    except Invalid as error:
        return _yaml(request, text, error)


def _proposing(actor: Actor, form: ProposeForm, made: list[PolicyChange]) -> Callable[[], None]:
    def act() -> None:
        made.append(services.propose(actor, **form.cleaned_data))

    return act
