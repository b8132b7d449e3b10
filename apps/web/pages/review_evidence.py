"""The evidence of a round, section by section, read from its manifest: what people sign for, not what is there now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.safestring import SafeString

from apps.checks import kinds
from apps.checks import selectors as checks
from apps.checks.demands import CheckLimits
from apps.checks.models import Measurement
from apps.checks.verdicts import Verdict, worst
from apps.compliance.assembly import pinned as signed_for
from apps.core.errors import NotFound
from apps.modelcards import selectors as modelcards
from apps.modelcards.models import CardRevision
from apps.modelcards.templatetags.cards import prose
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import evidence
from apps.reviews import selectors as reviews
from apps.reviews.models import Review, Round
from apps.web import addresses, cells, status, words
from apps.web.pages import comparing, comparing_measured, review_settings, uploaded
from apps.web.pages.comparing import Changes, Pinned
from apps.web.parts import Cell, Chip, Column, Fact, Notice, Row, Table


@dataclass(frozen=True, slots=True)
class Check:
    """One check: verdict, sentence, and each number with its limit and interval."""

    title: str
    chip: Chip
    sentence: str
    rows: Table | None
    measurement: str


@dataclass(frozen=True, slots=True)
class Block:
    """A written block of the card."""

    title: str
    html: SafeString


@dataclass(frozen=True, slots=True)
class CardSection:
    """The pinned revision of the card."""

    chip: Chip
    revision: str
    digest: str
    by: str
    url: str
    gaps: Sequence[str]
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sections in the order in which they are read."""

    number: int
    digest: str
    base: str
    changes: Changes | None
    settings: Table | None
    now: Notice | None
    checks: Sequence[Check]
    checks_chip: Chip
    reported: Table | None
    card: CardSection
    data: Table
    lineage: Sequence[Fact]
    files: Table


def read(review: Review, round_: Round) -> Evidence:
    """The round's manifest with the rows it names. Raises Tampered if its bytes are not what its digest says."""
    manifest = evidence.read(round_)
    version = review.version
    revision = signed_for.revision(version, manifest)
    base = _incumbent(version, manifest["incumbents"])
    verdicts = [Verdict(entry["verdict"]) for entry in manifest["checks"]]
    named = [entry["measurement"] for entry in manifest["checks"] if entry["measurement"]]
    measurements = checks.named_measurements(version, named)
    pinned = Pinned(
        revision,
        list(measurements.values()),
        comparing_measured.data_in(manifest["datasets"]),
    )
    return Evidence(
        number=round_.number,
        digest=round_.digest,
        base=f"v{base.number}" if base else "",
        changes=comparing.changes(version, base, pinned, _approved(base)) if base else None,
        settings=review_settings.table(base, version, round_) if base else None,
        now=_now(review, manifest["incumbents"]),
        checks=_checks(review, manifest["checks"], measurements),
        checks_chip=status.chip("verdict", worst(verdicts)),
        reported=uploaded.pinned(version, manifest),
        card=_card(version, manifest["card"], revision),
        data=_data(manifest["datasets"]),
        lineage=_lineage(version, manifest),
        files=_files(version, manifest["files"]),
    )


def _now(review: Review, entries: Sequence[dict[str, Any]]) -> Notice | None:
    """Who is in the targets by now, where that is not who was there when the round was made."""
    if not review.state.is_active:
        return None
    version = review.version
    there = {
        entry["target"]: registry.holder(version.model, Target.parse(entry["target"]))
        for entry in entries
    }
    said = []
    for entry in entries:
        held = there[entry["target"]]
        number = held.number if held else None
        if number != entry["number"]:
            words_ = f"v{number}" if number else "nothing"
            said.append(f"{Target.parse(entry['target']).label} now has {words_}")
    if not said:
        return None
    held = next((row for row in there.values() if row is not None and row.pk != version.pk), None)
    url = addresses.version(version.model.name, version.number, "compare/")
    return Notice(
        f"Since this round was made, {' and '.join(said)}. Below stands the comparison that is signed for.",
        "warn",
        "Another version is in the target by now",
        url=f"{url}?with={held.number}" if held else "",
        url_label=f"Compare with v{held.number}" if held else "",
    )


def _incumbent(version: ModelVersion, entries: Sequence[dict[str, Any]]) -> ModelVersion | None:
    """The version that was in the target when the round was made."""
    numbers = [
        entry["number"] for entry in entries if entry["number"] not in {None, version.number}
    ]
    if not numbers:
        return None
    rows = registry.latest_versions(version.model).filter(number=numbers[0])
    return rows.select_related("run", "model").first()


def _approved(base: ModelVersion) -> Pinned:
    """The version that was in the target, with the card that it was approved with: a later draft was never approved."""
    now, round_ = comparing.now(base), reviews.round_behind(base)
    if round_ is None:
        return now
    return replace(now, revision=signed_for.revision(base, evidence.read(round_)))


