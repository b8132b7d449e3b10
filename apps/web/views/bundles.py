"""Bundles: everything about versions in one archive, written while it is sent; that it was handed out is in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from apps.compliance import bundles
from apps.reviews import selectors as reviews
from apps.web import access
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.bundles import BundleForm
from apps.web.pages import bundles as pages
from apps.web.pages.bundles import BundlePage
from apps.web.responses import download

ACTS = require_http_methods(["GET", "HEAD", "POST"])


@ACTS
def of_version(request: HttpRequest, name: str, number: int) -> HttpResponseBase:
    """Of one version."""
    found = access.version_for(request, name, number, bundles.READ)
    actor = access.actor(request)
    form = BundleForm(sent(request), request.FILES or None)

    def written() -> Iterator[bytes]:
        return bundles.stream(
            actor, found, with_files=form.cleaned_data["with_files"], since=form.checkpoint
        )

    return answer(request, form, pages.of_version(found), written, bundles.file_name(found))


@ACTS
def of_model(request: HttpRequest, name: str) -> HttpResponseBase:
    """Of every version of a model that was approved."""
    found = access.model_for(request, name, bundles.READ)
    versions = list(reviews.approved_versions(found))
    actor, file_name = access.actor(request), bundles.file_name_of(f"{name}-approved")
    form = BundleForm(sent(request), request.FILES or None)

    def written() -> Iterator[bytes]:
        return bundles.stream_many(
            actor, versions, with_files=form.cleaned_data["with_files"], since=form.checkpoint, name=file_name
        )  # fmt: skip

    return answer(request, form, pages.of_model(found, versions), written, file_name)


def answer(
    request: HttpRequest,
    form: BundleForm,
    page: BundlePage,
    written: Callable[[], Iterator[bytes]],
    file_name: str,
) -> HttpResponseBase:
    """The archive where one was asked for and can be made; else the form, with what is wrong beside its field."""
    pieces: list[Iterator[bytes]] = []
    if form.is_bound and form.is_valid() and accepted(form, lambda: pieces.append(written())):
        return download(pieces[0], "application/zip", file_name)
    return _page(request, form, page)


def _page(request: HttpRequest, form: BundleForm, page: BundlePage) -> HttpResponse:
    context = {"page": page, "form": form}
    return render(request, "evidence/bundle.html", context, status=form_status(form))
