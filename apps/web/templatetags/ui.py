"""Tags and filters of the parts. Each renders one template of templates/ui/ or one word; none asks the database."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.web import status, words
from apps.web.parts import Action, Cell, Chip, Column, Row

register = template.Library()

for _filter in (words.thousands, words.decimals, words.signed, words.size, words.utc, words.ago):
    register.filter(_filter.__name__, _filter)
register.filter("duration", words.duration)
register.filter("initials", words.initials)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of our sprite: decoration, unless it is given a label of its own."""
    href = f"{static('web/icons/sprite.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, href
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', href)


@register.simple_tag
def icon_url(name: str) -> str:
    """The address of an icon, for the rare part that builds its own <svg>."""
    return f"{static('web/icons/sprite.svg')}#{name}"


@register.simple_tag(name="status")
def status_chip(kind: str, value: object) -> SafeString:
    """The chip of a stored value: {% status "verdict" result.verdict %}."""
    return _part("_chip", it=status.chip(kind, value))


@register.simple_tag
def chip(value: Chip) -> SafeString:
    """A chip that a page made itself."""
    return _part("_chip", it=value)


@register.simple_tag
def when(value: dt.datetime | int | None) -> SafeString:
    """A moment: relative in text, UTC in the title and machine-readable."""
    if value is None:
        return SafeString("—")
    at = words.moment(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), words.utc(at), words.ago(at)
    )


@register.simple_tag
def clock_time(value: dt.datetime) -> SafeString:
    """The time of day of an event in a list that is grouped by day."""
    at = words.moment(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), words.utc(at), f"{at:%H:%M}"
    )


@register.simple_tag
def digest(value: str, *, full: bool = False) -> SafeString:
    """A SHA-256: short (whole in the title) or whole, with a copy button."""
    return _part("_digest", value=value, short=f"{value[:8]}…{value[-4:]}", full=full)


@register.simple_tag
def copy(value: str, label: str) -> SafeString:
    """A copy button; `label` names what is copied."""
    return _part("_copy", value=value, label=label)


@register.simple_tag
def code(value: str, label: str = "Copy the code") -> SafeString:
    """A block of code with a copy button."""
    return _part("_code", value=value, label=label)


@register.simple_tag(takes_context=True)
def part(context: Context, name: str, it: object, **extra: Any) -> SafeString:
    """A part of templates/ui/ about one dataclass: {% part "table" page.runs %} renders ui/_table.html with `it`.

    The part sees nothing else of the page but its CSRF token. No dataclass, no part: None renders nothing.
    """
    if it is None:
        return SafeString("")
    return _part(f"_{name}", it=it, csrf_token=_token(context), **extra)


@register.simple_tag(takes_context=True)
def acts(context: Context, actions: Sequence[Action], *, small: bool = False) -> SafeString:
    """Several actions in a row; forms among them carry the page's CSRF token."""
    return _part("_acts", it=actions, small=small, csrf_token=_token(context))


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """A form field: label, help, control, error beside it."""
    return _part("_field", it=bound)


@register.simple_block_tag(takes_context=True)
def panel(context: Context, content: str, **parameters: Any) -> SafeString:
    """A bordered box: {% panel title="Checks" id="checks" note="" flush=False level=2 actions=… foot="" %}…{% endpanel %}."""
    defaults = {"level": 2, "csrf_token": _token(context)}
    return _part("_panel", content=content, **(defaults | parameters))


@register.filter
def by_day(events: Iterable[Any]) -> list[tuple[str, list[Any]]]:
    """Events (newest first) grouped under the words of their day."""
    return [
        (heading, list(group))
        for heading, group in itertools.groupby(events, key=lambda event: words.day(event.at))
    ]


@register.filter
def last_day(ends: str) -> str:
    """ "28 November 2026" for what ends with that day, which is said as "2026-11-29T00:00:00+00:00"."""
    return words.day(dt.datetime.fromisoformat(ends) - dt.timedelta(seconds=1))


@register.filter
def named_in(event: Any, about: Mapping[int, Sequence[Any]] | None) -> Sequence[Any]:
    """What an event is about (links of `pages.subjects.about`), for timelines across several things."""
    return (about or {}).get(event.seq, ())


@register.filter
def cells_under(row: Row, columns: Sequence[Column]) -> list[tuple[Column, Cell, bool]]:
    """A row's cells with their columns; the third says which one is the row's heading (the first that is no tick)."""
    heading = 1 if row.cells and row.cells[0].kind == "tick" else 0
    return [
        (column, cell, place == heading)
        for place, (column, cell) in enumerate(zip(columns, row.cells, strict=True))
    ]


MESSAGE_TONES = {"success": "good", "error": "bad", "warning": "warn", "info": "info"}


@register.filter
def message_tone(level: str) -> str:
    """The tone of a message of Django's levels."""
    return MESSAGE_TONES.get(level, "neutral")


@register.filter
def message_icon(level: str) -> str:
    """The icon of a message of Django's levels."""
    return {"success": "check", "error": "stop", "warning": "warn"}.get(level, "info")


@register.filter
def pretty_json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """A payload for reading: two-space JSON, keys as stored."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def plural(amount: int, word: str) -> str:
    """{{ 3|plural:"run" }} -> "3 runs"; {{ 3|plural:"entry,entries" }} when an s does not do."""
    one, _, many = word.partition(",")
    return words.plural(amount, one, many)


def _token(context: Context) -> str:
    return str(context.get("csrf_token") or "")


def _part(name: str, **context: Any) -> SafeString:
    return render_to_string(f"ui/{name}.html", context)
