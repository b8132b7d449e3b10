"""Pages hold to the rules of the house: parseable, one h1, named controls, nothing inline, enough contrast."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from pytest_django import DjangoDbBlocker, Settings

from apps.web import charts
from tests.architecture.html import Page
from tests.web.browsing import browser
from tests.web.permission_matrix import ROWS, Row
from tests.web.test_permission_matrix import undone
from tests.web.world import ANONYMOUS, World, build

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "apps" / "web" / "static" / "web"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGE_TEMPLATES = [path for path in TEMPLATES if "reports" not in path.parts]
LOOKED_AT = [row for row in ROWS if row.post is None]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), undone():
        yield build()


@pytest.mark.parametrize("row", LOOKED_AT, ids=lambda row: row.name)
def test_each_page_is_sound_for_everybody_who_sees_it(row: Row, world: World) -> None:
    url = reverse(row.route, args=list(row.args(world))) + row.query
    found = {
        visitor: problems
        for visitor in (ANONYMOUS, "administrator", "contributor", "auditor", "outsider")
        if (problems := _problems(url, visitor, world))
    }
    assert found == {}


def test_each_part_is_sound_in_the_styleguide(world: World, settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.web.styleguide_urls"
    with undone():
        answer = browser(world.visitors["administrator"]).get("/styleguide/")
    page = Page(answer.content.decode())
    assert page.problems() == []


def _problems(url: str, visitor: str, world: World) -> list[str]:
    with undone():
        answer = browser(world.visitors[visitor]).get(url)
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        return []
    if 300 <= answer.status_code < 400:
        return []
    return Page(b"".join(answer).decode()).problems()


@pytest.mark.parametrize("path", PAGE_TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_has_anything_inline_or_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons" / "sprite.svg").read_text()))
    named: set[str] = set()
    for path in PAGE_TEMPLATES:
        named |= set(re.findall(r'\{% icon(?:_url)? "([^"]+)"', path.read_text(encoding="utf-8")))
    for path in (ROOT / "apps" / "web").rglob("*.py"):
        named |= set(re.findall(r'icon="([^"]+)"', path.read_text(encoding="utf-8")))
    assert named - drawn == set()


def test_style_sheets_and_scripts_stay_small_and_all_are_used() -> None:
    sheets = sorted((STATIC / "css").rglob("*.css"))
    assert {path.name: n for path in sheets if (n := _lines(path)) > 150} == {}
    scripts = sorted((STATIC / "js").glob("*.js"))
    assert {path.name: n for path in scripts if (n := _lines(path)) > 80} == {}
    imported = set(re.findall(r'url\("([^"]+)"\)', (STATIC / "css" / "main.css").read_text()))
    there = {str(path.relative_to(STATIC / "css")) for path in sheets} - {"main.css"}
    assert imported == there
    pages = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    assert {path.name for path in scripts} == set(re.findall(r"web/js/([a-z-]+\.js)", pages))


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


TOKENS = dict(
    re.findall(
        r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (?:#[0-9a-f]{6})\)",
        (STATIC / "css" / "tokens.css").read_text(),
    )
)
DARK = dict(
    re.findall(
        r"--([a-z0-9-]+): light-dark\((?:#[0-9a-f]{6}), (#[0-9a-f]{6})\)",
        (STATIC / "css" / "tokens.css").read_text(),
    )
)
GROUNDS = ("canvas", "surface", "surface-sunken", "surface-hover")
TONES = ("neutral", "info", "good", "warn", "bad", "quiet", "unknown")
TEXT_PAIRS = [
    *(
        (text, ground)
        for text in ("text", "text-muted", "text-quiet", "accent")
        for ground in GROUNDS
    ),
    *((text, ground) for text in ("text", "text-muted") for ground in ("rail", "rail-active")),
    *((f"tone-{tone}-fg", f"tone-{tone}-bg") for tone in TONES),
    *(("text", f"tone-{tone}-bg") for tone in TONES),
    *(("accent", f"tone-{tone}-bg") for tone in ("info", "good", "warn", "bad")),
    *((f"tone-{tone}-fg", "surface") for tone in ("good", "warn", "bad", "unknown", "quiet")),
    ("accent", "accent-soft"),
    ("text", "accent-soft"),
    ("text-muted", "accent-soft"),
    ("primary-fg", "primary-bg"),
    ("primary-fg", "primary-hover"),
    ("danger-fg", "danger-bg"),
    ("danger-fg", "danger-hover"),
]
SHAPE_PAIRS = [
    *(("focus", ground) for ground in (*GROUNDS, "rail")),
    *(("control-line", ground) for ground in ("canvas", "surface", "surface-sunken")),
    *((f"chart-{number}", "surface") for number in range(1, 6)),
    ("tone-unknown-line", "surface"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), TEXT_PAIRS, ids="/".join)
def test_text_has_the_contrast_of_wcag_aa(front: str, ground: str, theme: str) -> None:
    colours = TOKENS if theme == "light" else DARK
    assert _contrast(colours[front], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), SHAPE_PAIRS, ids="/".join)
def test_rings_lines_and_curves_can_be_told_from_their_ground(
    front: str, ground: str, theme: str
) -> None:
    colours = TOKENS if theme == "light" else DARK
    assert _contrast(colours[front], colours[ground]) >= 3


def test_the_charts_palette_is_the_tokens_light_one() -> None:
    assert list(charts.SERIES) == [TOKENS[f"chart-{number}"] for number in range(1, 6)]
    assert TOKENS["chart-line"] == charts.FRAME


def _contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, by relative luminance."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
