"""The list of reviews: what waits for the reader, then all she may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from apps.core import clock
from apps.core.actor import Actor
from apps.reviews import selectors
from apps.reviews.models import Review, ReviewStatus
from apps.reviews.reads import inbox
from apps.reviews.reads.inbox import InboxRow
from apps.web import addresses, cells, query, status, words
from apps.web.pages import decision_box
from apps.web.parts import Action, Cell, Chip, Column, Empty, FilterChip, Paging, Row, Table

PAGE = 50
ACTS = {
    "sign": ("Sign", "decide/"),
    "answer": ("Answer", ""),
    "new round": ("New round", "new-round/"),
    "promote": ("Promote", ""),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One review that needs the reader."""

    label: str
    url: str
    fact: str
    chip: Chip
    action: Action | None


@dataclass(frozen=True, slots=True)
class ReviewsPage:
    needs_you: Sequence[Waiting]
    table: Table
    filters: Sequence[FilterChip]
    choices: Sequence[tuple[str, str, bool]]
    query: str
    mine: bool


def reviews(actor: Actor, request: HttpRequest) -> ReviewsPage:
    """Filtered by status, model and submitter; newest first."""
    chosen = request.GET.get("status", "")
    model, mine = query.text(request, "model"), bool(request.GET.get("mine"))
    statuses = [chosen] if chosen in ReviewStatus.values else []
    rows = selectors.list_reviews(actor, statuses=statuses)
    if model:
        rows = rows.filter(version__model__name__icontains=model)
    if mine:
        rows = rows.filter(submitted_by_id=actor.user_id)
    before = query.before(request)
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    return ReviewsPage(
        needs_you=[waiting(row) for row in inbox.of(actor).needs_you],
        table=_table(request, found, filtered=bool(statuses or model or mine)),
        filters=query.filter_chips(
            request, {"status": "status is {}", "model": "model has {}", "mine": "asked by me"}
        ),
        choices=[(s.value, s.label, s.value == chosen) for s in ReviewStatus],
        query=model,
        mine=mine,
    )


def waiting(row: InboxRow) -> Waiting:
    """A row of the inbox with its one act."""
    review = row.review
    label, page = ACTS.get(row.act, ("", ""))
    url = addresses.review(review.pk)
    action = None
    if label:
        action = Action(label, url + page, dialog=page == "decide/")
    return Waiting(
        label=f"{review.key} {review.version}",
        url=url,
        fact=f"{decision_box.in_words(review.target_list)}, asked by {review.submitted_by}, "
        f"{row.signed} of {row.needed} signed, risk tier {review.version.model.risk_tier}{_due(row)}{_wanted(review)}",
        chip=status.chip("review", review.status),
        action=action,
    )


def _due(row: InboxRow) -> str:
    if row.due is None:
        return ""
    late = "overdue since" if row.due <= clock.now() else "due by"
    return f", {late} {words.utc(row.due)}"


def _wanted(review: Review) -> str:
    return f", wanted by {words.date(review.wanted_by)}" if review.wanted_by else ""


def _table(request: HttpRequest, found: Sequence[Review], *, filtered: bool) -> Table:
    start = query.first_page(request)
    following = query.next_page(request, found[PAGE - 1].pk) if len(found) > PAGE else ""
    paging = None
    if start or following:
        paging = Paging(f"{min(len(found), PAGE)} reviews", following, start)
    columns = [
        Column(n) for n in ("Review", "Version", "For", "Status", "Signed", "Asked by", "When")
    ]
    return Table(
        "Reviews", columns, [_row(each) for each in found[:PAGE]], _empty(filtered=filtered), paging
    )


def _row(review: Review) -> Row:
    signed, needed = selectors.tally(review)
    version = review.version
    return Row(
        [
            cells.link(review.key, addresses.review(review.pk)),
            cells.link(str(version), addresses.version(version.model.name, version.number)),
            cells.text(decision_box.in_words(review.target_list)),
            cells.chip(status.chip("review", review.status)),
            _signed(review, signed, needed),
            cells.person(str(review.submitted_by)),
            cells.when(review.created_at),
        ]
    )


def _signed(review: Review, signed: int, needed: int) -> Cell:
    if not review.live_rounds:  # type: ignore[attr-defined]  # to_attr of list_reviews
        return cells.missing("the evidence is void")
    return cells.text(f"{signed} of {needed}")


def _empty(*, filtered: bool) -> Empty:
    if filtered:
        return Empty(
            "no-match",
            "No review matches these filters",
            action=Action("Clear the filters", addresses.reviews()),
        )
    return Empty(
        "nothing-yet",
        "No reviews yet",
        "A review starts on the page of a version: submit it, and the people who sign find it here.",
        action=Action("Open the models", addresses.models()),
    )
