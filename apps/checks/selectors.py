"""Reads of the checks. Callers have fetched the version through a door that knows who may see it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from apps.accounts.selectors import accountable_for_all
from apps.checks import kinds, parts, progress
from apps.checks.choices import Known
from apps.checks.demands import CheckLimits
from apps.checks.engine.source import Caps
from apps.checks.kinds import Result
from apps.checks.library.judging import Assessment, unless_weakened
from apps.checks.mapping import Role
from apps.checks.models import (
    EvaluationDataset,
    Measurement,
    MeasurementStatus,
    Recheck,
    RecheckResult,
)
from apps.checks.parts import StoredPart
from apps.checks.statistics import from_data
from apps.checks.verdicts import Verdict
from apps.core import blobs
from apps.core.actor import Actor
from apps.core.canonical import JSON, digest_of
from apps.core.errors import Invalid, NotFound, Tampered
from apps.registry.models import ModelVersion
from apps.registry.selectors import visible_models


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One kind of check on one version: the measurement it rests on (if any), and how it stands.

    `remedy` says in words what would give it a result where it has none."""

    kind: str
    measurement: Measurement | None
    assessment: Assessment | None
    verdict: Verdict
    sentence: str
    remedy: str = ""

    @property
    def title(self) -> str:
        return kinds.title(self.kind)


def caps() -> Caps:
    """How much one check may use here."""
    return Caps(
        max_bytes=settings.CHECKS_MAX_FILE_BYTES,
        max_rows=settings.CHECKS_MAX_ROWS,
        memory=f"{settings.CHECKS_MEMORY_MB}MB",
        threads=settings.CHECKS_THREADS,
    )


def datasets(version: ModelVersion) -> QuerySet[EvaluationDataset]:
    """Every data set ever attached, newest first, with who attached it."""
    return (
        EvaluationDataset.objects.filter(version=version)
        .select_related("created_by", "blob")
        .order_by("-id")
    )


def datasets_in_force(version: ModelVersion) -> dict[Role, EvaluationDataset]:
    """The newest data set of each role: what a check of today would measure."""
    rows = datasets(version).order_by("role", "-id").distinct("role")
    return {Role(row.role): row for row in rows}


def files_of(row: EvaluationDataset) -> list[StoredPart]:
    """The files that a data set is made of, in the order in which they are read; Tampered if their manifest is damaged."""
    if not row.parts:
        return [StoredPart(row.name, row.digest, row.blob.size)]
    found = parts.from_bytes(blobs.read_all(row.digest))
    if len(found) != row.parts:
        raise Tampered(f"the manifest of {row.name} names {len(found)} files, not {row.parts}")
    return found


def dataset_authors(version: ModelVersion) -> set[int]:
    """Who attached data, by credentials; a service counts as those who answer for it too."""
    users = set(datasets(version).values_list("created_by_id", flat=True))
    return set().union(*accountable_for_all(users).values()) if users else set()


def measurements(version: ModelVersion) -> QuerySet[Measurement]:
    """Every measurement of a version, newest first, without its tables."""
    return (
        Measurement.objects.filter(version=version)
        .select_related("started_by", "recalled_by")
        .defer("statistics")
        .order_by("-id")
    )


def get_measurement(version: ModelVersion, measurement_uuid: uuid.UUID | str) -> Measurement:
    """One measurement of this version; NotFound."""
    row = measurements(version).filter(uuid=_uuid(measurement_uuid)).first()
    if row is None:
        raise NotFound("This version has no such measurement.")
    return row


def named_measurements(
    version: ModelVersion, measurement_uuids: Collection[str]
) -> dict[str, Measurement]:
    """Those of the named measurements that are of this version, by their uuid, in one query."""
    rows = measurements(version).filter(uuid__in=[_uuid(each) for each in measurement_uuids])
    return {str(row.uuid): row for row in rows}


def newest_results(version: ModelVersion) -> list[Measurement]:
    """The newest finished measurement of each kind that is known here, on whatever data, in one query."""
    rows = measurements(version).filter(
        status=MeasurementStatus.DONE, kind__in=list(kinds.registered())
    )
    return list(rows.order_by("kind", "-id").distinct("kind"))


