"""The page for whoever wants to use an approved version: what for, what not, the downloads, how to load, how to verify."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.compliance import documents, forms, selectors, use_gate, uses
from apps.compliance.models import Document, DocumentKind, DocumentStatus, UseAcknowledgement
from apps.compliance.uses import Uses
from apps.core.actor import Actor
from apps.modelcards.content import to_html
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, words
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Action, Cell, Column, Empty, Fact, Notice, Row, Table

TOOL = "model-signing==1.1.1"


@dataclass(frozen=True, slots=True)
class Reading:
    """The two texts, and saying that one read them: for oneself, and for the services that one answers for."""

    newer: Notice | None
    intended: SafeString
    prohibited: SafeString
    acknowledged: Notice | None
    acknowledge: Action | None
    services: Table | None


@dataclass(frozen=True, slots=True)
class Approved:
    """What is shown only of a version that holds a governed target."""

    facts: Sequence[Fact]
    downloads: Table
    ask: Action | None
    load: str
    verify: str


@dataclass(frozen=True, slots=True)
class UsePage:
    """`approved` is None where nobody approved this version; then `notice` says why, and `reading` is there only where the
    site wants it read before anybody who tries the version gets its files."""

    frame: VersionFrame
    notice: Notice
    reading: Reading | None
    approved: Approved | None


def page(actor: Actor, version: ModelVersion) -> UsePage:
    """For one version, as it stands now."""
    top = frame(actor, version, "use/")
    held = registry.held_governed_targets(version) if version.model.is_governed else []
    said = uses.uses_of(version)
    reading = _reading(actor, version, said)
    if not held:
        asked = settings.USES_ACKNOWLEDGED_FIRST and version.model.is_governed and said.digest
        return UsePage(top, _not_approved(version), reading if asked else None, None)
    where = ", ".join(target.label for target in held)
    notice = Notice(f"It holds {where}, by people who signed for exactly its evidence.", "good", "Approved")  # fmt: skip
    return UsePage(top, notice, reading, _approved(version, said))


def _not_approved(version: ModelVersion) -> Notice:
    """Plainly, and why. What is said of the review is never better than the record."""
    stands = documents.status_of(version)
    live = dict(registry.latest_versions(version.model).values_list("pk", "number"))
    held = registry.held_governed_of(live) if version.model.is_governed else {}
    others = [
        f"Approved is {version.model.name} v{live[pk]}, in {', '.join(each.label for each in targets)}."
        for pk, targets in sorted(held.items())
    ]
    url = addresses.review(version.submitted_review) if version.submitted_review else ""
    return Notice(
        "Do not use it: no governed stage, alias or environment holds this version.",
        "bad",
        "Not approved",
        reasons=[f"{stands.word}. {stands.sentence}", *others],
        url=url,
        url_label="See its review",
    )


def _reading(actor: Actor, version: ModelVersion, said: Uses) -> Reading:
    row = uses.acknowledged(actor, version, said)
    return Reading(
        newer=_newer(version, said),
        intended=_prose(said.intended),
        prohibited=_prose(said.prohibited),
        acknowledged=_acknowledged(row, said),
        acknowledge=_act(version, said) if row is None and said.digest else None,
        services=_services(actor, version, said),
    )


def _approved(version: ModelVersion, said: Uses) -> Approved:
    ready = selectors.documents(version).filter(status=DocumentStatus.READY)
    newest = ready.filter(kind=DocumentKind.MODEL_CARD, as_of=None).first()
    url = addresses.version(version.model.name, version.number, "documents/")
    return Approved(
        facts=_facts(version, said),
        downloads=_downloads(newest),
        ask=Action("Make the model card", url, "", "file", post=True) if newest is None else None,
        load=_load(version),
        verify=_verify(version, newest),
    )


def _services(actor: Actor, version: ModelVersion, said: Uses) -> Table | None:
    """The reader's services that get this version's files only when she said it for them; None where there are none."""
    if not said.digest or actor.user_id is None:
        return None
    asked = use_gate.services_asked(accounts.get_user(actor.user_id), version)
    told = uses.acknowledged_for(version, said, [user.pk for user in asked])
    columns = [Column("Service"), Column("Read"), Column("Say it", hidden_label=True)]
    rows = [_service(version, said, user, told.get(user.pk)) for user in asked]
    return Table("The services that you answer for", columns, rows) if rows else None


def _service(version: ModelVersion, said: Uses, user: User, row: UseAcknowledgement | None) -> Row:
    if row is not None:
        told = cells.text(f"{row.user} said so on {words.utc(row.at)}")
        return Row([cells.text(str(user)), told, cells.text("")])
    act = _act(version, said)
    fields = {**act.fields, "service": str(user.uuid)}
    act = replace(act, label=f"I read both, for {user}", kind="", fields=fields)
    return Row([cells.text(str(user)), cells.missing("nobody said so"), cells.acts(act)])


def _newer(version: ModelVersion, said: Uses) -> Notice | None:
    """That the card says something else by now, which nobody signed for."""
    if not said.newer:
        return None
    name, number = version.model.name, version.number
    if said.revision:
        pair = urlencode({"from": said.revision, "to": said.newer})
        url, label = addresses.version(name, number, f"card/compare/?{pair}"), "Compare them"
    else:
        url, label = addresses.version(name, number, "card/"), "Read it"
    return Notice(
        f"Revision {said.newer} of the card words them otherwise. Nobody approved that wording; what was signed for stands below.",
        "warn",
        "A newer wording waits for approval",
        url=url,
        url_label=label,
    )


def _prose(text: str) -> SafeString:
    """Sanitised by the card's own rules."""
    return mark_safe(to_html(text) if text else '<p class="muted">The card does not say.</p>')  # noqa: S308


