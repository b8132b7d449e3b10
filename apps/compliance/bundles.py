"""Everything about versions in one archive, for somebody who will not ask us again (ADRs 0033, 0040).

`bundle.json` lists every other member with its kind, size and SHA-256 and is signed by the site; it stands at the end, since it
is known at the end: the archive is streamed from the tables and the store and kept nowhere. What is in it, member by
member: docs/how-to/verify-a-bundle.md. `tools/verify_bundle.py` checks it and shares no code with this.

A bundle of several versions has each in a folder of its own, and keys, checkpoint, events and programs once. Versions are read one
after the other, when their turn comes: memory follows the largest, not their number.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from apps.accounts import policy
from apps.audits import checkpoint_selectors, checkpoints, keys, notes
from apps.audits import selectors as audits
from apps.audits.checkpoint_selectors import CheckpointView
from apps.audits.log import verb
from apps.compliance import bundle_parts, use_gate
from apps.compliance.assembly import public_keys
from apps.compliance.bundle_parts import MOST_EVENTS, Item, known
from apps.compliance.events import BundleIssued
from apps.core import canonical, clock, dsse, zipping
from apps.core.actor import Actor
from apps.core.errors import Conflict, Invalid, NotFound
from apps.modelcards.card import as_data
from apps.registry.models import ModelVersion

READ: Final = "review.read"
SCHEMA, SEVERAL = "countersign.bundle/1", "countersign.bundle/2"
INDEX, SEAL = "bundle.json", "bundle.dsse.json"
PAYLOAD_TYPE: Final = "application/vnd.countersign.bundle+json"
MOST_VERSIONS: Final = 500
MOST_EARLIER: Final = 64  # checkpoints that a proof is enclosed for: 2 KB each
PROGRAM: Final = "verify_bundle.pyz"
SOURCES: Final = (
    "verify_ledger.py",
    "verify_zip.py",
    "verify_records.py",
    "verify_version.py",
    "verify_bundle.py",
)
PAGE: Final = "verify.html"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

README: Final = """This archive holds the record of {what}, and what proves it.

    python3 verify_bundle.pyz {name} --key KEY        (Python 3.9 or later, nothing else)
    or open verify.html in a browser and drop the archive onto it: nothing is sent anywhere.

KEY is the id of the site's key as you were given it by another way than this archive: without it nothing says whose archive this is.
Take the programs, too, from a place you trust rather than from here.
"""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What goes into one archive. `folders`: one for each version, "" for the only one of a bundle of one."""

    actor: Actor
    versions: Sequence[ModelVersion]
    folders: Sequence[str]
    checkpoint: CheckpointView
    with_files: bool
    since: int | None
    name: str

    @property
    def size(self) -> int:
        return self.checkpoint.size


@dataclass(slots=True)
class _Listed:
    """What the index will say."""

    members: list[dict[str, Any]] = field(default_factory=list)

    def watched(self, item: Item) -> Iterator[bytes]:
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
    return file_name_of(f"{_plain(version.model.name)}-v{version.number}")


def file_name_of(stem: str) -> str:
    """The name of an archive about what `stem` says."""
    return f"{_plain(stem)}-bundle.zip"


def _plain(text: str) -> str:
    return _UNSAFE.sub("-", text).strip("-.")[:80] or "model"


def stream(
    actor: Actor, version: ModelVersion, *, with_files: bool = False, since: str = ""
) -> Iterator[bytes]:
    """The bundle of one version, a piece at a time; it is in the ledger before its last piece is handed out.

    Everything but the bytes of large members is read and compared with its digests before the first piece. Refuses as `stream_many`.
    """
    plan = _planned(actor, [version], [""], with_files, since, file_name(version))
    return zipping.archive(_members(plan, list(_items(plan))))


