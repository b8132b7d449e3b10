"""What one was told: the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from apps.core.actor import Actor
from apps.notices import selectors, wording
from apps.notices.models import Notice
from apps.web import cells, query
from apps.web.parts import Action, Cell, Empty, PageHeader, Paging, Tab

SIZE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One notice: what it says, and the buttons that open it or put it aside."""

    title: str
    text: str
    at: Cell
    unread: bool
    open: Action
    read: Action | None


@dataclass(frozen=True, slots=True)
class NoticesPage:
    header: PageHeader
    tabs: Sequence[Tab]
    lines: Sequence[Line]
    empty: Empty
    paging: Paging | None


def inbox(actor: Actor, request: HttpRequest) -> NoticesPage:
    """The actor's notices, unread first."""
    only = request.GET.get("unread") == "1"
    found = list(
        selectors.inbox(actor, unread_only=only, after=request.GET.get("before", ""))[: SIZE + 1]
    )
    shown = found[:SIZE]
    return NoticesPage(
        header=PageHeader(
            "Notices",
            lead="What happened that concerns you. What waits for your signature is under Reviews.",
            actions=_header_actions(shown),
        ),
        tabs=_tabs(only),
        lines=[_line(notice) for notice in shown],
        empty=_empty(only),
        paging=_paging(request, found, shown),
    )


def _tabs(only: bool) -> list[Tab]:
    url = reverse("web:notices")
    return [
        Tab("All", url, current=not only),
        Tab("Unread", f"{url}?unread=1", current=only),
        Tab("Which mails you get", reverse("web:account-notices")),
    ]


def _header_actions(shown: Sequence[Notice]) -> list[Action]:
    """Everything up to the newest that is shown: what arrives meanwhile stays unread."""
    newest = max((notice.pk for notice in shown if notice.is_unread), default=0)
    if not newest:
        return []
    url = reverse("web:notices-read")
    return [Action("Mark all read", url, icon="check", post=True, fields={"up_to": str(newest)})]


def _line(notice: Notice) -> Line:
    said, url = wording.words(notice), reverse("web:notice-read", args=[notice.pk])
    aside = Action("Mark read", url, "plain", post=True)
    return Line(
        title=said.title,
        text=said.text,
        at=cells.when(notice.created_at),
        unread=notice.is_unread,
        open=Action("Open", url, post=True, fields={"open": "1"}),
        read=aside if notice.is_unread else None,
    )


def _empty(only: bool) -> Empty:
    if only:
        return Empty("clear", "Nothing is unread", "You have seen everything that concerns you.")
    text = "When you are asked to sign, or something happens to a review of yours, it is told here."
    return Empty("nothing-yet", "No notices yet", text)


def _paging(
    request: HttpRequest, found: Sequence[Notice], shown: Sequence[Notice]
) -> Paging | None:
    first = query.first_page(request)
    following = ""
    if len(found) > len(shown):
        following = query.next_page(request, selectors.key(shown[-1]))
    if not first and not following:
        return None
    return Paging(f"{len(shown)} shown", following, first)
