"""The technical documentation in the order of Annex IV: every line answered from the record, or a visible gap.

Which line is answered from where is data (frameworks/annex-iv.yaml). Guarantee: an answer names its source or its author
and time; a line counts as answered only when everything that it needs is there. Not said: that an answer suffices, or
that the system conforms: that is for whoever signs the declaration.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from apps.compliance import documents, statements
from apps.compliance.reports import annex
from apps.compliance.reports.annex_sources import SOURCES, Found, Held
from apps.compliance.reports.base import Assembled, prose
from apps.core.parts import Missing, Table, Text
from apps.modelcards import schema
from apps.modelcards.card import Source
from apps.modelcards.dossier import Dossier, Status
from apps.modelcards.report import Answer, Chapter, Entry, Report
from apps.registry.models import ModelVersion

KIND = "annex_iv_dossier"
TITLE = "Technical documentation, EU AI Act Annex IV"
TEMPLATE = "annex-iv/1"

# Which line printed a source first.
Printed: TypeAlias = dict[str, annex.Line]


def why_not(version: ModelVersion) -> str:
    """Why there is nothing to document; empty if there is."""
    if version.model.is_governed:
        return ""
    return "This model is a sandbox: nobody reviews it, and it is not to be placed on a market. Make it governed first."


def assemble(version: ModelVersion) -> Assembled:
    """The documentation as of now, on the evidence of the last review's round. Raises Tampered where bytes are not what
    was signed."""
    round_ = documents.reported_round(version)
    dossier = documents.assemble(version, round_)
    held = Held(version, dossier, statements.latest(version, KIND))
    report = _report(held)
    made = msgspec.structs.replace(
        dossier, document=TITLE, template=TEMPLATE, report=report, status=_status(dossier, report)
    )
    if round_ is None:
        return Assembled(made, None, None)
    return Assembled(made, round_.review_id, round_.pk)


def _status(dossier: Dossier, report: Report) -> Status:
    """The review's own word, and how much is answered: never better than the record."""
    told = f"{report.answered} of {report.asked} lines are answered. {dossier.status.sentence}"
    return msgspec.structs.replace(dossier.status, sentence=told)


def _report(held: Held) -> Report:
    mapping = annex.annex()
    printed: Printed = {}
    return Report(
        schema="countersign.annex-iv/1",
        law=mapping.law,
        lead=(
            "What the record holds about this version, in the order in which Annex IV of the AI Act asks for it. Each line is "
            "answered with its source, or with who stated it and when; what is missing is marked. Being complete is not "
            "conforming: whether an answer suffices is for whoever signs."
        ),
        chapters=tuple(
            Chapter(
                f"annex-{block.number}",
                str(block.number),
                block.title,
                tuple(_entry(held, line, printed) for line in block.lines),
            )
            for block in mapping.blocks
        ),
        margin=held.dossier.binding_digest,
        file="annex-iv.json",
        about="This documentation as data: every line, answer and gap",
        whole=True,
    )


def _entry(held: Held, line: annex.Line, printed: Printed) -> Entry:
    found = {name: _found(held, name) for name in (*line.needs, *line.also)}
    answers = tuple(
        _once(name, each, line, printed) for name, each in found.items() if isinstance(each, Answer)
    )
    gaps = tuple(each for name in line.needs if isinstance(each := found[name], str))
    return Entry(f"Annex IV, {line.ref}", line.title, answers, gaps)


def _once(name: str, answer: Answer, line: annex.Line, printed: Printed) -> Answer:
    """The answer where it is printed first; later lines lead there, with the same sources."""
    if name not in printed:
        printed[name] = line
        return answer
    first = printed[name]
    told = Text(f"See above, {first.ref}: {first.title}.")
    sources = answer.sources or (Source("the statement"),)
    return Answer(answer.title or _caption(answer), parts=(told,), sources=sources)


def _caption(answer: Answer) -> str:
    return next((part.caption for part in answer.parts if isinstance(part, Table)), "")


def _found(held: Held, name: str) -> Found:
    """The first alternative that answers, else what is missing of the last."""
    found: Found = ""
    for each in name.split("|"):
        found = _one(held, each)
        if isinstance(found, Answer):
            return found
    return found


def _one(held: Held, name: str) -> Found:
    kind, _, key = name.partition(".")
    if kind == "card":
        return _of_card(held, key)
    if kind == "stated":
        return _of_statement(held, key)
    return SOURCES[name](held)


def _of_card(held: Held, key: str) -> Found:
    """A block of the card: a person's words, or what was computed, unless there was nothing to compute from."""
    card = held.dossier.card
    block = next((each for each in card.blocks if each.key == key), None)
    if block is None:
        return f"The card's template has no block “{schema.BLOCKS[key].title}”."
    if block.prose is not None:
        source = Source(f"model card, revision {card.revision}", held.url("card/"), card.digest)
        return Answer(block.title, prose=block.prose, sources=(source,))
    if block.computed is None:
        return f"The card does not answer “{block.title}”: {block.help}"
    missing = [part.reason for part in block.computed.parts if isinstance(part, Missing)]
    if missing:
        return f"{block.title}: {' '.join(missing)}"
    sources = block.computed.sources or (Source("the model card", held.url("card/")),)
    return Answer(block.title, parts=block.computed.parts, sources=sources)


def _of_statement(held: Held, key: str) -> Found:
    asked = annex.annex().fields[key]
    statement = held.statement
    if statement is None or key not in statement.texts:
        return f"Nobody stated: {asked.label}. {asked.help.partition(' Annex IV')[0]}"
    return Answer(asked.label, prose=prose(statement, key))
