"""Questionnaires: which questions an impact assessment asks, as published files that never change.

A file is one edition. `PUBLISHED` pins the digest of each, so an edition that people answered stays what it was: a
changed file is refused, a new wording is a new edition. Deliberately missing: how points become a score (`scoring`).
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from apps.core import canonical
from apps.core.errors import NotFound, Tampered

FOLDER: Final = Path(__file__).with_name("questionnaires")
# Digest of the canonical JSON of each edition. To publish another: add its file and its line here; never change one.
PUBLISHED: Final[dict[str, str]] = {
    "eu-rights-1": "56f3bcda578fa5767da27f7c8e038980440737dbde7b3f5930fff60110f6fdda",
}
CURRENT: Final = "eu-rights-1"

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=600)]
Points = Annotated[int, Field(ge=0, le=100)]
Kind = Literal["text", "yes_no", "choice", "choices", "count", "risk"]
Level = Literal["I", "II", "III", "IV"]
Form = Literal["FRIA", "DPIA"]
LEVELS: Final[tuple[Level, ...]] = ("I", "II", "III", "IV")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Option(_Strict):
    """One answer to choose; 100 points are the worst."""

    key: Key
    label: Words
    points: Points = 0


class Band(_Strict):
    """So many people or more count these points."""

    least: int = Field(ge=0)
    points: Points


class Condition(_Strict):
    """The question is asked only after one of these answers, or while the other is not answered."""

    question: Key
    answers: tuple[Key, ...] = Field(min_length=1)


class Question(_Strict):
    """`law` names each provision it answers, `forms` the assessments it belongs to: one answer serves both."""

    key: Key
    title: Words
    help: Annotated[str, StringConstraints(max_length=600)] = ""
    law: tuple[Words, ...] = ()
    forms: tuple[Form, ...] = Field(min_length=1)
    type: Kind
    required: bool = True
    options: tuple[Option, ...] = ()
    bands: tuple[Band, ...] = ()
    when: Condition | None = None
    dimension: Key | None = None
    weight: int = Field(default=1, ge=1, le=10)

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> Self:
        chosen = self.type in {"yes_no", "choice", "choices"}
        if chosen != bool(self.options) or (self.type == "count") != bool(self.bands):
            raise ValueError(
                f"{self.key}: options belong to a choice, bands to a count, and each has them"
            )
        if self.type == "yes_no" and [option.key for option in self.options] != ["yes", "no"]:
            raise ValueError(f"{self.key}: the options of a yes_no are yes and no")
        if self.type == "text" and self.dimension:
            raise ValueError(f"{self.key}: a text has no points")
        _require_rising(self)
        return self


def _require_rising(question: Question) -> None:
    """More people never count less: what keeps the score from falling when an answer gets worse."""
    for one, other in zip(question.bands, question.bands[1:], strict=False):
        if one.least >= other.least or one.points > other.points:
            raise ValueError(f"{question.key}: bands rise in people and in points")


class Section(_Strict):
    key: Key
    title: Words
    lead: Annotated[str, StringConstraints(max_length=600)] = ""
    questions: tuple[Question, ...] = Field(min_length=1)


class Dimension(_Strict):
    """`mean`: the weighted mean of its questions; `worst`: the worst of them, so that many mild risks hide none."""

    key: Key
    title: Words
    combine: Literal["mean", "worst"]
    weight: int = Field(ge=1, le=10)


class Step(_Strict):
    """A level from so many points of the total upwards, and the tier that it demands of the model (1 is the highest)."""

    level: Level
    least: Points
    tier: Literal[1, 2, 3]
    meaning: Words


class Least(_Strict):
    """A dimension that reaches so many points makes the level at least this, whatever the total is."""

    dimension: Key
    points: Points
    level: Level


class Scale(_Strict):
    """The four steps of likelihood or of severity, from the least."""

    labels: tuple[Words, Words, Words, Words]


class Questionnaire(_Strict):
    """One edition."""

    key: Key
    edition: int = Field(ge=1)
    title: Words
    source: Words
    valid_days: int = Field(ge=1, le=3660)
    likelihood: Scale
    severity: Scale
    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    levels: tuple[Step, Step, Step, Step]
    at_least: tuple[Least, ...] = ()
    sections: tuple[Section, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """As a revision names it: `eu-rights-1`."""
        return f"{self.key.replace('_', '-')}-{self.edition}"

    @property
    def questions(self) -> dict[str, Question]:
        """Every question by key, in the order of the form."""
        return {each.key: each for section in self.sections for each in section.questions}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        keys = [each.key for section in self.sections for each in section.questions]
        if len(set(keys)) < len(keys):
            raise ValueError("two questions have one key")
        if tuple(step.level for step in self.levels) != LEVELS or self.levels[0].least:
            raise ValueError("levels are I to IV, the first from 0 points")
        for one, other in zip(self.levels, self.levels[1:], strict=False):
            if one.least >= other.least or one.tier < other.tier:
                raise ValueError("a higher level takes more points and never demands a lower tier")
        known = {dimension.key for dimension in self.dimensions}
        used = {each.dimension for each in self.questions.values() if each.dimension}
        if used != known or not {each.dimension for each in self.at_least} <= known:
            raise ValueError("every dimension has a question, and none is named that is not there")
        for question in self.questions.values():
            _require_condition(question, self.questions)
        return self


def _require_condition(question: Question, known: dict[str, Question]) -> None:
    """What hangs on an answer hangs on the worse ones: else a worse answer could take points away."""
    if question.when is None:
        return
    asked = known.get(question.when.question)
    if asked is None or asked.type not in {"yes_no", "choice"} or asked.when is not None:
        raise ValueError(f"{question.key}: asked after a choice that is always asked")
    points = {option.key: option.points for option in asked.options}
    chosen = set(question.when.answers)
    if not chosen <= points.keys():
        raise ValueError(f"{question.key}: asked after an answer that cannot be given")
    others = [points[key] for key in points.keys() - chosen]
    if question.dimension and others and min(points[key] for key in chosen) <= max(others):
        raise ValueError(
            f"{question.key}: it counts points, so the answers before it are the worse"
        )


@lru_cache(maxsize=16)
def load(name: str) -> Questionnaire:
    """A published edition. Raises NotFound for none, Tampered for a file that is not the one published."""
    if name not in PUBLISHED:
        raise NotFound(f"There is no questionnaire {name[:60]!r}.")
    found = digest_of(plain(name))
    if found != PUBLISHED[name]:
        raise Tampered(f"Questionnaire {name}: expected {PUBLISHED[name]}, the file has {found}.")
    return Questionnaire.model_validate(plain(name))


def plain(name: str) -> dict[str, Any]:
    """The file as data, for a download."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def digest_of(document: dict[str, Any]) -> str:
    """The SHA-256 of the canonical form."""
    return canonical.digest_of(document)


def current() -> Questionnaire:
    """The edition that a new revision answers."""
    return load(CURRENT)


def schema() -> dict[str, Any]:
    """The JSON Schema of a questionnaire file; it stands beside the files as schema.json."""
    return Questionnaire.model_json_schema()