def _checks(
    review: Review, entries: Sequence[dict[str, Any]], measurements: Mapping[str, Measurement]
) -> list[Check]:
    limits = CheckLimits.parse(reviews.document(review).gates.checks)
    return [
        _check(entry, measurements.get(entry["measurement"] or ""), limits) for entry in entries
    ]


def _check(entry: dict[str, Any], measurement: Measurement | None, limits: CheckLimits) -> Check:
    return Check(
        title=kinds.title(entry["kind"]),
        chip=status.chip("verdict", entry["verdict"]),
        sentence=entry["sentence"],
        rows=_judged(entry, measurement, limits),
        measurement=entry["result_digest"] or "",
    )


def _judged(
    entry: dict[str, Any], measurement: Measurement | None, limits: CheckLimits
) -> Table | None:
    """The numbers of the pinned measurement under the pinned limits."""
    if measurement is None or entry["result_digest"] is None:
        return None
    try:
        assessment = checks.assess(measurement, limits)
    except NotFound:
        return None
    if assessment is None:
        return None
    rows = [
        Row(
            [
                cells.text(row.title, note=row.of),
                cells.chip(status.chip("verdict", row.verdict)),
                cells.number(words.decimals(row.value))
                if row.value is not None
                else cells.missing("no number"),
                cells.text(row.limit) if row.limit else cells.missing("no limit"),
                _interval(row.low, row.high),
                cells.number(words.thousands(row.n))
                if row.n is not None
                else cells.missing("not counted"),
            ]
        )
        for row in assessment.rows
    ]
    columns = [
        Column("Measure"),
        Column("Verdict"),
        Column("Value", numeric=True),
        Column("Limit"),
        Column("95 % interval"),
        Column("n", numeric=True),
    ]
    return Table(f"{kinds.title(entry['kind'])}, number by number", columns, rows, dense=True)


def _interval(low: str | None, high: str | None) -> Cell:
    if low is None or high is None:
        return cells.missing("no interval")
    return cells.text(f"{words.decimals(low, 3)} to {words.decimals(high, 3)}")


def _card(
    version: ModelVersion, entry: dict[str, Any] | None, revision: CardRevision | None
) -> CardSection:
    url = addresses.version(version.model.name, version.number, "card/")
    if entry is None or revision is None:
        chip = Chip("No card", "unknown")
        return CardSection(
            chip, "", "", "", url, ["Nobody had written a card when this round was made."], []
        )
    names = modelcards.names_of(revision)
    gaps = [names[key].title for key in entry.get("gaps", ())]
    chip = (
        Chip(words.plural(len(gaps), "gap"), "warn", "edit") if gaps else Chip("Complete", "good")
    )
    blocks = [
        Block(name.title, prose(revision.texts[key]))
        for key, name in names.items()
        if revision.texts.get(key)
    ]
    by = f"{revision.author}, {words.utc(revision.created_at)}"
    return CardSection(chip, f"Revision {revision.number}", revision.digest, by, url, gaps, blocks)


def _data(entries: Sequence[dict[str, Any]]) -> Table:
    rows = [
        Row(
            [
                cells.text(entry["name"]),
                cells.text(entry["role"].capitalize()),
                cells.number(words.thousands(entry["rows"])),
                cells.digest(entry["digest"]),
            ]
        )
        for entry in entries
    ]
    columns = [Column("Data set"), Column("Role"), Column("Rows", numeric=True), Column("SHA-256")]
    return Table("Data sets", columns, rows)


def _lineage(version: ModelVersion, manifest: dict[str, Any]) -> list[Fact]:
    facts = [Fact("Version manifest", cells.digest(manifest["version"]["manifest_digest"]))]
    if version.run is None or manifest["run"] is None:
        return [Fact("Run", cells.missing("registered from files, no run is linked")), *facts]
    inputs = comparing.facts_of(version).run.get("datasets", [])
    data = ", ".join(f"{row['name']} ({row['digest']})" for row in inputs)
    return [
        Fact(
            "Trained on", cells.text(data) if data else cells.missing("the run logged no data set")
        ),
        Fact("Run", cells.link(version.run.name, addresses.run(version.run.run_id))),
        Fact("Run digest", cells.digest(manifest["run"]["digest"])),
        *facts,
    ]


def _files(version: ModelVersion, entries: Sequence[dict[str, Any]]) -> Table:
    rows = [
        Row(
            [
                cells.mono(entry["path"]),
                cells.number(words.size(entry["size"])),
                cells.digest(entry["digest"]),
            ]
        )
        for entry in entries
    ]
    return Table("Files", [Column("Path"), Column("Size", numeric=True), Column("SHA-256")], rows)
