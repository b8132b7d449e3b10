"""What happens to impact assessments, as the ledger tells it. The answers stay out: their digest stands for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, Personal, register


@dataclass(frozen=True, kw_only=True)
class _ImpactEvent(Event):
    model: int
    revision: int
    number: int

    def subject(self) -> str:
        return f"model:{self.model}"

    def scopes(self) -> tuple[str, ...]:
        return (f"model:{self.model}", f"assessment:{self.revision}")


@register
@dataclass(frozen=True, kw_only=True)
class AssessmentSaved(_ImpactEvent):
    """A new revision; `changed` names the questions whose answers differ from `base`."""

    type: ClassVar[str] = "impact.assessment.saved"
    base: int
    questionnaire: str
    digest: str
    changed: list[str]


@register
@dataclass(frozen=True, kw_only=True)
class AssessmentSigned(_ImpactEvent):
    """It is in force, with the tier that it demands, until the day `due_on`."""

    type: ClassVar[str] = "impact.assessment.signed"
    signature: int
    questionnaire: str
    digest: str
    total: int
    level: str
    tier: int
    formula: int
    due_on: str
    statement_digest: str
    method: str
    signer: str
    signer_name: Personal


@register
@dataclass(frozen=True, kw_only=True)
class AuthorityNotified(_ImpactEvent):
    """The authority was told of the assessment (EU AI Act Art. 27(3))."""

    type: ClassVar[str] = "impact.authority.notified"
    notification: int
    authority: str
    reference: str
    notified_on: str
