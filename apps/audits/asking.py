"""Asking a witness (C2SP tlog-witness) to cosign a checkpoint of ours: we send the proof that the log only grew."""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from apps.audits import notes, proofs
from apps.audits.models import Checkpoint, Cosignature
from apps.core.errors import Blocked, Conflict, DomainError, Invalid, Tampered

TIMEOUT: Final = 20
_LONGEST: Final = 64 * 1024
_SIZE_TYPE: Final = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Witness:
    """Where to ask, and the key that its answers must be signed with."""

    url: str
    key: notes.Verifier


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    kind: str
    text: str


def witness(entry: str) -> Witness:
    """An entry of CHECKPOINT_WITNESSES, "address key". Raises Invalid."""
    url, _, text = entry.partition(" ")
    if not url.startswith(("https://", "http://")):
        raise Invalid(f"A witness is an address and its key, got {entry!r}.")
    key = notes.verifier(text)
    if key.kind != notes.WITNESS:
        raise Invalid(f"The key of the witness {url} must be one for cosignatures (type 4).")
    return Witness(url.rstrip("/"), key)


def ask(row: Checkpoint, target: str) -> str:
    """Have this checkpoint cosigned, verify the cosignature, store it; what happened in a sentence.

    1. Start from the size that this witness cosigned last, as far as we know.
    2. Where it knows another size (409), start from that one, once.
    3. Store what it signed, if the key of the settings signed it.

    A witness that is ahead of this checkpoint but not of the ledger needs nothing: a later checkpoint was cosigned.
    Raises Tampered where it knows a longer ledger than there is, or another one; Conflict for any other refusal.
    """
    who = _named(target)
    last = Cosignature.objects.filter(witness=str(who.key)).order_by("-checkpoint__size").first()
    old = min(last.checkpoint.size if last else 0, row.size)
    answer = _post(who, _request(row, old))
    if answer.status == http.HTTPStatus.CONFLICT and answer.kind == _SIZE_TYPE:
        known = _known_size(answer.text)
        if known > row.size:
            return _ahead(row, known)
        answer = _post(who, _request(row, known))
    if answer.status != http.HTTPStatus.OK:
        raise _refusal(who, answer)
    _store(row, who, answer.text)
    return f"cosigned by {who.key.name}"


def _named(target: str) -> Witness:
    url = target.removeprefix("witness:")
    for entry in settings.CHECKPOINT_WITNESSES:
        if entry.partition(" ")[0] == url:
            return witness(entry)
    raise Blocked(f"CHECKPOINT_WITNESSES does not name {url} any more.")


def _request(row: Checkpoint, old: int) -> bytes:
    path = proofs.consistency(old, row.size) if old else []
    lines = [f"old {old}", *(base64.b64encode(part).decode() for part in path)]
    return ("\n".join(lines) + "\n\n").encode() + bytes(row.note)


def _ahead(row: Checkpoint, known: int) -> str:
    if Checkpoint.objects.filter(size__gte=known).exists():
        return f"the witness is at {known} events already, as is a later checkpoint"
    raise Tampered(
        f"The witness has cosigned {known} events, the newest checkpoint here has {row.size}: events are missing."
    )


def _refusal(who: Witness, answer: _Answer) -> DomainError:
    said = f"{who.key.name} answered {answer.status}: {answer.text[:200].strip() or 'nothing'}"
    if answer.status in {http.HTTPStatus.CONFLICT, http.HTTPStatus.UNPROCESSABLE_ENTITY}:
        return Tampered(f"{said}. It saw another ledger under this name.")
    return Conflict(said)


def _store(row: Checkpoint, who: Witness, text: str) -> None:
    lines = tuple(notes.signature(line) for line in text.splitlines(keepends=True))
    signed = notes.Note(notes.parse(bytes(row.note)).text, lines).signed_by(who.key)
    if signed is None:
        raise Tampered(
            f"The answer is not signed by the key that the settings name, {who.key.name}."
        )
    Cosignature.objects.get_or_create(
        checkpoint=row,
        witness=str(who.key),
        defaults={
            "line": str(signed),
            "at": dt.datetime.fromtimestamp(notes.time_of(signed), dt.UTC),
        },
    )


def _known_size(text: str) -> int:
    if not text.strip().isdecimal():
        raise Conflict(f"The witness answered 409 with {text[:40]!r}, which is no size.")
    return int(text)


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """A witness answers for itself."""
        return


def _post(who: Witness, body: bytes) -> _Answer:
    request = urllib.request.Request(  # noqa: S310 - `witness` lets only http and https pass
        f"{who.url}/add-checkpoint", body, {"Content-Type": "application/octet-stream"}
    )
    try:
        with urllib.request.build_opener(_Straight).open(request, timeout=TIMEOUT) as answer:
            return _read(answer.status, answer.headers, answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return _read(refused.code, refused.headers, refused)
    except (OSError, http.client.HTTPException) as error:
        raise Conflict(f"The witness {who.url} cannot be reached: {error}.") from error


def _read(status: int, headers: Any, stream: Any) -> _Answer:
    return _Answer(
        status, headers.get_content_type(), stream.read(_LONGEST).decode("utf-8", "replace")
    )
