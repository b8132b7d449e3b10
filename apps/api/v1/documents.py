"""Documents about a version: which kinds can be made, asking for one, following it, taking it away."""

from __future__ import annotations

from functools import cache
from uuid import UUID

import msgspec
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door, download
from apps.api.v1.incoming import Strict, Text
from apps.api.v1.paging import Paged, page, page_of
from apps.api.v1.paging import number as numbered
from apps.api.v1.schema import described
from apps.api.v1.shapes import documents as shapes
from apps.api.v1.shapes.common import Json
from apps.audits import notes
from apps.compliance import bundles, forms, handed_out, kinds, selectors, services
from apps.compliance.models import Document, Form
from apps.modelcards import moments
from apps.modelcards.dossier import SCHEMA, Dossier

DocumentPage = page_of(shapes.DocumentShape, "DocumentPage")


class DocumentToMake(Strict):
    """Which kind; of how things stand, or of a day."""

    kind = Text(max_length=16, help_text="A key of `document-kinds`, such as `ll144_report`.")
    at = Text(
        max_length=40,
        required=False,
        help_text="The card as it stood at the end of this day (`2026-03-02`, UTC) or at this moment; `model_card` only.",
    )


class DocumentKinds(Door):
    """What can be made of a version."""

    @described("List the kinds of documents", answer=shapes.DocumentKindsShape)
    def get(self, request: Request, name: str, number: int) -> Response:
        """Each with the reason why it cannot be made of this version; empty for one that can."""
        self.nothing_asked()
        version = self.version(name, number)
        found = {"kinds": [shapes.kind(each, version) for each in kinds.KINDS.values()]}
        return self.say(shapes.DocumentKindsShape, found)


class Documents(Door):
    """The documents about a version."""

    @described("List the documents about a version", asks=Paged, answer=DocumentPage)
    def get(self, request: Request, name: str, number: int) -> Response:
        """Newest first, of every kind and in every state."""
        asked = self.query(Paged)
        rows = selectors.documents(self.version(name, number)).prefetch_related("forms__blob")
        after = numbered(asked["cursor"])
        if after is not None:
            rows = rows.filter(pk__lt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].pk if len(found) > len(shown) else None
        return self.say(DocumentPage, page([shapes.document(each) for each in shown], more))

    @described(
        "Ask for a document",
        takes=DocumentToMake,
        answer=shapes.DocumentShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str, number: int) -> Response:
        """A worker makes it; `Location` says where to follow it. While the facts are the same, the answer is the document there
        is. 409: this kind cannot be made of this version, and why. 400: `at` is before the card's first revision, or not over yet."""
        self.nothing_asked()
        version = self.version(name, number)
        asked = self.body(DocumentToMake)
        at = moments.asked(asked["at"]) if "at" in asked else None
        made = services.request_document(self.actor, version, asked["kind"], at)
        made = selectors.get_document(self.actor, made.uuid)
        response = self.say(shapes.DocumentShape, shapes.document(made), status=201)
        response["Location"] = f"/api/v1/documents/{made.uuid}"
        return response


class _About(Door):
    """Something of one document."""

    def found(self, document: UUID) -> Document:
        """The document; NotFound for strangers. A refusal from here on is about it."""
        self.nothing_asked()
        row = selectors.get_document(self.actor, document)
        self.subject = f"document:{row.uuid}"
        return row


class OneDocument(_About):
    """One of them."""

    @described("Read a document's state", answer=shapes.DocumentShape)
    def get(self, request: Request, document: UUID) -> Response:
        """Also while it is made: `status` and `step`."""
        return self.say(shapes.DocumentShape, shapes.document(self.found(document)))


class DocumentFile(_About):
    """Its PDF."""

    @described(
        "Download a document",
        answer=OpenApiTypes.BINARY,
        media="application/pdf",
        refusals=(409,),
    )
    def get(self, request: Request, document: UUID) -> StreamingHttpResponse:
        """Each piece is compared with the digest before it is sent. 409: it is not ready."""
        row = self.found(document)
        answer = download(selectors.read_pdf(row), "application/pdf", selectors.file_name(row))
        handed_out.note(self.actor, row, "PDF", remote_addr=request.META["REMOTE_ADDR"])
        answer["Content-Length"] = str(row.size)
        return answer


class DocumentWebPage(_About):
    """The report as a page to publish."""

    @described(
        "Download a report as one web page",
        answer=OpenApiTypes.STR,
        media="text/html",
        refusals=(409,),
    )
    def get(self, request: Request, document: UUID) -> StreamingHttpResponse:
        """For kinds that are published; 404 for others, 409 while it is not ready."""
        row = self.found(document)
        written = iter([selectors.read_page(row).encode()])
        return download(written, "text/html; charset=utf-8", selectors.page_name(row))


class DocumentForm(_About):
    """One of its forms for programs."""

    @described(
        "Download a form of a document",
        answer=OpenApiTypes.BINARY,
        media=tuple(sorted({kind.partition(";")[0] for kind in forms.MEDIA.values()})),
        refusals=(409,),
    )
    def get(self, request: Request, document: UUID, form: str) -> StreamingHttpResponse:
        """`card.json`, `card.md`, `card.cdx.json`, `model.sig` or `signer.pem`, under its own media type. `ETag` is the SHA-256 of
        the bytes, which never change. 409: this document has no such form (yet)."""
        found = self.found(document)
        row = forms.find(found, form)
        handed_out.note(self.actor, found, form, remote_addr=request.META["REMOTE_ADDR"])
        answer = download(
            forms.read(row), forms.MEDIA[Form(row.form)], forms.file_name(found, row.form)
        )
        answer["Content-Length"] = str(row.blob.size)
        answer["ETag"] = f'"{row.digest}"'
        return answer


class CardSchema(Door):
    """The form of card.json."""

    @described("Read the JSON Schema of card.json", answer=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Draft 2020-12. `schema` in a card.json names the version that it follows."""
        self.nothing_asked()
        return Response(card_schema())


@cache
def card_schema() -> Json:
    """Made from the structure that card.json is written from, so the two cannot differ."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        **msgspec.json.schema(Dossier),
    }


class BundleToMake(Strict):
    """What goes into it."""

    with_files = serializers.BooleanField(default=False, help_text="The model's files too.")
    since = Text(
        required=False,
        default="",
        allow_blank=True,
        max_length=notes.LONGEST,
        help_text="A checkpoint that you kept, as its text or its size: the proof that the ledger grew out of it is enclosed.",
    )


class Bundles(Door):
    """Everything about a version in one archive."""

    @described("Download a bundle", takes=BundleToMake, answer=OpenApiTypes.BINARY, media="application/zip", refusals=(403, 409))  # fmt: skip
    def post(self, request: Request, name: str, number: int) -> StreamingHttpResponse:
        """Every record, document, key and proof, and the programs that verify them. Written while it is sent; that it was handed out is
        in the ledger. An archive that breaks off has no directory and opens nowhere."""
        self.nothing_asked()
        version = self.version(name, number)
        asked = self.body(BundleToMake)
        written = bundles.stream(
            self.actor, version, with_files=asked["with_files"], since=asked["since"]
        )
        return download(written, "application/zip", bundles.file_name(version))
