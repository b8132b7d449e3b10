"""What happens to webhooks, as the ledger tells it. Addresses may hold secrets: the host and a digest stand for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@dataclass(frozen=True, kw_only=True)
class _EndpointEvent(Event):
    endpoint: int

    def subject(self) -> str:
        return f"webhook:{self.endpoint}"


@register
@dataclass(frozen=True, kw_only=True)
class WebhookCreated(_EndpointEvent):
    type: ClassVar[str] = "notices.webhook.created"
    host: str
    url_digest: str
    events: list[str]


@register
@dataclass(frozen=True, kw_only=True)
class WebhookChanged(_EndpointEvent):
    type: ClassVar[str] = "notices.webhook.changed"
    host: str
    url_digest: str
    events: list[str]


@register
@dataclass(frozen=True, kw_only=True)
class WebhookSecretRotated(_EndpointEvent):
    type: ClassVar[str] = "notices.webhook.secret_rotated"
    host: str
    old_until: str


@register
@dataclass(frozen=True, kw_only=True)
class WebhookSwitchedOn(_EndpointEvent):
    type: ClassVar[str] = "notices.webhook.switched_on"
    host: str


@register
@dataclass(frozen=True, kw_only=True)
class WebhookSwitchedOff(_EndpointEvent):
    """By a person, or by the site after days of failure."""

    type: ClassVar[str] = "notices.webhook.switched_off"
    host: str
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class DeliveryReplayed(_EndpointEvent):
    """A person has one event sent again, under the same webhook-id."""

    type: ClassVar[str] = "notices.delivery.replayed"
    host: str
    delivery: int
    sent_event: int
