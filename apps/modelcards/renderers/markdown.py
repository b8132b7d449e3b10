"""The card as Markdown with the metadata that Hugging Face's hub reads. Pure: a dossier in, text out.

The front matter is YAML of plain scalars on one line each, so that nothing a person wrote can end it. `model-index` holds
what was measured here, each result with the data set's name and digest as its revision. `verified` is never set: that word
belongs to the hub's own evaluation service. Intervals stand in the text, for the format has no place for them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from apps.core.parts import Cell, Facts, Missing, Part, Table, Text
from apps.modelcards.card import CardBlock, Computed, Source
from apps.modelcards.dossier import Dossier, card_digest
from apps.modelcards.machine import Machine, Measured, Number
from apps.modelcards.renderers import prose
from apps.modelcards.renderers.prose import escaped, fenced

MAX_ROWS: Final = 500
_TASKS: Final = {
    "performance": "tabular-classification",
    "fairness": "tabular-classification",
    "multiclass": "tabular-classification",
    "regression": "tabular-regression",
    "regression_gaps": "tabular-regression",
}
# What the metrics are called in Hugging Face's `evaluate`; others keep their own name.
_METRICS: Final = {"mcc": "matthews_correlation", "brier": "brier_score", "rmse": "rmse"}
# The hub's identifiers of licences are lower case; anything else goes under `license: other`.
_LICENSE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,60}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?|code|multilingual")
_TAG: Final = re.compile(r"[^\w.:+-]+")


def render(dossier: Dossier) -> str:
    """The whole card. The same dossier gives the same text."""
    return "\n".join((*_front(dossier), "", *_body(dossier))) + "\n"


def metadata(dossier: Dossier) -> dict[str, Any]:
    """The front matter as data; what nobody recorded is left out."""
    machine = dossier.machine
    about = machine.about if machine else None
    found: dict[str, Any] = {}
    if about:
        found |= {
            "language": [each for each in about.languages if _LANGUAGE.fullmatch(each)],
            **_license(about.license),
            "library_name": _line(about.library_name),
            "base_model": [_line(each) for each in about.base_models],
        }
    found |= {
        "pipeline_tag": _pipeline(machine),
        "tags": _tags(machine),
        "datasets": _datasets(machine, "training"),
        "metrics": _metrics(machine),
        "model-index": _index(dossier),
        "countersign": {
            "card_digest": f"sha256:{card_digest(dossier)}",
            "files_digest": f"sha256:{machine.manifest_digest}" if machine else "",
            "as_of": dossier.as_of,
            "url": _line(machine.url) if machine else "",
        },
    }
    return {key: value for key, value in found.items() if value}


def _front(dossier: Dossier) -> tuple[str, ...]:
    text = yaml.safe_dump(
        metadata(dossier), sort_keys=False, allow_unicode=True, width=math.inf, default_flow_style=False
    )  # fmt: skip
    return ("---", text.rstrip("\n"), "---")


def _line(text: str) -> str:
    """One line: nothing that YAML or the hub's reader takes for a line break survives."""
    return " ".join(text.split())


def _license(text: str) -> dict[str, str]:
    if not text.strip():
        return {}
    if _LICENSE.fullmatch(text.strip()):
        return {"license": text.strip().lower()}
    return {"license": "other", "license_name": _line(text)[:100]}


def _pipeline(machine: Machine | None) -> str:
    if machine is None:
        return ""
    if machine.about.pipeline_tag:
        return _line(machine.about.pipeline_tag)
    return next((_TASKS[each.kind] for each in machine.measured if each.kind in _TASKS), "")


def _tags(machine: Machine | None) -> list[str]:
    said = machine.about.tags if machine else ()
    return ["countersign", *dict.fromkeys(_TAG.sub("-", tag).strip("-")[:100] for tag in said)]


def _datasets(machine: Machine | None, use: str) -> list[str]:
    sets = machine.datasets if machine else ()
    return list(dict.fromkeys(_line(each.name) for each in sets if use in each.use.lower()))


def _metrics(machine: Machine | None) -> list[str]:
    return list(dict.fromkeys(_METRICS.get(n.key, n.key) for _, n in _whole(machine)))


def _whole(machine: Machine | None) -> Iterator[tuple[Measured, Number]]:
    """The numbers over all rows, of kinds that are a task of the hub's, that JSON and YAML can write."""
    for measured in machine.measured if machine else ():
        for number in measured.numbers:
            if measured.kind in _TASKS and not number.of and math.isfinite(float(number.value)):
                yield measured, number


def _index(dossier: Dossier) -> list[dict[str, Any]]:
    """One entry, one result per check: a list of metrics on one data set."""
    machine = dossier.machine
    results: dict[str, dict[str, Any]] = {}
    for measured, number in _whole(machine):
        result = results.setdefault(measured.kind, _result(machine, measured))
        result["metrics"].append(
            {
                "type": _METRICS.get(number.key, number.key),
                "value": float(number.value),
                "name": _line(number.title),
            }
        )
    if not results:
        return []
    return [{"name": _line(dossier.title), "results": list(results.values())}]


def _result(machine: Machine | None, measured: Measured) -> dict[str, Any]:
    digest = measured.data[0] if measured.data else ""
    sets = machine.datasets if machine else ()
    name = next((_line(each.name) for each in sets if each.digest == digest), "evaluation data")
    source = {"source": {"name": "Countersign", "url": f"{machine.url}checks/"}} if machine else {}
    return {
        "task": {"type": _TASKS[measured.kind], "name": _line(measured.title)},
        "dataset": {
            "type": "countersign",
            "name": name,
            "split": "evaluation",
            **({"revision": digest} if digest else {}),
        },
        "metrics": [],
        **source,
    }


