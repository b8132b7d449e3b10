"""The score of an assessment: a pure function of questionnaire and answers. docs/impact.md prints the table.

Formula 1, ours. The ideas: likelihood times severity in four steps each (ISO 31000; the CNIL's DPIA method names the
steps); points per answer, summed to one of four levels by share of the greatest possible (Canada's Directive on
Automated Decision-Making, Algorithmic Impact Assessment). Points, weights and levels are data of the questionnaire.

1. Each answer has points from 0 to 100, 100 the worst. A risk: likelihood x severity of 16, rounded up.
2. A question that applies and is not answered counts 100: silence never counts as low. One that does not apply counts 0.
3. A dimension is the weighted mean of its questions, rounded up, or the worst of them. Weights never change with the
   answers, so a question that begins to apply only adds.
4. The total is the weighted mean of the dimensions, rounded up. Its level is the highest whose points it reaches, and at
   least the one that a dimension demands by itself.
5. The level says the tier that the model must at least have.

So a worse answer never lowers the score, nor does a missing one (tests/properties/test_impact_score.py).
Limits: points say how severe what people *answered* is. Whether it is true is for whoever signs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apps.impact import answers as told
from apps.impact.questionnaire import LEVELS, Dimension, Level, Question, Questionnaire

FORMULA: Final = 1
WORST: Final = 100


@dataclass(frozen=True, slots=True)
class Line:
    """How one question counted. `why` is a clause: the answer's own points, not answered, or does not apply."""

    question: str
    title: str
    dimension: str
    points: int
    weight: int
    why: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One dimension with its points."""

    key: str
    title: str
    combine: str
    weight: int
    points: int


@dataclass(frozen=True, slots=True)
class Score:
    """`tier` is what the level demands of the model; `missing` are the required questions not answered."""

    total: int
    level: Level
    tier: int
    meaning: str
    parts: tuple[Part, ...]
    lines: tuple[Line, ...]
    missing: tuple[str, ...]
    raised_by: str

    @property
    def is_complete(self) -> bool:
        return not self.missing

    def plain(self) -> dict[str, Any]:
        """As data, for what is signed and downloaded."""
        return {
            "formula": FORMULA,
            "total": self.total,
            "level": self.level,
            "tier": self.tier,
            "dimensions": {part.key: part.points for part in self.parts},
            "questions": {line.question: line.points for line in self.lines},
        }


def score(questionnaire: Questionnaire, answers: told.Answers) -> Score:
    """The score of these answers, which `answers.clean` has let through. Never raises for what is left out."""
    lines = tuple(
        _line(question, answers)
        for question in questionnaire.questions.values()
        if question.dimension is not None
    )
    parts = tuple(_part(dimension, lines) for dimension in questionnaire.dimensions)
    total = _mean([(part.points, part.weight) for part in parts])
    level, raised_by = _level(questionnaire, total, parts)
    step = next(step for step in questionnaire.levels if step.level == level)
    return Score(
        total=total,
        level=level,
        tier=step.tier,
        meaning=step.meaning,
        parts=parts,
        lines=lines,
        missing=tuple(question.key for question in told.missing(questionnaire, answers)),
        raised_by=raised_by,
    )


def points(question: Question, given: Any) -> int:
    """The points of an answer that is there. What a risk leaves out counts as the worst step."""
    if question.type == "risk":
        steps = [int(given.get(part, told.SCALE[-1])) for part in told.RISK_PARTS[:2]]
        return _up(WORST * steps[0] * steps[1], told.SCALE[-1] ** 2)
    if question.type == "count":
        return max((band.points for band in question.bands if given >= band.least), default=0)
    chosen = given if isinstance(given, list) else [given]
    return max(option.points for option in question.options if option.key in chosen)


def _line(question: Question, answers: told.Answers) -> Line:
    given = answers.get(question.key)
    silent = False
    if not told.applies(question, answers):
        found, why = 0, "does not apply"
    elif given is None:
        found, why, silent = WORST, "not answered: counts as the worst", True
    else:
        found, why = points(question, given), _why(question, given)
    return Line(
        question.key, question.title, question.dimension or "", found, question.weight, why, silent
    )


def _why(question: Question, given: Any) -> str:
    if question.type != "risk":
        return "the points of the answer" if question.type != "choices" else "the worst one chosen"
    steps = [
        f"{part} {given[part]}" if part in given else f"{part} not given, so 4"
        for part in told.RISK_PARTS[:2]
    ]
    return " times ".join(steps)


def _part(dimension: Dimension, lines: Sequence[Line]) -> Part:
    mine = [line for line in lines if line.dimension == dimension.key]
    found = (
        max(line.points for line in mine)
        if dimension.combine == "worst"
        else _mean([(line.points, line.weight) for line in mine])
    )
    return Part(dimension.key, dimension.title, dimension.combine, dimension.weight, found)


def _mean(weighed: Sequence[tuple[int, int]]) -> int:
    return _up(sum(each * weight for each, weight in weighed), sum(weight for _, weight in weighed))


def _up(number: int, by: int) -> int:
    """Divided and rounded up."""
    return -(-number // by)


def _level(questionnaire: Questionnaire, total: int, parts: Sequence[Part]) -> tuple[Level, str]:
    """The level, and the title of the dimension that raised it above the total's own; "" for none."""
    found = max(
        (step.level for step in questionnaire.levels if total >= step.least), key=LEVELS.index
    )
    reached: Mapping[str, Part] = {part.key: part for part in parts}
    raised_by = ""
    for least in questionnaire.at_least:
        part = reached[least.dimension]
        if part.points >= least.points and LEVELS.index(least.level) > LEVELS.index(found):
            found, raised_by = least.level, part.title
    return found, raised_by
