"""Signing checkpoints: the site's word for what its ledger is, to be kept by others.

A checkpoint is a statement *about* the ledger and no event in it: an event per checkpoint would make the ledger grow by being
looked at, so that each interval, and each of two sites that witness each other, would need another (ADR 0032).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from apps.audits import checkpoint_selectors, keeping, keys, notes, proofs, tree
from apps.audits.models import Checkpoint, Head
from apps.core import clock
from apps.core.errors import Blocked, Tampered

if TYPE_CHECKING:
    from apps.audits.checkpoint_selectors import CheckpointView
    from apps.core.actor import Actor
    from apps.core.signing import LedgerKey


def make_checkpoint(actor: Actor, *, occasion: str = "asked") -> CheckpointView:
    """The checkpoint of the ledger as it is now; the same one as long as nothing is added.

    1. The key is admitted in the ledger, if it was not.
    2. A checkpoint of this size by this key is answered as it is: two are never made of one size.
    3. The ledger must have grown out of the last checkpoint: what was signed once is never contradicted.
    4. Signed, stored, and on its way to whom it is kept by, or none of it.

    Raises Blocked where there is no key or nothing to sign, Tampered where the ledger contradicts the last checkpoint. Inside a
    verb it is about what was there before the verb. Does not check rights.
    """
    key = keys.ledger_key(actor)
    head = Head.objects.get()
    if not head.size:
        raise Blocked("The ledger has no event: there is nothing to sign.")
    if not Checkpoint.objects.filter(size=head.size, key_id=key.key_id).exists():
        _require_grown(head)
        _write(head, key, occasion)
    return checkpoint_selectors.checkpoint_at(head.size)


def _write(head: Head, key: LedgerKey, occasion: str) -> None:
    """Two at once sign the same bytes (Ed25519 is deterministic); the second finds the first one's row."""
    said = notes.Checkpoint(settings.LEDGER_ORIGIN, head.size, bytes(head.root))
    name = checkpoint_selectors.log_key(key.public)
    line = notes.Signature(name.name, name.key_hash, key.sign(said.text.encode()))
    with transaction.atomic():
        row, created = Checkpoint.objects.get_or_create(
            size=head.size,
            key_id=key.key_id,
            defaults={
                "root": said.root,
                "note": notes.Note(said.text, (line,)).dump(),
                "made_at": clock.now(),
                "occasion": occasion,
            },
        )
        if created:
            keeping.send(row)


def _require_grown(head: Head) -> None:
    """3. Compared by the proof that strangers get, from the stored hashes."""
    last = Checkpoint.objects.order_by("-size", "-pk").first()
    if last is None:
        return
    try:
        path = proofs.consistency(last.size, head.size)
        roots = bytes(last.root), bytes(head.root)
        tree.require_consistent(last.size, head.size, roots, path)
    except (ValueError, KeyError) as error:
        raise Tampered(
            f"The ledger of size {head.size} does not continue the checkpoint at size {last.size}: nothing is signed.",
            hint="Run verify_ledger.",
        ) from error
