"""What the parts in templates/ui/ show: frozen dataclasses with ready words, URLs and tones.

A page (`apps/web/pages/`) is made of these; a template decides nothing but the order. `docs/ui.md` shows each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from django.utils.safestring import SafeString

Tone = Literal["neutral", "info", "good", "warn", "bad", "quiet", "unknown"]
RequirementState = Literal["met", "failed", "missing", "waiting", "unknown", "waived"]
EmptyKind = Literal["nothing-yet", "no-match", "not-yours", "clear"]

TONE_ICONS: dict[str, str] = {
    "neutral": "dot",
    "info": "half",
    "good": "check",
    "warn": "warn",
    "bad": "cross",
    "quiet": "archive",
    "unknown": "unknown",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A status: icon and word and tone, never colour alone. `apps/web/status.py` makes them from stored values."""

    label: str
    tone: Tone = "neutral"
    icon: str = ""
    title: str = ""

    @property
    def icon_name(self) -> str:
        return self.icon or TONE_ICONS[self.tone]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do. `dialog` opens the linked form in the page's dialog (a plain link without JavaScript).

    `post` makes it a form with one button; `fields` are its hidden values.
    """

    label: str
    url: str
    kind: Literal["", "primary", "danger", "plain"] = ""
    icon: str = ""
    dialog: bool = False
    post: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    download: bool = False


@dataclass(frozen=True, slots=True)
class Crumb:
    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool = False
    count: int | None = None
    chip: Chip | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table, a list of facts or a comparison. Make them with the functions of `apps/web/cells.py`."""

    kind: str
    text: str = ""
    url: str = ""
    note: str = ""
    delta: str = ""
    title: str = ""
    name: str = ""
    checked: bool = False
    chips: Sequence[Chip] = ()
    at: dt.datetime | None = None
    actions: Sequence[Action] = ()
    tags: Sequence[str] = ()
    html: SafeString | None = None

    @property
    def numeric(self) -> bool:
        return self.kind == "number"


@dataclass(frozen=True, slots=True)
class Column:
    """`sort_url` makes the heading a link; `sorted` is what aria-sort says: ascending, descending or empty."""

    label: str
    numeric: bool = False
    sort_url: str = ""
    sorted: Literal["", "ascending", "descending"] = ""
    hidden_label: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` stand in the order of the columns; `same` marks a row that "only differences" hides."""

    cells: Sequence[Cell]
    same: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class FilterChip:
    """A filter that holds, in words, and the address of the same list without it."""

    label: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Paging:
    """Keyset paging: "1-50 of 1 204" and links that carry the key of the last row, never a page number."""

    summary: str
    next_url: str = ""
    first_url: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """Why there is nothing: nothing yet (with `code` that changes it), nothing matches, not yours, or all clear."""

    kind: EmptyKind
    title: str
    text: str = ""
    code: str = ""
    action: Action | None = None

    @property
    def icon_name(self) -> str:
        icons = {
            "nothing-yet": "inbox",
            "no-match": "filter",
            "not-yours": "lock",
            "clear": "check",
        }
        return icons[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """A list of rows under headings. The first cell is the row's name (a `th`); a `tick` cell may stand before it."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    empty: Empty | None = None
    paging: Paging | None = None
    caption_hidden: bool = True
    dense: bool = False
    fold: bool = True
    id: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """What a requirement is made of: its state, the fact, how many of those below are needed, what would help."""

    state: RequirementState
    title: str
    fact: str
    needs: str = ""
    help: str = ""
    branches: Sequence[Branch] = ()

    @property
    def chip(self) -> Chip:
        return REQUIREMENT_CHIPS[self.state]

    @property
    def is_open(self) -> bool:
        """What is not met is shown without being asked for."""
        return self.state not in {"met", "waived"}


@dataclass(frozen=True, slots=True)
class Remedy:
    """One act of the smallest fix: in words, by whom, where."""

    text: str
    who: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One gate: its state, the fact, how old the fact is, one act, what it is made of. The words come from the gate,
    never from here."""

    state: RequirementState
    title: str
    fact: str
    at: dt.datetime | None = None
    act: Action | None = None
    branches: Sequence[Branch] = ()

    @property
    def chip(self) -> Chip:
        """Icon and tone of the state, with its word for those who do not see the icon."""
        return REQUIREMENT_CHIPS[self.state]


REQUIREMENT_CHIPS: dict[RequirementState, Chip] = {
    "met": Chip("met", "good"),
    "failed": Chip("not met", "bad"),
    "missing": Chip("missing", "warn", "edit"),
    "waiting": Chip("waiting", "info"),
    "unknown": Chip("not known", "unknown"),
    "waived": Chip("waived", "warn", "flag"),
}


@dataclass(frozen=True, slots=True)
class DecisionBox:
    """What stands between a version and its target. `sentence` says what happens, or why nothing can and who helps;
    `because` why not, and `remedies` the smallest fix, None where nothing would help."""

    title: str
    requirements: Sequence[Requirement]
    sentence: str = ""
    actions: Sequence[Action] = ()
    id: str = "requirements"
    because: str = ""
    remedies: Sequence[Remedy] | None = ()

    @property
    def met(self) -> int:
        return sum(1 for each in self.requirements if each.state in {"met", "waived"})

    @property
    def ready(self) -> bool:
        return bool(self.requirements) and self.met == len(self.requirements)


@dataclass(frozen=True, slots=True)
class Fact:
    """A term and its value in a definition list."""

    label: str
    value: Cell


@dataclass(frozen=True, slots=True)
class Figure:
    """One key number with what qualifies it (limit, sample, interval, change)."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChartFigure:
    """A picture with the same numbers as a table beneath."""

    title: str
    svg: SafeString
    table: Table
    note: str = ""


@dataclass(frozen=True, slots=True)
class Meter:
    """A share of a whole, said in words too."""

    value: int
    maximum: int
    label: str
    tone: Tone = "neutral"

    @property
    def percent(self) -> int:
        return 0 if self.maximum <= 0 else min(100, round(100 * self.value / self.maximum))


@dataclass(frozen=True, slots=True)
class Fragment:
    """A slow part of a page that is asked for when it comes into view; `size` reserves its height."""

    url: str
    label: str
    size: Literal["small", "medium", "large"] = "medium"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something said beside the things it is about; `reasons` are sentences, one per line."""

    text: str
    tone: Tone = "info"
    title: str = ""
    reasons: Sequence[str] = ()
    url: str = ""
    url_label: str = "Open"

    @property
    def icon_name(self) -> str:
        return {"good": "check", "warn": "warn", "bad": "stop"}.get(self.tone, "info")


@dataclass(frozen=True, slots=True)
class PageHeader:
    """The top of a page: the one h1, chips, a line of facts, acts, a lead sentence, the digest of what it is about."""

    title: str
    ref: str = ""
    chips: Sequence[Chip] = ()
    aliases: Sequence[str] = ()
    meta: Sequence[Cell] = ()
    digest: str = ""
    lead: str = ""
    actions: Sequence[Action] = ()
    crumbs: Sequence[Crumb] = ()


@dataclass(frozen=True, slots=True)
class SignBox:
    """What a person is about to sign, in one sentence; `as_whom` and `stays` are always shown. `note` is no part of it, and
    `digest` is empty where there are no bytes to name."""

    title: str
    statement: str
    digest: str
    as_whom: str
    submit_label: str
    action_url: str
    cancel_url: str
    fields: Mapping[str, str] = field(default_factory=dict)
    changed: str = ""
    danger: bool = False
    digest_label: str = "Evidence"
    note: str = ""
    stays: str = "It stays. A later decision can be added, this one cannot be removed."
