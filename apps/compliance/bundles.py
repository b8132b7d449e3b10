"""Everything about one version in one archive, for somebody who will not ask us again (ADR 0033).

`bundle.json` lists every other member with its kind, size and SHA-256 and is signed by the site; it stands at the end, since it
is known at the end: the archive is streamed from the tables and the store and kept nowhere. What is in it, member by
member: docs/how-to/verify-a-bundle.md. `tools/verify_bundle.py` checks it and shares no code with this.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from apps.accounts import policy
from apps.audits import checkpoints, keys
from apps.audits import selectors as audits
from apps.audits.log import verb
from apps.audits.selectors import EventView
from apps.checks import records
from apps.checks.models import Measurement
from apps.checks.uploaded import selectors as uploaded
from apps.compliance import use_gate
from apps.compliance.assembly import public_keys
from apps.compliance.events import BundleIssued
from apps.compliance.models import Document, DocumentStatus
from apps.core import blobs, canonical, clock, dsse, zipping
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotFound, Tampered
from apps.modelcards import revisions
from apps.modelcards import selectors as cards
from apps.modelcards.card import as_data
from apps.registry.models import ModelVersion
from apps.reviews import evidence
from apps.reviews import selectors as reviews
from apps.reviews.models import Decision, Review

READ: Final = "review.read"
SCHEMA: Final = "countersign.bundle/1"
INDEX, SEAL = "bundle.json", "bundle.dsse.json"
PAYLOAD_TYPE: Final = "application/vnd.countersign.bundle+json"
MOST_EVENTS: Final = 50_000
PROGRAM: Final = "verify_bundle.pyz"
SOURCES: Final = ("verify_ledger.py", "verify_bundle.py")
PAGE: Final = "verify.html"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_OF_THE_MODEL = "registry.model."

README: Final = """This archive holds the record of one version of a model, and what proves it.

    python3 verify_bundle.pyz {name}        (Python 3.9 or later, nothing else)
    or open verify.html in a browser and drop the archive onto it: nothing is sent anywhere.

Take the programs from a place you trust rather than from here, and compare the key that they name with the one you were given.
"""


@dataclass(frozen=True, slots=True)
class _Item:
    """A member before it is written. `pieces` is asked for when its turn comes."""

    name: str
    kind: str
    pieces: Callable[[], Iterable[bytes]]
    packed: bool = True


@dataclass(slots=True)
class _Listed:
    """What the index will say."""

    members: list[dict[str, Any]] = field(default_factory=list)

    def watched(self, item: _Item) -> Iterator[bytes]:
        """The item's pieces, counted and hashed on their way."""
        size, sums = 0, hashlib.sha256()
        for piece in item.pieces():
            size += len(piece)
            sums.update(piece)
            yield piece
        entry = {"name": item.name, "kind": item.kind, "size": size, "sha256": sums.hexdigest()}
        self.members.append(entry)


def file_name(version: ModelVersion) -> str:
    """income-v3-bundle.zip: plain letters, whatever the model's name is made of."""
    model = _UNSAFE.sub("-", version.model.name).strip("-.") or "model"
    return f"{model[:80]}-v{version.number}-bundle.zip"


def stream(actor: Actor, version: ModelVersion, *, with_files: bool = False) -> Iterator[bytes]:
    """The bundle, a piece at a time; it is in the ledger before its last piece is handed out.

    Everything but the bytes of large members is read and compared with its digests before the first piece. Refuses who may not read
    the version, the files for whom the site first wants to have read their uses (Forbidden), a deleted version, a site without its key (Blocked), evidence that is not what was signed (Tampered). A member
    that turns out damaged on the way ends the archive without its directory: no program takes it for whole.
    """
    policy.require(actor, READ, version)
    if with_files:
        use_gate.require_acknowledged(actor, version)
    if version.deleted_at is not None:
        raise NotFound("This version was deleted; no bundle is made of it.")
    checkpoint = checkpoints.make_checkpoint(actor, occasion="bundle")
    items = [
        *_items(version, checkpoint.size, with_files=with_files),
        _known("checkpoint.txt", "checkpoint", checkpoint.note),
    ]
    return zipping.archive(_members(actor, version, items, checkpoint.size, with_files=with_files))


