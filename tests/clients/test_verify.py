"""`countersign verify` in an environment that holds it and nothing else: what it proves, and what it says it does not."""

from __future__ import annotations

import hashlib
import io
import json
import random
import subprocess
from pathlib import Path

import msgspec
import pypdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from apps.core import pades, signing
from apps.modelcards.attachments import attachments
from apps.modelcards.renderers import pdf
from tests.clients import provable
from tests.clients.conftest import Run, Said
from tests.clients.provable import Issued

EDITS = 200


@pytest.fixture(scope="module")
def issued() -> Issued:
    return provable.issued()


@pytest.fixture
def folder(issued: Issued, tmp_path: Path) -> Path:
    """A folder with card.pdf, ledger.jsonl and site.pem."""
    (tmp_path / "card.pdf").write_bytes(issued.data)
    (tmp_path / "ledger.jsonl").write_bytes(issued.export)
    (tmp_path / "site.pem").write_bytes(issued.certificate)
    return tmp_path


def asked(run: Run, folder: Path, *arguments: str) -> Said:
    names = {"card.pdf", "ledger.jsonl", "site.pem", "other.pem"}
    return run("verify", *(str(folder / a) if a in names else a for a in arguments))


def states(said: Said) -> dict[str, str]:
    return {item["item"]: item["state"] for item in said.json["items"]}


def test_with_the_ledger_and_the_certificate_everything_is_proven(run: Run, folder: Path):
    said = asked(run, folder, "card.pdf", "--ledger", "ledger.jsonl", "--certificate", "site.pem")
    assert said.code == 0, said.out
    assert said.out.splitlines()[-1] == "VERIFIED"
    assert "issued by event 6 of the export" in said.out


def test_without_them_it_says_what_is_not_proven(run: Run, folder: Path):
    said = asked(run, folder, "card.pdf")
    assert said.code == 3
    last = "NOT PROVEN, nothing wrong found; open: certificate, whole file"
    assert said.out.splitlines()[-1] == last
    assert "the container of the signature and membership in the ledger" in said.out


def test_each_number_is_listed_with_the_result_it_came_from(run: Run, folder: Path):
    said = asked(run, folder, "card.pdf")
    assert "Disparities between groups: computed from measurement 13 sha256:" in said.out
    assert "Group Group 00; Rate 0.310; 95 % from 0.280; to 0.350" in said.out
    assert "not found on the pages" not in said.out
    assert "Rate 0.310" not in asked(run, folder, "card.pdf", "--brief").out


def test_the_digest_you_were_given_counts(run: Run, folder: Path, issued: Issued):
    assert asked(run, folder, "card.pdf", "--digest", issued.digest).code == 0
    said = asked(run, folder, "card.pdf", "--digest", "sha256:" + "0" * 64)
    assert said.code == 1
    assert "WRONG: whole file: its SHA-256 is" in said.out


def test_a_certificate_of_somebody_else_is_wrong(run: Run, folder: Path, settings):
    settings.VAR = folder
    (folder / "other.pem").write_text(signing.document_key().certificate_pem)
    said = asked(run, folder, "card.pdf", "--certificate", "other.pem")
    assert said.code == 1
    assert "WRONG: signature: it is by the certificate" in said.out


def test_a_document_signed_anew_by_somebody_else_is_not_in_the_ledger(
    run: Run, folder: Path, issued: Issued, settings
):
    """Whoever has a key can sign the same pages; only certificate and ledger tell."""
    settings.VAR = folder
    forged = pades.signed(issued.rendered, signing.document_key(), reason="Model card")
    (folder / "card.pdf").write_bytes(forged)
    assert asked(run, folder, "card.pdf").code == 3
    for known in ("--certificate", "site.pem"), ("--ledger", "ledger.jsonl"):
        assert asked(run, folder, "card.pdf", *known).code == 1


def test_an_unsigned_document_needs_the_ledger(run: Run, folder: Path, issued: Issued):
    (folder / "card.pdf").write_bytes(issued.rendered)
    said = asked(run, folder, "card.pdf")
    assert said.code == 1
    assert "not signed, and nothing was given to compare it with" in said.out
    digest = hashlib.sha256(issued.rendered).hexdigest()
    assert asked(run, folder, "card.pdf", "--digest", digest).code == 3  # it has no signature


def test_what_is_added_after_the_signature_is_found(run: Run, folder: Path, issued: Issued):
    writer = IncrementalPdfFileWriter(io.BytesIO(issued.data))
    writer.root["/Lang"] = generic.pdf_string("xx")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(issued.data)
    (folder / "card.pdf").write_bytes(out.getvalue())
    said = asked(run, folder, "card.pdf", "--json")
    assert said.code == 1
    assert states(said)["signature"] == "wrong"


@pytest.mark.parametrize("line", [1, 3, 7, 8])
def test_an_export_that_was_edited_or_cut_proves_nothing(run: Run, folder: Path, line: int):
    lines = (folder / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "ledger.jsonl").write_bytes(b"".join(lines[: line - 1] + lines[line:]))
    said = asked(run, folder, "card.pdf", "--ledger", "ledger.jsonl")
    assert said.code == 1
    assert "[wrong] whole file" in said.out


