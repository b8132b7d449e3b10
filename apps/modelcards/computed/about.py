"""Who and what the version is: identity, run, files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from apps.checks.numbers import grouped
from apps.core.parts import Cell, Column, Fact, Facts, Missing, Part, Table, cells
from apps.modelcards.card import Computed, Source

MAX_VALUE = 500  # characters of a parameter or tag that are printed


class Identity(msgspec.Struct, frozen=True):
    """What the registry says about a version, in words."""

    model: str
    number: int
    label: str
    description: str
    owner: str
    team: str
    registered_by: str
    registered_at: str
    governance: str
    risk_tier: int
    exposure: str
    purpose_class: str
    purpose: str
    targets: tuple[str, ...]
    manifest_digest: str
    url: str
    impact: str = ""
    impact_url: str = ""
    impact_digest: str = ""


def moment(at: dt.datetime) -> str:
    """2 March 2026, 14:05 UTC."""
    utc = at.astimezone(dt.UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def identity(facts: Identity) -> Computed:
    """Name, owner, tier: labelled values, an empty one left out."""
    rows = (
        Fact("Model", Cell(facts.model, facts.url)),
        Fact("Version", Cell(f"{facts.number} {facts.label}".strip())),
        Fact("Description", Cell(facts.description)),
        Fact("Purpose", Cell(facts.purpose)),
        Fact("Owner", Cell(facts.owner)),
        Fact("Team", Cell(facts.team)),
        Fact("Registered", Cell(f"{facts.registered_at} by {facts.registered_by}")),
        Fact("Governance", Cell(facts.governance)),
        Fact("Risk tier", Cell(f"{facts.risk_tier} of 3 (1 is the highest)")),
        Fact("Materiality", Cell(f"{facts.exposure} exposure; {facts.purpose_class.lower()}")),
        Fact("Impact assessment", Cell(facts.impact, facts.impact_url)),
        Fact("Digest of its answers", Cell(facts.impact_digest), code=True),
        Fact("Stage and aliases", Cell(", ".join(facts.targets) or "none")),
        Fact("Digest of the files", Cell(f"sha256:{facts.manifest_digest}"), code=True),
    )
    return Computed((Facts(tuple(row for row in rows if row.value.text)),))


def run(facts: Mapping[str, Any] | None, *, run_id: str, digest: str) -> Computed:
    """Parameters, final metrics and tags as the run has them (see experiments.selectors.run_facts)."""
    if facts is None:
        reason = "The version was registered without a run that this site knows."
        return Computed((Missing(reason),))
    parts: list[Part] = [
        _run_head(facts),
        *_pairs("Parameters", facts["params"], "The run logged no parameters."),
        *_metrics(facts["metrics"]),
    ]
    if facts["tags"]:
        parts += _pairs("Tags", facts["tags"], "")
    source = Source(f"run {run_id[:8]}", f"/runs/{run_id}/", digest)
    return Computed(tuple(parts), (source,))


def _run_head(facts: Mapping[str, Any]) -> Facts:
    rows = (
        ("Run", facts.get("name") or facts.get("run_id", "")),
        ("Status", str(facts.get("status", "")).capitalize()),
        ("Started", facts.get("start_time", "")),
        ("Ended", facts.get("end_time", "")),
    )
    return Facts(tuple(Fact(label, Cell(str(value))) for label, value in rows if value))


def _pairs(caption: str, values: Mapping[str, str], none: str) -> list[Part]:
    if not values:
        return [Missing(none)]
    rows = tuple(cells(key, clipped(str(values[key]))) for key in sorted(values))
    return [Table(caption, (Column("Name", code=True), Column("Value", code=True)), rows)]


def _metrics(metrics: Mapping[str, Any]) -> list[Part]:
    """The last value of each metric: what the trainer's own code logged, not a check."""
    if not metrics:
        return [Missing("The run logged no metrics.")]
    rows = tuple(cells(key, _metric(metrics[key])) for key in sorted(metrics))
    note = "Logged by the training code itself. The checks below measure again, from the attached data."
    head = (Column("Metric", code=True), Column("Last value", numeric=True))
    return [Table("Metrics logged", head, rows, note=note)]


def _metric(value: Any) -> str:
    return str(value["value"]) if isinstance(value, Mapping) else str(value)


def files(manifest: Sequence[Mapping[str, Any]], digest: str) -> Computed:
    """Every file of the version with its size and SHA-256."""
    if not manifest:
        return Computed((Missing("The version has no files."),))
    head = (Column("Path", code=True), Column("Bytes", numeric=True), Column("SHA-256", code=True))
    rows = tuple(
        cells(str(entry["path"]), grouped(int(entry["size"])), str(entry["digest"]))
        for entry in manifest
    )
    total = sum(int(entry["size"]) for entry in manifest)
    caption = f"{len(rows)} files, {grouped(total)} bytes" if len(rows) > 1 else "1 file"
    return Computed((Table(caption, head, rows),), (Source("the version's manifest", "", digest),))


def clipped(text: str) -> str:
    """At most MAX_VALUE characters, saying how many there were."""
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}… ({len(text):,} characters)"