def list_measurements(
    actor: Actor, *, open_only: bool = False, limit: int = 100
) -> Sequence[Measurement]:
    """The newest measurements on models the actor may see, for the overview of all checks."""
    rows = (
        Measurement.objects.filter(version__model__in=visible_models(actor))
        .select_related("version__model", "started_by")
        .defer("statistics", "result")
        .order_by("-id")
    )
    if open_only:
        rows = rows.filter(status__in=[MeasurementStatus.QUEUED, MeasurementStatus.RUNNING])
    return list(rows[:limit])


@dataclass(frozen=True, slots=True)
class Place:
    """How many measurements are before one's own in the queue, and how many seconds the last ones took each (None: none did)."""

    ahead: int
    seconds: float | None


def place_of(rows: Sequence[Measurement]) -> Place:
    """Where these open measurements of one version stand, among everybody's: two queries."""
    first = min(rows, key=lambda row: row.queued_at)
    ahead = Measurement.objects.filter(
        status__in=[MeasurementStatus.QUEUED, MeasurementStatus.RUNNING],
        queued_at__lt=first.queued_at,
    ).exclude(version_id=first.version_id)
    lately = Measurement.objects.filter(
        status=MeasurementStatus.DONE, started_at__isnull=False, finished_at__isnull=False
    ).order_by("-id")
    took = [
        (done - began).total_seconds()
        for began, done in lately.values_list("started_at", "finished_at")[:20]
        if began is not None and done is not None
    ]
    return Place(ahead.count(), sum(took) / len(took) if took else None)


def rechecks(measurement: Measurement) -> QuerySet[Recheck]:
    """Every time it was executed again, newest first, with who asked and what came of it (None: it waits)."""
    return (
        Recheck.objects.filter(measurement=measurement)
        .select_related("requested_by", "result")
        .order_by("-number")
    )


def get_recheck(measurement: Measurement, recheck_uuid: uuid.UUID | str) -> Recheck:
    """One recheck of this measurement; NotFound."""
    row = rechecks(measurement).filter(uuid=_uuid(recheck_uuid)).first()
    if row is None:
        raise NotFound("This measurement has no such recheck.")
    return row


def result_of_recheck(recheck: Recheck) -> RecheckResult | None:
    """What came of it; None while it waits."""
    return getattr(recheck, "result", None)


def recheck_digest(row: RecheckResult) -> str:
    """What the ledger holds of a recheck's result: everything that the row says but when."""
    return digest_of(
        {
            "recheck": str(row.recheck.uuid),
            "outcome": str(row.outcome),
            "path": row.path,
            "stored_value": row.stored_value,
            "found_value": row.found_value,
            "stored_digest": row.stored_digest,
            "found_digest": row.found_digest,
            "code_version": row.code_version,
            "libraries": row.libraries,
            "reason": row.reason,
        }
    )


def other_versions(measurement: Measurement, row: RecheckResult) -> list[str]:
    """With what else it was re-executed than it was measured with, a phrase each; none where nothing was executed."""
    if not row.code_version:
        return []
    names = sorted({*measurement.libraries, *row.libraries})
    told = [
        f"{name} {measurement.libraries.get(name, 'absent')} then, {row.libraries.get(name, 'absent')} now"
        for name in names
        if measurement.libraries.get(name) != row.libraries.get(name)
    ]
    same = measurement.code_version == row.code_version
    return told if same else ["the code of the check has changed since", *told]


def recalled(measurement_uuids: Collection[str]) -> list[Measurement]:
    """Those of the named measurements that were recalled."""
    rows = Measurement.objects.filter(uuid__in=measurement_uuids, status=MeasurementStatus.RECALLED)
    return list(rows.defer("statistics", "result"))


def latest(version: ModelVersion, kind: str) -> Measurement | None:
    """The newest finished measurement of this kind on the data now in force; else None.

    A result on data that were replaced since is evidence of another time and is not returned.
    """
    return _latest(version, kind, datasets_in_force(version))


def newest(version: ModelVersion, kind: str) -> Measurement | None:
    """The newest measurement of this kind, in whatever state: what a page shows as going on."""
    return measurements(version).filter(kind=kind).first()