@pytest.mark.parametrize(
    ("name", "old", "new", "item"),
    [
        ("check-results.json", '"v":"0.1"', '"v":"0.2"', "check results"),
        ("decisions.json", '\\"signer\\": \\"Vera', '\\"signer\\": \\"Vexa', "decisions"),
        ("ledger-extract.json", '"seq": 2', '"seq": 3', "ledger extract"),
        ("evidence-manifest.json", '"revision":2', '"revision":3', "evidence"),
    ],
)
def test_a_false_file_inside_is_named_even_if_somebody_signs_it(
    run: Run, folder: Path, issued: Issued, monkeypatch, name: str, old: str, new: str, item: str
):
    import msgspec

    def falsified(dossier):
        return tuple(
            msgspec.structs.replace(file, text=file.text.replace(old, new, 1))
            if file.name == name
            else file
            for file in attachments(dossier)
        )

    assert falsified(issued.dossier) != attachments(issued.dossier)
    monkeypatch.setattr(pdf, "attachments", falsified)
    data = pades.signed(pdf.render_pdf(issued.dossier), signing.document_key(), reason="Model card")
    (folder / "card.pdf").write_bytes(data)
    said = asked(run, folder, "card.pdf", "--json")
    assert said.code == 1
    assert states(said)[item] == "wrong"


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"%PDF-2.0\n", b"%PDF-1.4\nstartxref\n9\n%%EOF\n", b"\0" * 100_000],
    ids=["empty", "words", "head only", "wrong place", "zeros"],
)
def test_what_is_no_document_is_wrong_and_no_crash(run: Run, folder: Path, data: bytes):
    (folder / "card.pdf").write_bytes(data)
    said = asked(run, folder, "card.pdf")
    assert said.code == 1
    assert "[wrong] file" in said.out


def test_a_file_that_is_not_there_is_wrong_usage(run: Run, folder: Path):
    said = asked(run, folder, "nothing.pdf")
    assert said.code == 2
    assert "no such file" in said.err


PROGRAM = """
import contextlib, io, json, sys
from pathlib import Path
from countersign.cli import main
data, digest, edits = Path(sys.argv[1]).read_bytes(), sys.argv[2], json.load(sys.stdin)
target, found = Path(sys.argv[1] + ".edited"), []
for at, value in edits:
    target.write_bytes(data[:at] + bytes([value]) + data[at + 1:])
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = main(["verify", str(target), "--json", "--digest", digest])
    items = json.loads(out.getvalue())["items"]
    found.append([code, [item["item"] for item in items if item["state"] == "wrong"]])
json.dump(found, sys.stdout)
"""


def test_every_edited_byte_is_found_or_is_in_the_container_and_changes_nothing(
    installed: Path, folder: Path, issued: Issued
):
    """200 single-byte edits. With the file's digest known, each is found. Without: found, or inside the container of the
    signature with every enclosed file and every shown word unchanged."""
    chance = random.Random(20261128)  # noqa: S311 -- seeded on purpose
    start = issued.data.rindex(b"/Contents <") + 10
    end = issued.data.index(b">", start) + 1
    places = [chance.randrange(len(issued.data)) for _ in range(EDITS - 40)]
    places += [chance.randrange(start, end) for _ in range(40)]  # where a signature is blind
    edits = [(at, (issued.data[at] + chance.randrange(1, 256)) % 256) for at in places]
    done = subprocess.run(
        [installed / "python", "-c", PROGRAM, folder / "card.pdf", issued.digest],
        input=json.dumps(edits).encode(),
        capture_output=True,
        check=True,
        timeout=600,
    )
    found = json.loads(done.stdout)
    assert len(found) == EDITS
    unnoticed = []
    for (at, value), (code, wrong) in zip(edits, found, strict=True):
        assert code == 1, at
        assert "whole file" in wrong, at
        if wrong == ["whole file"]:
            assert start <= at < end
            unnoticed.append(issued.data[:at] + bytes([value]) + issued.data[at + 1 :])
    for edited in unnoticed:
        assert shown(edited) == shown(issued.data)


def shown(data: bytes) -> tuple[str, dict[str, list[bytes]]]:
    text = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True)
    reader = pypdf.PdfReader(io.BytesIO(data))
    return text.stdout.decode(), dict(reader.attachments)


def test_an_envelope_by_another_key_or_about_something_else_is_wrong(
    run: Run, folder: Path, issued: Issued, monkeypatch, tmp_path: Path, settings
):
    key = signing.document_key()
    good = enveloped_by(None)
    for change, state in ((good, "ok"), (enveloped_by("other key"), "wrong")):
        monkeypatch.setattr(pdf, "attachments", change)
        data = pades.signed(pdf.render_pdf(issued.dossier), key, reason="Model card")
        (folder / "card.pdf").write_bytes(data)
        assert states(asked(run, folder, "card.pdf", "--json"))["envelopes"] == state


def enveloped_by(other: str | None):
    """The files of a dossier, the decisions with envelopes; `other`: a byte of each signature is another."""

    def change(dossier):
        found = []
        for file in attachments(dossier):
            text = file.text
            if file.name == "decisions.json":
                value = json.loads(text)
                value["decisions"] = [provable.enveloped(d) for d in value["decisions"]]
                if other:
                    for decision in value["decisions"]:
                        envelope = json.loads(decision["envelope"])
                        signature = envelope["signatures"][0]
                        signature["sig"] = signature["sig"][:-4] + "AAA="
                        decision["envelope"] = json.dumps(envelope)
                text = json.dumps(value)
            found.append(msgspec.structs.replace(file, text=text))
        return tuple(found)

    return change
