"""Filters of the card and document templates: prose, charts, times, digests."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from apps.core import parts
from apps.modelcards import content
from apps.modelcards.renderers import layout, svg

register = template.Library()

SHORT = 14  # rows, and lines of text in them
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_SIZE_OF = re.compile(r"\bn = (?=\d)")


@register.filter
def prose(text: str) -> SafeString:
    """Markdown of a human block as sanitised HTML."""
    return mark_safe(content.to_html(text))  # noqa: S308 -- nh3 has cleaned it


@register.filter
def part_template(part: parts.Part) -> str:
    """The template of one part: reports/_part_<kind>.html, one for all that are drawn."""
    if isinstance(part, parts.Chart | parts.Curve | parts.Heat):
        return "reports/_part_picture.html"
    return f"reports/_part_{type(part).__name__.lower()}.html"


@register.filter
def of(drawings: Mapping[parts.Picture, svg.Drawing], part: parts.Picture) -> svg.Drawing:
    """The drawing of a part; KeyError for one that was not handed over, which would leave a hole in the page."""
    return drawings[part]


@register.filter
def dashed(part: parts.Picture) -> str:
    """What the rule and the ticks of a chart are, in words."""
    told = []
    if isinstance(part, parts.Chart):
        told += [f"dashed: {part.limit_label}"] if part.limit_label else []
        told += [f"tick: {part.mark_label}"] if part.mark_label else []
    if isinstance(part, parts.Curve) and part.diagonal:
        told.append("dashed: where both are equal")
    return "; ".join(told)


@register.filter
def when(iso: str) -> str:
    """2026-03-02T14:05:11Z as "2 March 2026, 14:05:11 UTC"; other text stays as it is."""
    try:
        moment = dt.datetime.fromisoformat(iso).astimezone(dt.UTC)
    except ValueError:
        return iso
    return f"{moment.day} {moment:%B %Y, %H:%M:%S} UTC"


@register.filter
def halved(text: str) -> SafeString:
    """Where a digest does not fit on a line it breaks in its middle: two halves of 32 can be compared by eye."""
    cut = _DIGEST.sub(
        lambda found: f"{found[0][:32]}<wbr>{found[0][32:]}", conditional_escape(text)
    )
    return mark_safe(cut)  # noqa: S308 -- escaped above


@register.filter
def tied(text: str) -> str:
    """ "n = 35 210" stays on one line."""
    return _SIZE_OF.sub("n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}", text)


@register.filter
def at(items: tuple[parts.Column, ...], index: int) -> parts.Column:
    """The column of a cell; IndexError for a row longer than its head, which no table may have."""
    return items[index]


@register.filter
def columns(table: parts.Table) -> list[tuple[parts.Column, str]]:
    """Each column with the class that gives it its share of the width (see renderers.layout)."""
    return list(zip(table.columns, layout.width_classes(table), strict=True))


@register.filter
def is_short(table: parts.Table) -> bool:
    """Short enough to be kept on one page."""
    return len(table.rows) <= SHORT and layout.lines(table) <= SHORT


@register.filter
def is_wide(table: parts.Table) -> bool:
    return layout.is_wide(table)


@register.filter
def direction(text: str) -> str:
    """ "rtl" when the first strong character reads from right to left."""
    return content.direction(text)


@register.filter
def size(count: int) -> str:
    """Bytes for people, base 1000: 41 200 000 -> 41.2 MB."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
