"""EMAIL_URL as Django's settings: where mails go, in one variable that may hold a password (so: EMAIL_URL_FILE)."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_BACKENDS = {
    "mailbox": "apps.notices.mailbox.Backend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
    "smtps": "django.core.mail.backends.smtp.EmailBackend",
}
_PORTS = {"smtp": 25, "smtps": 465}


def settings(url: str) -> dict[str, Any]:
    """`mailbox:`, `console:`, `smtp://user:password@host:587?tls=1` or `smtps://…` as settings; fails loudly."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refusal("it is no address") from None
    if parts.scheme not in _BACKENDS:
        raise _refusal(f"expected {', '.join(f'{name}:' for name in _BACKENDS)}")
    found: dict[str, Any] = {"EMAIL_BACKEND": _BACKENDS[parts.scheme]}
    return found | _server(parts, port) if parts.scheme in _PORTS else found


def _server(parts: SplitResult, port: int | None) -> dict[str, Any]:
    if not parts.hostname:
        raise _refusal("a server is needed: smtp://host:port")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = sorted(set(options) - {"tls"})
    if unknown or options.get("tls", "0") not in {"0", "1"}:
        raise _refusal("the only option is tls=1 (STARTTLS)")
    if parts.scheme == "smtps" and "tls" in options:
        raise _refusal("smtps is encrypted from the start; tls=1 belongs to smtp")
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or _PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": options.get("tls") == "1",
    }


def _refusal(why: str) -> ImproperlyConfigured:
    # The address itself is not shown: it may hold a password.
    return ImproperlyConfigured(f"EMAIL_URL: {why}")
