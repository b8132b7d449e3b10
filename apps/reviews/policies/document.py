"""The shape of a policy document. What is not named here is refused, with the path of the wrong field.

A document says which models it covers, which targets it governs, what must hold and who must sign. What it
means when several cover one model is in `combine`; reading and writing it as YAML in `files`.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from apps.checks.limits import validate_limits
from apps.core.errors import Invalid
from apps.reviews.policies import conditions

# A combined policy (see `combine`) is named after its parts, with "+" between them.
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_+-]{0,199}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Folded = Annotated[str, StringConstraints(min_length=1, max_length=255, to_lower=True)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Kind = Literal["performance", "fairness", "drift"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _web_address(url: str) -> str:
    if url and not url.startswith(("https://", "http://")):
        raise ValueError("expected an address that starts with https://")
    return url


class Source(_Strict):
    """Where a ready-made policy comes from: the rule it follows, and when that rule is in force."""

    jurisdiction: Text
    citation: Text
    url: Annotated[str, AfterValidator(_web_address)] = ""
    effective_from: dt.date | None = None
    effective_to: dt.date | None = None
    pack: Slug
    pack_version: int = Field(ge=1)


class AppliesTo(_Strict):
    """Which governed models the policy covers. What is left empty does not narrow.

    `tiers` are risk tiers, 1 the highest; `teams` the keys of owning teams; `tags` the values one of which
    each named tag of the model must have.
    """

    tiers: tuple[Literal[1, 2, 3], ...] = ()
    teams: tuple[Slug, ...] = ()
    tags: dict[Text, tuple[str, ...]] = Field(default_factory=dict)


class Governs(_Strict):
    """The stages, aliases and tags that governed models enter or carry only under this policy."""

    stages: tuple[Folded, ...] = ()
    aliases: tuple[Folded, ...] = ()
    tags: tuple[Folded, ...] = ()


class MaxAge(_Strict):
    """How old, in days, a check's result may be at the moment of promotion."""

    results: int | None = Field(default=None, ge=1, le=3660)


class Condition(_Strict):
    """A rule of one's own, in the Common Expression Language over `conditions.VARIABLES`."""

    key: Slug
    title: Text
    expression: Annotated[str, AfterValidator(conditions.checked)]


class Gates(_Strict):
    """What must hold at the moment of promotion. `checks` maps a check to its limits.

    `accept_inconclusive` names the checks for which too wide an interval is accepted, with the reason.
    """

    checks: dict[str, dict[str, Any]]
    card_complete: bool = True
    accept_inconclusive: dict[Kind, Text] = Field(default_factory=dict)
    max_age_days: MaxAge = MaxAge()
    clean_commit: bool = False
    conditions: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _limits_are_known(self) -> Self:
        try:
            validate_limits(self.checks)
        except Invalid as error:
            raise ValueError(str(error)) from error
        return self

    @model_validator(mode="after")
    def _conditions_are_distinct(self) -> Self:
        _require_distinct("conditions", [condition.key for condition in self.conditions])
        return self


class Step(_Strict):
    """Who must sign: `count` different people with `role`, once the steps in `after` are complete.

    Nobody signs two steps, and authors of what is signed sign none. `exclude_owner` also keeps out the
    owner of record of the model.
    """

    key: Slug
    title: Text
    role: Literal["validator", "approver"]
    count: int = Field(ge=1, le=20)
    after: tuple[Slug, ...] = ()
    exclude_owner: bool = False

    @property
    def verb(self) -> str:
        """The right that the role gives (apps.accounts.verbs)."""
        return f"review.sign.{self.role}"


class FreezeWindow(_Strict):
    """Days, first and last included, in UTC, on which nothing is promoted."""

    title: Text
    first: dt.date
    last: dt.date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last is before first")
        return self

    def covers(self, day: dt.date) -> bool:
        """Whether promotion stands still on this day."""
        return self.first <= day <= self.last


class PolicyDocument(_Strict):
    """One policy. Signers are distinct persons across steps, and never authors of what they sign."""

    key: Key
    number: int = Field(ge=1)
    title: Text
    summary: Annotated[str, StringConstraints(max_length=2000)] = ""
    source: Source | None = None
    applies_to: AppliesTo = AppliesTo()
    governs: Governs
    gates: Gates
    steps: tuple[Step, ...] = Field(min_length=1, max_length=20)
    approval_days: int = Field(ge=1, le=3660)
    promote: Literal["on_last_signature", "on_request"] = "on_last_signature"
    freeze_windows: tuple[FreezeWindow, ...] = ()

    @model_validator(mode="after")
    def _steps_make_an_order(self) -> Self:
        keys = [step.key for step in self.steps]
        _require_distinct("steps", keys)
        earlier: set[str] = set()
        for step in self.steps:
            late = [key for key in step.after if key not in earlier]
            if late:
                raise ValueError(
                    f"steps: {step.key} comes after {', '.join(late)}, which must stand before it"
                )
            earlier.add(step.key)
        return self

    @model_validator(mode="after")
    def _governs_something(self) -> Self:
        if not (self.governs.stages or self.governs.aliases):
            raise ValueError("governs: names no stage and no alias, so nothing would be asked")
        return self

    def terms(self) -> dict[str, Any]:
        """What the promotion gates are given, and what an authorization keeps: plain data."""
        return {
            **self.gates.model_dump(mode="json"),
            "freeze_windows": [window.model_dump(mode="json") for window in self.freeze_windows],
        }

    def step(self, key: str) -> Step:
        """The step of that key; raises Invalid for an unknown one."""
        for step in self.steps:
            if step.key == key:
                return step
        raise Invalid(f"The policy has no step {key!r}.", fields={"step": "unknown step"})


def _require_distinct(what: str, keys: list[str]) -> None:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"{what}: {', '.join(twice)} stands there twice")


def parse(document: dict[str, Any]) -> PolicyDocument:
    """A validated policy; raises Invalid naming each wrong field."""
    try:
        return PolicyDocument.model_validate(document)
    except ValidationError as error:
        fields = {
            ".".join(str(part) for part in e["loc"]) or "document": _in_words(e)
            for e in error.errors()
        }
        raise Invalid("The policy document is not valid.", fields=fields) from error


_WORDS = {
    "missing": "this is needed",
    "extra_forbidden": "there is no such key here",
    "too_short": "at least {min_length} is needed",
    "literal_error": "expected {expected}",
    "tuple_type": "expected a list",
    "string_type": "expected text, in quotes if it looks like a number",
    "model_type": "expected keys and values",
    "dict_type": "expected keys and values",
}


def _in_words(error: Any) -> str:
    """One error of pydantic for somebody who never heard of it."""
    words = _WORDS.get(error["type"])
    if words is None:
        return str(error["msg"]).removeprefix("Value error, ")
    return words.format(**error.get("ctx", {}))


def plain(document: PolicyDocument) -> dict[str, Any]:
    """The document as it is stored and digested: without what is left at its default."""
    stored: dict[str, Any] = document.model_dump(mode="json", exclude_defaults=True)
    return stored
