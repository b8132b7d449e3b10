"""A signed document made by hand with everything in it that can be proven, and the export of a ledger that issued it.

The tree is built here by the definition of RFC 9162 (2.1.1, 2.1.3), not by the site's code.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

import msgspec

from apps.core import canonical, dsse, pades, signing
from apps.modelcards.dossier import CheckView, Dossier, KeyView
from apps.modelcards.renderers import pdf
from tests.modelcards import samples


@dataclass(frozen=True)
class Issued:
    """The file, the ledger's export that knows it, and the site's certificate."""

    dossier: Dossier
    rendered: bytes
    data: bytes
    export: bytes
    certificate: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def issued() -> Issued:
    """One of them, with keys of VAR."""
    dossier, bodies = provable()
    rendered = pdf.render_pdf(dossier)
    key = signing.document_key()
    data = pades.signed(rendered, key, reason="Model card")
    last = event("compliance.document.issued", {"digest": hashlib.sha256(data).hexdigest()})
    pem = key.certificate_pem.encode()
    return Issued(dossier, rendered, data, export([*bodies, last]), pem)


def provable(of: Dossier | None = None) -> tuple[Dossier, list[bytes]]:
    """A sample whose digests, statements, envelopes and paths are real; and the events it extracts."""
    sample = of or samples.dossier()
    checks = tuple(_measured(check) for check in sample.checks)
    manifest = canonical.dumps(
        {
            "card": {"digest": sample.card.digest, "revision": sample.card.revision},
            "checks": [{"kind": c.kind, "result_digest": c.result_digest} for c in checks],
        }
    ).decode()
    evidence = samples.digest(manifest)
    assert sample.round is not None
    assert sample.ledger is not None
    people = [("Vera Lind", "Validator"), ("Rui Costa", "Approver")]
    decisions = tuple(samples.decision(name, role, evidence=evidence) for name, role in people)
    bodies = [event("registry.version.registered", {"n": n}) for n in range(3)]
    bodies += [event("reviews.decision.made", {"statement": d.statement_digest}) for d in decisions]
    leaves = [leaf(body) for body in bodies]
    extract = {
        "format": "countersign-ledger-extract",
        "version": 1,
        "size": len(bodies),
        "root": root(leaves).hex(),
        "events": [
            {
                "seq": n,
                "body": base64.b64encode(body).decode(),
                "proof": [h.hex() for h in path(n - 1, leaves)],
            }
            for n, body in enumerate(bodies, start=1)
        ],
        "openings": [],
    }
    whole = msgspec.structs.replace(
        sample,
        checks=checks,
        evidence_digest=evidence,
        round=msgspec.structs.replace(sample.round, manifest=manifest, digest=evidence),
        decisions=decisions,
        ledger=msgspec.structs.replace(
            sample.ledger, size=5, root=extract["root"], extract=json.dumps(extract)
        ),
        keys=(_key(),),
    )
    return whole, bodies


def enveloped(decision: dict[str, str]) -> dict[str, str]:
    """The decision with an envelope about its statement."""
    subjects = {"statement": decision["statement_digest"]}
    statement = dsse.statement(subjects, "https://countersign.example/decision/v1", {})
    envelope = dsse.envelope(statement, signing.ledger_key())
    return decision | {"envelope": envelope.decode()}


def _measured(check: CheckView) -> CheckView:
    record = {"key": samples.digest(check.kind), "statistics": {"n": 35210}, "result": {"v": "0.1"}}
    digest = canonical.digest(canonical.dumps(record))
    return msgspec.structs.replace(check, record=record, result_digest=digest)


def _key() -> KeyView:
    key = signing.ledger_key()
    return KeyView(key.key_id, signing.LEDGER, "ed25519", key.name, key.public.hex(), samples.WHEN)


def event(kind: str, payload: dict[str, object]) -> bytes:
    """The canonical bytes of an event."""
    return canonical.dumps(
        {
            "v": 1,
            "type": kind,
            "schema": 1,
            "subject": "x:1",
            "scopes": [],
            "actor": {},
            "door": "test",
            "at": "2026-03-02T14:05:11.000000Z",
            "request_id": "",
            "payload": payload,
        }
    )


def export(bodies: list[bytes]) -> bytes:
    """The events as an export (docs/events.md)."""
    leaves = [leaf(body) for body in bodies]
    header = {
        "format": "countersign-ledger-export",
        "version": 1,
        "size": len(bodies),
        "root": root(leaves).hex(),
    }
    rows = [
        {"seq": n, "body": base64.b64encode(body).decode(), "root": root(leaves[:n]).hex()}
        for n, body in enumerate(bodies, start=1)
    ]
    return b"".join(
        json.dumps(line).encode() + b"\n" for line in (header, *rows, {"end": len(bodies)})
    )


def leaf(body: bytes) -> bytes:
    return hashlib.sha256(b"\0" + body).digest()


def root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = _split(len(leaves))
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 9162, 2.1.3.1."""
    if len(leaves) < 2:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), root(leaves[k:])]
    return [*path(index - k, leaves[k:]), root(leaves[:k])]


def _split(n: int) -> int:
    return 1 << (n - 1).bit_length() - 1
