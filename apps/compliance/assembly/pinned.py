"""What a round has pinned, fetched by its identifiers and compared with its digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.checks import selectors as checks
from apps.checks.demands import CheckLimits
from apps.checks.models import Measurement
from apps.checks.selectors import CheckResult
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


def evidence(version: ModelVersion, round_: Round | None, terms: Mapping[str, Any]) -> Evidence:
    """The items of the round, each verified; the present ones where there is no round."""
    limits: Mapping[str, Any] = terms["checks"]
    if round_ is None:
        results = checks.results(version, limits)
        measured = {r.kind: r.measurement for r in results if r.measurement and r.assessment}
        return Evidence(None, cards.latest_revision(version), measured, results)
    manifest = evidences.read(round_)
    results = [_result(version, entry, limits) for entry in manifest["checks"]]
    return Evidence(
        manifest,
        _revision(version, manifest["card"]),
        {r.kind: r.measurement for r in results if r.measurement and r.assessment},
        results,
    )


def _revision(version: ModelVersion, entry: Mapping[str, Any] | None) -> CardRevision | None:
    if entry is None:
        return None
    revision = cards.get_revision(version, entry["revision"])
    if revision.digest != entry["digest"]:
        raise Tampered(
            f"Card revision {revision.number} has digest {revision.digest}; "
            f"the evidence names {entry['digest']}."
        )
    return revision


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
