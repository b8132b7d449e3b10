"""Kinds of checks, having one measured, reading what came out, taking a question back."""

from __future__ import annotations

from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.acts import Nothing
from apps.api.v1.base import Door, download
from apps.api.v1.incoming import Strict, Text
from apps.api.v1.paging import Paged, page, page_of
from apps.api.v1.paging import number as numbered
from apps.api.v1.schema import described
from apps.api.v1.shapes import measurements as shapes
from apps.api.v1.shapes.common import Json
from apps.checks import kinds, records, services
from apps.checks import selectors as checks
from apps.checks.models import MeasurementStatus
from apps.registry.models import ModelVersion
from apps.reviews.reads import measurement_sheet
from apps.reviews.reads.measurements import judged

MeasurementPage = page_of(shapes.MeasurementSummary, "MeasurementPage")


class MeasurementFilters(Paged):
    """Which measurements."""

    kind = Text(default="", max_length=40, help_text="The key of a kind; empty: every kind.")
    status = serializers.ChoiceField(choices=MeasurementStatus.choices, required=False)


class CheckToRun(Strict):
    """What is to be measured, on the data now in force or the version's files."""

    kind = Text(max_length=40, help_text="The key of a kind.")
    params = serializers.DictField(
        default=dict, help_text="As the kind's JSON Schema says; what is left out is as usual."
    )


class Kinds(Door):
    """The kinds of checks."""

    @described("List the kinds of checks", answer=shapes.CheckKinds)
    def get(self, request: Request) -> Response:
        """With what each takes, what whoever asks may choose and what a policy may demand. Complete, no pages."""
        self.nothing_asked()
        items = [shapes.check_kind(kind) for kind in kinds.registered().values()]
        return self.say(shapes.CheckKinds, {"items": items})


class Measurements(Door):
    """What was measured on a version."""

    @described(
        "List the measurements of a version", asks=MeasurementFilters, answer=MeasurementPage
    )
    def get(self, request: Request, name: str, number: int) -> Response:
        """Newest first, without their numbers."""
        asked = self.query(MeasurementFilters)
        version = self.version(name, number)
        rows = checks.measurements(version).defer("statistics", "result")
        if asked["kind"]:
            rows = rows.filter(kind=kinds.get(asked["kind"]).key)
        if "status" in asked:
            rows = rows.filter(status=asked["status"])
        after = numbered(asked["cursor"])
        if after is not None:
            rows = rows.filter(pk__lt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].pk if len(found) > len(shown) else None
        items = [shapes.summary(version, each) for each in shown]
        return self.say(MeasurementPage, page(items, more))

    @described(
        "Have a check run",
        takes=CheckToRun,
        answer=shapes.AskedMeasurement,
        status=201,
        also=200,
    )
    def post(self, request: Request, name: str, number: int) -> Response:
        """A worker does it; `Location` says where to read the outcome. Where the same was asked before (kind, params, data, code,
        libraries) and has not failed, the answer is the measurement of then, with 200 and `stored`."""
        self.nothing_asked()
        version = self.version(name, number)
        asked = self.body(CheckToRun)
        made = services.ask_measurement(self.actor, version, asked["kind"], asked["params"])
        row = checks.get_measurement(version, made.measurement.uuid)
        told = {**shapes.summary(version, row), "stored": made.stored}
        response = self.say(shapes.AskedMeasurement, told, status=200 if made.stored else 201)
        response["Location"] = f"{request.path}/{row.uuid}"
        return response


class OneMeasurement(Door):
    """One of them."""

    @described("Read a measurement", answer=shapes.MeasurementShape)
    def get(self, request: Request, name: str, number: int, measurement: UUID) -> Response:
        """With its counts and numbers, and its assessment against the limits of the policies in force now."""
        self.nothing_asked()
        version = self.version(name, number)
        return self.say(shapes.MeasurementShape, _whole(version, measurement))


class Cancellation(Door):
    """Taking back what is not answered yet."""

    @described(
        "Cancel a measurement", takes=Nothing, answer=shapes.MeasurementShape, refusals=(409,)
    )
    def post(self, request: Request, name: str, number: int, measurement: UUID) -> Response:
        """A worker that is at it stops at its next step. The same can be asked again. 409: it has ended."""
        self.nothing_asked()
        version = self.version(name, number)
        row = checks.get_measurement(version, measurement)
        self.subject = f"measurement:{row.pk}"
        self.body(Nothing)
        services.cancel_measurement(self.actor, row)
        return self.say(shapes.MeasurementShape, _whole(version, measurement))


def _whole(version: ModelVersion, measurement: UUID) -> Json:
    """As it is now."""
    row = checks.get_measurement(version, measurement)
    return shapes.detail(version, row, judged(version, row))


class MeasurementJson(Door):
    """One measurement as a file whose digest can be computed again."""

    @described("Download a measurement as JSON", answer=shapes.MeasurementFile)
    def get(
        self, request: Request, name: str, number: int, measurement: UUID
    ) -> StreamingHttpResponse:
        """Canonical JSON (RFC 8785): `result_digest` is the SHA-256 of its members key, result and statistics."""
        self.nothing_asked()
        version = self.version(name, number)
        row = checks.get_measurement(version, measurement)
        written = records.written(version, row)
        return download(written, "application/json", records.file_name(version, row, "json"))


class MeasurementCsv(Door):
    """The tables of its page as flat text."""

    @described(
        "Download the tables of a measurement as CSV",
        answer=OpenApiTypes.STR,
        media="text/csv",
        refusals=(409,),
    )
    def get(
        self, request: Request, name: str, number: int, measurement: UUID
    ) -> StreamingHttpResponse:
        """UTF-8, a record a line, nothing that a spreadsheet takes for a formula. 409: it has no result."""
        self.nothing_asked()
        version = self.version(name, number)
        row = checks.get_measurement(version, measurement)
        written = measurement_sheet.written(version, row)
        return download(written, "text/csv", records.file_name(version, row, "csv"))
