"""Where a webhook may go. The one place that decides it, asked again for every attempt.

A name is resolved once, here; every address it has must be allowed, and the connection is made to one of these
addresses. So a name that changes its mind between question and connection (DNS rebinding) gains nothing.

Refused: anything that is not a public unicast address (private, loopback, link-local, multicast, reserved, shared), and every
IPv6 form that carries an IPv4 address (mapped, NAT64, 6to4, Teredo), whatever address it carries. The networks
of WEBHOOK_ALLOWED_NETWORKS are allowed all the same.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.errors import Blocked, Invalid

Resolver = Callable[[str, int], list[str]]

LONGEST_URL: Final = 500
_RESOLVE_SECONDS: Final = 5.0
_GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # Teredo and other protocol assignments
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)


@dataclass(frozen=True, slots=True)
class Destination:
    """An address of the web, taken apart."""

    secure: bool
    host: str
    port: int
    path: str


def parse(url: str) -> Destination:
    """Take `url` apart. Refuses (Invalid): anything but https (http where WEBHOOK_ALLOW_HTTP), user names and
    passwords in it, fragments, control characters and blanks, names that are not ASCII, and addresses that are
    forbidden as they are spelled."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise _invalid(
            f"plain characters without blanks, at most {LONGEST_URL}; other letters as xn--…"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("this is no address") from None
    if parts.scheme not in _schemes():
        raise _invalid(f"expected {' or '.join(f'{name}://' for name in _schemes())}")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _invalid("without user name, password and #")
    if not parts.hostname or port == 0:
        raise _invalid("it names no host")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    found = Destination(secure, parts.hostname, port or (443 if secure else 80), path)
    for address in _numeric(found.host):
        if not is_allowed(address):
            raise _invalid(f"{address} is not a public address")
    return found


def checked(destination: Destination, resolve: Resolver) -> list[str]:
    """The addresses to connect to. Refuses (Blocked) when one of them is forbidden; raises OSError when there is none."""
    found = resolve(destination.host, destination.port)
    if not found:
        raise OSError(f"{destination.host} has no address")
    for address in found:
        if not is_allowed(address):
            raise Blocked(
                f"{destination.host} resolves to {address}, which is not a public address.",
                hint="WEBHOOK_ALLOWED_NETWORKS can open a private network.",
            )
    return found


def is_allowed(text: str) -> bool:
    """Whether a connection to this address may be made."""
    address = ipaddress.ip_address(text)
    if any(address in network for network in settings.WEBHOOK_ALLOWED_NETWORKS):
        return True
    if any(address in network for network in _NOT_PUBLIC):
        return False
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def system(host: str, port: int) -> list[str]:
    """Every address of the host: from WEBHOOK_HOSTS_FILE if it is named there, else from the system, in at most 5 s."""
    return _from_hosts_file(host) or _from_system(host, port)


def _from_hosts_file(host: str) -> list[str]:
    file = settings.WEBHOOK_HOSTS_FILE
    if not file:
        return []
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    entries = [line.partition("#")[0].split() for line in lines]
    wanted = host.lower().rstrip(".")
    return [names[0] for names in entries if wanted in (name.lower() for name in names[1:])]


def _from_system(host: str, port: int) -> list[str]:
    # The system's resolver has no deadline of its own; a thread that is late is left behind.
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_addresses(host, port, 0))
        except (OSError, UnicodeError) as error:
            answers.put(OSError(f"{host} cannot be resolved: {error}"))

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=_RESOLVE_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"{host} was not resolved within {_RESOLVE_SECONDS:.0f} s") from None
    if isinstance(found, OSError):
        raise found
    return found


def _addresses(host: str, port: int, flags: int) -> list[str]:
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=flags
    )
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _numeric(host: str) -> list[str]:
    """The address that `host` spells itself (127.1, 0x7f000001, ::1), without asking anybody; [] for a name."""
    try:
        return _addresses(host, 0, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []


def _schemes() -> tuple[str, ...]:
    return ("https", "http") if settings.WEBHOOK_ALLOW_HTTP else ("https",)


def _invalid(problem: str) -> Invalid:
    return Invalid("This address cannot be used.", fields={"url": problem})
