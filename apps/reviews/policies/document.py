"""The shape of a policy document. What is not named here is refused, with the path of the wrong field.

A document says which models it covers, which targets it governs, what must hold and who must sign. What it
means when several cover one model is in `combine`; reading and writing it as YAML in `files`.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from apps.accounts.verbs import SIGNING_ROLES, right_of
from apps.checks import kinds
from apps.checks.demands import validate_limits
from apps.checks.limits import Decimal
from apps.core.errors import Invalid
from apps.reviews.policies import conditions

# A combined policy (see `combine`) is named after its parts, with "+" between them.
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_+-]{0,199}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Folded = Annotated[str, StringConstraints(min_length=1, max_length=255, to_lower=True)]
_NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_NO_NUL)]


def _registered(key: str) -> str:
    """A kind of check that this site knows, its own or a package's."""
    if key not in kinds.registered():
        raise ValueError(f"no such check; expected one of {', '.join(kinds.registered())}")
    return key


Kind = Annotated[
    str,
    AfterValidator(_registered),
    WithJsonSchema({"type": "string", "enum": list(kinds.registered())}),
]
Metric = Literal[
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "roc_auc", "average_precision",
    "log_loss", "brier", "ece",
]  # fmt: skip
SigningRole = Literal["validator", "approver", "risk", "legal", "product"]
AnyRole = Literal["owner", "validator", "approver", "risk", "legal", "product", "on_call"]
Trigger = Literal["recall", "finding", "checks", "data", "use", "incident", "vendor"]


def _as_set(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _as_numbers(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))


# Sets, kept in one order so that the same set is the same document.
AnyRoles = Annotated[tuple[AnyRole, ...], AfterValidator(_as_set)]
SigningRoles = Annotated[tuple[SigningRole, ...], AfterValidator(_as_set)]
CardTemplates = Annotated[
    tuple[
        Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}(/[1-9][0-9]{0,4})?$")], ...
    ],
    AfterValidator(_as_set),
]
Triggers = Annotated[tuple[Trigger, ...], AfterValidator(_as_set)]


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
    """The stages, aliases, environments and tags that governed models enter or carry only under this policy."""

    stages: tuple[Folded, ...] = ()
    aliases: tuple[Folded, ...] = ()
    environments: tuple[Folded, ...] = ()
    tags: tuple[Folded, ...] = ()


class MaxAge(_Strict):
    """How old, in days, a check's result and the evaluation data may be at the moment of promotion."""

    results: int | None = Field(default=None, ge=1, le=3660)
    data: int | None = Field(default=None, ge=1, le=3660)


class ImpactGate(_Strict):
    """For models of which risk tiers (1 the highest) an impact assessment must be signed and in force, and how many days
    old its signature may be. No tier: for none. An assessment can raise the tier of its model, and so be demanded by itself.
    """

    tiers: Annotated[tuple[Literal[1, 2, 3], ...], AfterValidator(_as_numbers)] = ()
    max_age_days: int | None = Field(default=None, ge=1, le=3660)

    @model_validator(mode="after")
    def _is_about_a_tier(self) -> Self:
        if self.max_age_days is not None and not self.tiers:
            raise ValueError("an age without a tier asks for nothing: name the tiers")
        return self


def _not_negative(number: str) -> str:
    if Fraction(number) < 0:
        raise ValueError("expected 0 or more: how much worse it may be")
    return number


Loss = Annotated[Decimal, AfterValidator(_not_negative)]


class AgainstIncumbent(_Strict):
    """How much worse than the version now in the target each named metric of performance may be.

    With `same_data` (the default) only results on the same bytes are compared. Nothing in the target: nothing to hold.
    """

    max_loss: dict[Metric, Loss] = Field(min_length=1)
    same_data: bool = True


class Condition(_Strict):
    """A rule of one's own, in the Common Expression Language over `conditions.VARIABLES`."""

    key: Slug
    title: Text
    expression: Annotated[str, AfterValidator(conditions.checked)]


