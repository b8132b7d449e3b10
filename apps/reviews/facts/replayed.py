"""What a chunk of cases is judged on, read once for all of them. See `replaying`."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import QuerySet

from apps.checks import facts as check_facts
from apps.checks import kinds
from apps.checks.facts import DataFact, MeasuredFact
from apps.checks.library.performance import PerformanceResult
from apps.checks.uploaded import selectors as uploaded
from apps.checks.uploaded.models import UploadedResult
from apps.experiments import selectors as experiments
from apps.impact import selectors as impact
from apps.impact.assessed import Assessed
from apps.modelcards import facts as card_facts
from apps.modelcards.judging import CardFacts
from apps.registry import selectors as registry
from apps.registry.models import ModelTag, ModelVersion, VersionTag
from apps.registry.targets import Target
from apps.reviews.facts import rules
from apps.reviews.judging.findings import Blocking
from apps.reviews.judging.rules import Attached, Measured, Rival, RuleFacts, needs_values
from apps.reviews.models import (
    Conflict,
    EntryKind,
    Finding,
    FindingEntry,
    Recusal,
    Review,
    Round,
    Waiver,
)
from apps.reviews.policies.simulate import Case, CheckFacts, Memory, Signature
from apps.reviews.reads import waivers


@dataclass(frozen=True, slots=True)
class Needs:
    """What some policy on either side asks about beyond checks, card, findings and signatures."""

    values: bool
    rivals: bool
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, terms: Sequence[Mapping[str, Any]]) -> Needs:
        return cls(
            any(needs_values(each) for each in terms),
            any(bool(each.get("against_incumbent")) for each in terms),
            tuple(
                kind for kind in kinds.registered() if any(kind in each["checks"] for each in terms)
            ),
        )


@dataclass(slots=True)
class Row:
    """A case in the making: the round with its review, version and model; `manifest` is None for what is taken now."""

    round: Round
    at: dt.datetime
    manifest: Mapping[str, Any] | None
    targets: tuple[Target, ...]
    decisions: list[Signature] = field(default_factory=list)

    @property
    def review(self) -> Review:
        return self.round.review

    @property
    def version(self) -> ModelVersion:
        return self.round.review.version

    @property
    def made(self) -> dt.datetime:
        """Up to when measurements were put before the signers."""
        return self.at if self.manifest is None else self.round.created_at


def tags_of(rows: QuerySet[Any]) -> dict[int, dict[str, str]]:
    owner = "model_id" if rows.model is ModelTag else "version_id"
    """The tags of models or of versions, by whose they are."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for pk, key, value in rows.order_by("key").values_list(owner, "key", "value"):
        found[pk][key] = value
    return found


