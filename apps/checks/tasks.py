"""What workers do for the checks."""

from __future__ import annotations

from celery import shared_task

from apps.checks import services
from apps.core import outbox
from apps.core.actor import Actor


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def run_measurement(message_id: int) -> None:
    """Measure what the outbox row names; sent twice, it runs once."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.run_measurement(message)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def run_piece(message_id: int) -> None:
    """Count the piece of a measurement that the outbox row names; sent twice, it is counted once."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.run_piece(message)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def scan_registered(message_id: int) -> None:
    """registry.version.registered: have the new version's files scanned."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.scan_registered(Actor.system("worker"), int(message.payload["version"]))


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def run_recheck(message_id: int) -> None:
    """Execute again what the outbox row names and compare; sent twice, it has one result."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.run_recheck(message)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def start_on_registration(message_id: int) -> None:
    """registry.version.registered: start what the model's definitions want of a new version."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.start_on_registration(int(message.payload["version"]))


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def start_on_data(message_id: int) -> None:
    """checks.dataset.attached: start what the model's definitions want of these data."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.start_on_data(int(message.payload["version"]), int(message.payload["dataset"]))


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def start_due_definitions() -> None:
    """Start what schedules want now; each on its own, so running twice or two at once starts it once."""
    services.start_due()
