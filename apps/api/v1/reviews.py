"""Reading reviews."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Flag, Text
from apps.api.v1.paging import Paged, number, page, page_of
from apps.api.v1.schema import described
from apps.api.v1.shapes import reviews as shapes
from apps.core.errors import NotFound
from apps.reviews import evidence, selectors
from apps.reviews.models import Review, ReviewStatus, Round
from apps.reviews.reads import inbox

ReviewPage = page_of(shapes.ReviewSummary, "ReviewPage")


class ReviewFilters(Paged):
    """Which reviews."""

    status = serializers.ChoiceField(choices=ReviewStatus.choices, required=False)
    model = Text(max_length=255, required=False, help_text="Of the model of exactly this name.")
    needs_me = Flag(required=False, help_text="`true`: only what the caller can act on now.")


class Reviews(Door):
    """The reviews of models the caller may see, newest first."""

    @described("List reviews", answer=ReviewPage, asks=ReviewFilters)
    def get(self, request: Request) -> Response:
        asked = self.query(ReviewFilters)
        rows = selectors.list_reviews(
            self.actor, statuses=[asked["status"]] if "status" in asked else ()
        )
        if "model" in asked:
            rows = rows.filter(version__model__name=asked["model"])
        if asked.get("needs_me") == "true":
            mine = [row.review.pk for row in inbox.of(self.actor).needs_you]
            rows = rows.filter(pk__in=mine)
        after = number(asked["cursor"])
        if after is not None:
            rows = rows.filter(pk__lt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].pk if len(found) > len(shown) else None
        return self.say(ReviewPage, page([shapes.summary(row) for row in shown], more))


class OneReview(Door):
    """One review, whole: rounds, decisions, steps, who is asked, why not you."""

    @described("Read a review", answer=shapes.ReviewShape)
    def get(self, request: Request, review_id: int) -> Response:
        self.nothing_asked()
        review = self.review(review_id)
        return self.say(shapes.ReviewShape, shapes.detail(self.actor, review))


class Manifest(Door):
    """The bytes that are signed: their SHA-256 is the round's digest."""

    @described(
        "Read the manifest of a round",
        answer=OpenApiTypes.OBJECT,
        refusals=(409,),
    )
    def get(self, request: Request, review_id: int, round_number: int) -> HttpResponse:
        self.nothing_asked()
        found = _round(self.review(review_id), round_number)
        evidence.read(found)  # raises Tampered when the bytes are not what the digest says
        return HttpResponse(bytes(found.manifest), content_type="application/json")


class Receipt(Door):
    """One signature with what it takes to verify it."""

    @described("Read the receipt of a decision", answer=shapes.ReceiptShape)
    def get(self, request: Request, review_id: int, decision_id: int) -> Response:
        self.nothing_asked()
        review = self.review(review_id)
        row = selectors.get_decision(review, decision_id)
        return self.say(shapes.ReceiptShape, shapes.receipt(review, row))


def _round(review: Review, round_number: int) -> Round:
    found = review.rounds.filter(number=round_number).first()
    if found is None:
        raise NotFound(f"{review.key} has no round {round_number}.")
    return found
