"""What a policy demands of the checks as a whole: limits by kind, each validated by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from apps.checks import kinds
from apps.core.canonical import JSON
from apps.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """The limits of each kind that is demanded, in the order of the kinds; one that is not named is not demanded."""

    by_kind: Mapping[str, BaseModel]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> CheckLimits:
        """From plain data. Raises Invalid with one message per wrong field, `drift.psi.max` and so on."""
        found: dict[str, BaseModel] = {}
        problems: dict[str, str] = {}
        for key in document.keys() - kinds.registered().keys():
            problems[str(key)] = f"no such check; expected one of {', '.join(kinds.registered())}"
        for key, kind in kinds.registered().items():
            if document.get(key) is None:
                continue
            try:
                found[key] = kind.limits.model_validate(document[key])
            except ValidationError as error:
                for item in error.errors():
                    problems[".".join(map(str, (key, *item["loc"])))] = item["msg"]
        if problems:
            first = "; ".join(f"{name}: {message}" for name, message in problems.items())
            raise Invalid(f"These limits cannot be used: {first}.", fields=problems)
        return cls(found)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are demanded."""
        return tuple(self.by_kind)

    def plain(self) -> dict[str, JSON]:
        """As plain data, defaults written out."""
        return {
            key: limits.model_dump(mode="json", exclude_none=True)
            for key, limits in self.by_kind.items()
        }


def validate_limits(document: Mapping[str, Any]) -> None:
    """Raises Invalid unless `document` is a set of limits that demands something."""
    if not CheckLimits.parse(document).kinds:
        raise Invalid("These limits demand no check at all.", fields={"checks": "names no check"})
