"""Reads the sources of the computed blocks and hands them to the pure builders.

A constant number of queries, whatever the number of parameters, files or groups. What is missing is
not an error: its block says what is missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from apps.accounts.selectors import names
from apps.checks import kinds, origins
from apps.checks import selectors as checks
from apps.checks.files.report import FilesResult
from apps.checks.library.drift import DriftResult
from apps.checks.library.groups import FairnessResult
from apps.checks.library.performance import PerformanceResult
from apps.checks.mapping import Role
from apps.checks.models import CheckKind, EvaluationDataset, Measurement
from apps.checks.uploaded import selectors as uploaded_results
from apps.checks.uploaded.models import UploadedResult
from apps.core import blobs, canonical
from apps.core.errors import DomainError
from apps.core.parts import Cell, Missing, Part, Text
from apps.experiments import selectors as experiments
from apps.impact import selectors as impact
from apps.impact.models import AssessmentSignature
from apps.modelcards.card import Computed, Source
from apps.modelcards.computed import (
    about,
    data,
    definitions,
    dependencies,
    drift,
    energy,
    fairness,
    files,
    lineage,
    packages,
    performance,
    reported,
    worstgroups,
)
from apps.modelcards.computed.about import moment as moment
from apps.modelcards.energy import of_run
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target

R = TypeVar("R", PerformanceResult, FairnessResult, DriftResult, FilesResult)
_MOST_READ = 12  # files of a version that name packages
# The kinds that have a block of their own; the others share `further_checks`.
_OWN = {
    "performance": "performance",
    "fairness": "fairness",
    "drift": "drift",
    "files": "file_safety",
}


def collect(
    version: ModelVersion,
    measurements: Mapping[str, Measurement] | None = None,
    uploaded: Sequence[UploadedResult] | None = None,
    at: dt.datetime | None = None,
) -> dict[str, Computed]:
    """Every computed block of the schema. `measurements` pins results by kind, `uploaded` what other tools reported;
    without them the latest."""
    shown = _measured(version) if measurements is None else dict(measurements)
    sources = {kind: _source(version, row) for kind, row in shown.items()}
    facts = experiments.run_facts(version.run) if version.run else None
    return {
        **_about(version, facts),
        **_data(version, facts, shown, sources, _in_force(version, at)),
        **_analyses(shown, sources),
        **_packages(version, shown, sources),
        "lineage": _lineage(version, facts),
        "reported": reported.reported(
            [_reported(version, row) for row in _rows(version, uploaded)]
        ),
    }


def _rows(
    version: ModelVersion, pinned: Sequence[UploadedResult] | None
) -> Sequence[UploadedResult]:
    return uploaded_results.standing_rows(version) if pinned is None else pinned


def _reported(version: ModelVersion, row: UploadedResult) -> reported.Reported:
    name = quote(version.model.name, safe="")
    return reported.Reported(
        name=row.name,
        tool=f"{row.tool} {row.tool_version}".strip() + f" ({row.get_tool_named_by_display()})",
        uploaded=f"{moment(row.uploaded_at)} by {row.uploaded_by}",
        outcome=row.outcome,
        reading=uploaded_results.reading_of(row),
        digest=row.digest,
        url=f"/models/{name}/{version.number}/checks/uploaded/{row.uuid}/",
    )


def analysis(version: ModelVersion, row: Measurement) -> Computed:
    """One measurement as its block of the card shows it; one without a result is a gap with its reason."""
    shown = {row.kind: row} if row.result is not None else {}
    sources = {row.kind: _source(version, row)} if shown else {}
    if row.kind not in kinds.registered():
        why = f"The package that brings the check {row.kind} is not installed."
        return Computed((Missing(why),))
    if row.kind in _OWN:
        return _analyses(shown, sources)[_OWN[row.kind]]
    if not shown:
        return Computed((Missing(f"{kinds.title(row.kind)} has no result."),))
    return Computed(kinds.get(row.kind).parts(checks.result_of(row)), tuple(sources.values()))


def unstored(kind: str, result: msgspec.Struct) -> Computed:
    """A result that is kept nowhere, as the block of the card would show it; it has no source to name."""
    nowhere = Source("kept nowhere")
    match result:
        case PerformanceResult():
            return Computed(performance.performance(result, nowhere, "").parts)
        case FairnessResult():
            return Computed(fairness.fairness(result, nowhere, "").parts)
        case DriftResult():
            return Computed(drift.drift(result, nowhere, "").parts)
    return Computed(kinds.get(kind).parts(result))


def _about(version: ModelVersion, facts: dict[str, Any] | None) -> dict[str, Computed]:
    digest = canonical.digest_of(facts) if facts else ""
    return {
        "identity": about.identity(_identity(version)),
        "run": _with_energy(
            about.run(_readable(facts), run_id=version.run_uuid, digest=digest), version, facts
        ),
        "files": about.files(version.manifest, version.manifest_digest),
    }


def _with_energy(
    block: Computed, version: ModelVersion, facts: Mapping[str, Any] | None
) -> Computed:
    """The block about the run, with the energy it used if it says so."""
    return Computed((*block.parts, *energy.parts(*of_run(version.run, facts))), block.sources)


def _identity(version: ModelVersion) -> about.Identity:
    model = version.model
    people = names([model.owner_id, version.created_by_id])
    assessed = impact.signature_in_force(model)
    return about.Identity(
        model=model.name,
        number=version.number,
        label=version.label,
        description=version.description or model.description,
        owner=people[model.owner_id],
        team=model.team.name if model.team else "",
        registered_by=people[version.created_by_id],
        registered_at=moment(version.created_at),
        governance=str(model.get_governance_display()),
        risk_tier=model.risk_tier,
        exposure=str(model.get_exposure_display()),
        purpose_class=str(model.get_purpose_class_display()),
        purpose=model.purpose,
        targets=tuple(target.label for target in registry.held_targets(version)),
        manifest_digest=version.manifest_digest,
        url=f"/models/{quote(model.name, safe='')}/",
        impact=_assessment(assessed) if assessed else "",
        impact_url=impact.url(model) if assessed else "",
        impact_digest=assessed.revision.digest if assessed else "",
    )


def _assessment(row: AssessmentSignature) -> str:
    """The impact assessment in force, with who signed it and when."""
    told = impact.assessed(row).sentence
    return f"{told}; signed by {row.signer_name} on {row.created_at:%d %b %Y}"


def _readable(facts: dict[str, Any] | None) -> dict[str, Any] | None:
    """The run's facts with times for people instead of milliseconds."""
    if facts is None:
        return None
    times = {key: _from_ms(facts[key]) for key in ("start_time", "end_time")}
    return {**facts, **times}


