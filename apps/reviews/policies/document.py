"""The shape of a policy document. What is not named here is refused, with the path of the wrong field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from apps.checks.limits import validate_limits
from apps.core.errors import Invalid

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Folded = Annotated[str, StringConstraints(min_length=1, max_length=255, to_lower=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Governs(_Strict):
    """The stages, aliases and tags that governed models enter or carry only under this policy."""

    stages: tuple[Folded, ...] = ()
    aliases: tuple[Folded, ...] = ()
    tags: tuple[Folded, ...] = ()


class Gates(_Strict):
    """What must hold at the moment of promotion. `checks` maps a check to its limits."""

    checks: dict[str, dict[str, Any]]
    card_complete: bool = True

    @model_validator(mode="after")
    def _limits_are_known(self) -> Gates:
        try:
            validate_limits(self.checks)
        except Invalid as error:
            raise ValueError(str(error)) from error
        return self


class Step(_Strict):
    """Who must sign: `count` different people with `role`. Steps are open in parallel."""

    key: Key
    title: str
    role: Literal["validator", "approver"]
    count: int = Field(ge=1, le=20)

    @property
    def verb(self) -> str:
        """The right that the role gives (apps.accounts.verbs)."""
        return f"review.sign.{self.role}"


class PolicyDocument(_Strict):
    """One policy. Signers are distinct persons across steps, and never authors of what they sign."""

    key: Key
    number: int = Field(ge=1)
    title: str
    governs: Governs
    gates: Gates
    steps: tuple[Step, ...] = Field(min_length=1)
    approval_days: int = Field(ge=1, le=3660)
    promote: Literal["on_last_signature"] = "on_last_signature"

    @model_validator(mode="after")
    def _steps_are_distinct(self) -> PolicyDocument:
        keys = [step.key for step in self.steps]
        if len(keys) != len(set(keys)):
            raise ValueError("steps: two steps have the same key")
        return self

    def step(self, key: str) -> Step:
        """The step of that key; raises Invalid for an unknown one."""
        for step in self.steps:
            if step.key == key:
                return step
        raise Invalid(f"The policy has no step {key!r}.", fields={"step": "unknown step"})


def parse(document: dict[str, Any]) -> PolicyDocument:
    """A validated policy; raises Invalid naming each wrong field."""
    try:
        return PolicyDocument.model_validate(document)
    except ValidationError as error:
        fields = {".".join(str(part) for part in e["loc"]): e["msg"] for e in error.errors()}
        raise Invalid("The policy document is not valid.", fields=fields) from error
