"""What the law asks of an impact assessment, in its own order: the lines of a FRIA and of a DPIA.

A question belongs to a line whose provision it names, and where it names two it is printed in both: each part can be read
by itself. The wordings are ours; the law's own text counts. Questions that belong to no line are printed after them.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.impact.questionnaire import Question, Questionnaire

FRIA_LAW = "Regulation (EU) 2024/1689 (AI Act), Article 27(1)(a) to (f)"
DPIA_LAW = "Regulation (EU) 2016/679 (GDPR), Article 35(7)(a) to (d)"


@dataclass(frozen=True, slots=True)
class Line:
    """`law` are the provisions as questions name them."""

    ref: str
    title: str
    law: tuple[str, ...]


def _fria(letter: str, title: str) -> Line:
    return Line(f"Art. 27(1)({letter})", title, (f"EU AI Act Art. 27(1)({letter})",))


def _dpia(part: str, title: str) -> Line:
    return Line(f"Art. {part}", title, (f"GDPR Art. {part}",))


FRIA = (
    _fria("a", "The processes in which it is used, in line with its intended purpose"),
    _fria("b", "The period and the frequency of its use"),
    _fria("c", "The people and groups likely to be affected in this use"),
    _fria("d", "The specific risks of harm likely to affect them"),
    _fria("e", "Human oversight, as the instructions for use say"),
    _fria("f", "Measures if the risks materialise: internal governance, complaints"),
)
DPIA = (
    _dpia("35(7)(a)", "The processing and its purposes, described systematically"),
    _dpia("35(7)(b)", "Whether the processing is necessary and proportionate to its purposes"),
    _dpia("35(7)(c)", "The risks to the rights and freedoms of data subjects"),
    _dpia("35(7)(d)", "The measures against the risks: safeguards, security, proof of compliance"),
    _dpia("35(2)", "The advice of the data protection officer"),
    _dpia("35(9)", "The views of data subjects or their representatives"),
)


def of(asked: Questionnaire, line: Line) -> list[Question]:
    """The questions of one line, in the order of the form."""
    return [each for each in asked.questions.values() if set(each.law) & set(line.law)]


def others(asked: Questionnaire) -> list[Question]:
    """The questions of no line: what decides whether an assessment is needed, and what the score counts besides."""
    taken = {each.key for line in (*FRIA, *DPIA) for each in of(asked, line)}
    return [each for each in asked.questions.values() if each.key not in taken]
