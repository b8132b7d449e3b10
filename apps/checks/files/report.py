"""What a scan of a version's files leaves behind: plain stored data, free of any limit.

`FilesStatistics` is everything that was seen, `FilesResult` what it amounts to. Neither ever holds the text of a
secret, nor bytes of a file.
"""

from __future__ import annotations

import msgspec

DANGEROUS, UNLISTED, LISTED = "dangerous", "unlisted", "listed"
MOST_KEPT = 100  # findings and gaps per file; the rest is counted


def readable(text: str) -> str:
    """Text from a file as it is stored and shown: no control characters, no halves of characters, not endless."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text[:300]
    )


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing in one file. `inside` is the way into archives, `at` the byte in what was unpacked there.

    `what`: call (a name that runs code), name (one that is on no list), hidden (a name made up while
    loading), lambda (a Keras layer that holds code), tag (a YAML tag that makes Python objects), path, secret,
    program. `level` is dangerous, or unlisted: nobody said that it is harmless.
    """

    what: str
    level: str
    detail: str
    inside: str = ""
    at: int | None = None
    called: bool = False

    @property
    def place(self) -> str:
        """`at byte 31 of model.zip > data.pkl`, as much of it as is known."""
        words = [] if self.at is None else [f"at byte {self.at}"]
        return " ".join([*words, *([f"in {self.inside}"] if self.inside else [])])


class Gap(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part that was not read to its end, or that nothing here can read, and why."""

    reason: str
    inside: str = ""
    at: int | None = None


class FileScan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of the version. `format` is told by its content; `parts` counts it and all that was unpacked."""

    path: str
    digest: str
    size: int
    format: str
    parts: int = 1
    found: tuple[Found, ...] = ()
    gaps: tuple[Gap, ...] = ()
    more_found: int = 0
    more_gaps: int = 0

    @property
    def verified(self) -> bool:
        """Whether all of it was read and understood. Says nothing about what was found."""
        return not self.gaps

    def at_level(self, level: str) -> list[Found]:
        return [found for found in self.found if found.level == level]


class NameCount(msgspec.Struct, frozen=True, array_like=True):
    """A name that pickles (or skops schemas) of one file import, how it is classed, how often it stands there."""

    path: str
    name: str
    level: str
    count: int


class FilesStatistics(msgspec.Struct, frozen=True, tag="files"):
    """bytes read in, parts unpacked, every name that any of them imports, listed ones included."""

    files: int
    bytes: int
    unpacked_bytes: int
    parts: int
    names: tuple[NameCount, ...]


class FilesResult(msgspec.Struct, frozen=True, tag="files"):
    """File by file, in the order of the manifest."""

    manifest_digest: str
    files: tuple[FileScan, ...]
    parts: int


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose but how many bytes may be unpacked per file; the site sets it (services.measurements)."""

    unpack_bytes: int | None = None
