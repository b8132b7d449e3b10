"""How an assessment's score came about: the points by dimension and by answer, the sum written out, the levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.core.parts import Bar, Cell, Chart, Column, Fact, Facts, Table, Text, cells
from apps.impact import scoring
from apps.impact.questionnaire import Questionnaire
from apps.impact.scoring import Part, Score
from apps.modelcards.report import Answer, Chapter, Entry

RULES = (
    "Each answer has points from 0 to 100, 100 the worst; a risk has likelihood times severity of 16, rounded up. What is not "
    "answered counts 100, what does not apply 0. A dimension is the weighted mean of its answers, rounded up, or the worst "
    "of them. The total is the weighted mean of the dimensions, rounded up; the highest level whose points it reaches is its "
    "level, unless one dimension alone demands a higher."
)


def chapter(asked: Questionnaire, given: Mapping[str, Any], score: Score) -> Chapter:
    """Nothing here is asked by a law: it says how the level was computed."""
    del given  # the score has counted them
    return Chapter(
        "score",
        "4",
        "The score, and how it was computed",
        (
            Entry("", "The score", (Answer("", parts=(_facts(score), Text(RULES))),), asked=False),
            Entry("", "By dimension", (Answer("", parts=(_chart(score), _parts(score))),), asked=False),
            Entry("", "By answer", (Answer("", parts=(_lines(asked, score),)),), asked=False),
            Entry("", "Levels", (Answer("", parts=(_levels(asked),)),), asked=False),
        ),
    )  # fmt: skip


def _facts(score: Score) -> Facts:
    rows = [
        Fact("Total", Cell(f"{score.total} of 100")),
        Fact("Level", Cell(f"{score.level}. {score.meaning}")),
        Fact("Computed", Cell(_sum(score))),
        Fact("Formula", Cell(f"{scoring.FORMULA}, published with the software (docs/impact.md)")),
    ]
    if score.raised_by:
        rows.insert(2, Fact("Raised by", Cell(f"{score.raised_by}, which alone makes this level")))
    return Facts(tuple(rows))


def _sum(score: Score) -> str:
    terms = " + ".join(f"{part.weight} × {part.points}" for part in score.parts)
    weights = sum(part.weight for part in score.parts)
    return f"({terms}) / {weights}, rounded up, is {score.total}"


def _chart(score: Score) -> Chart:
    bars = tuple(Bar(part.title, str(part.points)) for part in score.parts)
    return Chart("Points by dimension", "points of 100, 100 the worst", bars)


def _parts(score: Score) -> Table:
    head = (Column("Dimension"), Column("Made of"), Column("Weight", numeric=True), Column("Points", numeric=True))  # fmt: skip
    rows = tuple(
        cells(part.title, _how(part), str(part.weight), str(part.points)) for part in score.parts
    )
    return Table("Dimensions", head, rows)


def _how(part: Part) -> str:
    return (
        "the worst of its answers"
        if part.combine == "worst"
        else "the weighted mean of its answers, rounded up"
    )


def _lines(asked: Questionnaire, score: Score) -> Table:
    titles = {each.key: each.title for each in asked.dimensions}
    head = (Column("Question"), Column("Dimension"), Column("How it counted"), Column("Weight", numeric=True), Column("Points", numeric=True))  # fmt: skip
    rows = tuple(
        cells(line.title, titles[line.dimension], line.why, str(line.weight), str(line.points))
        for line in score.lines
    )
    return Table("How each answer counted", head, rows)


def _levels(asked: Questionnaire) -> Table:
    head = (Column("Level"), Column("From", numeric=True), Column("Tier at least", numeric=True), Column("Meaning"))  # fmt: skip
    titles = {each.key: each.title for each in asked.dimensions}
    rows = tuple(
        cells(step.level, str(step.least), str(step.tier), step.meaning) for step in asked.levels
    )
    alone = "; ".join(
        f"{titles[each.dimension]} from {each.points} points make it at least {each.level}"
        for each in asked.at_least
    )
    return Table("From how many points on", head, rows, note=f"{alone}." if alone else "")
