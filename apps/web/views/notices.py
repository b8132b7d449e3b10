"""What one was told."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.notices import selectors, services, wording
from apps.web import access, query, words
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.notices import MailsForm
from apps.web.pages import mails as mail_pages
from apps.web.pages import notices as pages
from apps.web.responses import see_other


@never_cache
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """The inbox."""
    page = pages.inbox(access.actor(request), request)
    return render(request, "notices/notices.html", {"page": page})


@require_POST
def read(request: HttpRequest, notice_id: int) -> HttpResponse:
    """One is read; with `open`, on to what it is about."""
    notice = services.mark_read(access.actor(request), notice_id)
    if request.POST.get("open"):
        return see_other(request, wording.words(notice).path)
    return redirect("web:notices")


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """All that were shown are read."""
    up_to = query.number(request.POST.get("up_to", "")) or 0
    count = services.mark_all_read(access.actor(request), up_to=up_to)
    messages.success(request, f"{words.plural(count, 'notice')} marked read.")
    return redirect("web:notices")


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Which kinds come by mail; mails lead here to be stopped."""
    actor, person = access.actor(request), access.user(request)
    form = MailsForm(sent(request), initial={"kinds": selectors.mails_wanted(actor)})

    def act() -> None:
        services.choose_mails(actor, set(form.cleaned_data["kinds"]))

    if request.method == "POST" and form.is_valid() and accepted(form, act):
        messages.success(request, "Your choice is saved.")
        return redirect("web:account-notices")
    context = {"page": mail_pages.preferences(person), "form": form}
    return render(request, "notices/preferences.html", context, status=form_status(form))


@never_cache
@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """Every mail and how it went."""
    access.require(request, "system.read")
    return render(request, "notices/mails.html", {"page": mail_pages.mails(request)})


@never_cache
@require_safe
def mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    """One mail of the site's own mailbox."""
    access.require(request, "system.read")
    page = mail_pages.mail(selectors.get_kept(mail_id))
    return render(request, "notices/mail_page.html", {"page": page})
