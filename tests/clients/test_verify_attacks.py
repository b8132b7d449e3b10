"""Somebody has a genuine document and wants another one to pass: each attempt is signed anew, by a key of the attacker's."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from apps.core import pades, signing
from tests.clients import provable
from tests.clients.conftest import Run
from tests.clients.provable import Issued
from tests.clients.test_verify import states

Change = Callable[[IncrementalPdfFileWriter], None]


@pytest.fixture(scope="module")
def issued() -> Issued:
    return provable.issued()


def dictionary(**entries: object) -> generic.DictionaryObject:
    return generic.DictionaryObject(
        {pdf_name("/" + name): value for name, value in entries.items()}
    )


def changed(data: bytes, change: Change) -> bytes:
    """With an update that is not signed yet."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def script() -> generic.DictionaryObject:
    return dictionary(S=pdf_name("/JavaScript"), JS=pdf_string("app.alert(1)"))


def _root(name: str, value: object) -> Change:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root[pdf_name("/" + name)] = value
        writer.update_root()

    return change


def _names(name: str, value: object) -> Change:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/Names"][pdf_name("/" + name)] = value
        writer.update_container(writer.root["/Names"])

    return change


def _noted(note: generic.DictionaryObject) -> Change:
    """Something over the numbers of the first page."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        note[pdf_name("/Type")] = pdf_name("/Annot")
        note[pdf_name("/Rect")] = generic.ArrayObject(
            [generic.NumberObject(n) for n in (50, 50, 300, 300)]
        )
        notes = list(page.get("/Annots", []))
        page[pdf_name("/Annots")] = generic.ArrayObject([*notes, writer.add_object(note)])
        writer.update_container(page)

    return change


def _enclosed_apart(writer: IncrementalPdfFileWriter) -> None:
    """A file that programs show as attached, and that the list of enclosed files has not."""
    stream = writer.add_object(generic.StreamObject(stream_data=b"other results"))
    spec = dictionary(Type=pdf_name("/Filespec"), F=pdf_string("check-results.json"), UF=pdf_string("check-results.json"), EF=dictionary(F=stream))  # fmt: skip
    writer.root["/AF"].append(writer.add_object(spec))
    writer.update_container(writer.root["/AF"])


def _enclosed_twice(writer: IncrementalPdfFileWriter) -> None:
    listed = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    listed.extend([listed.raw_get(0), listed.raw_get(1)])
    writer.update_container(listed)


def _enclosed_elsewhere(writer: IncrementalPdfFileWriter) -> None:
    tree = writer.root["/Names"]["/EmbeddedFiles"]
    tree[pdf_name("/Kids")] = generic.ArrayObject([])
    writer.update_container(tree)


def _another_field(writer: IncrementalPdfFileWriter) -> None:
    field = dictionary(FT=pdf_name("/Tx"), T=pdf_string("n"), V=pdf_string("0.99"))
    form = dictionary(Fields=generic.ArrayObject([writer.add_object(field)]))
    writer.root[pdf_name("/AcroForm")] = form
    writer.update_root()


def _page_acts(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/AA")] = dictionary(O=script())
    writer.update_container(page)


ATTACKS: dict[str, Change] = {
    "a script at opening": _root("OpenAction", script()),
    "a script by name": _names("JavaScript", dictionary(Names=generic.ArrayObject([]))),
    "acts of the catalog": _root("AA", dictionary(WC=script())),
    "layers": _root("OCProperties", dictionary(OCGs=generic.ArrayObject([]))),
    "a portfolio": _root("Collection", dictionary()),
    "a page that acts": _page_acts,
    "words over the numbers": _noted(dictionary(Subtype=pdf_name("/FreeText"), Contents=pdf_string("0.99"))),
    "a stamp over the numbers": _noted(dictionary(Subtype=pdf_name("/Stamp"))),
    "a field over the numbers": _noted(dictionary(Subtype=pdf_name("/Widget"), FT=pdf_name("/Tx"))),
    "a link that acts": _noted(dictionary(Subtype=pdf_name("/Link"), A=script())),
    "a file on a page": _noted(dictionary(Subtype=pdf_name("/FileAttachment"))),
    "a file that is enclosed apart": _enclosed_apart,
    "a file that is enclosed twice": _enclosed_twice,
    "files listed in two places": _enclosed_elsewhere,
    "another field": _another_field,
}  # fmt: skip


PROGRAM = """
import json, sys
from pathlib import Path
from countersign.offline import plain
from countersign.offline.pdffile import Pdf
from countersign.offline.problems import Wrong
plain._REVISIONS = 9  # each rule by itself: an update is found by their number already
found = {}
for path in sorted(Path(sys.argv[1]).glob("*.pdf")):
    try:
        pdf = Pdf(path.read_bytes())
        pdf.files(), pdf.signature()
        plain.require_plain(pdf)
        found[path.stem] = ""
    except Wrong as wrong:
        found[path.stem] = str(wrong)
json.dump(found, sys.stdout)
"""


def test_each_way_to_show_more_than_the_pages_is_named(
    installed: Path, issued: Issued, tmp_path: Path
):
    (tmp_path / "genuine.pdf").write_bytes(issued.data)
    for name, attack in ATTACKS.items():
        (tmp_path / f"{name}.pdf").write_bytes(changed(issued.rendered, attack))
    done = subprocess.run(
        [installed / "python", "-c", PROGRAM, tmp_path],
        capture_output=True,
        check=True,
        timeout=200,
    )
    found = json.loads(done.stdout)
    assert found.pop("genuine") == ""
    assert [name for name, wrong in found.items() if not wrong] == []
    assert len(found) == len(ATTACKS)


def test_a_revision_between_rendering_and_signature_is_wrong(
    run: Run, issued: Issued, tmp_path: Path
):
    writer = IncrementalPdfFileWriter(io.BytesIO(issued.rendered))
    writer.root["/Lang"] = pdf_string("xx")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    place = tmp_path / "card.pdf"
    place.write_bytes(pades.signed(out.getvalue(), signing.document_key(), reason="Model card"))
    said = run("verify", str(place), "--json")
    assert said.code == 1
    assert states(said)["pages"] == "wrong"


class Heedless(signers.PdfSigner):
    """Signs what the first signature forbids."""

    def _enforce_certification_constraints(self, reader: object) -> None:
        """Not at all."""


def test_a_second_signature_is_wrong(
    run: Run, issued: Issued, tmp_path: Path, settings, monkeypatch
):
    settings.VAR = tmp_path
    key = signing.document_key()
    writer = IncrementalPdfFileWriter(io.BytesIO(issued.data))
    meta = signers.PdfSignatureMetadata(field_name="Other", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES)  # fmt: skip
    out = Heedless(meta, signer=pades._signer(key)).sign_pdf(writer)
    place = tmp_path / "card.pdf"
    place.write_bytes(out.getvalue())
    said = run("verify", str(place), "--json")
    assert said.code == 1
    assert states(said)["signature"] == "wrong"
