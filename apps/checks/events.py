"""What happens to evaluation data and measurements, as the ledger tells it. Ids and values, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register
from apps.core.canonical import JSON


@dataclass(frozen=True, kw_only=True)
class _OfVersion(Event):
    model: int
    version: int

    def scopes(self) -> tuple[str, ...]:
        return (self.subject(), f"version:{self.version}", f"model:{self.model}")


@register
@dataclass(frozen=True, kw_only=True)
class DatasetAttached(_OfVersion):
    """`meaning` is the digest of mapping and favourable outcome, `digest` that of the bytes, or of the manifest of so many `parts`.
    `source` says where the data were taken from."""

    type: ClassVar[str] = "checks.dataset.attached"
    schema: ClassVar[int] = 2
    dataset: int
    role: str
    name: str
    format: str
    rows: int
    digest: str
    meaning: str
    parts: int
    source: dict[str, JSON]

    def subject(self) -> str:
        return f"dataset:{self.dataset}"


@dataclass(frozen=True, kw_only=True)
class _OfMeasurement(_OfVersion):
    measurement: int
    kind: str
    key: str

    def subject(self) -> str:
        return f"measurement:{self.measurement}"


@register
@dataclass(frozen=True, kw_only=True)
class MeasurementRequested(_OfMeasurement):
    """`inputs` are the digests of the data sets."""

    type: ClassVar[str] = "checks.measurement.requested"
    inputs: list[str]


@register
@dataclass(frozen=True, kw_only=True)
class MeasurementDone(_OfMeasurement):
    """`result_digest` covers key, statistics and result."""

    type: ClassVar[str] = "checks.measurement.done"
    result_digest: str


@register
@dataclass(frozen=True, kw_only=True)
class MeasurementFailed(_OfMeasurement):
    type: ClassVar[str] = "checks.measurement.failed"
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class MeasurementCancelled(_OfMeasurement):
    """Somebody took the question back before there was an answer."""

    type: ClassVar[str] = "checks.measurement.cancelled"


@register
@dataclass(frozen=True, kw_only=True)
class MeasurementRecalled(_OfMeasurement):
    """`result_digest` is what was in force until now."""

    type: ClassVar[str] = "checks.measurement.recalled"
    result_digest: str
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class RecheckRequested(_OfMeasurement):
    """`result_digest` is what the re-executed numbers are to be compared with."""

    type: ClassVar[str] = "checks.recheck.requested"
    recheck: int
    number: int
    result_digest: str


@register
@dataclass(frozen=True, kw_only=True)
class RecheckDone(_OfMeasurement):
    """`outcome` is equal, different or failed; `path` where the first difference is, `reason` why there are no numbers.
    `digest` covers everything that the row says."""

    type: ClassVar[str] = "checks.recheck.done"
    recheck: int
    number: int
    outcome: str
    stored_digest: str
    found_digest: str
    path: str
    reason: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class _OfUploaded(_OfVersion):
    uploaded: int
    name: str
    digest: str

    def subject(self) -> str:
        return f"uploaded:{self.uploaded}"


@register
@dataclass(frozen=True, kw_only=True)
class ResultUploaded(_OfUploaded):
    """Somebody attached what another tool reported. `digest` is that of the bytes, `reading` that of what was read."""

    type: ClassVar[str] = "checks.uploaded.attached"
    format: str
    tool: str
    tool_version: str
    tool_named_by: str
    outcome: str
    reading: str


@register
@dataclass(frozen=True, kw_only=True)
class UploadedRecalled(_OfUploaded):
    """An uploaded result was declared wrong."""

    type: ClassVar[str] = "checks.uploaded.recalled"
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class DefinitionSaved(Event):
    """A definition of a check was made, changed, retired or brought back; `params` is the digest of its parameters."""

    type: ClassVar[str] = "checks.definition.saved"
    model: int
    definition: int
    revision: int
    name: str
    kind: str
    params: str
    on_registration: bool
    on_data: bool
    every_days: int
    retired: bool

    def subject(self) -> str:
        return f"definition:{self.definition}"

    def scopes(self) -> tuple[str, ...]:
        return (self.subject(), f"model:{self.model}")


@register
@dataclass(frozen=True, kw_only=True)
class DefinitionStarted(_OfVersion):
    """A definition was due: its measurement was asked for, or was there already (`made` is false)."""

    type: ClassVar[str] = "checks.definition.started"
    definition: int
    revision: int
    measurement: int
    kind: str
    reason: str
    made: bool

    def subject(self) -> str:
        return f"definition:{self.definition}"
