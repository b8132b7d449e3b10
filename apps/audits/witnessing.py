"""Being the witness of other logs (C2SP tlog-witness): we cosign what they show us, if it continues what they showed before.

What is cosigned is kept in a table of its own and is no event: two sites that witness each other would otherwise make each
other's ledgers grow for ever (ADR 0032). The last size per log is a row that only moves forward.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction

from apps.audits import keys, notes, tree
from apps.audits.checkpoint_selectors import witness_key
from apps.audits.models import WitnessedCheckpoint, WitnessedLog
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Tampered

MOST_HASHES: Final = 63
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")


class Behind(Conflict):
    """The request starts from another size than the one cosigned last: `size`."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} events were cosigned last.")
        self.size = size


class Unproved(Tampered):
    """The proof does not lead from what was cosigned to what is shown now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: from which size, the proof, the note and what it says."""

    old: int
    proof: list[bytes]
    note: notes.Note
    said: notes.Checkpoint


def logs() -> dict[str, list[notes.Verifier]]:
    """Whose checkpoints are cosigned here: keys by origin, from WITNESS_FOR. Raises Invalid."""
    found: dict[str, list[notes.Verifier]] = {}
    for entry in settings.WITNESS_FOR:
        origin, _, text = entry.rpartition(" ")
        key = notes.verifier(text)
        if key.kind != notes.PLAIN:
            raise Invalid(
                f"WITNESS_FOR: the key of the log {key.name} must be one for notes (type 1)."
            )
        found.setdefault(origin.strip() or key.name, []).append(key)
    return found


def asked(body: bytes) -> Asked:
    """The request in these bytes. Raises Invalid for anything malformed."""
    head, _, rest = body.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    old = _OLD.fullmatch(lines[0])
    if old is None or len(lines) > 1 + MOST_HASHES:
        raise Invalid("The request must begin with `old <size>` and at most 63 hashes.")
    note = notes.parse(rest)
    return Asked(
        int(old[1]), [_hash(line) for line in lines[1:]], note, notes.checkpoint(note.text)
    )


def cosign(actor: Actor, request: Asked) -> str:
    """The line with our cosignature, in the order that the specification gives.

    1. The origin is one of ours to witness (NotFound), and one of its keys signed the checkpoint (Forbidden).
    2. It does not start beyond where it ends (Invalid).
    3. Under the lock of the log's row: it starts where the last one ended (Behind), shows the same root if it ends there too
       (Conflict), and the proof leads from the one to the other (Unproved).
    4. What was shown is stored, then signed with the time.
    """
    trusted = logs().get(request.said.origin)
    if trusted is None:
        raise NotFound("This origin is not witnessed here.")
    _require_signed(request.note, trusted)
    if request.old > request.said.size:
        raise Invalid(f"It starts at {request.old} events and ends at {request.said.size}.")
    key = keys.ledger_key(actor)
    with transaction.atomic():
        WitnessedLog.objects.get_or_create(
            origin=request.said.origin, defaults={"root": tree.EMPTY_ROOT}
        )
        row = WitnessedLog.objects.select_for_update().get(origin=request.said.origin)
        _require_continued(row, request)
        _remember(row, request)
    name = witness_key(key.public)
    seconds = int(clock.now().timestamp())
    return str(
        notes.cosignature(name, seconds, key.sign(notes.cosigned(request.note.text, seconds)))
    )


def _require_signed(note: notes.Note, trusted: list[notes.Verifier]) -> None:
    for key in trusted:
        try:
            if note.signed_by(key):
                return
        except Tampered:
            continue
    raise Forbidden("No key that is trusted for this origin has signed the checkpoint.")


def _require_continued(row: WitnessedLog, request: Asked) -> None:
    said = request.said
    if request.old != row.size:
        raise Behind(row.size)
    if said.size == row.size and said.root != bytes(row.root):
        raise Conflict(f"Of {said.size} events another root was cosigned.")
    if not request.old or said.size == row.size:
        if request.proof:
            raise Unproved("Where nothing lies between, the proof must be empty.")
        return
    try:
        tree.require_consistent(request.old, said.size, (bytes(row.root), said.root), request.proof)
    except ValueError as error:
        raise Unproved(str(error)) from error


def _remember(row: WitnessedLog, request: Asked) -> None:
    if request.said.size == row.size:
        return
    row.size, row.root = request.said.size, request.said.root
    row.save(update_fields=["size", "root"])
    WitnessedCheckpoint.objects.create(
        origin=row.origin,
        size=row.size,
        root=row.root,
        note=request.note.dump(),
        at=clock.now(),
    )


def mistakes() -> list[str]:
    """What is wrong with WITNESS_FOR, in sentences (system check audits.E004)."""
    try:
        logs()
    except DomainError as error:
        return [error.message]
    return []


def _hash(line: str) -> bytes:
    try:
        value = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("A hash of the proof is not base64.") from error
    if len(value) != tree.HASH_SIZE:
        raise Invalid("A hash of the proof does not have 32 bytes.")
    return value