def stream_many(
    actor: Actor,
    versions: Iterable[ModelVersion],
    *,
    with_files: bool = False,
    since: str = "",
    name: str = "bundle.zip",
) -> Iterator[bytes]:
    """One bundle of these versions, also of several models, each in a folder of its own. `name` is for its README.

    `since`: a checkpoint that the reader kept, as its text or its size; the proof that the ledger grew from it is enclosed.
    Nothing is handed out, and nothing written, where any of this is refused: who may not read one of the versions, the files for
    whom the site first wants to have read their uses (Forbidden), a deleted version (NotFound), none or too many of them, a
    `since` of another ledger or of the future (Invalid), more events than a bundle holds (Conflict), a site without its key (Blocked). A member
    that turns out damaged on the way (Tampered) ends the archive without its directory: no program takes it for whole.
    """
    chosen = list({version.pk: version for version in versions}.values())
    plan = _planned(actor, chosen, _folders(chosen), with_files, since, name)
    return zipping.archive(_members(plan, _items(plan)))


def _planned(
    actor: Actor,
    versions: Sequence[ModelVersion],
    folders: Sequence[str],
    with_files: bool,
    since: str,
    name: str,
) -> _Plan:
    """What is refused is refused here, before anything is signed."""
    if not 0 < len(versions) <= MOST_VERSIONS:
        raise Invalid(f"A bundle holds 1 to {MOST_VERSIONS} versions, not {len(versions)}.")
    for version in versions:
        _require(actor, version, with_files=with_files)
    earlier = since_size(since)
    plan = _Plan(actor, versions, folders, checkpoints.make_checkpoint(actor, occasion="bundle"), with_files, earlier, name)  # fmt: skip
    if len(_numbers(plan)) >= MOST_EVENTS:
        raise Conflict(
            f"More than {MOST_EVENTS} events are about this: no bundle holds so many.",
            hint="Choose fewer versions.",
        )
    return plan


def _require(actor: Actor, version: ModelVersion, *, with_files: bool) -> None:
    policy.require(actor, READ, version)
    if with_files:
        use_gate.require_acknowledged(actor, version)
    if version.deleted_at is not None:
        raise NotFound("This version was deleted; no bundle is made of it.")


def since_size(since: str) -> int | None:
    """The size that a kept checkpoint has, given as its text or as that number; None where none was given. Raises Invalid.

    Whether its root is the ledger's is not asked here: the proof is enclosed, and the verifier says so.
    """
    text = since.strip()
    if not text:
        return None
    try:
        size = int(text) if text.isascii() and text.isdigit() else _kept(since)
    except Invalid as error:
        raise Invalid(error.message, fields={"since": error.message}) from error
    now = audits.head().size
    if not 0 < size <= now:
        told = f"The ledger has had 1 to {now} events, and not {size}."
        raise Invalid(told, fields={"since": told})
    return size


def _kept(text: str) -> int:
    said = notes.checkpoint(notes.parse(text.replace("\r\n", "\n").strip().encode() + b"\n").text)
    if said.origin != settings.LEDGER_ORIGIN:
        raise Invalid(f"It is a checkpoint of {said.origin}; this is {settings.LEDGER_ORIGIN}.")
    return said.size


def _folders(versions: Sequence[ModelVersion]) -> list[str]:
    """versions/income-v3/; two models whose names look alike in plain letters are told apart."""
    found: list[str] = []
    seen: set[str] = set()
    for version in versions:
        name = f"{_plain(version.model.name)}-v{version.number}"
        name = f"{name}-{version.pk}" if name.lower() in seen else name
        seen.add(name.lower())
        found.append(f"versions/{name}/")
    return found


def _members(plan: _Plan, items: Iterable[Item]) -> Iterator[zipping.Member]:
    listed = _Listed()
    for item in items:
        yield zipping.Member(item.name, listed.watched(item), item.packed)
    index = canonical.dumps(_index(plan, listed))
    yield zipping.Member(SEAL, [_issued(plan, index)])
    yield zipping.Member(INDEX, [index])


def _index(plan: _Plan, listed: _Listed) -> dict[str, Any]:
    about = [_entry(version) for version in plan.versions]
    if plan.folders == [""]:
        said = {"schema": SCHEMA, **about[0]}
    else:
        pairs = zip(plan.folders, about, strict=True)
        said = {"schema": SEVERAL, "versions": [{"folder": place, **one} for place, one in pairs]}
    return {
        **said,
        "bundle": str(uuid.uuid4()),
        "site": settings.BASE_URL,
        "with_files": plan.with_files,
        "made_at": clock.now().isoformat(),
        "ledger_size": plan.size,
        "members": sorted(listed.members, key=lambda entry: str(entry["name"])),
    }


