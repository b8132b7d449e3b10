"""What changed from one version to another: parameters, metrics, files, the card's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.experiments import selectors as experiments
from apps.modelcards import diff
from apps.modelcards import selectors as modelcards
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion
from apps.web import cells, words
from apps.web.diffing import Piece
from apps.web.parts import Cell, Column, Row, Table


@dataclass(frozen=True, slots=True)
class TextChange:
    """One block of the card, word by word."""

    title: str
    section: str
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences of two versions. `summary` counts them: "3 parameters, 2 metrics, card in 1 block"."""

    base: ModelVersion
    params: Table
    metrics: Table
    files: Table
    card: Sequence[TextChange]
    summary: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a version's run says: parameters and latest metrics, as text; empty without a run."""

    params: Mapping[str, str]
    metrics: Mapping[str, str]
    run: Mapping[str, Any]


def facts_of(version: ModelVersion) -> Facts:
    """The run behind a version. Whoever may see the version may see what it was made of."""
    if version.run is None:
        return Facts({}, {}, {})
    run = experiments.run_facts(version.run)
    metrics = {key: point["value"] for key, point in run["metrics"].items()}
    return Facts(run["params"], metrics, run)


def changes(
    version: ModelVersion,
    base: ModelVersion,
    *,
    revision: CardRevision | None = None,
) -> Changes:
    """From `base` to `version`; `revision` pins the card of `version` (else the latest)."""
    old, new = facts_of(base), facts_of(version)
    pair = (f"v{base.number}", f"v{version.number}")
    params = _values("Parameters", "diff-params", pair, old.params, new.params)
    metrics = _numbers(pair, old.metrics, new.metrics)
    files = _files(pair, base, version)
    card = _card(base, revision or modelcards.latest_revision(version))
    return Changes(base, params, metrics, files, card, _summary(params, metrics, files, card))


def differing(table: Table) -> int:
    """How many rows differ."""
    return sum(1 for row in table.rows if not row.same)


def _summary(params: Table, metrics: Table, files: Table, card: Sequence[TextChange]) -> str:
    counted = (
        (differing(params), "parameter"),
        (differing(metrics), "metric"),
        (differing(files), "file"),
    )
    parts = [words.plural(count, one) for count, one in counted if count]
    if card:
        parts.append(f"card in {words.plural(len(card), 'block')}")
    return ", ".join(parts) or "nothing that is recorded"


def _values(
    caption: str, name: str, pair: tuple[str, str], old: Mapping[str, str], new: Mapping[str, str]
) -> Table:
    rows = [
        Row([cells.mono(key), _value(old.get(key)), _value(new.get(key))], same=same)
        for key in sorted({*old, *new})
        for same in [old.get(key) == new.get(key)]
    ]
    return Table(caption, [Column("Name"), *map(Column, pair)], rows, id=name, dense=True)


def _value(value: str | None) -> Cell:
    return cells.missing("not set") if value is None else cells.mono(value or "(empty)")


def _numbers(pair: tuple[str, str], old: Mapping[str, str], new: Mapping[str, str]) -> Table:
    rows = []
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        delta = delta_of(before, after)
        rows.append(
            Row(
                [
                    cells.text(key),
                    _number(before),
                    _number(after),
                    cells.number(delta) if delta else cells.missing("not comparable"),
                ],
                same=before == after,
            )
        )
    columns = [
        Column("Metric"),
        *(Column(label, numeric=True) for label in pair),
        Column("Change", numeric=True),
    ]
    return Table("Metrics", columns, rows, id="diff-metrics", dense=True)


def _number(value: str | None) -> Cell:
    return cells.missing("not logged") if value is None else cells.number(words.decimals(value))


def delta_of(before: str | None, after: str | None) -> str:
    """The change of two numbers with its sign; empty where there is none to tell."""
    if before is None or after is None:
        return ""
    change = float(after) - float(before)
    return words.signed(change) if change == change else ""  # NaN is not equal to itself


def _files(pair: tuple[str, str], base: ModelVersion, version: ModelVersion) -> Table:
    old = {entry["path"]: entry for entry in base.manifest}
    new = {entry["path"]: entry for entry in version.manifest}
    rows = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        same = before is not None and after is not None and before["digest"] == after["digest"]
        rows.append(Row([cells.mono(path), _file(before), _file(after)], same=same))
    return Table("Files", [Column("Path"), *map(Column, pair)], rows, id="diff-files", dense=True)


def _file(entry: Mapping[str, Any] | None) -> Cell:
    if entry is None:
        return cells.missing("no such file")
    return cells.mono(entry["digest"][:12], note=words.size(entry["size"]))


def _card(base: ModelVersion, newer: CardRevision | None) -> list[TextChange]:
    older = modelcards.latest_revision(base)
    if newer is None:
        return []
    blocks = diff.compare(older.texts if older else {}, newer.texts, only_changed=True)
    return [
        TextChange(block.title, block.section, _joined([(p.op, p.text) for p in block.pieces]))
        for block in blocks
    ]


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Changes with nothing but space between them as one: a rewritten sentence reads as a sentence."""
    joined: list[Piece] = []
    gone = came = ""
    for place, (op, text) in enumerate(pieces):
        following = pieces[place + 1 : place + 2]
        bridge = op == "same" and not text.strip() and (gone or came) and following
        if bridge:
            gone, came = gone + text, came + text
        elif op == "same":
            joined += _change(gone, came)
            joined.append((op, text))
            gone = came = ""
        else:
            gone, came = (gone + text, came) if op == "removed" else (gone, came + text)
    return joined + _change(gone, came)


def _change(gone: str, came: str) -> list[Piece]:
    both: list[Piece] = [("removed", gone), ("added", came)]
    return [piece for piece in both if piece[1]]
