"""What must hold before the site starts: consumers and reconcilers that exist, events that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import Error
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.module_loading import import_string

from apps.audits import events, keeping, notes, witnessing

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_ledger(**_options: Any) -> list[Error]:
    """E001: an event type without a template. E002: a consumer of an unknown type or that does not import.
    E003: a reconciler that does not import. E004: a setting about checkpoints that cannot be used."""
    return [*_unreadable(), *_consumers(), *_reconcilers(), *_checkpoints()]


def _unreadable() -> Iterator[Error]:
    for name in events.registered():
        try:
            get_template(f"audits/events/{name}.html")
        except TemplateDoesNotExist:
            yield Error(f"templates/audits/events/{name}.html does not exist", id="audits.E001")


def _consumers() -> Iterator[Error]:
    for name, tasks in settings.EVENT_TASKS.items():
        if name not in events.registered():
            yield Error(f"EVENT_TASKS names the unknown event type {name}", id="audits.E002")
        yield from (error for task in tasks if (error := _unimportable(task, "audits.E002")))


def _reconcilers() -> Iterator[Error]:
    for path in settings.LEDGER_RECONCILERS:
        if error := _unimportable(path, "audits.E003"):
            yield error


def _checkpoints() -> Iterator[Error]:
    for name in ("LEDGER_ORIGIN", "WITNESS_NAME"):
        value = getattr(settings, name)
        if not notes.NAME.fullmatch(value):
            yield Error(f"{name}={value!r} must have no spaces and no plus signs", id="audits.E004")
    for mistake in (*keeping.mistakes(), *witnessing.mistakes()):
        yield Error(mistake, id="audits.E004")


def _unimportable(path: str, code: str) -> Error | None:
    try:
        import_string(path)
    except ImportError as error:
        return Error(f"{path} does not import: {error}", id=code)
    return None
