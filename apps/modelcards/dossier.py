"""What stands around a card in a document: review, decisions, checks, ledger. Plain data.

A dossier is everything a renderer may know; it renders without a database, a network or a file.
`compliance.documents.assemble` builds it and stores its bytes, so that a document can be rendered
again, byte for byte. A card revision never contains its own review: the two meet only here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from apps.core import canonical
from apps.core.parts import Fact, Table, Tone
from apps.modelcards.card import Card
from apps.modelcards.machine import Machine
from apps.modelcards.report import Report

SCHEMA = "countersign.dossier/1"


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stamp on the title page: a word, its tone, and the sentence that explains it."""

    word: str
    tone: Tone
    sentence: str


class PersonAndTime(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    at: str


class ReviewView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The review the document reports on, with the policy version it pinned."""

    number: int
    link: str
    targets: tuple[str, ...]
    status: str
    justification: str
    submitted: PersonAndTime
    policy: str
    policy_digest: str
    closed_at: str = ""
    wanted_by: str = ""


class RoundView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The evidence round: `manifest` is the very text whose SHA-256 is `digest`."""

    number: int
    digest: str
    status: str
    created_at: str
    ledger_size: int
    manifest: str
    items: Table
    void_reason: str = ""


class DecisionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One signature: printed name, date and time, meaning (21 CFR 11.50), and what it is bound to.

    `statement` is the very text that was signed; its SHA-256 is `statement_digest`. `envelope` is the site's own signature
    around it (DSSE; empty for decisions of before there were keys). `void` says why
    the signature no longer counts; empty means it stands. `on_behalf_of` is who delegated the role to the signer.
    """

    signer: str
    signer_id: int
    role: str
    step: str
    outcome: str
    meaning: str
    comment: str
    method: str
    at: str
    evidence_digest: str
    statement: str
    statement_digest: str
    round: int
    void: str = ""
    on_behalf_of: str = ""
    envelope: str = ""


class CheckView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One check against the policy's limits: the verdict, the sentence, and where it came from.

    `record` goes into check-results.json as it is: parameters, inputs, counts, result.
    """

    kind: str
    title: str
    verdict: str
    tone: Tone
    sentence: str
    measurement: str = ""
    link: str = ""
    measured_at: str = ""
    result_digest: str = ""
    code_version: str = ""
    rows: Table | None = None
    record: dict[str, Any] = msgspec.field(default_factory=dict)


class GateView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the policy asks for and whether it was met when the document was made."""

    title: str
    state: str
    tone: Tone
    fact: str


class LedgerLine(msgspec.Struct, frozen=True, omit_defaults=True):
    seq: int
    at: str
    type: str
    sentence: str
    actor: str
    leaf: str


class LedgerView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The events about this version, and `extract`: the text that the stand-alone verifier takes."""

    size: int
    root: str
    events: tuple[LedgerLine, ...]
    extract: str


class KeyView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A public key of the site: `public` in hexadecimal (32 bytes of Ed25519, or SubjectPublicKeyInfo), `certificate` in PEM."""

    key_id: str
    purpose: str
    algorithm: str
    name: str
    public: str
    added_at: str
    certificate: str = ""
    retired_at: str = ""
    compromised_since: str = ""


class ChangedText(msgspec.Struct, frozen=True):
    """A piece of a text: the same in both, added or removed."""

    op: str
    text: str


class ChangedBlock(msgspec.Struct, frozen=True):
    """A block that reads otherwise than in the last approved card, word by word."""

    title: str
    section: str
    state: str
    pieces: tuple[ChangedText, ...]


class Changes(msgspec.Struct, frozen=True, omit_defaults=True):
    """What people changed since the last approved card, that of `version` at `revision`. `written`: there is a card now."""

    version: int
    revision: int
    review: str
    link: str
    written: bool
    blocks: tuple[ChangedBlock, ...] = ()


class Dossier(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything one document says. `as_of` is the instant of the newest fact in it, not of printing.
    `at`: it shows the card as it stood then, not as it stands."""

    schema: str
    document: str
    site: str
    base_url: str
    as_of: str
    status: Status
    key_facts: tuple[Fact, ...]
    card: Card
    template: str
    evidence_digest: str = ""
    gates: tuple[GateView, ...] = ()
    checks: tuple[CheckView, ...] = ()
    review: ReviewView | None = None
    round: RoundView | None = None
    decisions: tuple[DecisionView, ...] = ()
    ledger: LedgerView | None = None
    keys: tuple[KeyView, ...] = ()
    notes: tuple[str, ...] = ()
    machine: Machine | None = None
    report: Report | None = None
    changes: Changes | None = None
    at: str = ""

    @property
    def title(self) -> str:
        if self.report is not None and self.report.heading:
            return self.report.heading
        return f"{self.card.model} v{self.card.version}"

    @property
    def binding_digest(self) -> tuple[str, str]:
        """What is printed in every page's margin: the evidence digest, else the card revision's, or what a report rests on."""
        if self.report is not None:
            return self.report.margin
        if self.evidence_digest:
            return "evidence", self.evidence_digest
        if self.card.digest:
            return "card revision", self.card.digest
        return "no evidence", ""


def to_json(dossier: Dossier) -> bytes:
    """The stored form: fields in their order, no floats by construction."""
    return msgspec.json.encode(dossier)


def from_json(data: bytes) -> Dossier:
    """The dossier back from its stored form; msgspec.ValidationError if it is not one."""
    return msgspec.json.decode(data, type=Dossier)


def settled(dossier: Dossier) -> bytes:
    """card.json: what the dossier says, without the ledger's present head and the proofs to it, which change with every
    event anywhere; the facts do not. Nor are the site's keys among them."""
    dossier = msgspec.structs.replace(dossier, keys=())
    if dossier.ledger is not None:
        bare = msgspec.structs.replace(dossier.ledger, size=0, root="", extract="")
        dossier = msgspec.structs.replace(dossier, ledger=bare)
    return to_json(dossier)


def card_digest(dossier: Dossier) -> str:
    """The one digest that every form of a document prints: the SHA-256 of card.json."""
    return canonical.digest(settled(dossier))
