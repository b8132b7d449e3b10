"""What a round has pinned, fetched by its identifiers and compared with its digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.checks import selectors as checks
from apps.checks.demands import CheckLimits
from apps.checks.models import Measurement
from apps.checks.selectors import CheckResult
from apps.checks.uploaded import reading
from apps.checks.uploaded import selectors as uploaded
from apps.checks.uploaded.models import UploadedResult
from apps.checks.verdicts import Verdict
from apps.core.errors import NotFound, Tampered
from apps.modelcards import selectors as cards
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion
from apps.reviews import evidence as evidences
from apps.reviews.models import Round


@dataclass(frozen=True, slots=True)
class Evidence:
    """The items a document shows. Without a round: the latest of each, pinned by nobody."""

    manifest: Mapping[str, Any] | None
    revision: CardRevision | None
    measurements: dict[str, Measurement]
    results: list[CheckResult]
    uploaded: list[UploadedResult]


def evidence(version: ModelVersion, round_: Round | None, terms: Mapping[str, Any]) -> Evidence:
    """The items of the round, each verified; the present ones where there is no round."""
    limits: Mapping[str, Any] = terms["checks"]
    if round_ is None:
        results = checks.results(version, limits)
        measured = {r.kind: r.measurement for r in results if r.measurement and r.assessment}
        return Evidence(
            None, cards.latest_revision(version), measured, results, uploaded.standing_rows(version)
        )
    manifest = evidences.read(round_)
    results = [_result(version, entry, limits) for entry in manifest["checks"]]
    return Evidence(
        manifest,
        revision(version, manifest),
        {r.kind: r.measurement for r in results if r.measurement and r.assessment},
        results,
        _uploaded(version, manifest),
    )


def _uploaded(version: ModelVersion, manifest: Mapping[str, Any]) -> list[UploadedResult]:
    """The uploaded results that the manifest names, each compared with what it says of bytes and reading."""
    named = evidences.results_in(manifest)
    rows = uploaded.named(version, list(named))
    for key, entry in named.items():
        row = rows.get(key)
        if row is None:
            raise Tampered(f"The uploaded result {entry['name']} of the evidence is gone.")
        found = (row.digest, row.reading_digest, reading.digest(row.reading))
        if found != (entry["digest"], entry["reading"], entry["reading"]):
            raise Tampered(f"The uploaded result {entry['name']} is not what the evidence names.")
    return [rows[key] for key in named]


def revision(version: ModelVersion, manifest: Mapping[str, Any]) -> CardRevision | None:
    """The card's revision that the manifest names; None where there was no card. Raises Tampered for another digest."""
    entry = manifest["card"]
    if entry is None:
        return None
    found = cards.get_revision(version, entry["revision"])
    if found.digest != entry["digest"]:
        raise Tampered(
            f"Card revision {found.number} has digest {found.digest}; "
            f"the evidence names {entry['digest']}."
        )
    return found


def _result(
    version: ModelVersion, entry: Mapping[str, Any], limits: Mapping[str, Any]
) -> CheckResult:
    """The verdict as it was signed for; the rows assessed again from the pinned result."""
    verdict, sentence = Verdict(entry["verdict"]), str(entry["sentence"])
    if entry["measurement"] is None:
        return CheckResult(entry["kind"], None, None, verdict, sentence)
    row = _measurement(version, entry)
    if row.result is None:
        return CheckResult(entry["kind"], row, None, verdict, sentence)
    assessment = checks.assess(row, CheckLimits.parse(limits))
    return CheckResult(entry["kind"], row, assessment, verdict, sentence)


def _measurement(version: ModelVersion, entry: Mapping[str, Any]) -> Measurement:
    try:
        row = checks.get_measurement(version, entry["measurement"])
    except NotFound:
        raise Tampered(f"Measurement {entry['measurement']} of the evidence is gone.") from None
    if (row.result_digest or None) != entry["result_digest"]:
        raise Tampered(
            f"Measurement {row.uuid} has the result digest {row.result_digest}; "
            f"the evidence names {entry['result_digest']}."
        )
    return row
