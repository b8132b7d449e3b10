"""The documents that were issued, and whether a file is one of them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Text
from apps.api.v1.paging import Paged, number, page, page_of
from apps.api.v1.schema import described
from apps.api.v1.shapes.common import Json
from apps.compliance import selectors
from apps.compliance.models import Document


class IssuedShape(serializers.Serializer[Any]):
    """One issued document. Only who compares the whole file's SHA-256 has proven every byte of it."""

    uuid = serializers.UUIDField()
    kind = serializers.CharField()
    model = serializers.CharField()
    version = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the signed file.")
    render_digest = serializers.CharField(help_text="Of its bytes before the signature.")
    signed_by = serializers.CharField(help_text="The id of the key; empty: not signed.")
    size = serializers.IntegerField()
    card_digest = serializers.CharField(help_text="Of the card.json inside.")
    issued_at = serializers.DateTimeField()


IssuedPage = page_of(IssuedShape, "IssuedPage")


class Which(Paged):
    """Which documents."""

    digest = Text(max_length=64, default="", help_text="SHA-256 of a file: is it one of yours?")


class Issued(Door):
    """What was issued."""

    @described("List what was issued", asks=Which, answer=IssuedPage)
    def get(self, request: Request) -> Response:
        """Those of models you may see, newest first; with `digest` the one that is this file, or none."""
        asked = self.query(Which)
        rows = list(
            selectors.issued(self.actor, digest=asked["digest"], before=number(asked["cursor"]))[
                : asked["limit"] + 1
            ]
        )
        shown = rows[: asked["limit"]]
        more = shown[-1].pk if len(rows) > len(shown) else None
        return self.say(IssuedPage, page([_told(row) for row in shown], more))


def _told(row: Document) -> Json:
    return {
        "uuid": row.uuid,
        "kind": row.kind,
        "model": row.version.model.name,
        "version": row.version.number,
        "digest": row.digest,
        "render_digest": row.render_digest,
        "signed_by": row.signed_by,
        "size": row.size,
        "card_digest": row.input_digest,
        "issued_at": row.finished_at,
    }
