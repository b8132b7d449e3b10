"""A target is a place a version can get to: a stage, an alias or an environment."""

from __future__ import annotations

import re
from dataclasses import dataclass

from apps.core.errors import Invalid

ALIAS = re.compile(r"[A-Za-z0-9_-]{1,255}")
ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STAGES = {"none": "None", "staging": "Staging", "production": "Production", "archived": "Archived"}


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """`kind` is "stage", "alias" or "environment"; `name` is case-folded, so that no spelling is a way round."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def label(self) -> str:
        """As a person reads it: `stage Production`, `alias @champion`, `environment prod`."""
        if self.kind == "stage":
            return f"stage {STAGES.get(self.name, self.name)}"
        if self.kind == "environment":
            return f"environment {self.name}"
        return f"alias @{self.name}"

    @classmethod
    def stage(cls, name: str) -> Target:
        """A stage by any spelling of its case; raises Invalid for an unknown one."""
        if name.lower() not in STAGES:
            raise Invalid(
                f"Invalid Model Version stage: {name}. Value must be one of "
                f"{', '.join(STAGES.values())}.",
                fields={"stage": "unknown stage"},
            )
        return cls("stage", name.lower())

    @classmethod
    def alias(cls, name: str) -> Target:
        """An alias; raises Invalid for a name that is no alias.

        Letters, digits, `_` and `-` of ASCII only (the MLflow client allows any word character): two
        names that look alike must not differ where one of them is governed.
        """
        if not ALIAS.fullmatch(name):
            raise Invalid(
                f"Invalid alias name: {name!r}. Names may only contain ASCII letters, digits, "
                "underscores and dashes, at most 255 of them.",
                fields={"alias": "not an alias name"},
            )
        if name.lower() == "latest" or re.fullmatch(r"[vV]\d+", name):
            raise Invalid(
                f"Invalid alias name: {name!r} is reserved.", fields={"alias": "reserved"}
            )
        return cls("alias", name.lower())

    @classmethod
    def environment(cls, name: str) -> Target:
        """An environment by any spelling of its case, whether or not it was added; raises Invalid for no such name."""
        if not ENVIRONMENT.fullmatch(name):
            raise Invalid(
                f"Invalid environment name: {name[:80]!r}. Names begin with a letter or digit of ASCII and go on with "
                "those, dots, underscores and dashes, at most 64 of them.",
                fields={"environment": "not an environment name"},
            )
        return cls("environment", name.lower())

    @classmethod
    def parse(cls, text: str) -> Target:
        """The inverse of str()."""
        kind, _, name = text.partition(":")
        if kind == "stage":
            return cls.stage(name)
        if kind == "alias":
            return cls.alias(name)
        if kind == "environment":
            return cls.environment(name)
        raise Invalid(
            f"Not a target: {text!r}. Expected stage:NAME, alias:NAME or environment:NAME."
        )