def _entry(version: ModelVersion) -> dict[str, Any]:
    return {
        "model": version.model.name,
        "version": version.number,
        "manifest_digest": version.manifest_digest,
    }


def _issued(plan: _Plan, index: bytes) -> bytes:
    """The site's signature of the index, and its event: one for each version, with the same digest."""
    said = json.loads(index)
    with verb(plan.actor) as v:
        sealed = dsse.envelope(index, keys.ledger_key(plan.actor), PAYLOAD_TYPE)
        for version in plan.versions:
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


def _items(plan: _Plan) -> Iterator[Item]:
    """Every member, in the order in which one would read them."""
    yield known("README.txt", "text", _readme(plan))
    yield known(PROGRAM, "program", verifier())
    yield known(PAGE, "program", _tool(PAGE))
    for version, folder in zip(plan.versions, plan.folders, strict=True):
        for item in bundle_parts.items(version, plan.size, with_files=plan.with_files):
            yield replace(item, name=folder + item.name)
    yield known("keys.json", "keys", _keys(plan.size))
    yield Item("ledger-extract.json", "ledger", lambda: audits.written_extract(_numbers(plan), size=plan.size))  # fmt: skip
    yield known("consistency.json", "consistency", _growth(plan))
    yield known("checkpoint.txt", "checkpoint", plan.checkpoint.note)


def _readme(plan: _Plan) -> bytes:
    one = len(plan.versions) == 1
    what = "one version of a model" if one else f"{len(plan.versions)} versions of models"
    return README.format(what=what, name=plan.name).encode()


def verifier() -> bytes:
    """The stand-alone verifier as one file that Python runs: the programs of `tools/` in an archive, to be read by anybody."""
    started = b"import sys\n\nfrom verify_bundle import main\n\nsys.exit(main())\n"
    files = [(name, _tool(name)) for name in SOURCES] + [("__main__.py", started)]
    return b"".join(zipping.archive(zipping.Member(name, [data]) for name, data in files))


def _tool(name: str) -> bytes:
    return (Path(settings.BASE_DIR) / "tools" / name).read_bytes()


def _keys(size: int) -> bytes:
    """Those whose admission is among the enclosed events."""
    there = {
        row.payload["key"]
        for row in audits.events(scopes=_signers(), types=["audits.key.added"], before_seq=size + 1, limit=MOST_EVENTS)
    }  # fmt: skip
    found = [key for key in public_keys.views() if key.key_id in there]
    retired = {
        row.payload["key"]
        for row in audits.events(scopes=_signers(), types=["audits.key.retired"], before_seq=size + 1, limit=MOST_EVENTS)
    }  # fmt: skip
    said = [as_data(key) for key in found]
    for each in said:
        if each["key_id"] not in retired:
            each.update(retired_at="", compromised_since="")
    return canonical.dumps({"schema": "countersign.keys/1", "keys": said})


def _signers() -> list[str]:
    return [f"key:{key.key_id}" for key in keys.known()]


def _numbers(plan: _Plan) -> list[int]:
    """The events about the versions, those that made their models, and those about the keys, up to the checkpoint."""
    scopes = [f"version:{version.pk}" for version in plan.versions] + _signers()
    models = sorted({f"model:{version.model_id}" for version in plan.versions})
    found = audits.numbers(scopes, size=plan.size, most=MOST_EVENTS)
    found += audits.numbers(models, size=plan.size, most=MOST_EVENTS, under="registry.model.")
    return sorted(set(found))


def _growth(plan: _Plan) -> bytes:
    """That the ledger grew out of checkpoints that somebody may have kept."""
    sizes = checkpoint_selectors.earlier_sizes(plan.size, MOST_EARLIER)
    if plan.since is not None and plan.since < plan.size:
        sizes = sorted({*sizes, plan.since})
    proofs = checkpoint_selectors.consistency_proofs(sizes, plan.size)
    return canonical.dumps({"schema": "countersign.consistency/1", "proofs": proofs})
