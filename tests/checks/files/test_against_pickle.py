"""The reader against Python's own unpickler: whatever that would import is reported, or the file is not verified.

The unpickler here imports nothing: it hands out a thing that takes every call.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import resource
import struct
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.checks.files.machine import Machine
from apps.checks.files.names import aliases, level_of
from apps.checks.files.values import is_name
from tests.checks.files import samples
from tests.checks.files.support import judged, scanned

TRIES = settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))


class Anything:
    """Takes every call that a pickle can make."""

    def __init__(self, *args: object, **named: object) -> None:
        self.args = args

    def __setstate__(self, state: object) -> None: ...
    def __setitem__(self, key: object, value: object) -> None: ...
    def append(self, item: object) -> None: ...
    def extend(self, items: object) -> None: ...
    def add(self, item: object) -> None: ...


class Recording(pickle.Unpickler):
    """Remembers what it was asked to import."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, buffers=[])
        self.asked: list[tuple[str, str]] = []

    def find_class(self, module: str, name: str) -> type[Anything]:
        self.asked.append((module, name))
        return Anything

    def persistent_load(self, pid: object) -> Anything:
        return Anything(pid)


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """A gigabyte more than now: the unpickler makes a table as long as the largest number of the memo, so six bytes would take
    the memory of the machine. Then it raises MemoryError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def imported(data: bytes) -> set[tuple[str, str]]:
    reader = Recording(io.BytesIO(data))
    with contextlib.suppress(Exception), little_memory():
        reader.load()
    return set(reader.asked)


def unseen(data: bytes) -> set[tuple[str, str]]:
    """What the unpickler would import and the scan says nothing of, where the scan calls the file verified."""
    account = Machine(io.BytesIO(data)).run()
    if not account.ended or any(entry.hidden for entry in account.imports.values()):
        return set()
    known = {alias for name in account.imports for alias in aliases(*name)}
    return imported(data) - known


WORDS = st.sampled_from([b"os", b"system", b"builtins", b"eval", b"a", b"collections", b"OrderedDict", b"x.y"])  # fmt: skip
SMALL = st.integers(0, 3)
OPS = st.one_of(
    st.sampled_from([bytes([code]) for code in b"()]}tlds0e2ab1uRoN\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x81I.QG"]),
    st.sampled_from([b"(", b")", b"\x93", b"R", b"\x85", b"\x94", b"0", b"2"]),
    WORDS.map(samples.text),
    WORDS.map(lambda w: b"X" + struct.pack("<I", len(w)) + w),
    WORDS.map(lambda w: b"U" + bytes([len(w)]) + w),
    WORDS.map(lambda w: b"V" + w + b"\n"),
    WORDS.map(lambda w: b"S'" + w + b"'\n"),
    st.tuples(WORDS, WORDS).map(lambda p: b"c" + p[0] + b"\n" + p[1] + b"\n"),
    st.tuples(WORDS, WORDS).map(lambda p: b"i" + p[0] + b"\n" + p[1] + b"\n"),
    SMALL.map(lambda n: b"h" + bytes([n])),
    SMALL.map(lambda n: b"q" + bytes([n])),
    SMALL.map(lambda n: b"j" + struct.pack("<I", n)),
    SMALL.map(lambda n: b"r" + struct.pack("<I", n)),
    SMALL.map(lambda n: b"p%d\n" % n),
    SMALL.map(lambda n: b"g%d\n" % n),
    SMALL.map(lambda n: b"K" + bytes([n])),
    SMALL.map(lambda n: b"I%d\n" % n),
    SMALL.map(lambda n: b"\x80" + bytes([n + 2])),
    st.binary(max_size=5).map(lambda b: b"C" + bytes([len(b)]) + b),
    st.binary(max_size=5).map(lambda b: b"B" + struct.pack("<I", len(b)) + b),
    st.integers(0, 40).map(lambda n: b"\x95" + struct.pack("<Q", n)),
)  # fmt: skip


@TRIES
@given(st.lists(OPS, max_size=30).map(b"".join))
@example(samples.memo_global())
@example(samples.computed_name())
@example(b"Nr\xff\xff\xff\x7f")
def test_programs_of_random_opcodes(data: bytes) -> None:
    program = data + b"."
    assert not unseen(program)
    if any(is_name(*name) and level_of(*name) == "dangerous" for name in imported(program)):
        assert judged(scanned(program)).verdict != "PASS"


@TRIES
@given(st.binary(max_size=80))
def test_random_bytes(data: bytes) -> None:
    assert not unseen(data)
    scanned(data)


POOL = [make() for name, make in samples.HARMFUL.items() if len(name) < 40 and "ratio" not in name and "2 MB" not in name]  # fmt: skip
POOL += [make() for name, make in samples.HARMLESS.items() if "large" not in name]


@settings(TRIES, max_examples=600)
@given(
    st.sampled_from(POOL),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 8000),
)
def test_damaged_files(data: bytes, edits: list[tuple[int, int]], keep: int) -> None:
    """Nothing that is in a file makes the scan break off; what it still imports is seen."""
    changed = bytearray(data)
    for at, byte in edits:
        changed[at % len(changed) if changed else 0 : at % len(changed) + 1 if changed else 1] = (
            bytes([byte])
        )
    made = bytes(changed[: keep % (len(changed) + 1)] if keep % 3 == 0 else changed)
    assert not unseen(made)
    scan = scanned(made)
    judged(scan)
    if any(is_name(*name) and level_of(*name) == "dangerous" for name in imported(made)):
        assert judged(scan).verdict != "PASS"


@settings(TRIES, max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4) | st.tuples(inner, inner),
        max_leaves=30,
    ),
    st.integers(0, 5),
)  # fmt: skip
def test_plain_values_pass_in_every_protocol(value: object, protocol: int) -> None:
    scan = scanned(pickle.dumps(value, protocol))
    assert judged(scan).verdict == "PASS", judged(scan).sentence


def test_every_cut_of_a_harmful_pickle_that_still_imports_does_not_pass() -> None:
    for protocol in range(6):
        data = samples.SYSTEM.stream(protocol)
        for end in range(len(data)):
            if imported(data[:end]):
                assert judged(scanned(data[:end])).verdict != "PASS", (protocol, end)
