"""What happens in an audit engagement, as the ledger tells it.

That there is one is told to whoever sees the models in scope; the auditors' work (samples, conclusions, notes) stands under the
engagement's own id, which they see and whoever reads the audit trail. What auditors write is personal: a commitment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, Personal, register


@dataclass(frozen=True, kw_only=True)
class _AboutEngagement(Event):
    engagement: str

    def subject(self) -> str:
        return f"engagement:{self.engagement}"


@register
@dataclass(frozen=True, kw_only=True)
class EngagementOpened(_AboutEngagement):
    """`auditors` (ids of people) hold the role auditor on `models` until the end of the day `ends_on`."""

    type: ClassVar[str] = "engagements.engagement.opened"
    title: str
    purpose: Personal
    framework: str
    framework_digest: str
    period_from: str
    period_to: str
    ends_on: str
    models: tuple[int, ...]
    auditors: tuple[int, ...]

    def scopes(self) -> tuple[str, ...]:
        people = (f"user:{pk}" for pk in self.auditors)
        return (self.subject(), *(f"model:{pk}" for pk in self.models), *people)


@register
@dataclass(frozen=True, kw_only=True)
class EngagementEnded(_AboutEngagement):
    """`how`: closed by somebody before its time, or expired."""

    type: ClassVar[str] = "engagements.engagement.ended"
    how: str
    reason: Personal
    models: tuple[int, ...]

    def scopes(self) -> tuple[str, ...]:
        return (self.subject(), *(f"model:{pk}" for pk in self.models))


@register
@dataclass(frozen=True, kw_only=True)
class SampleDrawn(_AboutEngagement):
    """`decisions` are the digests of the signed statements, in the order in which the rule drew them."""

    type: ClassVar[str] = "engagements.sample.drawn"
    sample: str
    number: int
    seed: str
    rule: str
    asked: int
    population: int
    population_digest: str
    decisions: tuple[str, ...]


@register
@dataclass(frozen=True, kw_only=True)
class ConclusionRecorded(_AboutEngagement):
    """`decision` is the digest of the signed statement; `number` counts the conclusions about this drawing of it."""

    type: ClassVar[str] = "engagements.conclusion.recorded"
    sample: str
    position: int
    decision: str
    conclusion: int
    number: int
    exception: bool
    digest: str
    text: Personal


@register
@dataclass(frozen=True, kw_only=True)
class NoteWritten(_AboutEngagement):
    """`about`: engagement, control, version or item; `which` names it."""

    type: ClassVar[str] = "engagements.note.written"
    note: int
    number: int
    about: str
    which: str
    digest: str
    text: Personal


@register
@dataclass(frozen=True, kw_only=True)
class AuditFindingRaised(_AboutEngagement):
    """A finding (its own events tell what it says) came out of the engagement."""

    type: ClassVar[str] = "engagements.finding.raised"
    finding: int
    version: int
    model: int
    control: str
    decision: str

    def scopes(self) -> tuple[str, ...]:
        about = (f"finding:{self.finding}", f"version:{self.version}", f"model:{self.model}")
        return (self.subject(), *about)


@register
@dataclass(frozen=True, kw_only=True)
class ReportIssued(_AboutEngagement):
    """Samples and conclusions were taken away; `digest` is that of the file."""

    type: ClassVar[str] = "engagements.report.issued"
    form: str
    digest: str
    size: int
