"""Lists a page at a time: the next page starts behind the last row of this one, so rows that come or go shift nothing.

A cursor is opaque to clients: the place of the last row, written so that nobody takes it for a number of a page.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from rest_framework import serializers

from apps.api.v1.incoming import Strict, Text
from apps.api.v1.shapes.common import Json
from apps.core.errors import Invalid

MOST: Final = 200
USUAL: Final = 50
_LONGEST: Final = 1024


class Paged(Strict):
    """What every list takes."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, default=USUAL, help_text="Rows of one page."
    )
    cursor = Text(
        max_length=_LONGEST,
        default="",
        help_text="`next_cursor` of the page before; empty: the first page.",
    )


def page_of(
    item: type[serializers.Serializer[Any]], name: str
) -> type[serializers.Serializer[Any]]:
    """The shape of a page of such items, for the answers and the document."""
    return type(
        name,
        (serializers.Serializer,),
        {
            "__doc__": "A page of a list.",
            "items": item(many=True),
            "next_cursor": serializers.CharField(
                allow_null=True, help_text="Where the next page starts; null on the last."
            ),
        },
    )


def page(items: list[Json], last: str | int | None) -> Json:
    """A page; `last` is the place of its last row if more follow."""
    return {"items": items, "next_cursor": None if last is None else _write(str(last))}


def place(cursor: str) -> str:
    """The place a cursor names; "" for none. Refuses what no answer of ours contained."""
    if not cursor:
        return ""
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("utf-8")
    except (binascii.Error, ValueError):
        text = ""
    if not text or "\x00" in text or _write(text) != cursor:
        raise Invalid("That cursor is not one of this list.", fields={"cursor": "not a cursor"})
    return text


def number(cursor: str) -> int | None:
    """The number a cursor names; None for none."""
    text = place(cursor)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid("That cursor is not one of this list.", fields={"cursor": "not a cursor"})
    return int(text)


def _write(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8")).decode("ascii")
