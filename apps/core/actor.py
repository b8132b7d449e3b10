"""Who acts. Every verb takes an Actor; nothing reads it from a request or a thread."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace


class ActorKind(enum.StrEnum):
    HUMAN = "human"
    SERVICE = "service"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated person, a service token's owner, or the system itself.

    `user_id` is None only for SYSTEM. `site_verbs` are the verbs granted site-wide; grants on a
    team, an experiment or a model are looked up by `accounts.policy`. `scopes` limits a token:
    None means an interactive session (no limit). `door` says how the actor came in: one of
    web, mlflow, api, worker, shell. `label` is for messages only and never enters the ledger.
    """

    user_id: int | None
    kind: ActorKind
    label: str
    door: str
    site_verbs: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[str] | None = None
    request_id: str = ""

    @classmethod
    def system(cls, door: str, *, request_id: str = "") -> Actor:
        """The product acting by itself (worker, beat, a management command)."""
        return cls(
            user_id=None,
            kind=ActorKind.SYSTEM,
            label="system",
            door=door,
            request_id=request_id,
        )

    def through(self, door: str, request_id: str = "") -> Actor:
        """The same actor seen at another door."""
        return replace(self, door=door, request_id=request_id or self.request_id)
