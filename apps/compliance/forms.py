"""The forms of an issued document beside its PDF: made by the worker from the same dossier, kept, and told to the ledger.

All forms print one digest, that of card.json, which is the document's `input_digest`: whoever holds any form can hold it
against any other, and card.json against the ledger. A document of before there were forms has none; asked for anew, it is
a new document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from apps.audits import keys
from apps.audits.log import verb
from apps.compliance import selectors
from apps.compliance.events import FormsMade
from apps.compliance.form_models import DocumentForm, Form
from apps.compliance.models import Document, DocumentKind
from apps.core import blobs
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotFound
from apps.core.models import Blob
from apps.core.signing import DocumentKey
from apps.modelcards import dossier as dossiers
from apps.modelcards.dossier import Dossier
from apps.modelcards.renderers import markdown, mlbom, model_signature

MEDIA: Final = {
    Form.JSON: "application/json",
    Form.MARKDOWN: "text/markdown; charset=utf-8",
    Form.MLBOM: "application/vnd.cyclonedx+json; version=1.6",
    Form.SIGNATURE: "application/vnd.dev.sigstore.bundle.v0.3+json",
    Form.CERTIFICATE: "application/x-pem-file",
}
_SIGNED: Final = (Form.SIGNATURE, Form.CERTIFICATE)
WORKER: Final = Actor.system("worker")


def make(document_id: int) -> None:
    """Make and record the forms of a ready document; run twice, they are made once.

    Raises Blocked where the site has no key to sign with, Tampered where the dossier is not what it was.
    """
    document = Document.objects.select_related("version").get(pk=document_id)
    if document.kind != DocumentKind.MODEL_CARD or document.forms.exists():
        return
    dossier = selectors.read_dossier(document)
    key = keys.document_key(WORKER) if has_files(dossier) else None
    stored = {form: blobs.put_bytes(data) for form, data in rendered(dossier, key).items()}
    with verb(WORKER) as v:
        Document.objects.select_for_update().get(pk=document.pk)  # two workers: one after the other
        if document.forms.exists():
            return
        signer = key.key_id if key else ""
        DocumentForm.objects.bulk_create(
            DocumentForm(
                document=document,
                form=form,
                blob=blob,
                signed_by=signer if form in _SIGNED else "",
            )
            for form, blob in stored.items()
        )
        v.record(_made(document, stored, signer))


def rendered(dossier: Dossier, key: DocumentKey | None) -> dict[Form, bytes]:
    """The bytes of each form. Without a key, or without files, nothing is signed. Pure."""
    found = {
        Form.JSON: dossiers.settled(dossier),
        Form.MARKDOWN: markdown.render(dossier).encode(),
        Form.MLBOM: mlbom.render(dossier),
    }
    if key is not None and dossier.machine is not None and dossier.machine.files:
        name = dossier.card.model
        found[Form.SIGNATURE] = model_signature.signed(name, dossier.machine.files, key)
        found[Form.CERTIFICATE] = key.certificate_pem.encode()
    return found


def has_files(dossier: Dossier) -> bool:
    """Whether there is anything to sign."""
    return dossier.machine is not None and bool(dossier.machine.files)


def forms_of(document: Document) -> list[DocumentForm]:
    """The forms there are, in the order in which they are named."""
    found = {row.form: row for row in document.forms.select_related("blob")}
    return [found[form] for form in Form.values if form in found]


def find(document: Document, name: str) -> DocumentForm:
    """One form by its name. Raises NotFound for a name that is none, Conflict for a form that this document has not (yet)."""
    if name not in Form.values:
        raise NotFound("A document has no such form.")
    row = document.forms.select_related("blob").filter(form=name).first()
    if row is not None:
        return row
    if not document.is_ready:
        raise Conflict(f"This document is {document.state.label.lower()}.", hint=document.error)
    raise Conflict(
        f"This document has no {name}.",
        hint="The forms are made right after the PDF. A document of before there were forms, or of a version without files, lacks them.",
    )


def read(row: DocumentForm) -> Iterator[bytes]:
    """Its bytes, each piece verified before it is handed out."""
    return blobs.read(row.digest)


def file_name(document: Document, form: str) -> str:
    """income-v3-card.md: plain letters, whatever the model's name is made of."""
    return f"{selectors.stem(document)}-{form}"


def _made(document: Document, stored: dict[Form, Blob], signer: str) -> FormsMade:
    return FormsMade(
        document=document.pk,
        uuid=str(document.uuid),
        model=document.version.model_id,
        version=document.version_id,
        input_digest=document.input_digest,
        forms={
            str(form.value): {"digest": blob.digest, "size": blob.size}
            for form, blob in stored.items()
        },
        signed_by=signer,
    )
