"""What every page shows around its own content: the rail, search, the person's menu, the theme, and how many
notices are unread (one query, asked only where the page shows it)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest

from apps.core import clock
from apps.core.actor import Actor
from apps.notices import selectors as notices
from apps.web import access, words
from apps.web.parts import Notice

THEMES = (
    ("auto", "As the device", "contrast"),
    ("light", "Light", "sun"),
    ("dark", "Dark", "moon"),
)
THEME_COOKIE = "countersign_theme"
SHORTCUTS_COOKIE = "countersign_shortcuts"
SEARCH = "/search/"

_PLACES = (
    ("Home", "/", "home"),
    ("Experiments", "/experiments/", "experiments"),
    ("Models", "/models/", "models"),
    ("Reviews", "/reviews/", "reviews"),
    ("Checks", "/checks/", "checks"),
    ("Policies", "/policies/", "flag"),
    ("Audit", "/audit/", "audit"),
)
_MORE = (
    ("People", "/people/", "people", "people.manage"),
    ("System", "/system/", "system", "system.read"),
)


@dataclass(frozen=True, slots=True)
class Place:
    label: str
    url: str
    icon: str
    current: bool = False
    exact: bool = False
    count: int = 0
    count_title: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, for the menu."""

    label: str
    username: str


@dataclass(frozen=True, slots=True)
class Shell:
    theme: str
    shortcuts: bool
    person: Person | None
    places: Sequence[Place]
    more: Sequence[Place]
    path: str
    query: str = ""
    printed: str = ""
    banners: Sequence[Notice] = field(default_factory=tuple)
    themes: Sequence[tuple[str, str, str]] = THEMES
    unread: Callable[[], str] = str


def shell(request: HttpRequest) -> dict[str, Shell]:
    """The context processor: {{ shell }} in base.html."""
    who = access.find_actor(request)
    return {
        "shell": Shell(
            theme=theme(request),
            shortcuts=request.COOKIES.get(SHORTCUTS_COOKIE) != "off",
            person=Person(who.label, request.user.get_username()) if who else None,
            places=_places(request.path) if who else (),
            more=_more(request.path, who) if who else (),
            path=request.get_full_path(),
            query=request.GET.get("q", "") if request.path == SEARCH else "",
            printed=f"Printed by {who.label} at {words.utc(clock.now())}" if who else "",
            unread=lambda: _unread(who),
        )
    }


def _unread(who: Actor | None) -> str:
    """How many notices are unread, in as much room as there is; "" for none. Templates call it once."""
    count = notices.unread_count(who.user_id or 0) if who else 0
    if not count:
        return ""
    return str(count) if count < notices.MANY else f"{notices.MANY - 1}+"


def theme(request: HttpRequest) -> str:
    """The chosen theme: light, dark or auto; anything else in the cookie is auto."""
    value = request.COOKIES.get(THEME_COOKIE, "auto")
    return value if value in {"light", "dark"} else "auto"


def _places(path: str) -> list[Place]:
    return [
        Place(label, url, icon, current=_inside(path, url), exact=path == url)
        for label, url, icon in _PLACES
    ]


def _inside(path: str, url: str) -> bool:
    if url == "/":
        return path == "/"
    return path.startswith(url) or (url == "/experiments/" and path.startswith("/runs/"))


def _more(path: str, who: Actor) -> list[Place]:
    return [
        Place(label, url, icon, current=path.startswith(url))
        for label, url, icon, verb in _MORE
        if verb in who.site_verbs
    ]
