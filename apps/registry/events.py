"""What happens in the registry, as the ledger tells it. Fields are ids and values, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@dataclass(frozen=True, kw_only=True)
class _ModelEvent(Event):
    model: int

    def subject(self) -> str:
        return f"model:{self.model}"


@dataclass(frozen=True, kw_only=True)
class _VersionEvent(Event):
    model: int
    version: int

    def subject(self) -> str:
        return f"version:{self.version}"

    def scopes(self) -> tuple[str, ...]:
        return (f"version:{self.version}", f"model:{self.model}")


@register
@dataclass(frozen=True, kw_only=True)
class ModelCreated(_ModelEvent):
    type: ClassVar[str] = "registry.model.created"
    name: str
    governance: str
    owner: int
    team: int | None


@register
@dataclass(frozen=True, kw_only=True)
class ModelRenamed(_ModelEvent):
    type: ClassVar[str] = "registry.model.renamed"
    old: str
    new: str


@register
@dataclass(frozen=True, kw_only=True)
class ModelUpdated(_ModelEvent):
    """Settings and description; `changes` maps a field to [old, new]. `because` is given where nobody chose it: why the
    tier had to rise."""

    type: ClassVar[str] = "registry.model.updated"
    changes: dict[str, list[str]]
    because: str = ""


@register
@dataclass(frozen=True, kw_only=True)
class ModelGovernanceChanged(_ModelEvent):
    type: ClassVar[str] = "registry.model.governance_changed"
    old: str
    governance: str
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class ModelDeleted(_ModelEvent):
    type: ClassVar[str] = "registry.model.deleted"
    name: str


@register
@dataclass(frozen=True, kw_only=True)
class ModelTagChanged(_ModelEvent):
    """`value` is None when the tag was deleted."""

    type: ClassVar[str] = "registry.model.tag_changed"
    key: str
    old: str | None
    value: str | None


@register
@dataclass(frozen=True, kw_only=True)
class VersionRegistered(_VersionEvent):
    type: ClassVar[str] = "registry.version.registered"
    name: str
    number: int
    source: str
    run: str
    manifest_digest: str
    files: int


@register
@dataclass(frozen=True, kw_only=True)
class VersionUpdated(_VersionEvent):
    type: ClassVar[str] = "registry.version.updated"
    changes: dict[str, list[str]]


@register
@dataclass(frozen=True, kw_only=True)
class VersionDeleted(_VersionEvent):
    type: ClassVar[str] = "registry.version.deleted"
    name: str
    number: int


@register
@dataclass(frozen=True, kw_only=True)
class VersionTagChanged(_VersionEvent):
    type: ClassVar[str] = "registry.version.tag_changed"
    key: str
    old: str | None
    value: str | None


@register
@dataclass(frozen=True, kw_only=True)
class VersionFrozen(_VersionEvent):
    """Submitted for review: from here on its files, run and data refuse every write."""

    type: ClassVar[str] = "registry.version.frozen"
    review: int


@register
@dataclass(frozen=True, kw_only=True)
class VersionThawed(_VersionEvent):
    type: ClassVar[str] = "registry.version.thawed"
    review: int


@register
@dataclass(frozen=True, kw_only=True)
class StageSet(_VersionEvent):
    """An ungoverned move, or the retirement of an incumbent (`because` names the promotion)."""

    type: ClassVar[str] = "registry.version.stage_set"
    old: str
    stage: str
    because: str = ""


@register
@dataclass(frozen=True, kw_only=True)
class AliasSet(_VersionEvent):
    type: ClassVar[str] = "registry.alias.set"
    alias: str
    old_version: int | None


@register
@dataclass(frozen=True, kw_only=True)
class AliasDeleted(_VersionEvent):
    type: ClassVar[str] = "registry.alias.deleted"
    alias: str


@register
@dataclass(frozen=True, kw_only=True)
class VersionPromoted(_VersionEvent):
    """A governed target was entered by spending `authorization`; `incumbent` left it."""

    type: ClassVar[str] = "registry.version.promoted"
    target: str
    authorization: int
    review: int
    round: int
    evidence_digest: str
    incumbent: int | None


@register
@dataclass(frozen=True, kw_only=True)
class ApprovalRenewed(_VersionEvent):
    """A version that is in the target already is there by `authorization` from now on; nothing moved."""

    type: ClassVar[str] = "registry.approval.renewed"
    target: str
    authorization: int
    review: int
    round: int
    evidence_digest: str


@register
@dataclass(frozen=True, kw_only=True)
class VersionLeft(_VersionEvent):
    """A governed target was left by decision of a person who re-authenticated."""

    type: ClassVar[str] = "registry.version.left"
    target: str
    reason: str
    method: str


@register
@dataclass(frozen=True, kw_only=True)
class AuthorizationMinted(_VersionEvent):
    type: ClassVar[str] = "registry.authorization.minted"
    authorization: int
    target: str
    review: int
    round: int
    evidence_digest: str
    expires_at: str


@register
@dataclass(frozen=True, kw_only=True)
class AuthorizationRevoked(_VersionEvent):
    type: ClassVar[str] = "registry.authorization.revoked"
    authorization: int
    target: str
    reason: str