def _members(
    actor: Actor, version: ModelVersion, items: list[_Item], size: int, *, with_files: bool
) -> Iterator[zipping.Member]:
    listed = _Listed()
    for item in items:
        yield zipping.Member(item.name, listed.watched(item), item.packed)
    ordered = sorted(listed.members, key=lambda entry: str(entry["name"]))
    index = canonical.dumps(
        {
            "schema": SCHEMA,
            "bundle": str(uuid.uuid4()),
            "site": settings.BASE_URL,
            "model": version.model.name,
            "version": version.number,
            "manifest_digest": version.manifest_digest,
            "with_files": with_files,
            "made_at": clock.now().isoformat(),
            "ledger_size": size,
            "members": ordered,
        }
    )
    yield zipping.Member(SEAL, [_issued(actor, version, index)])
    yield zipping.Member(INDEX, [index])


def _issued(actor: Actor, version: ModelVersion, index: bytes) -> bytes:
    """The site's signature of the index, and its event."""
    said = json.loads(index)
    with verb(actor) as v:
        sealed = dsse.envelope(index, keys.ledger_key(actor), PAYLOAD_TYPE)
        v.record(
            BundleIssued(
                bundle=said["bundle"],
                model=version.model_id,
                version=version.pk,
                digest=canonical.digest(index),
                members=len(said["members"]),
                with_files=said["with_files"],
                ledger_size=said["ledger_size"],
            )
        )
    return sealed


def _known(name: str, kind: str, data: bytes) -> _Item:
    return _Item(name, kind, lambda: [data])


def _items(version: ModelVersion, size: int, *, with_files: bool) -> Iterator[_Item]:
    """Every member but the checkpoint, in the order in which one would read them.

    Of the tables, what the events up to the checkpoint tell of: what is written meanwhile is in the next bundle.
    """
    about = _events(version, size)
    told = {(row.type, str(row.payload.get(_TOLD.get(row.type, "")))) for row in about}
    yield _known("README.txt", "text", README.format(name=file_name(version)).encode())
    yield _known(PROGRAM, "program", verifier())
    yield _known(PAGE, "program", _tool(PAGE))
    yield _known("version.json", "version", _version(version))
    for review in reviews.reviews_of(version).select_related("policy_version").order_by("pk"):
        yield from _review(review, told)
    yield from _checks(version, told)
    yield from _papers(version, told)
    yield _known("keys.json", "keys", _keys(told))
    yield _known("ledger-extract.json", "ledger", _extract(about, size))
    if with_files:
        for entry in version.manifest:
            yield _Item(f"files/{entry['path']}", "file", _blob(entry["digest"]), packed=False)


def verifier() -> bytes:
    """The stand-alone verifier as one file that Python runs: the two programs of `tools/` in an archive, to be read by anybody."""
    started = b"import sys\n\nfrom verify_bundle import main\n\nsys.exit(main())\n"
    files = [(name, _tool(name)) for name in SOURCES] + [("__main__.py", started)]
    return b"".join(zipping.archive(zipping.Member(name, [data]) for name, data in files))


def _tool(name: str) -> bytes:
    return (Path(settings.BASE_DIR) / "tools" / name).read_bytes()


def _keys(told: _Told) -> bytes:
    known = [key for key in public_keys.views() if ("audits.key.added", key.key_id) in told]
    return canonical.dumps(
        {"schema": "countersign.keys/1", "keys": [as_data(key) for key in known]}
    )


def _blob(digest: str) -> Callable[[], Iterable[bytes]]:
    """Bytes of the store, compared with their digests while they are read."""
    return lambda: blobs.read(digest)


def _version(version: ModelVersion) -> bytes:
    return canonical.dumps(
        {
            "schema": "countersign.version/1",
            "model": version.model.name,
            "version": version.number,
            "uuid": str(version.uuid),
            "manifest_digest": version.manifest_digest,
            "manifest": version.manifest,
        }
    )


