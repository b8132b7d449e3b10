"""What the columns of an evaluation data set mean, as somebody declared it when attaching the data."""

from __future__ import annotations

import enum
from collections.abc import Mapping as MappingType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from apps.core.errors import Invalid


class Role(enum.StrEnum):
    """What a data set is for. Drift compares `reference` with `current`, or with `evaluation` if there
    is no current one."""

    EVALUATION = "evaluation"
    REFERENCE = "reference"
    CURRENT = "current"


def _label(value: object) -> object:
    """An outcome may come as a number or a truth value; it is compared as text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Label = Annotated[str, BeforeValidator(_label)]
Task = Literal["binary", "multiclass", "regression"]


class Mapping(BaseModel):
    """Column names by meaning. `time` says when a row is from: a column of dates, or of years or batches. `positive` is the outcome the score is about (default: the favourable
    one). `categorical` are features to be counted as categories though they hold numbers. `task` says what the outcomes are:
    two labels of which one is favourable, many labels, or numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    target: str = ""
    prediction: str = ""
    score: str = ""
    sensitive: tuple[str, ...] = Field(default=(), max_length=8)
    features: tuple[str, ...] = Field(default=(), max_length=2_000)
    categorical: tuple[str, ...] = ()
    time: str = ""
    positive: Label = ""
    task: Task = "binary"

    @classmethod
    def parse(cls, data: MappingType[str, Any]) -> Mapping:
        """From plain data. Raises Invalid with one message per wrong field."""
        if data.get("weight"):
            fields = {"weight": "not supported yet; leave it empty"}
            raise Invalid("Row weights are not supported yet.", fields=fields)
        given = {key: value for key, value in data.items() if key != "weight"}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            fields = {".".join(map(str, item["loc"])): item["msg"] for item in error.errors()}
            raise Invalid("The columns are not described correctly.", fields=fields) from error

    def named(self) -> dict[str, tuple[str, ...]]:
        """Every meaning with its columns, single ones as tuples."""
        return {
            "target": (self.target,) if self.target else (),
            "prediction": (self.prediction,) if self.prediction else (),
            "score": (self.score,) if self.score else (),
            "sensitive": self.sensitive,
            "features": self.features,
            "categorical": self.categorical,
            "time": (self.time,) if self.time else (),
        }

    def to_data(self) -> dict[str, Any]:
        """As plain data for a JSON column and for a digest. The usual task is left out: what was declared before there were
        others keeps its digest."""
        usual = {"task"} if self.task == "binary" else set()
        return self.model_dump(mode="json", exclude=usual)
