"""What the scan of a version's files found, file by file. Names and places only: never bytes, never a secret."""

from __future__ import annotations

from apps.checks.files.report import DANGEROUS, FileScan, FilesResult, Found, Gap
from apps.checks.numbers import grouped, plural
from apps.core.parts import Bar, Cell, Chart, Column, Missing, Part, Table, Text, Tone, cells
from apps.modelcards.card import Computed, Source

MOST_FILES, MOST_ROWS = 200, 200
_WHAT = {
    "call": "Code", "name": "Name on no list", "hidden": "Hidden name", "lambda": "Keras layer with code",
    "tag": "YAML tag that makes objects", "path": "Path", "secret": "Secret", "program": "Program",
}  # fmt: skip
# By rank, the worst first.
_STANDINGS: tuple[tuple[str, Tone], ...] = (
    ("dangerous", "bad"),
    ("not verified", "warn"),
    ("name on no list", "warn"),
    ("nothing found", ""),
)
NOTE = (
    "Formats are told by content. A name on no list is one that nobody said is harmless; the policy may let it in. "
    "Not verified is never clean. A scan finds what is known to be dangerous; it does not prove that a file is safe."
)


def files(result: FilesResult | None, source: Source | None, why_not: str) -> Computed:
    """Findings first, then what was not verified, then every file."""
    if result is None or source is None:
        return Computed((Missing(why_not),))
    if not result.files:
        return Computed((Missing("The version has no files, so nothing was scanned."),), (source,))
    parts: list[Part] = [Text(_sum(result)), _chart(result), _standings(result)]
    if found := [(file, each) for file in result.files for each in file.found]:
        parts.append(_found(found))
    if gaps := [(file, gap) for file in result.files for gap in file.gaps]:
        parts.append(_gaps(gaps))
    parts.append(_files(result))
    return Computed(tuple(parts), (source,))


def _sum(result: FilesResult) -> str:
    open_ = sum(not file.verified for file in result.files)
    bad = sum(bool(file.at_level(DANGEROUS)) for file in result.files)
    return (
        f"{plural(len(result.files), 'file')} scanned, {grouped(result.parts)} parts with what is packed in them: "
        f"something dangerous in {grouped(bad)}, {grouped(open_)} not verified."
    )


def _counts(result: FilesResult) -> dict[str, int]:
    counts = {text: 0 for text, _ in _STANDINGS}
    for file in result.files:
        counts[_standing(file)[0]] += 1
    return counts


def _chart(result: FilesResult) -> Chart:
    bars = tuple(Bar(text, str(count)) for text, count in _counts(result).items())
    return Chart("Files by what the scan says of them", "files", bars)


def _standings(result: FilesResult) -> Table:
    head = (Column("Scan"), Column("Files", numeric=True))
    rows = tuple(
        (Cell(text, tone=tone if count else ""), Cell(grouped(count)))
        for (text, tone), count in zip(_STANDINGS, _counts(result).values(), strict=True)
    )
    return Table("Files by what the scan says", head, rows)


def _found(found: list[tuple[FileScan, Found]]) -> Table:
    found = sorted(found, key=lambda pair: pair[1].level)
    rows = tuple(
        (
            Cell(_WHAT.get(each.what, each.what), tone=_tone(each)),
            Cell(each.detail),
            Cell(file.path),
            Cell(each.inside or "—"),
            Cell("—" if each.at is None else grouped(each.at)),
        )
        for file, each in found[:MOST_ROWS]
    )
    head = (
        Column("Found"),
        Column("What", code=True),
        Column("File", code=True),
        Column("Inside", code=True),
        Column("Byte", numeric=True),
    )
    return Table("Found", head, rows, note=_left(len(found), MOST_ROWS))


def _tone(found: Found) -> Tone:
    return "bad" if found.level == DANGEROUS else "warn"


def _gaps(gaps: list[tuple[FileScan, Gap]]) -> Table:
    rows = tuple(
        cells(
            file.path,
            gap.inside or "—",
            gap.reason,
            "—" if gap.at is None else grouped(gap.at),
        )
        for file, gap in gaps[:MOST_ROWS]
    )
    head = (
        Column("File", code=True),
        Column("Inside", code=True),
        Column("Why"),
        Column("Byte", numeric=True),
    )
    return Table("Not verified", head, rows, note=_left(len(gaps), MOST_ROWS))


def _files(result: FilesResult) -> Table:
    ordered = sorted(result.files, key=lambda file: (_rank(file), file.path))
    rows = tuple(
        (
            Cell(file.path),
            Cell(file.format),
            Cell(grouped(file.parts)),
            Cell(grouped(file.size)),
            Cell(*_standing(file)),
        )
        for file in ordered[:MOST_FILES]
    )
    head = (
        Column("Path", code=True),
        Column("Format, by content"),
        Column("Parts", numeric=True),
        Column("Bytes", numeric=True),
        Column("Scan"),
    )
    note = " ".join(part for part in (_left(len(ordered), MOST_FILES), NOTE) if part)
    return Table("Every file", head, rows, note=note)


def _rank(file: FileScan) -> int:
    if file.at_level(DANGEROUS):
        return 0
    return 1 if file.gaps else 2 if file.found else 3


def _standing(file: FileScan) -> tuple[str, str, Tone]:
    text, tone = _STANDINGS[_rank(file)]
    return text, "", tone


def _left(count: int, most: int) -> str:
    return f"{grouped(count - most)} more are in the measurement's JSON." if count > most else ""