def _from_ms(value: str | None) -> str:
    """A client's milliseconds in words; a number that is no date on any calendar stays a number."""
    if not value:
        return ""
    try:
        return moment(dt.datetime.fromtimestamp(int(value) / 1000, tz=dt.UTC))
    except (OverflowError, ValueError, OSError):
        return f"{value} ms after 1970"


def _in_force(version: ModelVersion, at: dt.datetime | None) -> dict[Role, EvaluationDataset]:
    """The newest data set of each role, now or at a moment."""
    if at is None:
        return checks.datasets_in_force(version)
    rows = checks.datasets(version).filter(created_at__lte=at).order_by("pk")
    return {Role(row.role): row for row in rows}


def _data(
    version: ModelVersion,
    facts: dict[str, Any] | None,
    shown: Mapping[str, Measurement],
    sources: Mapping[str, Source],
    in_force: Mapping[Role, EvaluationDataset],
) -> dict[str, Computed]:
    url = f"/models/{quote(version.model.name, safe='')}/{version.number}/data/"
    sheets = [_sheet(row, url) for _, row in sorted(in_force.items())]
    declared = sorted(
        {name for row in in_force.values() for name in row.mapping.get("sensitive", ())}
    )
    groups = _result(shown, CheckKind.FAIRNESS, FairnessResult)
    run = version.run
    inputs = Source(f"run {run.run_id[:8]}", f"/runs/{run.run_id}/") if run else None
    reference = in_force.get(Role.REFERENCE)
    return {
        "evaluation_sheets": data.evaluation_sheets(sheets),
        "drift_baseline": data.drift_baseline(_sheet(reference, url) if reference else None),
        "evaluated_factors": data.evaluated_factors(
            groups, declared, sources.get(CheckKind.FAIRNESS)
        ),
        "training_inputs": data.training_inputs(facts, inputs),
    }


def _sheet(row: EvaluationDataset, url: str) -> data.Sheet:
    return data.Sheet(
        name=row.name,
        role=str(row.get_role_display()),
        format=str(row.get_format_display()),
        rows=row.rows,
        digest=row.digest,
        favourable=row.favourable,
        attached_by=str(row.created_by),
        attached_at=moment(row.created_at),
        origin=_origin(row),
        columns=tuple(
            (str(entry["name"]), str(entry["kind"]), str(entry.get("missing", "")))
            for entry in row.columns
        ),
        meaning=tuple((key, _named(row.mapping.get(key))) for key in data.MEANINGS),
        url=url,
    )


def _origin(row: EvaluationDataset) -> str:
    """To be read after the format and digest."""
    told = origins.told(row.source)
    if not told:
        return f", from the run's file {row.artifact}" if row.artifact else ""
    return f", from {told}" if told != "uploaded" else ""


