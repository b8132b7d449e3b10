"""What one was told."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.notices import services, wording
from apps.web import access, query, words
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
