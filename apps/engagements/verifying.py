"""Whether evidence is what the record says it is, recomputed for a page: digest, the site's signature, the place in the log.

For each item
1. its digest is computed anew from what is stored; what reads many bytes (`Item.costly`) only where it is asked for (`deep`), and
   of at most `MOST_BYTES` a page;
2. its envelope (DSSE) is verified with the keys this site ever signed with;
3. an event of the log names its type and digest; the leaf is hashed anew from the event's bytes, and its inclusion proof is
   folded to the root of the newest checkpoint, whose own signature is verified first.

It is this site judging itself: a bundle lets somebody else do it. The queries do not grow with the items: the events of
all versions are read at once, so are the hashes of all proofs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from apps.audits import checkpoint_selectors, keys, notes, proofs, tree
from apps.audits import selectors as audits
from apps.audits.checkpoint_selectors import CheckpointView
from apps.audits.selectors import EventView
from apps.core.errors import DomainError
from apps.engagements.evidence import Item
from apps.registry.models import ModelVersion

MOST_EVENTS: Final = 20_000
MOST_COSTLY: Final = 60

VERIFIED, FAILS, MISSING = "verified", "fails", "missing"
WAITING, UNREAD, NONE = "waiting", "unread", "none"
# What an item or a cell is as a whole: the first of these that anything in it is.
GRAVEST: Final = (FAILS, MISSING, WAITING, UNREAD, VERIFIED)


@dataclass(frozen=True, slots=True)
class Check:
    """One of the three, with what was found."""

    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verified:
    """An item with its three checks. `seq` is its event, 0 where the log has none."""

    item: Item
    digest: Check
    signature: Check
    log: Check
    seq: int

    @property
    def state(self) -> str:
        return worst(each.state for each in (self.digest, self.signature, self.log))

    @property
    def wrong(self) -> list[str]:
        """What exactly fails."""
        return [
            each.sentence
            for each in (self.digest, self.signature, self.log)
            if each.state in {FAILS, MISSING}
        ]


def worst(states: Iterable[str]) -> str:
    """The gravest of these states; nothing that was verified is not `verified`."""
    found = set(states)
    return next((state for state in GRAVEST if state in found), NONE)


@dataclass(slots=True)
class Log:
    """The events that tell of some versions, their proofs, and the checkpoint they are proved against."""

    events: Mapping[tuple[str, str], EventView]
    proofs: Mapping[int, list[bytes]]
    checkpoint: CheckpointView | None
    trouble: str
    keys: Mapping[str, bytes]

    @property
    def size(self) -> int:
        return self.checkpoint.size if self.checkpoint else 0


def read_log(versions: Sequence[ModelVersion], items: Sequence[Item]) -> Log:
    """What `verified` needs of the log for these items, in a constant number of queries."""
    public = keys.public_keys()
    checkpoint = audits.latest_checkpoint()
    told = {item.told for item in items}
    scopes = {f"version:{row.pk}" for row in versions} | {
        f"model:{row.model_id}" for row in versions
    }
    found = (
        audits.events(scopes=scopes, types={kind for kind, _field in told}, limit=MOST_EVENTS)
        if told
        else []
    )
    events = _by_digest(found, told)
    size = checkpoint.size if checkpoint else 0
    wanted = {row.seq for row in events.values() if row.seq <= size}
    return Log(
        events=events,
        proofs=proofs.inclusion(wanted, size) if wanted else {},
        checkpoint=checkpoint,
        trouble=_trouble(checkpoint, public),
        keys=public,
    )


def verify(items: Sequence[Item], log: Log, *, deep: bool) -> list[Verified]:
    """Each item with its checks; with `deep`, also what reads many bytes, for the first `MOST_COSTLY` of them."""
    left = MOST_COSTLY if deep else 0
    found = []
    for item in items:
        reads = not item.costly or left > 0
        left -= item.costly and reads
        found.append(_verified(item, log, reads=bool(reads)))
    return found


def _verified(item: Item, log: Log, *, reads: bool) -> Verified:
    event = log.events.get((item.told[0], item.digest))
    return Verified(
        item=item,
        digest=_digest(item) if reads else Check(UNREAD, "Its bytes were not read for this page."),
        signature=_signature(item, log),
        log=_place(event, log),
        seq=event.seq if event else 0,
    )


def _digest(item: Item) -> Check:
    try:
        again = item.again()
    except (DomainError, ValueError, OSError) as error:
        return Check(FAILS, f"The stored bytes are damaged: {error}")
    if again != item.digest:
        return Check(
            FAILS, f"What is stored gives {again[:16]}, the record says {item.digest[:16]}."
        )
    return Check(VERIFIED, "Computed anew from what is stored: the same.")


def _signature(item: Item, log: Log) -> Check:
    if item.signed is None:
        return Check(NONE, item.note or "It has no signature of its own; the log covers it.")
    try:
        key = item.signed(log.keys)
    except (DomainError, KeyError, ValueError) as error:
        return Check(FAILS, f"The signature does not hold: {error}")
    return Check(VERIFIED, f"DSSE envelope, signed by key {key[:16]}.")


def _place(event: EventView | None, log: Log) -> Check:
    """3. No event, a wrong checkpoint, not covered yet, or the proof."""
    if event is None:
        return Check(MISSING, "No event of the log names this digest.")
    if log.trouble:
        return Check(FAILS if log.checkpoint else WAITING, f"Event {event.seq}. {log.trouble}")
    if event.seq > log.size:
        told = f"Event {event.seq} is newer than the newest checkpoint, of {log.size} events."
        return Check(WAITING, told)
    return _proved(event, log)


def _proved(event: EventView, log: Log) -> Check:
    leaf = tree.leaf_hash(event.body)
    if leaf.hex() != event.leaf_hash:
        return Check(FAILS, f"The bytes of event {event.seq} do not give its leaf.")
    try:
        root = tree.root_from_inclusion(leaf, event.seq - 1, log.size, log.proofs[event.seq])
    except (KeyError, ValueError) as error:
        return Check(FAILS, f"There is no proof that event {event.seq} is in the log: {error}")
    said = log.checkpoint.root if log.checkpoint else ""
    if root.hex() != said:
        return Check(
            FAILS, f"The proof of event {event.seq} leads to {root.hex()[:16]}, not to {said[:16]}."
        )
    return Check(
        VERIFIED, f"Event {event.seq}; its proof leads to the checkpoint of {log.size} events."
    )


def _trouble(checkpoint: CheckpointView | None, public: Mapping[str, bytes]) -> str:
    """Why nothing can be proved against the newest checkpoint; empty where it is well signed."""
    if checkpoint is None:
        return "No checkpoint has been signed yet."
    try:
        note = notes.parse(checkpoint.note)
        said = notes.checkpoint(note.text)
        key = checkpoint_selectors.log_key(public[checkpoint.key_id], said.origin)
        signed = note.signed_by(key) is not None
    except (DomainError, KeyError) as error:
        return f"The newest checkpoint is not well signed: {error}"
    if not signed or (said.size, said.root.hex()) != (checkpoint.size, checkpoint.root):
        return "The newest checkpoint says something else than what was signed."
    return ""


def _by_digest(
    found: Iterable[EventView], told: set[tuple[str, str]]
) -> dict[tuple[str, str], EventView]:
    """Events by type and the digest they name, read from the bytes that are hashed; the oldest where two name the same."""
    fields = dict(sorted(told))
    events = {}
    for row in found:
        field = fields[row.type]
        named = json.loads(row.body)["payload"].get(field, "") if field else row.leaf_hash
        events[row.type, str(named)] = row
    return events
