"""Reading checkpoints, and proofs between them. Rights are the caller's: sizes, roots and hashes say nothing about anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.audits import notes, proofs, tree
from apps.audits.models import Checkpoint, Event, Head, SigningKey, WitnessedCheckpoint
from apps.core import signing
from apps.core.errors import DomainError, Invalid, NotFound

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from django.db.models import QuerySet

GOOD, BAD = True, False
CONSISTENCY_FORMAT = "countersign-ledger-consistency"


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """A checkpoint as pages and programs need it; `note` is what is handed out, cosignatures included."""

    size: int
    root: str
    origin: str
    note: bytes
    key_id: str
    made_at: dt.datetime
    occasion: str
    witnesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a checkpoint that somebody kept. `good`: today's ledger begins with exactly its events."""

    good: bool
    sentence: str
    checkpoint: notes.Checkpoint
    signer: str
    proof: dict[str, Any] | None = None


def latest_checkpoint() -> CheckpointView | None:
    """The newest, or None where none was made."""
    return next(iter(list_checkpoints(limit=1)), None)


def checkpoint_at(size: int) -> CheckpointView:
    """The newest checkpoint of this size. Raises NotFound."""
    found = next(iter(_views(_rows().filter(size=size)[:1])), None)
    if found is None:
        raise NotFound(f"There is no checkpoint at size {size}.")
    return found


def list_checkpoints(*, before: int | None = None, limit: int = 50) -> list[CheckpointView]:
    """Newest first; the next page is `before` the last one's size."""
    rows = _rows() if before is None else _rows().filter(size__lt=before)
    return _views(rows[:limit])


def log_key(public: bytes, origin: str = "") -> notes.Verifier:
    """The form in which a key of the ledger is handed out."""
    return notes.Verifier(origin or settings.LEDGER_ORIGIN, notes.PLAIN, public)


def witness_key(public: bytes) -> notes.Verifier:
    """The same key where this site cosigns the checkpoints of others."""
    return notes.Verifier(settings.WITNESS_NAME, notes.WITNESS, public)


def root_at(size: int) -> bytes:
    """The ledger's root at this size. Raises NotFound for one it has not reached, or 0."""
    row = Event.objects.filter(seq=size).values_list("root", flat=True).first()
    if row is None:
        raise NotFound(f"The ledger has not had size {size}.")
    return bytes(row)


def consistency_proof(old: int, new: int | None = None) -> dict[str, Any]:
    """That the ledger of `new` events (now, if none is said) begins with that of `old`: what `verify_ledger.py --proof` reads.

    Raises NotFound for sizes the ledger has not had, Invalid where `old` is the larger.
    """
    new = Head.objects.get().size if new is None else new
    ends = [{"size": size, "root": root_at(size).hex()} for size in (old, new)]
    if old > new:
        raise Invalid(f"Size {old} is larger than size {new}: a proof goes from old to new.")
    path = [part.hex() for part in proofs.consistency(old, new)]
    return {
        "format": CONSISTENCY_FORMAT,
        "version": 1,
        "old": ends[0],
        "new": ends[1],
        "proof": path,
    }


def consistency_proofs(olds: Sequence[int], new: int) -> list[dict[str, Any]]:
    """The same from each of several sizes, in three queries. Raises NotFound for a size that the ledger has not had."""
    rows = Event.objects.filter(seq__in={*olds, new}).values_list("seq", "root")
    roots = {size: bytes(root).hex() for size, root in rows}
    missing = {*olds, new} - roots.keys()
    if missing:
        raise NotFound(f"The ledger has not had size {min(missing)}.")
    paths = proofs.consistencies(olds, new)
    return [
        {
            "format": CONSISTENCY_FORMAT,
            "version": 1,
            "old": {"size": old, "root": roots[old]},
            "new": {"size": new, "root": roots[new]},
            "proof": [part.hex() for part in paths[old]],
        }
        for old in olds
    ]


