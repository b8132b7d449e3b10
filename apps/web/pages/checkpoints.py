"""Audit > Checkpoints: what was signed, comparing one that was kept, and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts import policy
from apps.audits import checkpoint_selectors as checkpoints
from apps.audits import ledger_keys
from apps.audits.checkpoint_selectors import CheckpointView, Kept
from apps.core.actor import Actor
from apps.web import addresses, cells, query, status, words
from apps.web.pages import audit, record
from apps.web.pages.record import Record
from apps.web.parts import (
    Action,
    Cell,
    Column,
    Empty,
    Fact,
    Notice,
    PageHeader,
    Paging,
    Row,
    Tab,
    Table,
)

PAGE = 25


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of the checkpoint that was sent."""

    notice: Notice
    facts: Sequence[Fact]
    proof: Action | None
    command: str


@dataclass(frozen=True, slots=True)
class CheckpointsPage:
    header: PageHeader
    tabs: Sequence[Tab]
    record: Record
    compared: Compared | None
    table: Table
    keys: Table
    witnessed: Table | None
    origin: str
    command: str


def page(actor: Actor, request: HttpRequest, kept: Kept | None = None) -> CheckpointsPage:
    """Everybody who is signed in: sizes and roots say nothing about anybody."""
    keys = ledger_keys.listed()["keys"]
    others = checkpoints.witnessed(10)
    return CheckpointsPage(
        header=_header(actor),
        tabs=audit.tabs(actor, reverse("web:checkpoints")),
        record=record.record(actor),
        compared=compared(kept) if kept else None,
        table=_table(request),
        keys=_keys(keys),
        witnessed=_witnessed(others) if others else None,
        origin=settings.LEDGER_ORIGIN,
        command=_command("--export countersign-ledger.jsonl --checkpoint kept.checkpoint", keys),
    )


def _header(actor: Actor) -> PageHeader:
    acts = []
    if policy.can(actor, "audit.export"):
        acts.append(Action("Sign one now", reverse("web:checkpoint-new"), icon="sign", post=True))
    return PageHeader("Audit", actions=acts)


def _table(request: HttpRequest) -> Table:
    found = checkpoints.list_checkpoints(before=query.before(request), limit=PAGE + 1)
    start = query.first_page(request)
    following = query.next_page(request, found[PAGE - 1].size) if len(found) > PAGE else ""
    count = words.plural(min(len(found), PAGE), "checkpoint")
    columns = ["Events", "Root", "Signed", "Key", "Cosigned by"]
    empty = Empty(
        "nothing-yet",
        "No checkpoint has been signed yet",
        "One is signed at an interval once something has happened, and when the ledger is exported.",
    )
    return Table(
        "Checkpoints",
        [*(Column(name) for name in columns), Column("File", hidden_label=True)],
        [_row(each) for each in found[:PAGE]],
        empty,
        Paging(count, following, start) if start or following else None,
    )


def _row(each: CheckpointView) -> Row:
    url = reverse("web:checkpoint", args=[each.size])
    return Row(
        [
            cells.text(words.thousands(each.size)),
            cells.digest(each.root),
            cells.when(each.made_at),
            cells.mono(each.key_id[:16]),
            cells.text(", ".join(each.witnesses)) if each.witnesses else cells.missing("nobody"),
            cells.acts(Action("Download", url, "plain", "download", download=True)),
        ],
        id=f"checkpoint-{each.size}",
    )


def _keys(keys: Sequence[dict[str, Any]]) -> Table:
    columns = [
        Column(name) for name in ("Key, as verifiers take it", "State", "Since", "Vouched for by")
    ]
    empty = Empty("nothing-yet", "No key has signed for the ledger yet")
    return Table("Keys", columns, [_key(each) for each in keys], empty)


def _key(each: dict[str, Any]) -> Row:
    vouched = (
        cells.mono(each["endorsed_by"][:16], note="the key before it signed this one")
        if each["endorsed_by"]
        else cells.missing("nobody: it is the first, or the one before was lost")
    )
    return Row(
        [
            cells.mono(each["verifier"], note=f"id {each['key_id'][:16]}"),
            cells.chip(status.chip("key", _state(each)), note=_why(each)),
            cells.when(each["added_at"]),
            vouched,
        ]
    )


def _state(each: dict[str, Any]) -> str:
    if each["compromised_since"]:
        return "compromised"
    return "retired" if each["retired_at"] else "in use"


def _why(each: dict[str, Any]) -> str:
    if not each["retired_at"]:
        return ""
    since = each["compromised_since"]
    proves = f"; what it signed after {words.utc(since)} proves nothing" if since else ""
    return f"{words.utc(each['retired_at'])}: {each['reason']}{proves}"


def _witnessed(rows: Sequence[tuple[str, int, Any]]) -> Table:
    return Table(
        "Cosigned here for others",
        [Column("Log"), Column("Events", numeric=True), Column("When")],
        [
            Row([cells.mono(origin), cells.number(words.thousands(size)), cells.when(at)])
            for origin, size, at in rows
        ],
    )


def compared(kept: Kept) -> Compared:
    """What became of a checkpoint, as it is shown."""
    said = kept.checkpoint
    keys = ledger_keys.listed()["keys"]
    title = "It is the same record" if kept.good else "It does not agree with the record"
    proof, command = None, ""
    if kept.proof:
        size = kept.proof["new"]["size"]
        url = reverse("web:checkpoint-proof", args=[said.size, size])
        proof = Action("The proof as a file", url, icon="download", download=True)
        files = f"--checkpoint kept.checkpoint --proof consistency-{said.size}-{size}.json"
        command = _command(f"{files} --root {size}:{kept.proof['new']['root']}", keys, kept.signer)
    return Compared(
        notice=Notice(kept.sentence, "good" if kept.good else "bad", title),
        facts=[
            Fact("Log", cells.mono(said.origin)),
            Fact("Events", cells.number(words.thousands(said.size))),
            Fact("Root", cells.digest(said.root.hex())),
            Fact("Signed by", _signer(kept, keys)),
        ],
        proof=proof,
        command=command,
    )


def _signer(kept: Kept, keys: Sequence[dict[str, Any]]) -> Cell:
    """The key, and what became of it: one that somebody else may have had vouches for little."""
    found = next((each for each in keys if each["key_id"] == kept.signer), None)
    if found is None:
        return cells.missing("no key of ours")
    return cells.mono(kept.signer[:16], note=_why(found))


def _command(options: str, keys: Sequence[dict[str, Any]], signer: str = "") -> str:
    """With the key that signed it, or the newest."""
    chosen = [each for each in keys if each["key_id"] == signer] or list(keys[-1:])
    key = chosen[0]["verifier"] if chosen else "NAME+HASH+BASE64"
    return f"python3 verify_ledger.py {options} --key {key}"


def back() -> str:
    """Where to go after an act."""
    return addresses.record() + "checkpoints/"
