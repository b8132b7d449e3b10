"""The files inside a document: the evidence in the form that programs read.

`evidence-manifest.json` and the statements in `decisions.json` are the very bytes that were signed;
re-serialising them would break their digests.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from apps.core import canonical
from apps.modelcards.card import as_data
from apps.modelcards.dossier import Dossier

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
    told = Attached(report.file, report.about, _text(as_data(report)))
    return (told, *_whole(dossier)) if report.whole else (told, _results(dossier))


def _results(dossier: Dossier) -> Attached:
    return Attached(
        "check-results.json", "Check results with their parameters and inputs", _checks(dossier)
    )


def _whole(dossier: Dossier) -> tuple[Attached, ...]:
    files = [
        Attached(
            "card.json", "The model card, every section and source", _text(as_data(dossier.card))
        ),
        _results(dossier),
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
