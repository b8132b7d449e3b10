"""Which keys sign for this site: admitted in the ledger before they first sign, retired there, kept for ever.

    with verb(actor):
        key = keys.ledger_key(actor)          # admitted on first use, in this transaction
        key.sign(...)

A key that replaces another is endorsed by it: the old key signs the new public key. One that follows a lost key has no
endorsement, and every page and verifier that shows it says so. What a retired key signed before still verifies.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.audits.events import KeyAdded, KeyRetired
from apps.audits.log import verb
from apps.audits.models import KeyRetirement, SigningKey
from apps.core import clock, signing
from apps.core.errors import Blocked, Conflict, NotFound

if TYPE_CHECKING:
    from apps.core.actor import Actor

_ALGORITHMS = {signing.LEDGER: "ed25519", signing.DOCUMENTS: "ecdsa-p256"}


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key as pages, bundles and verifiers need it; `public` as in `SigningKey`."""

    key_id: str
    purpose: str
    algorithm: str
    name: str
    public: bytes
    certificate: str
    added_at: dt.datetime
    retired_at: dt.datetime | None = None
    compromised_since: dt.datetime | None = None
    retired_because: str = ""


def ledger_key(actor: Actor) -> signing.LedgerKey:
    """The key for statements of the ledger, admitted. Raises Blocked where there is none, or it is retired."""
    key = signing.ledger_key()
    _admit(actor, signing.LEDGER, key)
    return key


def document_key(actor: Actor) -> signing.DocumentKey:
    """The key for documents, admitted. Raises Blocked where there is none, or it is retired."""
    key = signing.document_key()
    _admit(actor, signing.DOCUMENTS, key)
    return key


def known() -> list[KnownKey]:
    """Every key that ever signed here, oldest first."""
    rows = SigningKey.objects.select_related("retirement").order_by("added_at", "key_id")
    return [_known(row) for row in rows]


def public_keys(purpose: str = signing.LEDGER) -> dict[str, bytes]:
    """Public keys by id, for `core.dsse.opened` and the like."""
    rows = SigningKey.objects.filter(purpose=purpose).values_list("key_id", "public")
    return {key_id: bytes(public) for key_id, public in rows}


def rotate(actor: Actor, purpose: str, *, reason: str) -> str:
    """Make a new key, endorsed by the one it replaces, and retire that one; the new key's id.

    The new key lies on the disk before the ledger names it, and signs after: a rotation that broke off is ended by the
    next one. Raises Conflict where the key comes from the environment: change it there, and retire the old one.
    """
    old, new = _now(purpose), signing.prepare(purpose)
    if not SigningKey.objects.filter(key_id=new.key_id).exists():
        with verb(actor):
            _admit(actor, purpose, old)
            _admit(actor, purpose, new, endorsed_by=old)
            retire(actor, old.key_id, reason=reason)
    signing.install(purpose)
    return new.key_id


def retire(
    actor: Actor, key_id: str, *, reason: str, compromised_since: dt.datetime | None = None
) -> None:
    """The key signs nothing more. `compromised_since`: what it signed after that instant proves nothing.

    Raises NotFound for a key that never signed here, Conflict for one that is retired.
    """
    with verb(actor) as v:
        row = SigningKey.objects.filter(key_id=key_id).first()
        if row is None:
            raise NotFound(f"No key {key_id} ever signed here.")
        _, created = KeyRetirement.objects.get_or_create(
            key=row,
            defaults={"at": clock.now(), "reason": reason, "compromised_since": compromised_since},
        )
        if not created:
            raise Conflict(f"The key {key_id} is retired already.")
        since = compromised_since.isoformat() if compromised_since else ""
        v.record(KeyRetired(key=key_id, reason=reason, compromised_since=since))


def _now(purpose: str) -> signing.LedgerKey | signing.DocumentKey:
    return signing.ledger_key() if purpose == signing.LEDGER else signing.document_key()


def _admit(
    actor: Actor,
    purpose: str,
    key: signing.LedgerKey | signing.DocumentKey,
    endorsed_by: signing.LedgerKey | signing.DocumentKey | None = None,
) -> None:
    row = SigningKey.objects.select_related("retirement").filter(key_id=key.key_id).first()
    if row is not None:
        if hasattr(row, "retirement"):
            raise Blocked(
                f"The {purpose} key {key.key_id[:16]} is retired: it signs nothing more.",
                hint=f"Make a new one with `manage.py keys create --replace {purpose}`.",
            )
        return
    with verb(actor) as v:
        name = key.name if isinstance(key, signing.LedgerKey) else _subject(key)
        _, created = SigningKey.objects.get_or_create(
            key_id=key.key_id,
            defaults={
                "purpose": purpose,
                "algorithm": _ALGORITHMS[purpose],
                "name": name,
                "public": key.public,
                "certificate": "" if isinstance(key, signing.LedgerKey) else key.certificate_pem,
                "added_at": clock.now(),
            },
        )
        if created:
            v.record(
                KeyAdded(
                    key=key.key_id,
                    purpose=purpose,
                    algorithm=_ALGORITHMS[purpose],
                    name=name,
                    public=key.public.hex(),
                    endorsed_by=endorsed_by.key_id if endorsed_by else "",
                    endorsement=signing.endorse(endorsed_by, key.public).hex()
                    if endorsed_by
                    else "",
                )
            )


def _subject(key: signing.DocumentKey) -> str:
    return key.certificate.subject.rfc4514_string()[:200]


def _known(row: SigningKey) -> KnownKey:
    gone = getattr(row, "retirement", None)
    return KnownKey(
        key_id=row.key_id,
        purpose=row.purpose,
        algorithm=row.algorithm,
        name=row.name,
        public=bytes(row.public),
        certificate=row.certificate,
        added_at=row.added_at,
        retired_at=gone.at if gone else None,
        compromised_since=gone.compromised_since if gone else None,
        retired_because=gone.reason if gone else "",
    )
