"""What the tests of webhooks share."""

from __future__ import annotations

from standardwebhooks.webhooks import Webhook

from apps.core.actor import Actor
from apps.core.models import OutboxMessage
from apps.notices import services
from apps.notices.models import WebhookDelivery, WebhookEndpoint
from tests.notices.receiver import Request
from tests.notices.support import work_off

ASKED = ["reviews.review.submitted"]


def hook(admin: Actor, url: str, *wanted: str) -> tuple[WebhookEndpoint, str]:
    return services.create_endpoint(admin, url=url, description="", wanted=wanted or ASKED)


def verified(secret: str, request: Request) -> dict[str, object]:
    """By the library of the standard: raises for a signature that is not right."""
    return Webhook(secret).verify(request.body, request.headers)


def later() -> int:
    """What beat and worker do when the rests are over."""
    WebhookEndpoint.objects.update(rest_until=None)
    OutboxMessage.objects.filter(finished_at=None).update(not_before="2000-01-01T00:00Z")
    return work_off()


def the_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.select_related("endpoint").get()
