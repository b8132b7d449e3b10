"""Makes the cells of tables and fact lists: `cells.link("churn", url)`, `cells.number("0.871", note="n = 40 210")`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.safestring import SafeString

from apps.web import words
from apps.web.parts import Action, Cell, Chip


def text(value: str, *, note: str = "", title: str = "") -> Cell:
    """Plain words; an empty value is shown as missing without a reason, so prefer `missing`."""
    return Cell("text", text=value, note=note, title=title) if value else missing("not given")


def link(label: str, url: str, *, note: str = "") -> Cell:
    """The name cell of a row, or a fact that leads somewhere."""
    return Cell("link", text=label, url=url, note=note)


def number(value: str, *, note: str = "", delta: str = "") -> Cell:
    """A number already in words (`ui.thousands`, `ui.decimals`), with sample size or unit as note and its change."""
    return Cell("number", text=value, note=note, delta=delta)


def mono(value: str, *, note: str = "") -> Cell:
    """An id, a path, a parameter's value."""
    return Cell("mono", text=value, note=note) if value else missing("not given")


def chip(*chips: Chip, note: str = "") -> Cell:
    """One or more statuses."""
    return Cell("chips", chips=chips, note=note)


def tags(values: Sequence[str], *, aliases: bool = False) -> Cell:
    """Short words such as tags; with `aliases`, the aliases of a version, shown with an @."""
    return Cell("aliases" if aliases else "tags", tags=values) if values else missing("none")


def when(value: dt.datetime | int | None, *, missing_reason: str = "has not happened") -> Cell:
    """A moment (aware, or milliseconds): relative in text, UTC in the title."""
    if value is None:
        return missing(missing_reason)
    return Cell("when", at=words.moment(value))


def digest(value: str) -> Cell:
    """A SHA-256, short with its whole on hover and a copy button."""
    return Cell("digest", text=value) if value else missing("not computed")


def person(label: str, url: str = "", *, machine: bool = False) -> Cell:
    """Who; machines look different from people."""
    return Cell("machine" if machine else "person", text=label, url=url)


def missing(reason: str) -> Cell:
    """A dash whose reason is read out and shown on hover: absent never looks like zero."""
    return Cell("missing", title=reason)


def tick(name: str, value: str, label: str, *, checked: bool = False) -> Cell:
    """A checkbox that chooses the row; `label` names the row for those who do not see it."""
    return Cell("tick", name=name, text=value, title=label, checked=checked)


def acts(*actions: Action) -> Cell:
    """Buttons of a row."""
    return Cell("acts", actions=actions)


def html(value: SafeString, *, note: str = "") -> Cell:
    """Something a part already rendered (`render_to_string`), for the rare cell that none of the others fits."""
    return Cell("html", html=value, note=note)
