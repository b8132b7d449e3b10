"""What the settings find on this machine: the folder VAR, the secret key, the database that runs beside us."""

from __future__ import annotations

import os
import secrets
import urllib.parse
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import env


def folder(path: Path) -> Path:
    """The folder, made if absent; raises ImproperlyConfigured when it can be neither made nor written."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        msg = f"The folder {path} cannot be made ({error.strerror}): set VAR to one that can be written."
        raise ImproperlyConfigured(msg) from error
    if not os.access(path, os.W_OK | os.X_OK):
        msg = f"The folder {path} cannot be written: set VAR to one that can."
        raise ImproperlyConfigured(msg)
    return path


def secret_key(var: Path, *, may_generate: bool) -> str:
    """SECRET_KEY (or SECRET_KEY_FILE); with the embedded database one is made once and kept in VAR.

    Refuses: a site on its own DATABASE_URL without a key. Several replicas that each invented one would
    refuse each other's sessions, and a lost folder would silently sign everybody out.
    """
    given = env.text("SECRET_KEY", "")
    if given:
        return given
    if not may_generate:
        msg = "SECRET_KEY is not set (nor SECRET_KEY_FILE): a site with its own DATABASE_URL must set it."
        raise ImproperlyConfigured(msg)
    path = var / "secret-key"
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, content: str) -> None:
    """Create the file with mode 0600, whole; whoever comes second keeps the first one's content."""
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def running_database(var: Path, name: str) -> str:
    """The address the embedded database left in VAR/run/database, or an empty one when it never ran."""
    try:
        lines = (var / "run" / "database").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return dict(line.split("=", 1) for line in lines if "=" in line).get(name, "")


def database(url: str) -> dict[str, Any]:
    """postgresql://user:password@host:port/name, or ?host=/socket/folder, as Django wants it.

    Other parameters (sslmode, ...) go to libpq. Refuses every scheme but PostgreSQL's.
    """
    parts = urllib.parse.urlsplit(url or "postgresql:///countersign")
    if parts.scheme not in {"postgresql", "postgres"}:
        msg = f"DATABASE_URL begins with {parts.scheme!r}: expected postgresql://"
        raise ImproperlyConfigured(msg)
    query = dict(urllib.parse.parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": urllib.parse.unquote(parts.path.lstrip("/")) or "countersign",
        "USER": urllib.parse.unquote(parts.username or ""),
        "PASSWORD": urllib.parse.unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": {"connect_timeout": 5, **query},
    }