def results(version: ModelVersion, limits_by_kind: Mapping[str, Any]) -> list[CheckResult]:
    """Each demanded kind, in a fixed order, assessed against the given limits. NOT_RUN where nothing
    was measured on the data in force, ERROR where measuring them failed. Raises Invalid for bad limits."""
    limits = CheckLimits.parse(limits_by_kind)
    in_force = datasets_in_force(version)
    return [_result(version, kind, limits, in_force) for kind in limits.kinds]


def assess(measurement: Measurement, limits: CheckLimits) -> Assessment | None:
    """A finished measurement against limits; None where the limits do not ask for its kind."""
    return assess_result(result_of(measurement), limits)


def assess_result(result: Result, limits: CheckLimits) -> Assessment | None:
    """A result against limits; None where the limits do not ask for its kind. Pure."""
    kind = kinds.of_result(result)
    asked = limits.by_kind.get(kind.key)
    return unless_weakened(result, kind.assess(result, asked)) if asked is not None else None


def result_of(measurement: Measurement) -> Result:
    """The typed result of a finished (or recalled) measurement; NotFound for any other."""
    if measurement.result is None:
        raise NotFound("This measurement has no result.")
    return from_data(measurement.result, kinds.get(measurement.kind).result)


def inputs_of(
    kind: str, in_force: Mapping[Role, EvaluationDataset]
) -> list[tuple[str, EvaluationDataset]]:
    """The data sets a measurement of this kind takes, by their part in it; NotFound if one is missing
    that is not optional."""
    found = []
    for wanted in kinds.get(kind).inputs:
        row = next((in_force[role] for role in wanted.roles if role in in_force), None)
        if row is None and wanted.optional:
            continue
        if row is None:
            raise NotFound(
                f"No {wanted.part} data are attached to this version.",
                hint=f"Attach a Parquet or CSV file with the role {wanted.part}.",
            )
        found.append((wanted.part, row))
    return found


def known_of(version: ModelVersion, kind: str) -> Known:
    """What is known of the first data set that a check of this kind takes; nothing where it takes none, or none is attached."""
    try:
        found = inputs_of(kind, datasets_in_force(version))
    except NotFound:
        return Known()
    if not found:
        return Known()
    _, row = found[0]
    columns = {str(each["name"]): str(each["kind"]) for each in row.columns}
    declared = frozenset(name for name, value in row.mapping.items() if value)
    return Known(columns, tuple(row.mapping.get("sensitive", ())), declared)


def require_inputs(kind: str, in_force: Mapping[Role, EvaluationDataset]) -> None:
    """Raise NotFound if data for this kind are missing, Invalid if what was declared of them does not suffice."""
    kinds.get(kind).require([row.mapping for _, row in inputs_of(kind, in_force)])


def runnable(version: ModelVersion) -> list[str]:
    """The kinds for which the files, or the data in force and what was declared of them, suffice."""
    in_force = datasets_in_force(version)
    return [key for key in kinds.registered() if _can_run(version, key, in_force)]


def why_not(version: ModelVersion) -> dict[str, str]:
    """Of every kind why it cannot be run on what is attached; "" for one that can."""
    in_force = datasets_in_force(version)
    return {key: _why_not(version, key, in_force) for key in kinds.registered()}


def _why_not(version: ModelVersion, key: str, in_force: Mapping[Role, EvaluationDataset]) -> str:
    if kinds.get(key).of_files:
        return "" if version.manifest else "This version has no files."
    try:
        require_inputs(key, in_force)
    except (NotFound, Invalid) as error:
        return error.message
    return ""


def _can_run(version: ModelVersion, key: str, in_force: Mapping[Role, EvaluationDataset]) -> bool:
    return not _why_not(version, key, in_force)


def described(
    version: ModelVersion, kind: str, in_force: Mapping[Role, EvaluationDataset]
) -> list[dict[str, JSON]]:
    """What a measurement of this kind would take now, as it enters its key; NotFound if data are missing."""
    if kinds.get(kind).of_files:
        return [
            {
                "part": "files",
                "role": "model",
                "digest": version.manifest_digest,
                "files": len(version.manifest),
                "bytes": version.total_size,
            }
        ]
    return describe_inputs(inputs_of(kind, in_force))


def describe_inputs(inputs: Sequence[tuple[str, EvaluationDataset]]) -> list[dict[str, JSON]]:
    """The data sets as they enter a key and the evidence: by bytes and declared meaning, not by row."""
    return [
        {
            "part": part,
            "role": row.role,
            "digest": row.digest,
            "meaning": meaning_of(row),
            "rows": row.rows,
        }
        for part, row in inputs
    ]


