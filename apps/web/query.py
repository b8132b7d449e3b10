"""A list's state lives in its address: sorting, filters and paging as links that keep everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from django.http import HttpRequest, QueryDict

from apps.web.parts import Column, FilterChip, Paging

PAGING = ("before", "after")


def with_values(request: HttpRequest, **values: str | int | None) -> str:
    """This page's address with these parameters set (None takes one away); paging starts over."""
    query = _fresh(request)
    for key, value in values.items():
        if value is None:
            query.pop(key, None)
        else:
            query[key] = str(value)
    return _address(request, query)


def without(request: HttpRequest, key: str, value: str | None = None) -> str:
    """This page's address without a parameter, or without one of its values."""
    query = _fresh(request)
    kept = [each for each in query.getlist(key) if value is not None and each != value]
    if kept:
        query.setlist(key, kept)
    else:
        query.pop(key, None)
    return _address(request, query)


def next_page(request: HttpRequest, before: str | int) -> str:
    """The same list from the key of its last row on."""
    query = request.GET.copy()
    query["before"] = str(before)
    return _address(request, query)


def first_page(request: HttpRequest) -> str:
    """The same list from its start; empty when this is the start."""
    return _address(request, _fresh(request)) if "before" in request.GET else ""


def sortable(
    request: HttpRequest, label: str, key: str, *, numeric: bool = False, default: str = ""
) -> Column:
    """A column whose heading sorts by `?sort=key` / `?sort=-key`; `default` is the order without the parameter."""
    current = request.GET.get("sort", default)
    states: dict[str, Literal["ascending", "descending"]] = {
        key: "ascending",
        f"-{key}": "descending",
    }
    turned = f"-{key}" if current == key else key
    return Column(label, numeric, with_values(request, sort=turned), states.get(current, ""))


def filter_chips(request: HttpRequest, words: dict[str, str]) -> list[FilterChip]:
    """The filters that hold: `words` maps a parameter to its phrase, "{}" standing for the value."""
    return [
        FilterChip(phrase.format(value), without(request, key, value))
        for key, phrase in words.items()
        for value in request.GET.getlist(key)
        if value
    ]


def _fresh(request: HttpRequest) -> QueryDict:
    query = request.GET.copy()
    for key in PAGING:
        query.pop(key, None)
    return query


def _address(request: HttpRequest, query: QueryDict) -> str:
    return f"?{query.urlencode()}" if query else request.path


def before(request: HttpRequest) -> int | None:
    """The key of the last row of the page before, for lists whose key is a number; anything else is the start."""
    return number(request.GET.get("before", ""))


def number(value: str) -> int | None:
    """A number of the database as an address spells it; None for anything else ("²" and endless digits too)."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def text(request: HttpRequest, name: str, limit: int = 255) -> str:
    """A parameter as words to look for: trimmed, cut, without NUL, which the database cannot hold."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:limit]


class _Numbered(Protocol):
    @property
    def seq(self) -> int: ...


def event_paging(request: HttpRequest, found: Sequence[_Numbered], size: int) -> Paging | None:
    """Paging of a timeline that was asked for one event more than it shows."""
    start = first_page(request)
    following = next_page(request, found[size - 1].seq) if len(found) > size else ""
    if not start and not following:
        return None
    return Paging(f"{min(len(found), size)} events", following, start)