class Facts:
    """All that a chunk of cases is judged on; the number of queries does not depend on how many they are."""

    def __init__(self, rows: Sequence[Row], needs: Needs, memory: Memory) -> None:
        self.needs, self.memory = needs, memory
        versions = sorted({row.version.pk for row in rows})
        self.rivals = _rival_versions(rows) if needs.rivals else {}
        of = sorted({*versions, *self.rivals.values()})
        self.data, self.measured = check_facts.datasets(of), check_facts.measurements(of)
        self.cards = _cards(rows)
        self.waivers, self.findings = _waivers(versions), _findings(versions)
        self.impact = impact.in_force_of({r.version.model_id for r in rows if r.manifest is None})
        self.recusals, self.conflicts = _recusals(rows), _conflicts(rows)
        self.runs: Mapping[int, Mapping[str, Any]] = {}
        self.tags: Mapping[int, Mapping[str, str]] = {}
        self.uploaded: Mapping[int, list[UploadedResult]] = {}
        if needs.values:
            runs = {row.version.run_id for row in rows if row.version.run_id is not None}
            self.runs = experiments.facts_of_runs(runs)
            self.uploaded = uploaded.of_versions(versions)
            self.tags = tags_of(VersionTag.objects.filter(version_id__in=versions))
        self.used = {row.round.pk: self._used(row) for row in rows}
        self.theirs = {row.round.pk: dict(self._rival_results(row)) for row in rows}
        found = [*self.used.values(), *self.theirs.values()]
        named = [fact for each in found for fact in each.values() if fact is not None]
        check_facts.load(memory.results, named)

    def case(self, row: Row, outline: Case) -> Case:
        """The whole of one case, of which the outline is known."""
        used, data = self.used[row.round.pk], self._data(row)
        return replace(
            outline,
            round=replace(outline.round, barred_ids=self._barred(row)),
            checks={
                kind: CheckFacts(
                    kind, fact.result_digest if fact else "", check_facts.unmeasured(kind)
                )
                for kind, fact in used.items()
            },
            card=self.cards[row.round.pk],
            waived=self._waived(row),
            findings=self._blocking(row),
            impact=self._assessed(row),
            rules=RuleFacts(
                at=row.at,
                number=row.version.number,
                results=[
                    Measured(kind, check_facts.title(kind), fact.finished_at if fact else None)
                    for kind, fact in used.items()
                ],
                data=[Attached(each.role, each.name, each.created_at) for each in data],
                rivals=tuple(self._rivals(row)),
                values=self._values(row, outline, data) if self.needs.values else None,
            ),
        )

    def _data(self, row: Row) -> list[DataFact]:
        """The data in force: those that the manifest names, or the newest of each role now."""
        known = self.data.get(row.version.pk, [])
        if row.manifest is None:
            return check_facts.newest_of_each_role(known, row.at)
        named = {entry["id"] for entry in row.manifest["datasets"]}
        return sorted((each for each in known if each.uuid in named), key=lambda each: each.role)

    def _uploaded(self, row: Row) -> list[UploadedResult]:
        """The uploaded results that stood when the signers decided, or now."""
        return uploaded.as_of(self.uploaded.get(row.version.pk, []), row.at)

    def _used(self, row: Row) -> dict[str, MeasuredFact | None]:
        """The result of each kind that was put before the signers, or that could have been."""
        rows, data = self.measured.get(row.version.pk, []), self._data(row)
        told = {} if row.manifest is None else {e["kind"]: e for e in row.manifest["checks"]}
        by_uuid = {each.uuid: each for each in rows}
        found: dict[str, MeasuredFact | None] = {}
        for kind in self.needs.kinds:
            if kind not in told:
                found[kind] = check_facts.as_of(rows, kind, data, row.made)
            elif told[kind]["verdict"] in check_facts.WITHOUT_RESULT:
                found[kind] = None
            else:
                found[kind] = by_uuid.get(told[kind]["measurement"])
        return found

    def _waived(self, row: Row) -> dict[str, str]:
        return {
            each.requirement: waivers.sentence(each)
            for each in self.waivers.get(row.version.pk, [])
            if _in_force(each, row.at)
        }

    def _assessed(self, row: Row) -> Assessed | None:
        """The impact assessment that was put before the signers, or that is in force now."""
        if row.manifest is None:
            return self.impact.get(row.version.model_id)
        told = row.manifest.get("impact") or ()
        return Assessed.told(told[0]) if told else None

    def _blocking(self, row: Row) -> list[Blocking]:
        found = self.findings.get(row.version.pk, [])
        told = (_as_of(finding, entries, row.at) for finding, entries in found)
        return [each for each in told if each is not None]

    def _barred(self, row: Row) -> frozenset[int]:
        """Who had stepped aside or had a conflict of interest while the round was decided (as reviews_barred in SQL)."""
        aside = [
            each.user_id
            for each in self.recusals.get(row.review.pk, [])
            if each.created_at <= row.at
        ]
        conflicts = [
            each.person_id
            for each in self.conflicts.get(row.version.model_id, [])
            if _conflicts_with(each, row)
        ]
        return frozenset([*aside, *conflicts])

    def _rival_results(self, row: Row) -> Iterator[tuple[str, MeasuredFact | None]]:
        """The performance of each version it would have taken the place of, as known then, by its number."""
        if row.manifest is None or not self.needs.rivals:
            return
        numbers = {each["number"] for each in row.manifest["incumbents"]} - {row.version.number}
        for number in sorted(number for number in numbers if number is not None):
            version = self.rivals.get((row.version.model_id, number))
            if version is not None:
                data = check_facts.newest_of_each_role(self.data.get(version, []), row.made)
                rows = self.measured.get(version, [])
                yield str(number), check_facts.as_of(rows, "performance", data, row.made)

    def _rivals(self, row: Row) -> Iterator[Rival]:
        mine = self.used[row.round.pk].get("performance")
        for number, theirs in self.theirs[row.round.pk].items():
            same = (
                mine is not None
                and theirs is not None
                and rules.same_data(mine.inputs, theirs.inputs)
            )
            both = self._performance(mine), self._performance(theirs)
            yield rules.compared(int(number), *both, same_bytes=same)

    def _performance(self, fact: MeasuredFact | None) -> PerformanceResult | None:
        found = self.memory.results[fact.result_digest] if fact else None
        return found if isinstance(found, PerformanceResult) else None

    def _values(self, row: Row, outline: Case, data: Sequence[DataFact]) -> dict[str, Any]:
        """What a condition may speak of (`rules.facts`); the verdicts are put in under each policy's own limits."""
        told = registry.facts(row.version) if row.manifest is None else row.manifest["version"]
        return {
            "model": {
                "name": row.version.model.name,
                "tier": outline.tier,
                "team": outline.team,
                "tags": dict(outline.tags),
            },
            "version": {
                "number": row.version.number,
                "files": told["files"],
                "size": told["size"],
                "tags": dict(self.tags.get(row.version.pk, {})),
            },
            "run": rules.run_values(self.runs.get(row.version.run_id or 0, {})),
            "data": {
                each.role: {"rows": each.rows, "age_days": (row.at - each.created_at).days}
                for each in data
            },
            "checks": {},
            "uploaded": uploaded.facts(self._uploaded(row), row.at),
            "targets": [str(target) for target in row.targets],
            "today": row.at,
        }