def _acknowledged(row: UseAcknowledgement | None, said: Uses) -> Notice | None:
    if row is not None:
        at = words.utc(row.at)
        return Notice(f"You said on {at} that you read this, in card revision {row.card_revision}.", "good")  # fmt: skip
    if not said.digest:
        return Notice("The card says neither what it is for nor what it must not be used for; ask its owner.", "warn")  # fmt: skip
    return None


def _act(version: ModelVersion, said: Uses) -> Action:
    """Bound to the wording that is shown: another one asks again."""
    url = addresses.version(version.model.name, version.number, "use/")
    return Action("I read both", url, "primary", "check", post=True, fields={"uses": said.digest})


def _facts(version: ModelVersion, said: Uses) -> list[Fact]:
    model = version.model
    return [
        Fact("Owner", cells.text(str(model.owner))),
        Fact("Purpose", cells.text(model.purpose) if model.purpose else cells.missing("not given")),
        Fact("Risk tier", cells.text(f"{model.risk_tier} of 3 (1 is the highest)")),
        Fact("Card", _card(said, addresses.version(model.name, version.number, "card/"))),
        Fact("Digest of the files", cells.digest(version.manifest_digest)),
    ]  # fmt: skip


def _card(said: Uses, url: str) -> Cell:
    """The revision whose wording counts, and who says so."""
    if not said.revision:
        return cells.link("Not written" if said.review is None else "None was approved", url)
    by = f", approved in REV-{said.review}" if said.review else ", approved by nobody"
    return cells.link(
        f"Revision {said.revision}{by}", f"{url}?{urlencode({'revision': said.revision})}"
    )


def _downloads(document: Document | None) -> Table:
    rows = []
    if document is not None:
        pdf = Action(f"PDF, {words.size(document.size)}", reverse("web:document-pdf", args=[document.uuid]), icon="download", download=True)  # fmt: skip
        rows.append(Row([cells.text("Model card"), cells.digest(document.digest), cells.acts(pdf)]))
        rows += form_rows(document)
    return Table(
        caption="Downloads",
        columns=[Column("Form"), Column("SHA-256"), Column("File", hidden_label=True)],
        rows=rows,
        empty=Empty("nothing-yet", "No document was made of this version yet"),
    )


def form_rows(document: Document) -> list[Row]:
    """One row per form beside the PDF."""
    return [
        Row(
            [
                cells.text(str(row.get_form_display())),
                cells.digest(row.digest),
                cells.acts(
                    Action(
                        f"{row.form}, {words.size(row.blob.size)}",
                        reverse("web:document-form", args=[document.uuid, row.form]),
                        icon="download",
                        download=True,
                    )
                ),
            ]
        )
        for row in forms.forms_of(document)
    ]


def _load(version: ModelVersion) -> str:
    address = json.dumps(f"models:/{version.model.name}/{version.number}", ensure_ascii=False)
    return f"import mlflow; mlflow.set_tracking_uri({json.dumps(settings.BASE_URL)})\nmodel = mlflow.pyfunc.load_model({address})"


def _verify(version: ModelVersion, document: Document | None) -> str:
    """Three lines in a shell; the client leaves a file of its own beside the model's, which is no part of it."""
    stem = selectors.stem(document) if document is not None else "card"
    address = _quoted(f"models:/{version.model.name}/{version.number}")
    return (
        f"pip install {TOOL} pyOpenSSL mlflow-skinny && mkdir model\n"
        f"MLFLOW_TRACKING_URI={_quoted(settings.BASE_URL)} mlflow artifacts download -u {address} -d model\n"
        f"model_signing verify certificate model --signature {stem}-model.sig "
        f"--certificate_chain {stem}-signer.pem --ignore-paths model/registered_model_meta"
    )


def _quoted(text: str) -> str:
    """For a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"
