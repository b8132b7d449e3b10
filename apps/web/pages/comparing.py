"""What changed from one version to another: parameters, metrics, measurements, data, files, the card's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.checks import selectors as checks
from apps.checks.models import Measurement
from apps.experiments import selectors as experiments
from apps.modelcards import diff, layouts
from apps.modelcards import selectors as modelcards
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion
from apps.web import cells, diffing, words
from apps.web.diffing import Paragraph
from apps.web.pages import comparing_measured
from apps.web.pages.comparing_measured import Data, Measured
from apps.web.parts import Cell, Column, Row, Table


@dataclass(frozen=True, slots=True)
class TextChange:
    """One block of the card, paragraph by paragraph, and word by word in those that changed."""

    title: str
    section: str
    paragraphs: Sequence[Paragraph]


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a round of evidence fixed of a version: its card, measurements and data, whatever came since."""

    revision: CardRevision | None
    measurements: Sequence[Measurement]
    data: Sequence[Data]


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences of two versions. `summary` counts them: "3 parameters, 2 metrics, card in 1 block".

    `metrics` are what the runs logged themselves, `measured` what was measured here.
    """

    base: ModelVersion
    params: Table
    metrics: Table
    measured: Measured
    data: Table
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


def now(version: ModelVersion) -> Pinned:
    """A version as it stands."""
    return Pinned(
        modelcards.latest_revision(version),
        checks.newest_results(version),
        comparing_measured.data_of(version),
    )


def changes(
    version: ModelVersion,
    base: ModelVersion,
    pinned: Pinned | None = None,
    before: Pinned | None = None,
) -> Changes:
    """From `base` to `version`, each as it stands or as a round pinned it (`before`, `pinned`)."""
    old, new = facts_of(base), facts_of(version)
    before, after = before or now(base), pinned or now(version)
    pair = (f"v{base.number}", f"v{version.number}")
    params = _values("Parameters", "diff-params", pair, old.params, new.params)
    metrics = _numbers(pair, old.metrics, new.metrics)
    files = _files(pair, base, version)
    data = comparing_measured.data(pair, before.data, after.data)
    measured = comparing_measured.measured(pair, before.measurements, after.measurements)
    written = card(before.revision, after.revision)
    counted = (
        (differing(params), "parameter"),
        (differing(measured.table), "measurement"),
        (differing(metrics), "logged metric"),
        (differing(data), "data set"),
        (differing(files), "file"),
    )
    return Changes(
        base, params, metrics, measured, data, files, written, _summary(counted, written)
    )


def differing(table: Table) -> int:
    """How many rows differ."""
    return sum(1 for row in table.rows if not row.same)


def _summary(counted: Sequence[tuple[int, str]], card: Sequence[TextChange]) -> str:
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
    return Table("Metrics the run logged", columns, rows, id="diff-metrics", dense=True)


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


def card(older: CardRevision | None, newer: CardRevision | None) -> list[TextChange]:
    """The written blocks that differ, paragraph by paragraph."""
    if newer is None:
        return []
    before, after = older.texts if older else {}, newer.texts
    names = layouts.names(*(each.content for each in (newer, older) if each))
    blocks = diff.compare(before, after, only_changed=True, names=names)
    return [
        TextChange(
            block.title,
            block.section,
            diffing.paragraphs(before.get(block.key, ""), after.get(block.key, "")),
        )
        for block in blocks
    ]
