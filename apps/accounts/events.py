"""What can happen to people and rights. Names and addresses are personal: the ledger holds commitments to them.

Rights are ids: a holder is "user:5" or "group:2", a place is "site", "team:1", "experiment:4" or "model:3".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, Personal, register


@dataclass(frozen=True)
class _AboutUser(Event):
    """`name` is the person's name at that time, so that the record reads without looking anybody up."""

    user: int
    name: Personal

    def subject(self) -> str:
        return f"user:{self.user}"


@register
@dataclass(frozen=True)
class UserCreated(_AboutUser):
    """`how`: administrator, provider (first sign-in by OpenID Connect) or setup (the first administrator)."""

    type: ClassVar[str] = "accounts.user.created"
    kind: str
    how: str
    username: Personal
    email: Personal


@register
@dataclass(frozen=True)
class UserUpdated(_AboutUser):
    """`changed` names the fields; the values are the new ones."""

    type: ClassVar[str] = "accounts.user.updated"
    changed: tuple[str, ...]
    email: Personal


@register
@dataclass(frozen=True)
class UserDeactivated(_AboutUser):
    type: ClassVar[str] = "accounts.user.deactivated"
    reason: Personal


@register
@dataclass(frozen=True)
class UserReactivated(_AboutUser):
    type: ClassVar[str] = "accounts.user.reactivated"


@register
@dataclass(frozen=True)
class PasswordChanged(_AboutUser):
    """By the person. `purpose`: sign_in, or signing (somebody who signs in at the provider)."""

    type: ClassVar[str] = "accounts.password.changed"
    purpose: str


@register
@dataclass(frozen=True)
class PasswordReset(_AboutUser):
    """By an administrator: the person cannot sign until she has chosen her own."""

    type: ClassVar[str] = "accounts.password.reset"


@register
@dataclass(frozen=True)
class IdentityLinked(_AboutUser):
    type: ClassVar[str] = "accounts.identity.linked"
    issuer: str
    provider_subject: Personal


@register
@dataclass(frozen=True)
class GroupsChanged(_AboutUser):
    """The provider's claims put the person in and out of directory groups (ids)."""

    type: ClassVar[str] = "accounts.groups.changed"
    joined: tuple[int, ...]
    left: tuple[int, ...]

    def scopes(self) -> tuple[str, ...]:
        return (self.subject(), *(f"group:{group}" for group in (*self.joined, *self.left)))


@register
@dataclass(frozen=True)
class ServiceOwnersChanged(_AboutUser):
    """Who answers for what a service does, and counts as its author."""

    type: ClassVar[str] = "accounts.service.owners_changed"
    owners: tuple[int, ...]

    def scopes(self) -> tuple[str, ...]:
        return (self.subject(), *(f"user:{owner}" for owner in self.owners))


@register
@dataclass(frozen=True)
class TokenIssued(_AboutUser):
    type: ClassVar[str] = "accounts.token.issued"
    token: str
    token_scopes: tuple[str, ...]
    expires: str


@register
@dataclass(frozen=True)
class TokenRevoked(_AboutUser):
    type: ClassVar[str] = "accounts.token.revoked"
    token: str


@dataclass(frozen=True)
class _AboutRole(Event):
    role: str
    holder: str
    holder_name: Personal
    on: str

    def subject(self) -> str:
        return self.holder

    def scopes(self) -> tuple[str, ...]:
        return (self.holder,) if self.on == "site" else (self.holder, self.on)


@register
@dataclass(frozen=True)
class RoleGranted(_AboutRole):
    """`how`: administrator, manager (of the object), creator, system (the shell), or setup."""

    type: ClassVar[str] = "accounts.role.granted"
    how: str


@register
@dataclass(frozen=True)
class RoleRevoked(_AboutRole):
    type: ClassVar[str] = "accounts.role.revoked"


@dataclass(frozen=True)
class _AboutLending(Event):
    """`on` are models ("model:3"), `grounds` say why ("engagement:<uuid>")."""

    role: str
    holder: str
    holder_name: Personal
    on: tuple[str, ...]
    grounds: str

    def subject(self) -> str:
        return self.holder

    def scopes(self) -> tuple[str, ...]:
        return (self.holder, self.grounds, *self.on)


@register
@dataclass(frozen=True)
class RoleLent(_AboutLending):
    """Somebody holds a role until a moment, which is written here: nothing has to happen then for it to end."""

    type: ClassVar[str] = "accounts.role.lent"
    until: str


@register
@dataclass(frozen=True)
class RoleTakenBack(_AboutLending):
    """A role that was lent ended: early where `early`, else because its time was over."""

    type: ClassVar[str] = "accounts.role.taken_back"
    early: bool


@dataclass(frozen=True)
class _AboutTeam(Event):
    team: int
    key: str
    name: str

    def subject(self) -> str:
        return f"team:{self.team}"


@register
@dataclass(frozen=True)
class TeamCreated(_AboutTeam):
    type: ClassVar[str] = "accounts.team.created"


@register
@dataclass(frozen=True)
class TeamRenamed(_AboutTeam):
    type: ClassVar[str] = "accounts.team.renamed"


@register
@dataclass(frozen=True)
class GroupAdded(Event):
    """A group of the organisation's directory becomes known, so that roles can be granted to it."""

    type: ClassVar[str] = "accounts.group.added"
    group: int
    name: str

    def subject(self) -> str:
        return f"group:{self.group}"
