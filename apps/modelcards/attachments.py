"""The files inside a document: the evidence in the form that programs read.

`evidence-manifest.json` and the statements in `decisions.json` are the very bytes that were signed;
re-serialising them would break their digests.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from apps.core import canonical
from apps.modelcards import dossier as dossiers
from apps.modelcards.card import as_data
from apps.modelcards.dossier import Dossier
from apps.modelcards.renderers import markdown, mlbom

JSON = "application/json"
# What a file is to the document (ISO 32000-2, 7.11.3).
DATA, OTHER_FORM, ADDITION = "Data", "Alternative", "Supplement"


class Attached(msgspec.Struct, frozen=True):
    """A file inside: its media type, and how it relates to the pages (AFRelationship)."""

    name: str
    description: str
    text: str
    media_type: str = JSON
    relation: str = DATA

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def size(self) -> int:
        return len(self.text.encode())


def attachments(dossier: Dossier) -> tuple[Attached, ...]:
    """Every file of the document, in the order in which it is listed; absent ones are not there."""
    report = dossier.report
    if report is None:
        return _whole(dossier)
    bare = msgspec.structs.replace(report, enclosed=())
    told = Attached(report.file, report.about, _text(as_data(bare)))
    if report.whole:
        return (told, *_whole(dossier))
    enclosed = (Attached(each.name, each.about, each.text) for each in report.enclosed)
    return (told, *enclosed, *((_results(dossier),) if dossier.checks else ()))


def _results(dossier: Dossier) -> Attached:
    return Attached(
        "check-results.json", "Check results with inputs and count tables", _checks(dossier)
    )


def _whole(dossier: Dossier) -> tuple[Attached, ...]:
    files = [
        Attached(
            "card.json",
            "All that these pages say, as data",
            dossiers.settled(dossier).decode(),
            relation=OTHER_FORM,
        ),
        _results(dossier),
        Attached(
            "card.md",
            "The model card in Markdown",
            markdown.render(dossier),
            "text/markdown",
            OTHER_FORM,
        ),
        Attached(
            "decisions.json", "Decisions with the statements that were signed", _decisions(dossier)
        ),
    ]
    if dossier.round is not None:
        manifest = dossier.round.manifest
        files.insert(
            0,
            Attached(
                "evidence-manifest.json", "The evidence manifest that was signed for", manifest
            ),
        )
    if dossier.ledger is not None:
        extract = dossier.ledger.extract
        files.append(Attached("ledger-extract.json", "Ledger events with their proofs", extract))
    files.append(
        Attached(
            "mlbom.cdx.json",
            "Bill of materials (CycloneDX)",
            mlbom.render(dossier).decode(),
            "application/vnd.cyclonedx+json",
            ADDITION,
        )
    )
    if dossier.keys:
        files.append(
            Attached("keys.json", "Public keys of the site", _keys(dossier), relation=ADDITION)
        )
    return tuple(files)


def _text(value: Any) -> str:
    return canonical.dumps(value).decode()


def _checks(dossier: Dossier) -> str:
    return _text(
        {
            "schema": "countersign.check-results/1",
            "results": [
                {
                    "kind": check.kind,
                    "verdict": check.verdict,
                    "sentence": check.sentence,
                    "measurement": check.measurement,
                    "measured_at": check.measured_at,
                    "result_digest": check.result_digest,
                    "code_version": check.code_version,
                    "record": check.record,
                }
                for check in dossier.checks
            ],
        }
    )


def _keys(dossier: Dossier) -> str:
    return _text({"schema": "countersign.keys/1", "keys": [as_data(key) for key in dossier.keys]})


def _decisions(dossier: Dossier) -> str:
    review = dossier.review
    return _text(
        {
            "schema": "countersign.decisions/1",
            "review": None if review is None else as_data(review),
            "decisions": [as_data(decision) for decision in dossier.decisions],
        }
    )
