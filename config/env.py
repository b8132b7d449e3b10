"""Typed readers of the environment that fail loudly. A secret may come from NAME or from the file NAME_FILE."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """The variable NAME, or the content of the file NAME_FILE; raises ImproperlyConfigured if neither is set."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{name}_FILE={path!r} cannot be read: {error}"
            raise ImproperlyConfigured(msg) from error
    value = os.environ.get(name, default)
    if value is None:
        msg = f"{name} is not set (nor {name}_FILE)"
        raise ImproperlyConfigured(msg)
    return value


def flag(name: str, *, default: bool) -> bool:
    """A yes/no variable: 1, true, yes, on or 0, false, no, off."""
    value = os.environ.get(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    msg = f"{name}={value!r}: expected one of 1, true, yes, on, 0, false, no, off"
    raise ImproperlyConfigured(msg)


def integer(name: str, default: int) -> int:
    """A whole number."""
    value = os.environ.get(name, str(default))
    try:
        return int(value)
    except ValueError as error:
        msg = f"{name}={value!r}: expected a whole number"
        raise ImproperlyConfigured(msg) from error


def items(name: str, default: str = "") -> list[str]:
    """A comma-separated list without empty entries."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """A comma-separated list of networks such as 10.1.0.0/16."""
    try:
        return [ipaddress.ip_network(text) for text in items(name)]
    except ValueError as error:
        msg = f"{name}: {error}; expected networks such as 10.1.0.0/16"
        raise ImproperlyConfigured(msg) from error


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One word out of a closed list."""
    value = os.environ.get(name, default)
    if value not in allowed:
        msg = f"{name}={value!r}: expected one of {', '.join(allowed)}"
        raise ImproperlyConfigured(msg)
    return value


def together(**names: str) -> dict[str, str]:
    """Variables that only make sense all at once: {key: value} of all, or {} when none is set."""
    values = {key: text(name, "") for key, name in names.items()}
    if any(values.values()) and not all(values.values()):
        missing = [names[key] for key, value in values.items() if not value]
        msg = f"{', '.join(missing)}: not set, although {', '.join(sorted(set(names.values()) - set(missing)))} is"
        raise ImproperlyConfigured(msg)
    return values if all(values.values()) else {}
