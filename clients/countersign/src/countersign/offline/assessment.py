"""An enclosed impact assessment: what was signed is about these answers, to these questions. Returns a sentence, or raises Wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from countersign.offline.evidence import Files, canonical, read, sha256
from countersign.offline.problems import Wrong

DOCUMENT, STATEMENT, QUESTIONS = (
    "assessment.json",
    "assessment-statement.json",
    "questionnaire.json",
)


def consistent(files: Files, pages: Sequence[str]) -> str:
    """1. The questions are those that the answers name. 2. The statement names the digest and number of the answers, and the
    same questions; the pages print the statement's own digest. Not checked: the score, which the site's formula makes.
    """
    document = read(files, DOCUMENT)
    number = document.get("number")
    asked = document.get("questionnaire") or {}
    if sha256(canonical(read(files, QUESTIONS))) != asked.get("digest"):
        raise Wrong(f"{QUESTIONS} is not the questionnaire that {DOCUMENT} names")
    if STATEMENT not in files:
        return f"revision {number} answers the enclosed questionnaire; nobody has signed it"
    _signed(files, document, pages)
    return f"revision {number} answers the enclosed questionnaire, and the enclosed statement is about it"


def _signed(files: Files, document: dict[str, Any], pages: Sequence[str]) -> None:
    said = read(files, STATEMENT)
    expected = {
        "digest": sha256(files[DOCUMENT]),
        "revision": document.get("number"),
        "model_id": document.get("model"),
        "questionnaire": document.get("questionnaire"),
    }
    for name, value in expected.items():
        if said.get(name) != value:
            raise Wrong(f"the statement's {name} is {said.get(name)}, expected {value}")
    if sha256(files[STATEMENT]) not in "".join(pages):
        raise Wrong(f"the pages do not print the SHA-256 of {STATEMENT}")
