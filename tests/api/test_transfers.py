"""Files through the real server: with a length, in chunks, broken off, in part, damaged."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.accounts.models import User
from apps.audits.selectors import attempts
from apps.core import blobs
from apps.core.models import Blob
from apps.experiments import selectors, services
from apps.experiments.models import Artifact, Run
from tests.api.server import PROXY, Server
from tests.experiments import makers
from tests.support.people import as_actor
from tests.support.site import eventually

MIB = 1024 * 1024


@pytest.fixture
def run(server: Server, ana: User) -> Run:
    return makers.run(as_actor(ana), makers.experiment(as_actor(ana)))


def address(run: Run, path: str) -> str:
    return f"{PROXY}/{run.experiment_id}/{run.run_id}/artifacts/{path}"


def pieces(data: bytes, size: int = 70_000) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 17])
def test_what_went_up_comes_down(server: Server, token: str, run: Run, size: int) -> None:
    data = os.urandom(size)
    sent = server.call("PUT", address(run, "f.bin"), data, token=token)
    assert (sent.status, sent.body) == (200, b"")
    found = server.call("GET", address(run, "f.bin"), token=token)
    assert found.status == 200
    assert found.body == data
    assert found.headers["content-length"] == str(size)
    assert found.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert Artifact.objects.get().blob.size == size


@pytest.mark.parametrize("size", [0, 1, 3 * MIB])
def test_a_stream_without_a_length_is_asked_for_one(
    server: Server, token: str, run: Run, size: int
) -> None:
    server.call("PUT", address(run, "f.bin"), b"before", token=token)
    answer = server.call("PUT", address(run, "f.bin"), pieces(b"x" * size), token=token)
    assert (answer.status, answer.code) == (411, "INVALID_PARAMETER_VALUE")
    assert server.call("GET", address(run, "f.bin"), token=token).body == b"before"


def test_the_clients_empty_file_is_taken_and_nothing_more(
    server: Server, token: str, run: Run
) -> None:
    agent = {"User-Agent": "mlflow-python-client/3.17.2"}
    for data, status in ((b"", 200), (b"x", 411)):
        answer = server.call(
            "PUT", address(run, f"{status}.bin"), pieces(data), token=token, headers=agent
        )
        assert answer.status == status
    assert [(row.path, row.blob.size) for row in Artifact.objects.all()] == [("200.bin", 0)]


def _half_sent(server: Server, head: str, body: bytes) -> None:
    """Send a request that stops in the middle of its body."""
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        link.sendall(head.encode() + body)
        link.shutdown(socket.SHUT_WR)
        link.settimeout(10)
        try:
            while link.recv(65536):
                pass
        except OSError:
            pass


@pytest.mark.parametrize("kind", ["length", "chunks"])
def test_an_upload_that_breaks_off_is_not_a_file(
    server: Server, token: str, run: Run, kind: str
) -> None:
    server.call("PUT", address(run, "f.bin"), b"before", token=token)
    announced = "Content-Length: 3000000" if kind == "length" else "Transfer-Encoding: chunked"
    part = b"x" * MIB
    body = part if kind == "length" else b"%x\r\n%s\r\n" % (len(part), part)
    _half_sent(
        server,
        f"PUT {address(run, 'f.bin')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"{announced}\r\n\r\n",
        body,
    )
    time.sleep(0.5)
    assert server.call("GET", address(run, "f.bin"), token=token).body == b"before"
    assert server.call("GET", address(run, "other.bin"), token=token).status == 404
    eventually(lambda: not list((Path(blobs.path("0" * 64)).parents[2] / "tmp").iterdir()))


def test_a_part_of_a_file_is_sent_when_asked_for(server: Server, token: str, run: Run) -> None:
    data = os.urandom(3 * MIB)
    server.call("PUT", address(run, "f.bin"), data, token=token)
    for header, start, end in (
        ("bytes=0-9", 0, 10),
        ("bytes=1048570-1048590", 1048570, 1048591),
        ("bytes=3145720-", 3145720, 3145728),
        ("bytes=5-99999999", 5, 3145728),
    ):
        part = server.call("GET", address(run, "f.bin"), token=token, headers={"Range": header})
        assert part.status == 206
        assert part.body == data[start:end]
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(data)}"
    for header in ("bytes=9-1", "lines=1-2", "bytes=-5", "bytes=0-1,5-6", "bytes=99999999-"):
        whole = server.call("GET", address(run, "f.bin"), token=token, headers={"Range": header})
        assert (whole.status, len(whole.body)) == (200, len(data))


def test_a_page_that_somebody_logged_is_not_shown_as_a_page(
    server: Server, token: str, run: Run
) -> None:
    for name in ("x.html", "x.svg", "x.js", "MLmodel", "notes.md"):
        server.call("PUT", address(run, name), b"<script>alert(1)</script>", token=token)
        found = server.call("GET", address(run, name), token=token)
        assert found.headers["content-type"].startswith("text/plain")
        assert found.headers["content-disposition"].startswith("attachment")
        assert found.headers["x-content-type-options"] == "nosniff"


def _damage(digest: str, offset: int) -> None:
    place = blobs.path(digest)
    place.chmod(0o600)
    with place.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


def test_a_damaged_file_is_refused_and_recorded(server: Server, token: str, run: Run) -> None:
    server.call("PUT", address(run, "f.bin"), b"some bytes", token=token)
    _damage(Artifact.objects.get().blob_id, 3)
    answer = server.call("GET", address(run, "f.bin"), token=token)
    assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
    (noted,) = [a for a in attempts() if a.outcome == "failed"]
    assert noted.subject == f"run:{run.run_id}"
    server.call("PUT", address(run, "f.bin"), b"some bytes", token=token)
    assert server.call("GET", address(run, "f.bin"), token=token).body == b"some bytes"


def test_a_file_damaged_further_on_ends_before_the_damage(
    server: Server, token: str, run: Run
) -> None:
    data = os.urandom(4 * MIB)
    server.call("PUT", address(run, "f.bin"), data, token=token)
    _damage(Artifact.objects.get().blob_id, 2 * MIB + 5)
    received = b""
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        link.settimeout(20)
        link.sendall(
            f"GET {address(run, 'f.bin')} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
        )
        try:
            while piece := link.recv(65536):
                received += piece
        except OSError:
            pass
    body = received.partition(b"\r\n\r\n")[2]
    assert len(body) <= 2 * MIB
    assert data.startswith(body)
    eventually(lambda: [a for a in attempts() if a.outcome == "failed"])


def test_a_seal_that_comes_during_an_upload_wins(
    server: Server, token: str, run: Run, ana: User
) -> None:
    ended = makers.ended(as_actor(ana), run)
    started = threading.Event()
    answers = []

    def slowly() -> Iterator[bytes]:
        yield b"first"
        started.set()
        time.sleep(1.5)
        yield b"second"

    def upload() -> None:
        length = {"Content-Length": "11"}
        path = address(run, "late.bin")
        answers.append(server.call("PUT", path, slowly(), token=token, headers=length))

    thread = threading.Thread(target=upload)
    thread.start()
    started.wait(10)
    services.seal_run(as_actor(ana), ended, review_id=5)
    thread.join()
    assert (answers[0].status, answers[0].code) == (403, "PERMISSION_DENIED")
    assert "/reviews/5/" in answers[0].json["message"]
    assert not Artifact.objects.exists()
    assert selectors.get_run(run.run_id).sealed_by == 5


def test_uploads_at_once_to_one_path_leave_one_whole_file(
    server: Server, token: str, run: Run
) -> None:
    contents = [bytes([number]) * (MIB + number) for number in range(6)]
    statuses = []

    def upload(data: bytes) -> None:
        statuses.append(server.call("PUT", address(run, "f.bin"), data, token=token).status)

    threads = [threading.Thread(target=upload, args=(data,)) for data in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6
    assert server.call("GET", address(run, "f.bin"), token=token).body in contents
    assert Artifact.objects.count() == 1
    assert Blob.objects.count() == 6


def test_a_refused_upload_is_refused_before_its_bytes_are_stored(server: Server, run: Run) -> None:
    answer = server.call("PUT", address(run, "f.bin"), b"x" * MIB, token="cs_nobody")
    assert (answer.status, answer.code) == (401, "UNAUTHENTICATED")
    assert not Blob.objects.exists()


def test_a_refusal_reaches_a_client_that_is_still_sending(
    server: Server, token: str, run: Run, ana: User
) -> None:
    services.seal_run(as_actor(ana), makers.ended(as_actor(ana), run), review_id=5)
    answer = server.call("PUT", address(run, "late.bin"), b"x" * (24 * MIB), token=token)
    assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
    answer = server.call("PUT", address(run, "late.bin"), b"x" * (24 * MIB), token="cs_nobody")
    assert answer.status == 401
    assert not Blob.objects.exists()


def test_every_request_on_a_kept_connection_is_answered(
    server: Server, token: str, run: Run
) -> None:
    import http.client

    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {"Authorization": f"Bearer {token}"}
    for number in range(5):
        link.request("PUT", address(run, f"{number}.txt"), f"{number}".encode(), headers)
        assert link.getresponse().read() == b""
        link.request("GET", address(run, f"{number}.txt"), headers=headers)
        assert link.getresponse().read() == f"{number}".encode()
    link.close()