def _review(review: Review, told: _Told) -> Iterator[_Item]:
    """Its policy, its rounds' manifests, the statements that were signed, the site's envelopes around them."""
    about = f"reviews/{review.pk}"
    written = canonical.dumps(review.policy_version.document)
    if canonical.digest(written) != review.policy_version.digest:
        raise Tampered(f"The policy {review.policy_version} is not what its digest says.")
    yield _known(f"{about}/policy.json", "policy", written)
    for round_ in reviews.rounds_of(review).order_by("number"):
        if ("reviews.round.made", round_.digest) not in told:
            continue
        evidence.read(round_)
        yield _known(f"{about}/round-{round_.number}.json", "evidence", bytes(round_.manifest))
    for row in Decision.objects.filter(review=review).select_related("envelope").order_by("pk"):
        if ("reviews.decision.recorded", row.statement_digest) not in told:
            continue
        if canonical.digest(bytes(row.statement)) != row.statement_digest:
            raise Tampered(f"Decision {row.pk}: the statement is not what its digest says.")
        yield _known(f"{about}/decision-{row.pk}.json", "statement", bytes(row.statement))
        sealed = getattr(row, "envelope", None)
        if sealed is not None:
            yield _known(f"{about}/decision-{row.pk}.dsse.json", "envelope", bytes(sealed.data))


def _checks(version: ModelVersion, told: _Told) -> Iterator[_Item]:
    """Each measurement is read when its turn comes: count tables can be large together."""
    rows = Measurement.objects.filter(version=version, result__isnull=False).order_by("pk")
    for key, name, digest in rows.values_list("pk", "uuid", "result_digest"):
        if ("checks.measurement.done", digest) in told:
            yield _Item(f"checks/{name}.json", "check", _record(version, key))


def _record(version: ModelVersion, key: int) -> Callable[[], Iterable[bytes]]:
    return lambda: records.written(version, _measurement(key))


def _measurement(key: int) -> Measurement:
    return Measurement.objects.select_related("started_by", "recalled_by").get(pk=key)


def _papers(version: ModelVersion, told: _Told) -> Iterator[_Item]:
    """What other tools reported, what people wrote in the card, what was issued."""
    for row in uploaded.uploaded(version).order_by("pk"):
        blobs.check(row.digest)
        yield _Item(f"uploaded/{row.uuid}", "uploaded", _blob(row.digest))
    for revision in cards.revisions_of(version).order_by("number"):
        if ("modelcards.card.saved", revision.digest) not in told:
            continue
        revision.version = version
        revisions.verified(revision)
        yield _known(f"card/revision-{revision.number}.json", "card", bytes(revision.document))
    for document in Document.objects.filter(version=version, status=DocumentStatus.READY).order_by("pk"):  # fmt: skip
        if ("compliance.document.issued", document.digest) not in told:
            continue
        blobs.check(document.digest)
        yield _Item(
            f"documents/{document.uuid}.pdf", "document", _blob(document.digest), packed=False
        )


# Which events tell of a member, and under which name they have its digest.
_TOLD: Final = {
    "reviews.round.made": "digest",
    "reviews.decision.recorded": "statement_digest",
    "modelcards.card.saved": "digest",
    "compliance.document.issued": "digest",
    "checks.measurement.done": "result_digest",
    "audits.key.added": "key",
}
_Told = set[tuple[str, str]]


def _events(version: ModelVersion, size: int) -> list[EventView]:
    """The events about the version, those that made its model, and those about the keys, up to the checkpoint."""
    signers = [f"key:{key.key_id}" for key in keys.known()]
    about = audits.events(scopes=[f"version:{version.pk}", *signers], limit=MOST_EVENTS)
    about += [
        row
        for row in audits.events(scopes=[f"model:{version.model_id}"], limit=MOST_EVENTS)
        if row.type.startswith(_OF_THE_MODEL)
    ]
    if len(about) >= MOST_EVENTS:
        reason = f"More than {MOST_EVENTS} events are about this version: no bundle holds so many."
        raise Conflict(reason)
    return [row for row in about if row.seq <= size]


def _extract(about: list[EventView], size: int) -> bytes:
    """Those events with their proofs under the checkpoint's root."""
    found = audits.extract(sorted({row.seq for row in about}), size=size)
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
