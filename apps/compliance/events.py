"""What compliance does, as the ledger tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@dataclass(frozen=True, kw_only=True)
class _AboutVersion(Event):
    """Found under its version and its model, whatever its subject."""

    model: int
    version: int

    def subject(self) -> str:
        return f"version:{self.version}"

    def scopes(self) -> tuple[str, ...]:
        return (f"version:{self.version}", f"model:{self.model}")


@register
@dataclass(frozen=True, kw_only=True)
class DocumentIssued(_AboutVersion):
    """A document was made. `digest` is that of the whole signed file: it catches what no check inside can.

    `render_digest` is that of the bytes before they were signed by the key `signed_by`. Schema 1 has neither. `at`: it shows
    the card as it stood then; empty for how things stand (since schema 3).
    """

    type: ClassVar[str] = "compliance.document.issued"
    schema: ClassVar[int] = 3
    document: int
    uuid: str
    kind: str
    review: int | None
    round: int | None
    digest: str
    size: int
    render_digest: str
    signed_by: str
    input_digest: str
    manifest_digest: str
    card_revision: int
    card_digest: str
    at: str

    def subject(self) -> str:
        return f"document:{self.uuid}"


@register
@dataclass(frozen=True, kw_only=True)
class StatementRecorded(_AboutVersion):
    """Somebody stated what a report needs and no record holds. `digest` is that of the texts, which are not here."""

    type: ClassVar[str] = "compliance.statement.recorded"
    statement: int
    kind: str
    number: int
    digest: str
    changed: list[str]


@register
@dataclass(frozen=True, kw_only=True)
class BundleIssued(_AboutVersion):
    """Everything about a version was handed out as one archive. `digest` is that of its index, which lists every member."""

    type: ClassVar[str] = "compliance.bundle.issued"
    bundle: str
    digest: str
    members: int
    with_files: bool
    ledger_size: int

    def subject(self) -> str:
        return f"bundle:{self.bundle}"


@register
@dataclass(frozen=True, kw_only=True)
class FormsMade(_AboutVersion):
    """The forms of an issued document beside its PDF: each with the SHA-256 and size of its bytes."""

    type: ClassVar[str] = "compliance.document.forms_made"
    document: int
    uuid: str
    input_digest: str
    forms: dict[str, dict[str, str | int]]
    signed_by: str

    def subject(self) -> str:
        return f"document:{self.uuid}"


@register
@dataclass(frozen=True, kw_only=True)
class UsesAcknowledged(_AboutVersion):
    """Somebody read what a version may and must not be used for. `uses_digest` is the digest of the wording; `service` is
    the program that she answers for and said it for, None where it was for herself."""

    type: ClassVar[str] = "compliance.uses.acknowledged"
    schema: ClassVar[int] = 2
    uses_digest: str
    card_revision: int
    card_digest: str
    service: int | None
    service_name: str
