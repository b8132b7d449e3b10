"""Whatever stands where the site should be, the command line never takes it for an allowance."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.clients.conftest import Run

GATE = ("gate", "check", "--model", "credit", "--version", "3", "--target", "stage:production")
ALLOW = {
    "decision": "allow",
    "reasons": [],
    "tree": [],
    "model": "credit",
    "version": 3,
    "target": "stage:production",
    "digest": f"sha256:{'a' * 64}",
    "policy": None,
    "evaluated_at": "2026-11-23T12:00:00Z",
}
JSON = {"Content-Type": "application/json"}


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers everything the same way, and remembers who sent a credential."""

    status = 200
    headers_said: dict[str, str] = {}
    body = b""
    pause = 0.0
    seen: list[str] = []

    def do_POST(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        for name, value in self.headers_said.items():
            self.send_header(name, value)
        self.end_headers()
        for byte in self.body if self.pause else [self.body]:
            self.wfile.write(bytes([byte]) if isinstance(byte, int) else byte)
            time.sleep(self.pause)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def answering(
    status: int, headers: dict[str, str], body: bytes, pause: float = 0
) -> Iterator[tuple[str, list[str]]]:
    kind = type(
        "Answer",
        (Stranger,),
        {"status": status, "headers_said": headers, "body": body, "pause": pause, "seen": []},
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kind.seen  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


def changed(**values: object) -> bytes:
    return json.dumps({**ALLOW, **values}).encode()


def test_the_answer_that_the_others_are_bent_from_is_an_allowance(run: Run) -> None:
    with answering(200, JSON, changed()) as (url, seen):
        assert run(*GATE, url=url, token="cs_x").code == 0
        assert seen == ["Bearer cs_x"]


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (500, JSON, changed()),
        (503, {"Content-Type": "text/html"}, b"<h1>allow</h1>"),
        (200, {"Content-Type": "text/html"}, changed()),
        (200, {}, changed()),
        (200, JSON, b""),
        (200, JSON, b"{"),
        (200, JSON, b'["allow"]'),
        (200, JSON, b'"allow"'),
        (200, JSON, b"[" * 200_000),
        (200, JSON, changed(decision="Allow")),
        (200, JSON, changed(decision=True)),
        (200, JSON, changed(decision=["allow"])),
        (200, JSON, b'{"decision": "allow"}'),
        (200, JSON, changed(reasons=["but"])),
        (200, JSON, changed(model="other")),
        (200, JSON, changed(version=4)),
        (200, JSON, changed(version="3")),
        (200, JSON, changed(version=None)),
        (200, JSON, changed(target="stage:staging")),
        (200, JSON, changed(tree=7)),
        (201, JSON, changed()),
        (401, JSON, changed()),
        (200, {**JSON, "Content-Length": "100000"}, changed()),
    ],
)
def test_what_is_not_a_whole_allowance_about_this_is_3(
    run: Run, status: int, headers: dict[str, str], body: bytes
) -> None:
    with answering(status, headers, body) as (url, _):
        assert run(*GATE, url=url, token="cs_x").code == 3
        as_json = run(*GATE, "--json", url=url, token="cs_x").code
        assert as_json != 0 or b'"tree": 7' in body  # --json prints the tree and does not read it


def test_other_files_than_asked_for_are_3(run: Run) -> None:
    with answering(200, JSON, changed()) as (url, _):
        asked = (*GATE, "--digest", f"sha256:{'b' * 64}")
        assert run(*asked, url=url, token="cs_x").code == 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_does_not_follow_a_redirect(run: Run, status: int) -> None:
    with answering(200, JSON, changed()) as (elsewhere, seen):
        there = {"Location": f"{elsewhere}/api/v1/gate/check", **JSON}
        with answering(status, there, changed()) as (url, _):
            assert run(*GATE, url=url, token="cs_x").code == 3
        assert seen == []


def test_an_answer_that_drips_is_given_up(run: Run) -> None:
    with answering(200, JSON, changed(), pause=0.1) as (url, _):
        started = time.monotonic()
        assert run(*GATE, "--timeout", "1", url=url, token="cs_x").code == 3
        assert time.monotonic() - started < 15


def test_nobody_there_is_3(run: Run) -> None:
    assert run(*GATE, url="http://127.0.0.1:1", token="cs_x").code == 3
    assert run(*GATE, url="https://127.0.0.1:1", token="cs_x").code == 3
    assert run(*GATE, url="https://name.invalid", token="cs_x").code == 3


def test_the_token_does_not_travel_unencrypted(run: Run) -> None:
    said = run(*GATE, url="http://name.invalid", token="cs_x")
    assert (said.code, "unencrypted" in said.err) == (2, True)
    assert run(*GATE, "--allow-http", url="http://name.invalid", token="cs_x").code == 3


@pytest.mark.parametrize("url", ["", "ftp://x", "countersign", "http://", "http://localhost:x"])
def test_what_is_no_address_is_wrong_usage(run: Run, url: str) -> None:
    assert run(*GATE, url=url, token="cs_x").code == 2
