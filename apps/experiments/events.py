"""What happens to experiments and runs that people answer for. Logging a metric is not among it.

Names a client chose (of experiments and runs) are not personal data; who acted is the event's actor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@dataclass(frozen=True, kw_only=True)
class _ExperimentEvent(Event):
    experiment: int
    name: str

    def subject(self) -> str:
        return f"experiment:{self.experiment}"


@dataclass(frozen=True, kw_only=True)
class _RunEvent(Event):
    run: str
    experiment: int
    name: str

    def subject(self) -> str:
        return f"run:{self.run}"

    def scopes(self) -> tuple[str, ...]:
        return (f"run:{self.run}", f"experiment:{self.experiment}")


@dataclass(frozen=True, kw_only=True)
class _LoggedModelEvent(Event):
    logged_model: str
    experiment: int
    name: str

    def subject(self) -> str:
        return f"logged_model:{self.logged_model}"

    def scopes(self) -> tuple[str, ...]:
        return (f"logged_model:{self.logged_model}", f"experiment:{self.experiment}")


@register
@dataclass(frozen=True, kw_only=True)
class ExperimentCreated(_ExperimentEvent):
    type: ClassVar[str] = "experiments.experiment.created"
    team: int | None


@register
@dataclass(frozen=True, kw_only=True)
class ExperimentRenamed(_ExperimentEvent):
    """`name` is the new name, `old` the one before."""

    type: ClassVar[str] = "experiments.experiment.renamed"
    old: str


@register
@dataclass(frozen=True, kw_only=True)
class ExperimentDeleted(_ExperimentEvent):
    """Marked as deleted, with `runs` of its runs; nothing is removed."""

    type: ClassVar[str] = "experiments.experiment.deleted"
    runs: int


@register
@dataclass(frozen=True, kw_only=True)
class ExperimentRestored(_ExperimentEvent):
    type: ClassVar[str] = "experiments.experiment.restored"
    runs: int


@register
@dataclass(frozen=True, kw_only=True)
class RunDeleted(_RunEvent):
    """Marked as deleted; nothing is removed."""

    type: ClassVar[str] = "experiments.run.deleted"


@register
@dataclass(frozen=True, kw_only=True)
class RunRestored(_RunEvent):
    type: ClassVar[str] = "experiments.run.restored"


@register
@dataclass(frozen=True, kw_only=True)
class RunSealed(_RunEvent):
    """From here on nobody writes to the run. `digest` covers what it held (selectors.run_facts)."""

    type: ClassVar[str] = "experiments.run.sealed"
    review: int
    digest: str


@register
@dataclass(frozen=True, kw_only=True)
class RunUnsealed(_RunEvent):
    type: ClassVar[str] = "experiments.run.unsealed"
    review: int


@register
@dataclass(frozen=True, kw_only=True)
class LoggedModelSealed(_LoggedModelEvent):
    """From here on nobody writes to the logged model. `digest` covers its files and parameters."""

    type: ClassVar[str] = "experiments.logged_model.sealed"
    review: int
    digest: str


@register
@dataclass(frozen=True, kw_only=True)
class LoggedModelUnsealed(_LoggedModelEvent):
    type: ClassVar[str] = "experiments.logged_model.unsealed"
    review: int


@register
@dataclass(frozen=True, kw_only=True)
class LoggedModelDeleted(_LoggedModelEvent):
    """Marked as deleted; nothing is removed."""

    type: ClassVar[str] = "experiments.logged_model.deleted"
