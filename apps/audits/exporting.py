"""The ledger as a file that `tools/verify_ledger.py` accepts: JSON Lines, described in docs/events.md.

Streams in flat memory and holds no lock: events never change, so the size read at the start fixes
what is written. Nothing is checked on the way: a damaged ledger gives a file that does not verify.
Personal data is not in it (commitments only).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.audits.models import Event, Head
from apps.audits.writing import stamp
from apps.core import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPORT_FORMAT = "countersign-ledger-export"
_CHUNK = 2000


def export_lines() -> Iterator[bytes]:
    """The export, line by line: a header, one line per event, an end."""
    head = Head.objects.get()
    yield _line(
        {
            "format": EXPORT_FORMAT,
            "version": 1,
            "origin": settings.BASE_URL,
            "written_at": stamp(clock.now()),
            "size": head.size,
            "root": bytes(head.root).hex(),
        }
    )
    after = 0
    rows = Event.objects.filter(seq__lte=head.size).order_by("seq")
    while chunk := list(rows.filter(seq__gt=after).values_list("seq", "body", "root")[:_CHUNK]):
        for seq, body, root in chunk:
            encoded = base64.b64encode(bytes(body)).decode("ascii")
            yield _line({"seq": seq, "body": encoded, "root": bytes(root).hex()})
        after = chunk[-1][0]
    yield _line({"end": head.size})


def export_to(path: Path) -> int:
    """Write the export to `path`, which appears whole or not at all; the number of lines."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    written = 0
    try:
        with os.fdopen(handle, "wb") as stream:
            for line in export_lines():
                stream.write(line)
                written += 1
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    return written


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"
