"""The enclosed files against each other and against the pages. Each function returns a sentence, or raises Wrong."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from countersign.offline import merkle
from countersign.offline.curves import ed25519_verifies
from countersign.offline.problems import Wrong

_MARGIN = re.compile(
    r"(Evidence|Cardrevision|Noevidence|)(?:sha256:([0-9a-f]{64})|none)Page(\d+)of(\d+)$"
)
Files = Mapping[str, bytes]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical(value: Any) -> bytes:
    """RFC 8785, of values without floats."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        by_key = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return {key: _ordered(each) for key, each in by_key}
    return [_ordered(each) for each in value] if isinstance(value, list) else value


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For json.loads: programs differ in which of two equal keys they take."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("a key is there twice")
    return found


def read(files: Files, name: str) -> Any:
    """An enclosed JSON file."""
    try:
        return json.loads(files[name], object_pairs_hook=once)
    except KeyError:
        raise Wrong(f"{name} is not enclosed") from None
    except ValueError:
        raise Wrong(f"{name} is not JSON") from None


def card(files: Files) -> Any:
    """The card in card.json."""
    return read(files, "card.json")["card"]


def listed(files: Files, pages: Sequence[str]) -> str:
    """Part E of the pages prints the SHA-256 of each enclosed file."""
    printed = "".join(pages)
    for name, data in files.items():
        if "".join(name.split()) not in printed or sha256(data) not in printed:
            raise Wrong(
                f"{name} has SHA-256 {sha256(data)}, which is not printed in the list of files"
            )
    return f"{len(files)} files, each with the SHA-256 that part E prints"


def margins(files: Files, pages: Sequence[str]) -> str:
    """Every page's margin has its number and one digest: that of the enclosed manifest, or of the card's revision."""
    found = set()
    for number, page in enumerate(pages, start=1):
        margin = _MARGIN.search(page)
        if not margin or (int(margin[3]), int(margin[4])) != (number, len(pages)):
            raise Wrong(f"page {number} of {len(pages)} has not the margin that it should")
        found.add((margin[1], margin[2]))
    if len(found) != 1:
        raise Wrong("pages have different digests in their margins: they do not belong together")
    ((kind, digest),) = found
    expected = _bound(kind, files)
    if digest not in expected:
        told = " or ".join(str(each) for each in sorted(expected, key=str)) or "none"
        raise Wrong(f"the margins print {digest}, the enclosed files give {told}")
    return f"the margins of {len(pages)} pages print its digest, {digest or 'none'}"


def _bound(kind: str, files: Files) -> set[Any]:
    """What the margins may print: the manifest's digest, else that of the card's revision, or of what a report is about."""
    manifest = files.get("evidence-manifest.json")
    if kind == "Evidence" and manifest is None:
        raise Wrong("the margins name evidence, and no manifest is enclosed")
    if manifest is not None:
        return {sha256(manifest)}
    if "assessment.json" in files:
        return {sha256(files["assessment.json"])}
    if kind:
        return {card(files).get("digest") or None}
    return {row.get("result_digest") for row in read(files, "check-results.json")["results"]}


def results(files: Files) -> str:
    """The digest of each check result is that of its inputs, counts and numbers, and the one in the manifest."""
    held = {}
    for row in read(files, "check-results.json")["results"]:
        held[row["kind"]] = row.get("result_digest") or None
        if row.get("result_digest") and not _recomputes(row):
            raise Wrong(
                f"the result of {row['kind']} is not the one with the digest {row['result_digest']}"
            )
    if "evidence-manifest.json" in files:
        manifest = read(files, "evidence-manifest.json")
        _agree(manifest, held, card(files))
    return (
        f"{sum(1 for digest in held.values() if digest)} of {len(held)} have a result; recomputed"
    )


def _recomputes(row: Mapping[str, Any]) -> bool:
    record = row["record"]
    pinned = {name: record[name] for name in ("key", "statistics", "result")}
    return sha256(canonical(pinned)) == str(row["result_digest"])


