"""The content-addressed store: nothing half-written is visible, nothing damaged is handed out."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from apps.core import blobs
from apps.core.errors import Invalid, NotFound, Tampered
from apps.core.models import Blob

CHUNK = blobs.CHUNK
DATA = bytes(range(256)) * (CHUNK // 256) * 2 + b"the rest"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings) -> Path:
    settings.BLOB_ROOT = tmp_path / "blobs"
    return settings.BLOB_ROOT


def files(store: Path) -> list[Path]:
    return [path for path in store.rglob("*") if path.is_file()]


def flip(digest: str, offset: int) -> None:
    path = blobs.path(digest)
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


def test_what_is_put_comes_back_and_is_named_by_its_sha256():
    blob = blobs.put(io.BytesIO(DATA))
    assert blob.digest == hashlib.sha256(DATA).hexdigest()
    assert blobs.size(blob.digest) == len(DATA)
    assert blobs.read_all(blob.digest) == DATA
    assert blobs.path(blob.digest).read_bytes() == DATA
    blobs.check(blob.digest)


def test_an_iterable_of_odd_pieces_gives_the_same_blob():
    pieces = [DATA[i : i + 70_001] for i in range(0, len(DATA), 70_001)]
    assert blobs.put(pieces).chunk_hashes == blobs.put_bytes(DATA).chunk_hashes


def test_no_bytes_are_bytes_too():
    blob = blobs.put_bytes(b"")
    assert blobs.size(blob.digest) == 0
    assert b"".join(blobs.read(blob.digest)) == b""
    blobs.check(blob.digest)


def test_putting_twice_leaves_one_row_and_one_file(store: Path):
    blobs.put_bytes(b"once")
    blobs.put_bytes(b"once")
    assert Blob.objects.count() == 1
    assert len(files(store)) == 1


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, 1), (5, 5), (CHUNK - 1, CHUNK + 1), (CHUNK, 2 * CHUNK),
        (2 * CHUNK + 3, None), (len(DATA), None), (0, len(DATA) + 99),
    ],
)  # fmt: skip
def test_a_range_is_cut_to_the_byte(start: int, end: int | None):
    digest = blobs.put_bytes(DATA).digest
    assert b"".join(blobs.read(digest, start, end)) == DATA[start:end]


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (len(DATA) + 1, None)])
def test_a_range_outside_is_refused_before_anything_is_read(start: int, end: int | None):
    digest = blobs.put_bytes(DATA).digest
    with pytest.raises(Invalid):
        blobs.read(digest, start, end)


def test_a_flipped_byte_stops_the_reading_before_its_chunk():
    digest = blobs.put_bytes(DATA).digest
    flip(digest, CHUNK + 17)
    sent: list[bytes] = []
    with pytest.raises(Tampered, match="chunk 1"):
        sent.extend(blobs.read(digest))
    assert sent == [DATA[:CHUNK]]
    with pytest.raises(Tampered):
        blobs.check(digest)
    with pytest.raises(Tampered):
        next(blobs.read(digest, CHUNK + 100, CHUNK + 101))


def test_a_range_before_the_damage_is_still_served():
    digest = blobs.put_bytes(DATA).digest
    flip(digest, CHUNK + 17)
    assert b"".join(blobs.read(digest, 0, 10)) == DATA[:10]


def test_a_shorter_or_absent_file_is_refused_at_once():
    digest = blobs.put_bytes(DATA).digest
    os.truncate(blobs.path(digest), len(DATA) - 1)
    with pytest.raises(Tampered, match=f"expected {len(DATA)}"):
        blobs.read(digest)
    blobs.path(digest).unlink()
    with pytest.raises(Tampered, match="gone"):
        blobs.check(digest)


def test_a_row_with_other_chunk_hashes_is_noticed():
    blob = blobs.put_bytes(DATA)
    Blob.objects.filter(pk=blob.digest).update(chunk_hashes=bytes(len(blob.chunk_hashes)))
    with pytest.raises(Tampered, match="chunk hashes"):
        blobs.check(blob.digest)


def test_putting_the_bytes_again_mends_a_damaged_file():
    digest = blobs.put_bytes(DATA).digest
    flip(digest, 3)
    blobs.put_bytes(DATA)
    blobs.check(digest)


@pytest.mark.parametrize("digest", ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63 + "/"])
def test_what_is_not_stored_is_not_found(digest: str):
    for act in (blobs.read, blobs.check, blobs.size, blobs.read_all):
        with pytest.raises(NotFound):
            act(digest)


@pytest.mark.parametrize("limits", [{"max_size": 10}, {"expected_size": 10}, {"expected_size": 12}])
def test_a_wrong_size_is_refused_and_leaves_nothing(limits: dict[str, int], store: Path):
    with pytest.raises(Invalid):
        blobs.put(io.BytesIO(b"eleven byte"), **limits)
    assert not files(store)
    assert not Blob.objects.exists()


def test_a_stream_that_breaks_off_leaves_nothing(store: Path):
    def broken() -> Iterator[bytes]:
        yield DATA
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        blobs.put(broken())
    assert not files(store)
    assert not Blob.objects.exists()


_HANGING_UPLOAD = """
import sys, time, django
django.setup()
from apps.core import blobs
def stream():
    yield b"x" * (3 * blobs.CHUNK)
    print("half", flush=True)
    time.sleep(60)
blobs.put(stream())
"""


def test_an_upload_killed_in_the_middle_is_invisible_and_later_swept_away(store: Path):
    environ = os.environ | {"BLOB_ROOT": str(store), "DJANGO_SETTINGS_MODULE": "config.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", _HANGING_UPLOAD], env=environ, stdout=subprocess.PIPE,
        cwd=settings.BASE_DIR,
    ) as upload:  # fmt: skip
        assert upload.stdout is not None
        assert upload.stdout.readline() == b"half\n"
        upload.send_signal(signal.SIGKILL)
    (left,) = files(store)
    assert left.parent.name == "tmp"
    assert not Blob.objects.exists()
    assert blobs.clear_unfinished() == 0  # it could still be one that is running
    os.utime(left, (time.time() - 90_000,) * 2)
    assert blobs.clear_unfinished() == 1
    assert not files(store)
