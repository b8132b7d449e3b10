"""Many documents at once: asking, following, cancelling, taking all of them. A batch is its asker's alone."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.acts import Nothing
from apps.api.v1.base import Door, download
from apps.api.v1.incoming import Strict, Text, Whole
from apps.api.v1.paging import Paged, page, page_of
from apps.api.v1.paging import number as numbered
from apps.api.v1.schema import described
from apps.api.v1.shapes import batches as shapes
from apps.compliance import batches
from apps.compliance.models import Batch, ItemStatus

BatchPage = page_of(shapes.BatchShape, "BatchPage")
ItemPage = page_of(shapes.BatchItemShape, "BatchItemPage")
STAGES: Final = ("production", "staging")
_LARGEST: Final = 2**31 - 1


class NamedVersion(Strict):
    """One version."""

    model = Text(max_length=255)
    version = Whole(min_value=1, max_value=_LARGEST)


class BatchToMake(Strict):
    """Which kind, of which versions: those of a list, or all governed ones in a stage that the caller may read."""

    kind = Text(max_length=16, help_text="A key of `document-kinds`, such as `model_card`.")
    versions = serializers.ListField(child=NamedVersion(), required=False, max_length=batches.MOST)
    stage = serializers.ChoiceField(choices=STAGES, required=False)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("versions" in data) == ("stage" in data):
            raise serializers.ValidationError({"versions": "Give `versions` or `stage`, one of them."})  # fmt: skip
        return data


class Batches(Door):
    """One's own batches."""

    @described("List your batches of documents", asks=Paged, answer=BatchPage)
    def get(self, request: Request) -> Response:
        """Newest first."""
        asked = self.query(Paged)
        rows = batches.of(self.actor)
        after = numbered(asked["cursor"])
        if after is not None:
            rows = rows.filter(pk__lt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].pk if len(found) > len(shown) else None
        return self.say(BatchPage, page([shapes.batch(row) for row in shown], more))

    @described("Ask for many documents", takes=BatchToMake, answer=shapes.OneBatchShape, status=201)
    def post(self, request: Request) -> Response:
        """One document of a kind of each version, with your rights as they are when each is made. What the facts of a version allow
        is told by its item; a version that you may not read is a 404, and nothing is asked for. Asked for again it is another
        batch, but the same facts are the same documents."""
        self.nothing_asked()
        asked = self.body(BatchToMake)
        if "stage" in asked:
            made = batches.request_stage(self.actor, asked["kind"], asked["stage"])
        else:
            named = [(each["model"], each["version"]) for each in asked["versions"]]
            made = batches.request_listed(self.actor, asked["kind"], named)
        response = self.say(shapes.OneBatchShape, shapes.one(made, batches.progress(made)), 201)
        response["Location"] = f"/api/v1/batches/{made.uuid}"
        return response


class _About(Door):
    """Something of one batch."""

    def found(self, batch: UUID) -> Batch:
        """The caller's own batch; NotFound for anybody else's."""
        row = batches.get(self.actor, batch)
        self.subject = f"batch:{row.uuid}"
        return row


class OneBatch(_About):
    """One of them."""

    @described("Read how far a batch is", answer=shapes.OneBatchShape)
    def get(self, request: Request, batch: UUID) -> Response:
        self.nothing_asked()
        row = self.found(batch)
        return self.say(shapes.OneBatchShape, shapes.one(row, batches.progress(row)))


class BatchItemsAsked(Paged):
    """Which items."""

    status = serializers.ChoiceField(choices=ItemStatus.choices, required=False)


class BatchItems(_About):
    """Each version of a batch."""

    @described("List the items of a batch", asks=BatchItemsAsked, answer=ItemPage)
    def get(self, request: Request, batch: UUID) -> Response:
        """In the order in which they were asked for, each with its document or the reason why there is none."""
        asked = self.query(BatchItemsAsked)
        rows = batches.items_of(self.found(batch)).order_by("pk")
        if "status" in asked:
            rows = rows.filter(status=asked["status"])
        after = numbered(asked["cursor"])
        if after is not None:
            rows = rows.filter(pk__gt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].pk if len(found) > len(shown) else None
        return self.say(ItemPage, page([shapes.item(row) for row in shown], more))


class BatchCancellation(_About):
    """No more of it."""

    @described("Cancel the rest of a batch", takes=Nothing, answer=shapes.OneBatchShape, refusals=(409,))  # fmt: skip
    def post(self, request: Request, batch: UUID) -> Response:
        """What is being made is finished, what is made stays. 409 once nothing of it waits."""
        self.nothing_asked()
        row = self.found(batch)
        self.body(Nothing)
        row = batches.cancel(self.actor, row)
        return self.say(shapes.OneBatchShape, shapes.one(row, batches.progress(row)))


class BatchArchive(_About):
    """All that is ready."""

    @described("Download the documents of a batch", answer=OpenApiTypes.BINARY, media="application/zip", refusals=(409,))  # fmt: skip
    def get(self, request: Request, batch: UUID) -> StreamingHttpResponse:
        """Every document that is ready and that you may read now, as one ZIP archive, written while it is sent. 409 while none is."""
        self.nothing_asked()
        row = self.found(batch)
        return download(
            batches.archive(self.actor, row), "application/zip", batches.archive_name(row)
        )
