"""What beat asks the worker to do for the platform itself."""

from __future__ import annotations

from celery import shared_task

from apps.core import pictures


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def forget_old_pictures() -> None:
    """Delete charts that were drawn long ago; whoever looks draws them again."""
    pictures.forget_old()