def _body(dossier: Dossier) -> Iterator[str]:
    status = dossier.status
    yield f"# {escaped(dossier.title)}"
    yield ""
    yield f"**{escaped(status.word)}.** {escaped(status.sentence)}"
    yield ""
    yield from _facts_table(dossier)
    for note in dossier.notes:
        yield f"> {escaped(note)}"
        yield ""
    yield from _gaps(dossier)
    for section in dossier.card.sections:
        yield f"## {section.number}. {escaped(section.title)}"
        yield ""
        for block in section.blocks:
            yield from _block(block, dossier.base_url)
    yield from _intervals(dossier.machine)
    yield from _decisions(dossier)
    yield "## About this card"
    yield ""
    yield (
        f"Issued by {escaped(dossier.site)} as of {escaped(dossier.as_of)}. The same facts as PDF, CycloneDX ML-BOM and "
        f"card.json; the SHA-256 of card.json is `{card_digest(dossier)}`, and every form prints it."
    )


def _facts_table(dossier: Dossier) -> Iterator[str]:
    rows = [(fact.label, fact.value, fact.code) for fact in dossier.key_facts]
    rows.append(("Digest of the card's facts", Cell(card_digest(dossier)), True))
    yield "| | |"
    yield "| --- | --- |"
    for label, value, code in rows:
        yield f"| {escaped(label)} | {_cell(value, dossier.base_url, code=code)} |"
    yield ""


def _gaps(dossier: Dossier) -> Iterator[str]:
    gaps = dossier.card.gaps
    if gaps:
        named = ", ".join(escaped(gap.title) for gap in gaps)
        yield f"> **Not answered ({len(gaps)}):** {named}."
        yield ""


def _block(block: CardBlock, base: str) -> Iterator[str]:
    yield f"### {escaped(block.title)}"
    yield ""
    if block.prose is not None:
        yield prose.markdown(block.prose.text)
        yield ""
        yield f"*{escaped(block.prose.author)}, {escaped(block.prose.at)}*"
        yield ""
    elif block.computed is not None:
        yield from _computed(block.computed, base)
    else:
        said = "**Not answered.** This block is required." if block.required else "*Not answered.*"
        yield f"> {said} {escaped(block.help)}"
        yield ""


def _computed(computed: Computed, base: str) -> Iterator[str]:
    for part in computed.parts:
        yield from _part(part, base)
    if computed.sources:
        named = "; ".join(_source(each, base) for each in computed.sources)
        yield f"*Computed from {named}.*"
        yield ""


def _source(source: Source, base: str) -> str:
    words = _cell(Cell(source.label, source.link), base)
    return f"{words} ({fenced(f'sha256:{source.digest}')})" if source.digest else words


def _part(part: Part, base: str) -> Iterator[str]:
    match part:
        case Text():
            if part.heading:
                yield f"**{escaped(part.heading)}**"
                yield ""
            yield escaped(part.text)
        case Missing():
            yield f"> **Missing.** {escaped(part.reason)}"
        case Facts():
            yield "| | |"
            yield "| --- | --- |"
            for fact in part.rows:
                yield f"| {escaped(fact.label)} | {_cell(fact.value, base, code=fact.code)} |"
        case Table():
            yield from _table(part, base)
        case _:
            # Pictures have no form in Markdown; their numbers are in the tables and in card.json.
            yield f"*Drawn in the HTML and PDF forms: {escaped(part.title)}.*"
    yield ""


def _table(table: Table, base: str) -> Iterator[str]:
    yield f"**{escaped(table.caption)}**"
    yield ""
    yield "| " + " | ".join(escaped(column.title) for column in table.columns) + " |"
    yield "|" + "".join(" ---: |" if column.numeric else " --- |" for column in table.columns)
    for row in table.rows[:MAX_ROWS]:
        cells = (
            _cell(cell, base, code=column.code)
            for cell, column in zip(row, table.columns, strict=True)
        )
        yield "| " + " | ".join(cells) + " |"
    left = len(table.rows) - MAX_ROWS
    notes = [table.note] if table.note else []
    notes += [f"{left} more rows are in card.json."] if left > 0 else []
    if notes:
        yield ""
        yield f"*{escaped(' '.join(notes))}*"


def _cell(cell: Cell, base: str, *, code: bool = False) -> str:
    words = fenced(cell.text).replace("|", "\\|") if code else escaped(cell.text)
    if cell.link.startswith("/") and words:
        return f"[{words}](<{prose.address(base + cell.link)}>)"
    return words


def _intervals(machine: Machine | None) -> Iterator[str]:
    """The numbers of `model-index` once more, with what that format cannot say."""
    found = list(_whole(machine))
    if not found:
        return
    yield "## Results in the metadata, with intervals"
    yield ""
    yield "| Check | Metric | Value | Interval | n |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for measured, number in found:
        interval = f"{number.low} to {number.high}" if number.low else "none"
        n = "" if number.n is None else str(number.n)
        level = f" (level {measured.confidence})" if number.low and measured.confidence else ""
        cells = (measured.title, number.title, number.value, interval + level, n)
        yield "| " + " | ".join(escaped(cell) for cell in cells) + " |"
    yield ""


def _decisions(dossier: Dossier) -> Iterator[str]:
    if not dossier.decisions:
        return
    yield "## Decisions"
    yield ""
    yield "| Signer | Role | Meaning | When | Stands |"
    yield "| --- | --- | --- | --- | --- |"
    for each in dossier.decisions:
        stands = f"no: {each.void}" if each.void else "yes"
        cells = (each.signer, each.role, each.meaning, each.at, stands)
        yield "| " + " | ".join(escaped(cell) for cell in cells) + " |"
    yield ""
