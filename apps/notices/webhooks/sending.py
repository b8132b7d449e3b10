"""One POST to one address that was checked. No redirects, no proxy, no second look-up, one deadline for all of it."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from apps.core.errors import DomainError
from apps.notices.webhooks import addresses
from apps.notices.webhooks.addresses import Destination, Resolver

KEPT_CHARACTERS: Final = 500
_READ_BYTES: Final = 4 * KEPT_CHARACTERS


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status and the beginning of the text, or why nothing did."""

    status: int | None
    text: str
    error: str
    duration_ms: int

    @property
    def delivered(self) -> bool:
        """Any 2xx. A redirect is not followed and is no delivery."""
        return self.status is not None and 200 <= self.status < 300


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, resolve: Resolver = addresses.system
) -> Answer:
    """Send, and say what happened; whatever the other side does is an answer, never an exception."""
    began = time.monotonic()
    status, text, error = None, "", ""
    try:
        destination = addresses.parse(url)
        allowed = addresses.checked(destination, resolve)
        status, text = _exchange(destination, allowed, body, headers, began)
    except DomainError as refusal:
        error = str(refusal)
    except (OSError, http.client.HTTPException, ValueError) as failure:
        late = time.monotonic() - began >= settings.WEBHOOK_TIMEOUT_SECONDS
        error = _too_late() if late else f"{type(failure).__name__}: {failure}"
    if status is not None and 300 <= status < 400:
        error = "Redirects are not followed."
    took = round((time.monotonic() - began) * 1000)
    return Answer(status, text, clean(error), took)


def clean(text: str) -> str:
    """The beginning of a text from elsewhere, fit for the database and a page."""
    plain = "".join(
        each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for each in text
    )
    return plain[:KEPT_CHARACTERS]


class _Pinned(http.client.HTTPConnection):
    """A connection to an address, in the name of a host. http.client knows neither proxies nor redirects."""

    def __init__(self, destination: Destination, address: str, timeout: float) -> None:
        super().__init__(destination.host, destination.port, timeout=timeout)
        self.default_port = 443 if destination.secure else 80
        self._secure, self._address = destination.secure, address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._secure:
            context = ssl.create_default_context(cafile=settings.WEBHOOK_CA_FILE or None)
            self.sock = context.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )

    def shake_hands(self) -> None:
        """The TLS handshake, apart from `connect` so that the deadline can already end it."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()


def _exchange(
    destination: Destination,
    allowed: list[str],
    body: bytes,
    headers: Mapping[str, str],
    began: float,
) -> tuple[int, str]:
    connection = _connect(destination, allowed, began)
    # A timeout of the socket is per read: whoever sends a byte now and then would hold the worker for ever.
    expired = threading.Event()
    guard = threading.Timer(_left(began), _end, [connection.sock, expired])
    guard.daemon = True
    guard.start()
    try:
        connection.shake_hands()
        connection.request("POST", destination.path, body, dict(headers))
        response = connection.getresponse()
        text = response.read(_READ_BYTES).decode(errors="replace")
    finally:
        guard.cancel()
        connection.close()
    if expired.is_set():  # http.client takes the end of a cut stream for the end of the headers
        raise TimeoutError(_too_late())
    return response.status, clean(text)


def _connect(destination: Destination, allowed: list[str], began: float) -> _Pinned:
    problem: OSError = OSError("no address")
    for address in allowed:
        connection = _Pinned(destination, address, _left(began))
        try:
            connection.connect()
        except OSError as error:
            problem = error
        else:
            return connection
    raise problem


def _left(began: float) -> float:
    left = settings.WEBHOOK_TIMEOUT_SECONDS - (time.monotonic() - began)
    if left <= 0:
        raise TimeoutError(_too_late())
    return float(left)


def _end(sock: socket.socket, expired: threading.Event) -> None:
    expired.set()
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended already
        return


def _too_late() -> str:
    return f"No answer within {settings.WEBHOOK_TIMEOUT_SECONDS} s."