def _agree(manifest: Mapping[str, Any], held: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
    for entry in manifest["checks"]:
        if held.get(entry["kind"]) != entry["result_digest"]:
            raise Wrong(f"the manifest names another result of {entry['kind']}")
    if (manifest["card"] or {}).get("digest") != (shown.get("digest") or None):
        raise Wrong("the manifest names another revision of the card")


def decisions(files: Files) -> str:
    """Each statement has the digest printed beside the signature, says what the pages say, and is in an enclosed event of
    the ledger; those that are not void are about the enclosed manifest."""
    rows = read(files, "decisions.json")["decisions"]
    evidence = sha256(files.get("evidence-manifest.json", b""))
    told = b"".join(merkle.bodies(read(files, "ledger-extract.json"))) if rows else b""
    for row in rows:
        _stated(row, told)
        if row["evidence_digest"] != evidence and not row.get("void"):
            raise Wrong(f"the decision of {row['signer']} is about other evidence")
    void = sum(1 for row in rows if row.get("void"))
    return f"{len(rows)} decisions, {void} of them void; each statement is in the ledger"


def _stated(row: Mapping[str, Any], told: bytes) -> None:
    whose = f"the statement of {row['signer']}"
    if sha256(row["statement"].encode("utf-8")) != row["statement_digest"]:
        raise Wrong(f"{whose} has not the digest {row['statement_digest']}")
    if row["statement_digest"].encode("ascii") not in told:
        raise Wrong(f"{whose} is in no enclosed event of the ledger")
    if row["evidence_digest"] not in row["statement"]:
        raise Wrong(f"{whose} does not name the evidence")
    said = json.loads(row["statement"])
    for name, shown in (("outcome", "outcome"), ("signed_at", "at"), ("step", "step")):
        if said.get(name, row[shown]) != row[shown]:
            raise Wrong(f"{whose} says {name} {said[name]}, shown is {row[shown]}")


def envelopes(files: Files) -> str:
    """Each decision's DSSE envelope is signed by a ledger key of the enclosed list and names the statement."""
    rows = read(files, "decisions.json")["decisions"]
    enclosed = [row for row in rows if row.get("envelope")]
    if not enclosed:
        return ""
    keys = {key["key_id"]: bytes.fromhex(key["public"]) for key in read(files, "keys.json")["keys"]}
    for row in enclosed:
        _open(row, keys)
    return f"{len(enclosed)} of {len(rows)} decisions are signed by the site's ledger key"


def _open(row: Mapping[str, Any], keys: Mapping[str, bytes]) -> None:
    """The envelope of one decision (DSSE 1.0.2): signed by a known key, and about its statement."""
    found = row["envelope"]
    envelope = json.loads(found) if isinstance(found, str) else found
    try:
        payload = base64.b64decode(envelope["payload"], validate=True)
        (entry,) = envelope["signatures"]
        signature = base64.b64decode(entry["sig"], validate=True)
    except (binascii.Error, KeyError, TypeError, ValueError):
        raise Wrong(f"the envelope of {row['signer']}'s decision cannot be read") from None
    kind, public = envelope["payloadType"].encode("utf-8"), keys.get(entry["keyid"], b"")
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    if sha256(public) != entry["keyid"] or not ed25519_verifies(public, signed, signature):
        raise Wrong(f"the envelope of {row['signer']}'s decision is not signed by an enclosed key")
    if row["statement_digest"].encode("ascii") not in payload:
        raise Wrong(f"the envelope of {row['signer']}'s decision is about another statement")


def extract(files: Files) -> tuple[str, tuple[int, str, dict[int, str]]]:
    """The enclosed events lead to one root."""
    size, root, leaves = merkle.check_extract(read(files, "ledger-extract.json"))
    return f"{len(leaves)} events lead to the root {root} at size {size}", (size, root, leaves)


def numbers(files: Files, pages: Sequence[str]) -> list[str]:
    """Every computed block of the card with its sources, and under it each row of numbers it shows."""
    printed = "".join(pages)
    known = {row.get("result_digest") for row in read(files, "check-results.json")["results"]}
    out = []
    for section in card(files)["sections"]:
        for block in section["blocks"]:
            rows = [
                row
                for part in (block.get("computed") or {}).get("parts", ())
                for row in _rows(part)
            ]
            if rows:
                out.append(
                    f"{section['number']} {section['title']}, {block['title']}: {_from(block, known)}"
                )
                out += ["    " + _told(row, printed) for row in rows]
    return out


def _from(block: Mapping[str, Any], known: set[Any]) -> str:
    sources = block["computed"].get("sources", ())
    told = [
        source["label"]
        + (f" sha256:{source['digest']}" if source.get("digest") else "")
        + (" (enclosed, recomputed)" if source.get("digest") in known - {None, ""} else "")
        for source in sources
    ]
    return "computed from " + ("; ".join(told) or "the record of the version")


def _rows(part: Mapping[str, Any]) -> list[list[tuple[str, str]]]:
    """Rows of (name, text) that hold a digit."""
    if part["type"] == "table":
        titles = [column["title"] for column in part["columns"]]
        rows = [
            [(titles[place], cell["text"]) for place, cell in enumerate(row)]
            for row in part["rows"]
        ]
    elif part["type"] == "facts":
        rows = [[(fact["label"], fact["value"]["text"])] for fact in part["rows"]]
    elif part["type"] == "text":
        rows = [[("", part["text"])]]
    else:
        return []  # charts have a table with the same numbers
    return [row for row in rows if any(c.isdigit() for _, value in row for c in value)]


def _told(row: Sequence[tuple[str, str]], printed: str) -> str:
    shown = "; ".join(f"{name} {value}".strip() for name, value in row)
    where = (
        ""
        if all("".join(value.split()) in printed for _, value in row)
        else "   <- not found on the pages"
    )
    return shown + where
