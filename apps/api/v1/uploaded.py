"""Upload what another tool reported, read it, recall it."""

from __future__ import annotations

import base64
import binascii
import io
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.acts import Reason
from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text
from apps.api.v1.paging import Paged, page, page_of
from apps.api.v1.paging import number as numbered
from apps.api.v1.schema import described
from apps.api.v1.shapes import uploaded as shapes
from apps.checks import services
from apps.checks.uploaded import results, schemas, selectors
from apps.core import blobs
from apps.core.errors import Invalid

UploadedPage = page_of(shapes.UploadedShape, "UploadedResultPage")


class Upload(Strict):
    """A results file, and what it does not say itself."""

    content = Text(help_text="The bytes of the file as base64 (RFC 4648, with padding).")
    name = Text(
        default="",
        allow_blank=True,
        max_length=100,
        help_text="What the result is called; empty: as the file calls itself.",
    )
    tool = Text(
        default="", allow_blank=True, max_length=100, help_text="Needed where the file names none."
    )
    tool_version = Text(default="", allow_blank=True, max_length=100)
    file_name = Text(default="", allow_blank=True, max_length=1000)


class Uploaded(Door):
    """What other tools reported about a version."""

    @described("List the uploaded results of a version", asks=Paged, answer=UploadedPage)
    def get(self, request: Request, name: str, number: int) -> Response:
        """Newest first, those that were replaced or recalled too."""
        asked = self.query(Paged)
        after = numbered(asked["cursor"])
        rows = selectors.listed(self.version(name, number), asked["limit"] + 1, before=after)
        shown = rows[: asked["limit"]]
        more = shown[-1].row.pk if len(rows) > len(shown) else None
        return self.say(UploadedPage, page([shapes.listed(each) for each in shown], more))

    @described(
        "Upload what another tool reported",
        takes=Upload,
        answer=shapes.WholeUploadedShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str, number: int) -> Response:
        """JUnit XML, `countersign.results.v1`, in-toto Statement v1 (also in DSSE); what it is, is told from its content. A file that
        is not whole is refused with its line. The same bytes under the same name are answered with the row that is there."""
        self.nothing_asked()
        version = self.version(name, number)
        asked = self.body(Upload)
        data = _bytes(asked.pop("content"))
        row = services.upload_result(self.actor, version, stream=io.BytesIO(data), **asked)
        row = selectors.get_uploaded(version, row.uuid)
        response = self.say(shapes.WholeUploadedShape, shapes.whole(row), status=201)
        response["Location"] = f"{request.path}/{row.uuid}"
        return response


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("The content is not base64.", fields={"content": "not base64"}) from None


class OneUploaded(Door):
    """One of them."""

    @described("Read an uploaded result", answer=shapes.WholeUploadedShape)
    def get(self, request: Request, name: str, number: int, result: UUID) -> Response:
        self.nothing_asked()
        row = selectors.get_uploaded(self.version(name, number), result)
        return self.say(shapes.WholeUploadedShape, shapes.whole(row))


class UploadedFile(Door):
    """Its bytes."""

    @described(
        "Read the file of an uploaded result",
        answer=OpenApiTypes.BINARY,
        media="application/octet-stream",
    )
    def get(self, request: Request, name: str, number: int, result: UUID) -> HttpResponse:
        """As they were uploaded, compared with their digest before any is sent."""
        self.nothing_asked()
        row = selectors.get_uploaded(self.version(name, number), result)
        data = blobs.read_all(row.digest, max(settings.UPLOADED_RESULT_MAX_BYTES, row.blob.size))
        answer = HttpResponse(data, content_type="application/octet-stream")
        answer["Content-Disposition"] = "attachment"
        return answer


class UploadedRecalls(Door):
    """Taking it out of the evidence."""

    @described(
        "Recall an uploaded result",
        takes=Reason,
        answer=shapes.WholeUploadedShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str, number: int, result: UUID) -> Response:
        """It is kept and marked; rounds that rest on it are void."""
        self.nothing_asked()
        version = self.version(name, number)
        row = selectors.get_uploaded(version, result)
        self.subject = f"uploaded:{row.pk}"
        row = services.recall_uploaded(self.actor, row, reason=self.body(Reason)["reason"])
        return self.say(shapes.WholeUploadedShape, shapes.whole(row), status=201)


class UploadedSchema(Door):
    """The form of results as JSON."""

    @described("Read the JSON Schema of countersign.results.v1", answer=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The schema by which such files are judged (draft 2020-12)."""
        self.nothing_asked()
        return Response(schemas.schema(results.SCHEMA))
