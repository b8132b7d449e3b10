"""Charts as vector graphics: each part's picture in two widths, in the light palette or in the page's colours.

Guarantee: paper and page show the same picture, from the same specification; a part that cannot be drawn says why in
words. The narrow drawing is for small screens, where the wide one would be scaled until nobody can read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

from apps.core import drawing
from apps.core.parts import Chart, Curve, Heat, Part, Picture
from apps.modelcards.renderers.pictures import bars, curves, heats
from apps.modelcards.renderers.pictures.bars import drawable as drawable
from apps.modelcards.renderers.pictures.frame import NARROW, PAPER, WIDE, Made, Size

Palette: TypeAlias = Literal["print", "page"]
# Specifications in, pictures out; one that cannot be drawn is left out. `core.pictures` has one that keeps them.
Draw: TypeAlias = Callable[[Sequence[str]], Mapping[str, str]]

FAILED = "the drawing failed; the table has the numbers, and the site's log the reason."
_SIZES: Mapping[Palette, tuple[Size, ...]] = {"print": (PAPER,), "page": (WIDE, NARROW)}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as a template shows it: for wide and for small screens, or the reason why there is none."""

    wide: str = ""
    narrow: str = ""
    notes: tuple[str, ...] = ()
    reason: str = ""
    keys: tuple[tuple[str, str], ...] = ()


def drawings(parts: Iterable[Part], palette: Palette, draw: Draw) -> dict[Picture, Drawing]:
    """The picture of every part that has one; all are drawn in one go."""
    made = {
        part: [_made(part, size) for size in _SIZES[palette]]
        for part in parts
        if isinstance(part, Chart | Curve | Heat)
    }
    texts = {
        part: [[drawing.whole(spec) for spec in each.specs] for each in sizes]
        for part, sizes in made.items()
    }
    svgs = draw([text for sizes in texts.values() for some in sizes for text in some])
    return {
        part: _drawing(part, made[part][0], sizes, svgs, palette) for part, sizes in texts.items()
    }


def _made(part: Picture, size: Size) -> Made:
    if isinstance(part, Chart):
        return bars.make(part, size)
    return curves.make(part, size) if isinstance(part, Curve) else heats.make(part, size)


def _drawing(
    part: Picture,
    made: Made,
    texts: Sequence[Sequence[str]],
    svgs: Mapping[str, str],
    palette: Palette,
) -> Drawing:
    if made.reason:
        return Drawing(reason=made.reason)
    if any(text not in svgs for some in texts for text in some):
        return Drawing(reason=FAILED)
    wide, *rest = (
        format_html_join("", "{}", ((_named(svgs[text], part, made, palette),) for text in some))
        for some in texts
    )
    return Drawing(wide, rest[0] if rest else "", made.notes, keys=made.keys)


def _named(svg: str, part: Picture, made: Made, palette: Palette) -> SafeString:
    """With its name and what it shows, for who cannot see it: the page's name of it, the PDF's alternate text."""
    told = f"<title>{escape(part.title)}</title><desc>{escape(made.said)}</desc>"
    if palette == "print":  # WeasyPrint takes the title alone
        told = f"<title>{escape(f'{part.title}. {made.said}')}</title>"
    coloured = drawing.in_tokens(svg) if palette == "page" else svg
    named = coloured.replace("<svg ", '<svg role="img" ', 1).replace(">", f">{told}", 1)
    return mark_safe(named)  # noqa: S308 -- made by Vega from escaped data