def _rival_versions(rows: Sequence[Row]) -> dict[tuple[int, int], int]:
    numbers = {
        each["number"]
        for row in rows
        if row.manifest is not None
        for each in row.manifest["incumbents"]
        if each["number"] is not None
    }
    models = {row.version.model_id for row in rows}
    found = ModelVersion.objects.filter(model_id__in=models, number__in=numbers)
    return {
        (model, number): pk for pk, model, number in found.values_list("pk", "model_id", "number")
    }


def _cards(rows: Sequence[Row]) -> dict[int, CardFacts]:
    """Each case's card: the revision that its manifest names, or the newest now."""
    latest = card_facts.latest({row.version.pk for row in rows if row.manifest is None})
    numbers = {row.round.pk: (row.version.pk, _revision(row, latest)) for row in rows}
    read = card_facts.of_revisions({pair for pair in numbers.values() if pair[1]})
    return {pk: read.get(pair, card_facts.NOTHING) for pk, pair in numbers.items()}


def _revision(row: Row, latest: Mapping[int, int]) -> int:
    if row.manifest is None:
        return latest.get(row.version.pk, 0)
    card = row.manifest["card"]
    return int(card["revision"]) if card else 0


def _waivers(versions: Sequence[int]) -> Mapping[int, list[Waiver]]:
    found: dict[int, list[Waiver]] = defaultdict(list)
    rows = Waiver.objects.filter(version_id__in=versions).select_related("revocation")
    for row in rows.defer("statement").order_by("pk"):
        found[row.version_id].append(row)
    return found


def _in_force(row: Waiver, at: dt.datetime) -> bool:
    revocation = getattr(row, "revocation", None)
    revoked = revocation is not None and revocation.created_at <= at
    return row.created_at <= at < row.expires_at and not revoked


Entries = list[FindingEntry]


def _findings(versions: Sequence[int]) -> Mapping[int, list[tuple[Finding, Entries]]]:
    findings = list(
        Finding.objects.filter(version_id__in=versions, blocking=True).order_by("number")
    )
    entries: dict[int, Entries] = defaultdict(list)
    rows = FindingEntry.objects.filter(finding__in=findings).defer("statement")
    for row in rows.order_by("number"):
        entries[row.finding_id].append(row)
    found: dict[int, list[tuple[Finding, Entries]]] = defaultdict(list)
    for finding in findings:
        found[finding.version_id].append((finding, entries[finding.pk]))
    return found


def _as_of(finding: Finding, entries: Entries, at: dt.datetime) -> Blocking | None:
    """The finding as it stood; None if nobody had raised it yet."""
    before = [row for row in entries if row.created_at <= at]
    if not before:
        return None
    return Blocking(finding.key, finding.severity, EntryKind(before[-1].kind).leads_to)


def _recusals(rows: Sequence[Row]) -> Mapping[int, list[Recusal]]:
    found: dict[int, list[Recusal]] = defaultdict(list)
    for row in Recusal.objects.filter(review_id__in={each.review.pk for each in rows}):
        found[row.review_id].append(row)
    return found


def _conflicts(rows: Sequence[Row]) -> Mapping[int, list[Conflict]]:
    found: dict[int, list[Conflict]] = defaultdict(list)
    of = Conflict.objects.filter(model_id__in={each.version.model_id for each in rows})
    for row in of.select_related("withdrawal"):
        found[row.model_id].append(row)
    return found


def _conflicts_with(conflict: Conflict, row: Row) -> bool:
    ended = getattr(conflict, "withdrawal", None)
    return (
        conflict.review_id in {None, row.review.pk}
        and conflict.created_at <= row.at
        and (ended is None or ended.created_at >= row.round.created_at)
    )