def meaning_of(row: EvaluationDataset) -> str:
    """The digest of what was declared about a data set."""
    return digest_of({"format": row.format, "mapping": row.mapping, "favourable": row.favourable})


def key_of(
    kind: str, params: Any, inputs: Any, code_version: str, libraries: Mapping[str, str]
) -> str:
    """The digest of everything that goes into a measurement."""
    return digest_of(
        {
            "kind": kind,
            "params": params,
            "inputs": inputs,
            "code": code_version,
            "libraries": dict(libraries),
        }
    )


def result_digest(key: str, statistics: Any, result: Any) -> str:
    """What pins a measurement in evidence: everything that went in, the counts and the numbers."""
    return digest_of({"key": key, "statistics": statistics, "result": result})


def _latest(
    version: ModelVersion, kind: str, in_force: Mapping[Role, EvaluationDataset]
) -> Measurement | None:
    rows = _on_these_data(version, kind, in_force)
    return rows.filter(status=MeasurementStatus.DONE).first() if rows is not None else None


def _on_these_data(
    version: ModelVersion, kind: str, in_force: Mapping[Role, EvaluationDataset]
) -> QuerySet[Measurement] | None:
    """Measurements of what is in force now; None where the data for this kind are missing."""
    try:
        inputs = described(version, kind, in_force)
    except NotFound:
        return None
    return measurements(version).filter(kind=kind, inputs=inputs)


def _result(
    version: ModelVersion,
    kind: str,
    limits: CheckLimits,
    in_force: Mapping[Role, EvaluationDataset],
) -> CheckResult:
    found = _latest(version, kind, in_force)
    assessment = assess(found, limits) if found is not None else None
    if assessment is not None:
        return CheckResult(kind, found, assessment, assessment.verdict, assessment.sentence)
    return _unfinished(version, kind, in_force)


def _unfinished(
    version: ModelVersion, kind: str, in_force: Mapping[Role, EvaluationDataset]
) -> CheckResult:
    """Why there is no result: ERROR if measuring these very data failed last, else NOT_RUN."""
    rows = _on_these_data(version, kind, in_force)
    if rows is None:
        return lacks_data(kind, _lacking(kind, in_force))
    row = rows.first()
    if row is None:
        return never_run(kind, on_other_data=newest(version, kind) is not None)
    again = f"run the {kind} check again"
    title = kinds.title(kind)
    if row.status == MeasurementStatus.ERROR:
        sentence = f"{title} could not be measured: {row.error}"
        return CheckResult(kind, row, None, Verdict.ERROR, sentence, again)
    if row.status == MeasurementStatus.RECALLED:
        sentence = f"{title} was recalled: {row.recall_reason}"
        return CheckResult(kind, row, None, Verdict.NOT_RUN, sentence, again)
    if row.status == MeasurementStatus.CANCELLED:
        return never_run(kind)
    sentence, wait = (
        f"{title} is {row.status}{progress.of(row)}; no result yet.",
        f"wait for the {kind} check to end",
    )
    return CheckResult(kind, row, None, Verdict.NOT_RUN, sentence, wait)


def lacks_data(kind: str, why: str) -> CheckResult:
    """No result, for want of the data that it takes."""
    sentence = f"{kinds.title(kind)} was not measured: {why}"
    remedy = f"attach the data that the {kind} check takes and run it"
    return CheckResult(kind, None, None, Verdict.NOT_RUN, sentence, remedy)


def never_run(kind: str, *, on_other_data: bool = False) -> CheckResult:
    """No result on the data in force."""
    why = "was measured on data that were replaced since" if on_other_data else "was not measured"
    sentence, remedy = f"{kinds.title(kind)} {why}.", f"run the {kind} check"
    return CheckResult(kind, None, None, Verdict.NOT_RUN, sentence, remedy)


def _lacking(kind: str, in_force: Mapping[Role, EvaluationDataset]) -> str:
    try:
        inputs_of(kind, in_force)
    except NotFound as error:
        return error.message
    return ""


def _uuid(value: uuid.UUID | str) -> uuid.UUID:
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(value)
    except ValueError:
        raise NotFound("This version has no such data.") from None