def _named(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(map(str, value))


def _analyses(
    shown: Mapping[str, Measurement], sources: Mapping[str, Source]
) -> dict[str, Computed]:
    libraries: dict[str, str] = {}
    for row in shown.values():
        libraries |= row.libraries

    def of(
        show: Callable[[R | None, Source | None, str], Computed],
        kind: CheckKind,
        result: type[R],
        why: str = "",
    ) -> Computed:
        why = why or f"{kind.capitalize()} was not measured on the data in force."
        return show(_result(shown, kind, result), sources.get(kind), why)

    return {
        "performance": of(performance.performance, CheckKind.PERFORMANCE, PerformanceResult),
        "fairness": of(fairness.fairness, CheckKind.FAIRNESS, FairnessResult),
        "worst_groups": of(worstgroups.worst_groups, CheckKind.FAIRNESS, FairnessResult),
        "drift": of(drift.drift, CheckKind.DRIFT, DriftResult),
        "file_safety": of(files.files, CheckKind.FILES, FilesResult, "The files were not scanned."),
        "further_checks": _further(shown, sources),
        "metric_definitions": definitions.metric_definitions(
            shown, libraries, tuple(sources.values())
        ),
    }


def _packages(
    version: ModelVersion, shown: Mapping[str, Measurement], sources: Mapping[str, Source]
) -> dict[str, Computed]:
    """What the version's own files say of packages, with the libraries of the checks."""
    read = package_files(version)
    libraries: dict[str, str] = {}
    for row in shown.values():
        libraries |= row.libraries
    return {
        "dependencies": dependencies.dependencies(read),
        "environment": dependencies.environment(read, libraries, tuple(sources.values())),
    }


def package_files(version: ModelVersion) -> dict[str, bytes | None]:
    """The version's files that may name packages, by path; None for one that is too large, gone or damaged."""
    named = [each for each in version.manifest if _names_packages(str(each["path"]))]
    return {str(each["path"]): _bytes(each) for each in named[:_MOST_READ]}


def _names_packages(path: str) -> bool:
    return path.rpartition("/")[2] in packages.READ


def _bytes(entry: Mapping[str, Any]) -> bytes | None:
    """The verified bytes of a file; None for one that is too large, gone or damaged: the check of the files says which."""
    if int(entry["size"]) > packages.MAX_BYTES:
        return None
    try:
        return blobs.read_all(str(entry["digest"]), packages.MAX_BYTES)
    except DomainError:
        return None


def _lineage(version: ModelVersion, facts: Mapping[str, Any] | None) -> Computed:
    live = registry.latest_versions(version.model)
    before = live.filter(number__lt=version.number).first()
    held = registry.held_governed_of(live.values_list("pk", flat=True))
    in_use = live.filter(pk__in=held)
    run = version.run
    return lineage.lineage(
        Cell(run.name or run.run_id[:8], f"/runs/{run.run_id}/") if run else None,
        [f"{each['name']} ({each['digest']})" for each in (facts or {}).get("datasets") or ()],
        _relative(before, ()) if before else None,
        [_relative(each, held[each.pk]) for each in in_use],
    )


def _relative(row: ModelVersion, targets: Sequence[Target]) -> lineage.Relative:
    name = quote(row.model.name, safe="")
    labels = tuple(target.label for target in sorted(targets))
    url = f"/models/{name}/{row.number}/"
    return lineage.Relative(f"version {row.number}", url, moment(row.created_at), labels)


def _further(shown: Mapping[str, Measurement], sources: Mapping[str, Source]) -> Computed:
    """The results of kinds without a block of their own, one after the other, each under its title."""
    others = [kind for kind in kinds.registered() if kind in shown and kind not in _OWN]
    if not others:
        return Computed((Text("None was measured."),))
    parts: list[Part] = []
    for kind in others:
        first, *rest = kinds.get(kind).parts(checks.result_of(shown[kind]))
        heading = kinds.title(kind)
        titled = (
            msgspec.structs.replace(first, heading=heading) if isinstance(first, Text) else first
        )
        parts += (
            [titled, *rest] if titled is not first else [Text("", heading=heading), first, *rest]
        )
    return Computed(tuple(parts), tuple(sources[kind] for kind in others))


def _measured(version: ModelVersion) -> dict[str, Measurement]:
    found = {kind: checks.latest(version, kind) for kind in kinds.registered()}
    return {kind: row for kind, row in found.items() if row is not None}


def _source(version: ModelVersion, row: Measurement) -> Source:
    url = f"/models/{quote(version.model.name, safe='')}/{version.number}/checks/{row.uuid}/"
    kind = row.kind.replace("_", " ")
    return Source(f"{kind} measurement {row.uuid.hex[:8]}", url, row.result_digest)


def _result(shown: Mapping[str, Measurement], kind: str, wanted: type[R]) -> R | None:
    row = shown.get(kind)
    if row is None:
        return None
    result = checks.result_of(row)
    if not isinstance(result, wanted):
        msg = f"measurement {row.uuid} is said to be {kind} and holds {type(result).__name__}"
        raise TypeError(msg)
    return result
