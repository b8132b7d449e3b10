"""A real S3 server, moto's, in a process of its own on loopback. Run by the Python of .venv-idp, not imported by the site."""

from __future__ import annotations

import http.client
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pyarrow.fs import S3FileSystem

from tests.support.site import eventually, free_port

ROOT: Final = Path(__file__).resolve().parents[2]
COMMAND: Final = ROOT / ".venv-idp" / "bin" / "moto_server"
KEYS: Final = {"AWS_ACCESS_KEY_ID": "site", "AWS_SECRET_ACCESS_KEY": "site-secret"}


def store(endpoint: str) -> S3FileSystem:
    """The server as somebody else uses it, who may make buckets."""
    return S3FileSystem(
        access_key="owner",
        secret_key="owner-secret",
        region="us-east-1",
        endpoint_override=endpoint.removeprefix("http://"),
        scheme="http",
        allow_bucket_creation=True,
    )


@contextmanager
def serving(log: Path) -> Iterator[str]:
    """The server's address; it ends with the block."""
    port = free_port()
    command = [str(COMMAND), "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={"PATH": os.environ["PATH"]}
        )
    try:
        eventually(lambda: _answers(port), seconds=60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def knowing_nobody(endpoint: str) -> Iterator[None]:
    """Within, the server asks who calls, and knows none of the keys: it answers 403."""
    _ask_who_calls(endpoint, after="0")
    try:
        yield
    finally:
        _ask_who_calls(endpoint, after="inf")


def _ask_who_calls(endpoint: str, *, after: str) -> None:
    link = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=5)
    link.request("POST", "/moto-api/reset-auth", after)
    assert link.getresponse().status == 200


def _answers(port: int) -> bool:
    with suppress(OSError):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        link.request("GET", "/moto-api/")
        return link.getresponse().status < 500
    return False
