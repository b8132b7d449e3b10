"""What must hold before the site starts. `manage.py` commands and the web process refuse to run otherwise.

core.E001  PROMOTION_GATES is empty, or one of it, STANDING_RULE, DEPLOYMENT_RULE,
           RETIREMENT_BLOCKERS cannot be imported
core.E002  a system library is missing
core.E003  LEDGER_RECONCILERS or EVENT_TASKS name something that cannot be imported (`check --deploy`)
core.W001  the secret key is too short to keep anything secret
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from tools import system

SHORTEST_KEY = 50


def promotion_gates(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """E001: without gates, or with one that cannot run, everything would be promoted or nothing."""
    if not settings.PROMOTION_GATES:
        return [
            Error(
                "PROMOTION_GATES is empty: every promotion would pass.",
                hint="List at least one gate.",
                id="core.E001",
            )
        ]
    return [
        Error(
            f"PROMOTION_GATES, STANDING_RULE, DEPLOYMENT_RULE, CHECKS_DEMANDED, AFTER_REFUSAL or RETIREMENT_BLOCKERS names {path}, which cannot be used: "
            f"{reason}",
            id="core.E001",
        )
        for path, reason in _unusable(
            [
                *settings.PROMOTION_GATES,
                settings.STANDING_RULE,
                settings.DEPLOYMENT_RULE,
                settings.CHECKS_DEMANDED,
                settings.AFTER_REFUSAL,
                *settings.RETIREMENT_BLOCKERS,
            ]
        )
    ]


def system_libraries(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """E002: said now rather than when the first document is due."""
    absent = system.missing("site")
    return [Error(system.sentence(absent), id="core.E002")] if absent else []


def wiring(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """E003: a consumer that does not exist would be noticed only when its event happens."""
    tasks = {task for consumers in settings.EVENT_TASKS.values() for task in consumers}
    tasks |= {str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    named = {
        "LEDGER_RECONCILERS": settings.LEDGER_RECONCILERS,
        "EVENT_TASKS or CELERY_BEAT_SCHEDULE": sorted(tasks),
    }
    return [
        Error(f"{setting} names {path}, which cannot be used: {reason}", id="core.E003")
        for setting, paths in named.items()
        for path, reason in _unusable(paths)
    ]


def secret_key(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """W001: sessions, tokens and remembered passwords are as strong as the key."""
    if len(settings.SECRET_KEY) >= SHORTEST_KEY:
        return []
    return [
        Warning(
            f"SECRET_KEY has {len(settings.SECRET_KEY)} characters, fewer than {SHORTEST_KEY}.",
            id="core.W001",
        )
    ]


CHECKS = (promotion_gates, system_libraries, secret_key)


def refuse_unguarded() -> None:
    """For the web process, which runs no system checks of its own: raise on the first error."""
    for check in CHECKS:
        for message in check(None):
            if message.is_serious():
                raise ImproperlyConfigured(f"{message.id}: {message.msg}")


def _unusable(paths: Iterable[str]) -> Iterable[tuple[str, str]]:
    for path in paths:
        try:
            found = import_string(path)
        except ImportError as error:
            yield path, str(error)
        else:
            if not callable(found):
                yield path, "it is not callable"