class Gates(_Strict):
    """What must hold at the moment of promotion. `checks` maps a check to its limits.

    `card_templates` names the template that the card must follow: by key, or by key/number for that version or a newer one.

    `accept_inconclusive` names the checks for which too wide an interval is accepted, with the reason.
    """

    checks: dict[str, dict[str, Any]]
    card_complete: bool = True
    card_templates: CardTemplates = ()
    accept_inconclusive: dict[Kind, Text] = Field(default_factory=dict)
    against_incumbent: AgainstIncumbent | None = None
    max_age_days: MaxAge = MaxAge()
    clean_commit: bool = False
    impact_assessment: ImpactGate = ImpactGate()
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
    owner of record of the model. `deadline_days` count from when the step could first be signed; those asked are
    reminded `remind_days` before, and the roles in `escalate_to` are told when it is overdue. A missed deadline
    signs nothing and refuses nothing.
    """

    key: Slug
    title: Text
    role: SigningRole
    count: int = Field(ge=1, le=20)
    after: tuple[Slug, ...] = ()
    exclude_owner: bool = False
    deadline_days: int | None = Field(default=None, ge=1, le=365)
    remind_days: int = Field(default=2, ge=1, le=60)
    escalate_to: AnyRoles = ()

    @property
    def verb(self) -> str:
        """The right that the role gives (apps.accounts.verbs)."""
        return right_of(self.role)


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


class Emergency(_Strict):
    """One person who holds every role in `roles` may put the last validly approved version back, which others
    review within `review_within_days` afterwards."""

    roles: AnyRoles = Field(min_length=1)
    review_within_days: int = Field(ge=1, le=90)


class Findings(_Strict):
    """Who may accept what is left of a risk, by signature: somebody who holds every role named."""

    residual_risk_roles: SigningRoles = Field(default=("approver",), min_length=1)


class Waivers(_Strict):
    """Who may put a requirement aside, by signature (somebody who holds every role named), and for how long."""

    roles: SigningRoles = Field(default=("approver",), min_length=1)
    max_days: int = Field(default=365, ge=1, le=365)


class PolicyDocument(_Strict):
    """One policy. Signers are distinct persons across steps, and never authors of what they sign.

    `approval_days`: how long an approval lives. `review_days`: how long a request waits after its newest round
    until it expires. `rereview_on`: what makes a version that was let in need a new review. Without `emergency`
    nothing enters a target but by signatures.
    """

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
    review_days: int | None = Field(default=None, ge=1, le=3660)
    rereview_on: Triggers = ("checks", "finding", "incident", "recall")
    promote: Literal["on_last_signature", "on_request"] = "on_last_signature"
    freeze_windows: tuple[FreezeWindow, ...] = ()
    emergency: Emergency | None = None
    findings: Findings = Findings()
    waivers: Waivers = Waivers()

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
        if not (self.governs.stages or self.governs.aliases or self.governs.environments):
            raise ValueError(
                "governs: names no stage, alias or environment, so nothing would be asked"
            )
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


assert set(SIGNING_ROLES) == set(get_args(SigningRole))  # noqa: S101 - two spellings of one list


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
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "greater_than_equal": "expected {ge} or more",
    "less_than_equal": "expected {le} or less",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "this is needed",
    "string_pattern_mismatch": "expected small letters, digits and hyphens, beginning with a letter",
    "date_from_datetime_parsing": "expected a day, such as 2027-01-31",
    "date_parsing": "expected a day, such as 2027-01-31",
}


def _in_words(error: Any) -> str:
    """One error of pydantic for somebody who never heard of it."""
    words = _WORDS.get(error["type"])
    if words is None or error.get("ctx", {}).get("pattern") == _NO_NUL:
        return str(error["msg"]).removeprefix("Value error, ")
    return words.format(**error.get("ctx", {}))


def plain(document: PolicyDocument) -> dict[str, Any]:
    """The document as it is stored and digested: without what is left at its default."""
    stored: dict[str, Any] = document.model_dump(mode="json", exclude_defaults=True)
    return stored
