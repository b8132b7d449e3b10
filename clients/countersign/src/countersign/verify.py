"""`countersign verify card.pdf`: whether a document of a site is what was issued. Offline, standard library only.

1. The signature: the signed ranges are the whole file but the container; the container verifies; nothing else is in it. A time
   stamp in it is about this signature, and by an authority for time stamps (--tsa-cert: the one you trust).
2. The pages and the enclosed files are all there is: no scripts, layers, forms, or notes over the pages.
3. The enclosed files have the digests that the pages print; the margins print the digest of the manifest.
4. The results of checks are recomputed from their inputs, counts and numbers; the manifest names them and the card.
5. Each decision's statement has its digest, is about this evidence, and its envelope (where there is one) is signed.
6. The enclosed events of the ledger lead to its root.
7. The whole file: its SHA-256 is that of an event `compliance.document.issued`, in a bundle (--bundle), in an export (--ledger), at the
   site (--url), or is one that you were given (--digest). Only this covers the container of the signature. Where that comes from whom you trust
   (a bundle under --key, the site, a digest), it vouches for the certificate inside as well.

What it cannot show: that what the document says is true; without --certificate or 7, that the certificate is the site's;
without 7, that the container is as it was issued, or that the file is in any ledger.

Exit status: 0 proven, 1 something is wrong, 2 wrong usage, 3 nothing is wrong, but something was not proven (or the site could not be asked).
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from countersign.http import Site, Unexpected, Usage
from countersign.offline import (
    assessment,
    bundle,
    cms,
    der,
    evidence,
    merkle,
    pagetext,
    timestamp,
)
from countersign.offline.evidence import sha256
from countersign.offline.pdffile import Pdf
from countersign.offline.plain import require_plain
from countersign.offline.problems import Unread, Wrong

VERIFIED, WRONG, NOT_PROVEN = 0, 1, 3
_LARGEST = 512 * 1024 * 1024
_CONTAINER = re.compile(rb"<[0-9A-F]*>")
_BROKEN = (
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    RecursionError,
    ArithmeticError,
)


class Report:
    """What was found, item by item."""

    def __init__(self) -> None:
        self.items: list[dict[str, str]] = []
        self.numbers: list[str] = []

    def add(self, state: str, item: str, told: str) -> None:
        self.items.append({"state": state, "item": item, "told": told})

    def attempt(self, item: str, do: Callable[[], str]) -> None:
        """Run one step; what it raises is what is wrong with it."""
        try:
            told = do()
        except Wrong as wrong:
            self.add("wrong", item, str(wrong))
        except Unread as gap:
            self.add("unproven", item, str(gap))
        except _BROKEN as error:
            self.add("wrong", item, f"cannot be read: {type(error).__name__}: {error}")
        else:
            if told:
                self.add("ok", item, told)

    def settle(self, item: str, why: str) -> None:
        """What was not proven by itself is proven by something else."""
        for each in self.items:
            if each["item"] == item and each["state"] == "unproven":
                each.update(state="ok", told=each["told"].partition(";")[0] + why)

    def having(self, state: str) -> list[dict[str, str]]:
        return [item for item in self.items if item["state"] == state]


def run(asked: argparse.Namespace) -> int:
    """Verify one file and print what was found; the exit status."""
    data, report = _read(asked.file), Report()
    try:
        pdf = Pdf(data)
        files, pages = pdf.files(), pagetext.pages(pdf)
    except (Wrong, *_BROKEN) as error:
        report.add("wrong", "file", str(error) or type(error).__name__)
    else:
        _examine(report, asked, data, pdf, files, pages)
    _whole(report, asked, data)
    _print(report, asked, sha256(data))
    if report.having("wrong"):
        return WRONG
    return NOT_PROVEN if report.having("unproven") else VERIFIED


def _read(name: str) -> bytes:
    try:
        path = Path(name)
        if path.stat().st_size > _LARGEST:
            raise Usage(f"{name} is larger than any document.")
        return path.read_bytes()
    except OSError as error:
        raise Usage(f"{name} cannot be read: {error.strerror}.") from error


def _examine(
    report: Report,
    asked: argparse.Namespace,
    data: bytes,
    pdf: Pdf,
    files: dict[str, bytes],
    pages: list[str],
) -> None:
    """Steps 1 to 6."""
    report.attempt("signature", lambda: _signature(report, asked, data, pdf))
    report.attempt("pages", lambda: require_plain(pdf))
    report.attempt("enclosed files", lambda: evidence.listed(files, pages))
    report.attempt("evidence", lambda: evidence.margins(files, pages))
    if "check-results.json" in files:
        report.attempt("check results", lambda: evidence.results(files))
    if "decisions.json" in files:
        report.attempt("decisions", lambda: evidence.decisions(files))
        report.attempt("envelopes", lambda: evidence.envelopes(files))
    if assessment.DOCUMENT in files:
        report.attempt("assessment", lambda: assessment.consistent(files, pages))
    if "ledger-extract.json" in files:
        report.attempt("ledger extract", lambda: _extract(asked, files))
    if "card.json" in files:
        report.attempt("card", lambda: _numbers(report, files, pages))


def _numbers(report: Report, files: dict[str, bytes], pages: list[str]) -> str:
    report.numbers = evidence.numbers(files, pages)
    return "its numbers are listed with what each was computed from"


def _signature(report: Report, asked: argparse.Namespace, data: bytes, pdf: Pdf) -> str:
    """Step 1."""
    found = pdf.signature()
    if found is None:
        if _ledger_is_known(asked):
            report.add("unproven", "signature", "this document is not signed")
            return ""
        raise Wrong("this document is not signed, and nothing was given to compare it with")
    start, end = _gap(data, found)
    padded = bytes.fromhex(data[start + 1 : end - 1].decode("ascii"))
    container = der.read(padded).whole
    if padded[len(container) :].strip(b"\0"):
        raise Wrong("there is something after the signature in its container")
    if padded != found["Contents"] or found.get("SubFilter") != "ETSI.CAdES.detached":
        raise Wrong("the signature is not the one that stands in the gap of the signed ranges")
    digest = sha256(data[:start] + data[end:])
    signature = cms.verified(container, bytes.fromhex(digest))
    _pin(report, asked, signature.certificate)
    if signature.stamp:
        report.attempt("time stamp", lambda: _stamp(asked, signature))
    return f'by "{signature.certificate.name}", over the whole file but its container'


def _stamp(asked: argparse.Namespace, signature: cms.Signature) -> str:
    pinned = _pem(asked.tsa_cert) if asked.tsa_cert else b""
    found = timestamp.verified(signature.stamp, signature.value, pinned)
    told = f'{found.at}, by "{found.authority.name}", sha256:{found.authority.fingerprint}'
    if not pinned:
        raise Unread(
            f"{told}; whether that is an authority you trust is not proven: give --tsa-cert"
        )
    return f"{told}, the certificate you gave"


def _gap(data: bytes, found: dict[str, Any]) -> tuple[int, int]:
    first, start, end, rest = found["ByteRange"]
    if first != 0 or not 0 < start < end or end + rest != len(data):
        raise Wrong("the signature does not cover the whole file: something was added")
    if not _CONTAINER.fullmatch(data, start, end) or not data[:start].endswith(b"/Contents "):
        raise Wrong("the signature leaves out more than its container")
    return start, end


def _pin(report: Report, asked: argparse.Namespace, certificate: cms.Certificate) -> None:
    if not asked.certificate:
        told = f"sha256:{certificate.fingerprint}; whether it is the site's is not proven: compare it, or give --certificate"
        report.add("unproven", "certificate", told)
        return
    pinned = _certificate(asked.certificate)
    if pinned.der != certificate.der:
        raise Wrong(
            f"it is by the certificate {certificate.fingerprint}, expected {pinned.fingerprint}"
        )
    report.add("ok", "certificate", f"sha256:{certificate.fingerprint}, the one you gave")


def _pem(name: str) -> bytes:
    """The bytes of a certificate in a file, PEM or DER."""
    text = _read(name)
    found = re.search(
        rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", text, re.DOTALL
    )
    return base64.b64decode(b"".join(found[1].split())) if found else text


def _certificate(name: str) -> cms.Certificate:
    try:
        return cms.certificate(_pem(name))
    except (Wrong, *_BROKEN) as error:
        raise Usage(f"{name} is no certificate on P-256: {error}.") from error


def _extract(asked: argparse.Namespace, files: dict[str, bytes]) -> str:
    """Step 6."""
    told, (size, root, leaves) = evidence.extract(files)
    if asked.ledger:
        found: dict[int, str] = {}

        def seen(seq: int, leaf: str, there: str) -> None:
            if leaves.get(seq, leaf) != leaf:
                raise Wrong(f"event {seq} of the extract is not the one in the ledger")
            if seq == size:
                found[seq] = there

        with Path(asked.ledger).open("rb") as lines:
            merkle.search_export(lines, "", seen)
        if found.get(size) != root:
            raise Wrong(
                f"the ledger's root at size {size} is {found.get(size)}, the extract has {root}"
            )
        return told + ", as in the export"
    return told


def _ledger_is_known(asked: argparse.Namespace) -> bool:
    return bool(asked.ledger or asked.digest or asked.url or asked.bundle)


def _whole(report: Report, asked: argparse.Namespace, data: bytes) -> None:
    """Step 7."""
    digest = sha256(data)
    if not _ledger_is_known(asked):
        told = "the container of the signature and membership in the ledger: give --bundle, --ledger, --url or --digest"
        report.add("unproven", "whole file", told)
        return
    if asked.bundle:
        _in_bundle(report, asked, digest)
    if asked.digest:
        report.attempt("whole file", lambda: _given(digest, asked.digest))
    if asked.ledger:
        report.attempt("whole file", lambda: _in_export(digest, asked.ledger))
    if asked.url:
        report.attempt("whole file", lambda: _at_site(digest, asked))
    if not report.having("wrong") and _vouched(report, asked):
        report.settle(
            "certificate", "; the whole file is what was issued, and the certificate with it"
        )


def _vouched(report: Report, asked: argparse.Namespace) -> bool:
    """Whether somebody whom the user named says that this very file was issued. An export says it of itself only."""
    keyed = any(item["item"] == "bundle's key" for item in report.having("ok"))
    return bool(asked.digest or asked.url or keyed)


def _in_bundle(report: Report, asked: argparse.Namespace, digest: str) -> None:
    found: list[bundle.Ledger] = []

    def proven() -> str:
        found.append(bundle.ledger(asked.bundle))
        return bundle.issued(found[0], digest)

    report.attempt("whole file", proven)
    if found:
        report.attempt("bundle's key", lambda: bundle.vouched(found[0], asked.key))


def _given(digest: str, given: str) -> str:
    wanted = given.split(":")[-1].strip().lower()
    if digest != wanted:
        raise Wrong(f"its SHA-256 is {digest}, you gave {wanted}")
    return "its SHA-256 is the one you gave"


def _in_export(digest: str, name: str) -> str:
    with Path(name).open("rb") as lines:
        event = merkle.search_export(lines, digest, lambda *_: None)
    return _event(event, digest, "the export")


def _at_site(digest: str, asked: argparse.Namespace) -> str:
    site = Site(
        asked.url, os.environ.get("COUNTERSIGN_TOKEN", "").strip(), asked.timeout, asked.allow_http
    )
    answer = site.get("documents", {"digest": digest})
    items = answer.value.get("items")
    if answer.status != 200 or not isinstance(items, list):
        raise Unexpected(f"The answer ({answer.status}) says nothing about documents.")
    if not items:
        raise Wrong(
            f"the site knows no document with the SHA-256 {digest}, or does not show it to you"
        )
    told = items[0]
    if told.get("digest") != digest:
        raise Unexpected("The answer is about another file.")
    return f"the site issued it as the {told['kind']} of {told['model']} v{told['version']} on {told['issued_at']}"


def _event(event: dict[str, Any] | None, digest: str, where: str) -> str:
    if event is None:
        raise Wrong(
            f"no event of {where} issued a file with the SHA-256 {digest}: it was changed, or is not of this site"
        )
    return f"issued by event {event['seq']} of {where}, {event['at']}"


def _print(report: Report, asked: argparse.Namespace, digest: str) -> None:
    if asked.json:
        value = {"sha256": digest, "items": report.items, "numbers": report.numbers}
        print(json.dumps(value, indent=2, ensure_ascii=False))
        return
    print(f"{asked.file}: sha256:{digest}")
    if report.numbers and not asked.brief:
        print("numbers on the pages, and what each was computed from:")
        print("\n".join("  " + line for line in report.numbers))
    for item in report.items:
        print(f"[{item['state']}] {item['item']}: {item['told']}")
    print(_verdict(report))


def _verdict(report: Report) -> str:
    wrong, open_ = report.having("wrong"), report.having("unproven")
    if wrong:
        return f"WRONG: {wrong[0]['item']}: {wrong[0]['told']}"
    if open_:
        return "NOT PROVEN, nothing wrong found; open: " + ", ".join(item["item"] for item in open_)
    return "VERIFIED"


def existing(name: str) -> str:
    """An argument that names a file."""
    if not Path(name).is_file():
        raise argparse.ArgumentTypeError(f"no such file: {name!r}")
    return name


def key(text: str) -> str:
    """An argument that is a ledger's key."""
    try:
        return bundle.key_id(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"not the id of a key, nor NAME+HASH+BASE64: {text!r}"
        ) from None


def digest(text: str) -> str:
    """An argument that is a SHA-256."""
    if not re.fullmatch(r"(sha256:)?[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"not a SHA-256: {text!r}")
    return text
