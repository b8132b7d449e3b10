"""A report: the record in the order that a law prescribes, every line answered or a visible gap. Plain data.

A dossier with a report is printed as that report; all else in the dossier (checks, decisions, ledger) stays what it
is. What fills the lines is decided in `apps.compliance`; here is only what every renderer may know.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from apps.core.parts import Part
from apps.modelcards.card import Prose, Source


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that answers a line: what a person wrote, or what the record holds with its sources."""

    title: str
    prose: Prose | None = None
    parts: tuple[Part, ...] = ()
    sources: tuple[Source, ...] = ()


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line that the law asks for. `gaps` name what is missing of it; `asked` is False for what we add ourselves."""

    ref: str
    title: str
    answers: tuple[Answer, ...] = ()
    gaps: tuple[str, ...] = ()
    asked: bool = True

    @property
    def state(self) -> str:
        """How a reader is told: "answered", "in part" or "gap"."""
        if not self.gaps:
            return "answered"
        return "in part" if self.answers else "gap"


class Chapter(msgspec.Struct, frozen=True, omit_defaults=True):
    """The lines of one part of the law, with how many of those asked for are answered."""

    key: str
    mark: str
    title: str
    entries: tuple[Entry, ...]

    @property
    def asked(self) -> int:
        return sum(entry.asked for entry in self.entries)

    @property
    def answered(self) -> int:
        return self._count("answered")

    @property
    def in_part(self) -> int:
        return self._count("in part")

    @property
    def missing(self) -> int:
        return self._count("gap")

    def _count(self, state: str) -> int:
        return sum(entry.asked and entry.state == state for entry in self.entries)

    @property
    def eightieths(self) -> int:
        """The answered share in steps of the style sheet's widths; whole only when everything is answered."""
        return 80 * self.answered // self.asked if self.asked else 0


class Enclosed(msgspec.Struct, frozen=True):
    """A file that a report encloses as it is: its bytes are what a digest on the pages is about."""

    name: str
    about: str
    text: str


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is printed instead of the card. `margin` is the kind and the digest in every page's margin; `whole` says that
    review, checks, evidence and record follow as appendices; `file` and `about` name the attached data. A report that is
    not about one version has a `heading` of its own; `verify` are the steps by which its digests are computed again, and
    `limits` what it cannot show, where the usual ones do not hold."""

    schema: str
    law: str
    lead: str
    chapters: tuple[Chapter, ...]
    margin: tuple[str, str]
    file: str
    about: str
    whole: bool = False
    heading: str = ""
    enclosed: tuple[Enclosed, ...] = ()
    verify: tuple[str, ...] = ()
    limits: str = ""

    @property
    def asked(self) -> int:
        return sum(chapter.asked for chapter in self.chapters)

    @property
    def answered(self) -> int:
        return sum(chapter.answered for chapter in self.chapters)

    def parts(self) -> Iterator[Part]:
        """Every part, for whoever draws the pictures."""
        for chapter in self.chapters:
            for entry in chapter.entries:
                for answer in entry.answers:
                    yield from answer.parts