def earlier_sizes(size: int, most: int) -> list[int]:
    """Sizes below this one that somebody may have kept a checkpoint of: half of them the newest that were made for somebody, half
    spread over all that ever were."""
    rows = Checkpoint.objects.filter(size__lt=size)
    asked = rows.exclude(occasion="interval").order_by("-size").values_list("size", flat=True)
    every = list(rows.order_by("size").values_list("size", flat=True).distinct())
    step = -(-len(every) // max(1, most // 2)) or 1
    return sorted({*asked.distinct()[: most // 2], *every[::step]})


def inclusion_proof(seq: int, size: int | None = None) -> dict[str, Any]:
    """The hashes from the leaf of an event to the root at `size` (now, if none is said), without what the event says.

    Raises NotFound for an event or a size that the ledger has not reached.
    """
    size = Head.objects.get().size if size is None else size
    leaf = Event.objects.filter(seq=seq, seq__lte=size).values_list("leaf_hash", flat=True).first()
    if leaf is None:
        raise NotFound(f"There is no event {seq} in the ledger of size {size}.")
    return {
        "seq": seq,
        "leaf_hash": bytes(leaf).hex(),
        "size": size,
        "root": root_at(size).hex(),
        "proof": [part.hex() for part in proofs.inclusion([seq], size)[seq]],
    }


def check_kept(data: bytes) -> Kept:
    """Compare a checkpoint that somebody kept with the ledger of today.

    1 it is a checkpoint, 2 a key of this site signed it, 3 the ledger is at least as long, 4 it has the checkpoint's root
    at its size, and the stored hashes lead from there to the root of today. Raises Invalid for what is no checkpoint; all else
    is an answer. It is this site judging itself: `proof` is there so that nobody has to believe it.
    """
    note = notes.parse(data)
    said = notes.checkpoint(note.text)
    signer = _signer(note, said)
    if not signer:
        return Kept(BAD, "No key that ever signed for this site has signed it.", said, "")
    head = Head.objects.get()
    if said.size > head.size:
        gone = f"It is of {said.size} events, and the ledger has only {head.size}: the rest is missing."
        return Kept(BAD, gone, said, signer)
    return _compared(said, head, signer)


def witnessed(limit: int = 50) -> list[tuple[str, int, dt.datetime]]:
    """The newest checkpoints of other logs that were cosigned here: origin, size, when."""
    rows = WitnessedCheckpoint.objects.order_by("-pk").values_list("origin", "size", "at")
    return list(rows[:limit])


def _compared(said: notes.Checkpoint, head: Head, signer: str) -> Kept:
    try:
        proof = consistency_proof(said.size, head.size)
        path = [bytes.fromhex(part) for part in proof["proof"]]
        tree.require_consistent(said.size, head.size, (said.root, bytes(head.root)), path)
    except (DomainError, ValueError):
        differs = f"The first {said.size} events of the ledger are not those it was made of."
        return Kept(BAD, differs, said, signer)
    grown = head.size - said.size
    more = f"{grown} were added since" if grown else "none was added since"
    return Kept(
        GOOD, f"The ledger begins with exactly its {said.size} events; {more}.", said, signer, proof
    )


def _signer(note: notes.Note, said: notes.Checkpoint) -> str:
    """The id of the key of ours that signed it, or nothing. A signature that is wrong is none."""
    keys = SigningKey.objects.filter(purpose=signing.LEDGER).values_list("key_id", "public")
    for key_id, public in keys:
        try:
            if note.signed_by(log_key(bytes(public), said.origin)):
                return key_id
        except DomainError:
            continue
    return ""


def _rows() -> QuerySet[Checkpoint]:
    return Checkpoint.objects.prefetch_related("cosignatures").order_by("-size", "-pk")


def _views(rows: QuerySet[Checkpoint]) -> list[CheckpointView]:
    return [_view(row) for row in rows]


def _view(row: Checkpoint) -> CheckpointView:
    lines = sorted((each.witness, each.line) for each in row.cosignatures.all())
    note = bytes(row.note)
    return CheckpointView(
        size=row.size,
        root=bytes(row.root).hex(),
        origin=note.partition(b"\n")[0].decode(),
        note=note + "".join(line for _witness, line in lines).encode(),
        key_id=row.key_id,
        made_at=row.made_at,
        occasion=row.occasion,
        witnesses=tuple(witness.partition("+")[0] for witness, _line in lines),
    )
