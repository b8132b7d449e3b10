"""What happens to environments and deployments, as the ledger tells it. Shares of the traffic are texts, in percent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@dataclass(frozen=True, kw_only=True)
class _EnvironmentEvent(Event):
    environment: int
    key: str

    def subject(self) -> str:
        return f"environment:{self.environment}"


@register
@dataclass(frozen=True, kw_only=True)
class EnvironmentCreated(_EnvironmentEvent):
    type: ClassVar[str] = "registry.environment.created"
    title: str


@register
@dataclass(frozen=True, kw_only=True)
class EnvironmentChanged(_EnvironmentEvent):
    """`changes` maps a field to [old, new]; `retired` is "yes" or "no"."""

    type: ClassVar[str] = "registry.environment.changed"
    changes: dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class _DeploymentEvent(Event):
    model: int
    version: int
    deployment: int
    environment: str

    def subject(self) -> str:
        return f"version:{self.version}"

    def scopes(self) -> tuple[str, ...]:
        return (
            f"version:{self.version}",
            f"model:{self.model}",
            f"deployment:{self.deployment}",
        )


@register
@dataclass(frozen=True, kw_only=True)
class DeploymentRecorded(_DeploymentEvent):
    """`authorization` is the approval by which it runs, None where the environment is not governed for the model."""

    type: ClassVar[str] = "registry.deployment.recorded"
    traffic: str
    started_at: str
    place: str
    authorization: int | None
    manifest_digest: str


@register
@dataclass(frozen=True, kw_only=True)
class DeploymentChanged(_DeploymentEvent):
    """Another share of the traffic."""

    type: ClassVar[str] = "registry.deployment.changed"
    old: str
    traffic: str


@register
@dataclass(frozen=True, kw_only=True)
class DeploymentEnded(_DeploymentEvent):
    type: ClassVar[str] = "registry.deployment.ended"
    ended_at: str
    reason: str
