"""What the assemblers of reports share."""

from __future__ import annotations

from dataclasses import dataclass

from apps.compliance.models import ReportStatement
from apps.modelcards.card import Prose
from apps.modelcards.dossier import Dossier
from apps.modelcards.report import Answer, Entry


@dataclass(frozen=True, slots=True)
class Assembled:
    """What a document says, and the review and round it reports on (None: none)."""

    dossier: Dossier
    review_id: int | None
    round_id: int | None


def prose(statement: ReportStatement, key: str, text: str = "") -> Prose:
    """What somebody stated, with who and when; `text` in place of a coded value."""
    return Prose(
        text or statement.texts[key],
        str(statement.author),
        statement.author_id,
        statement.created_at.isoformat(),
    )


def stated(
    ref: str,
    title: str,
    statement: ReportStatement | None,
    key: str,
    gap: str,
    *more: Answer,
) -> Entry:
    """A line that a person answers, with what the record adds to it."""
    if statement is None or key not in statement.texts:
        return Entry(ref, title, more, (gap,))
    return Entry(ref, title, (Answer("", prose=prose(statement, key)), *more))
