"""The decision brief on top of a review: what it is for, three numbers, what is open, the verdict, the quorum and you."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.checks import kinds
from apps.checks import selectors as checks
from apps.checks.demands import CheckLimits
from apps.checks.library.judging import Row as Judged
from apps.checks.models import Measurement
from apps.checks.verdicts import Verdict
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.impact import selectors as impact
from apps.registry.models import Exposure, PurposeClass
from apps.reviews import deadlines, evidence, roles
from apps.reviews import selectors as reviews
from apps.reviews.models import Review, Round
from apps.reviews.reads import due, findings, waivers
from apps.reviews.selectors import Asked
from apps.web import cells, status, words
from apps.web.parts import Cell, Chip, DecisionBox, Fact, Figure

KEY_NUMBERS = 3


@dataclass(frozen=True, slots=True)
class Seat:
    """One step of the quorum: `Risk 1 of 2`."""

    label: str
    chip: Chip
    title: str


@dataclass(frozen=True, slots=True)
class Brief:
    """What a signer reads first; every line leads to the section that says more."""

    verdict: Chip | None
    facts: Sequence[Fact]
    figures: Sequence[Figure]
    quorum: Sequence[Seat]
    you: str


def of(
    actor: Actor,
    review: Review,
    round_: Round | None,
    asked: Sequence[Asked],
    box: DecisionBox | None,
) -> Brief | None:
    """The brief of the round that the page shows; None while a review has no round."""
    if round_ is None:
        return None
    manifest = evidence.read(round_)
    return Brief(
        verdict=_verdict(box),
        facts=_facts(review, manifest, box),
        figures=_figures(review, manifest),
        quorum=[_seat(review, each) for each in asked],
        you=_you(actor, review, asked),
    )


def _verdict(box: DecisionBox | None) -> Chip | None:
    if box is None:
        return None
    met, total = box.met, len(box.requirements)
    return Chip(f"{met} of {total} hold", "good" if met == total else "warn")


def _facts(review: Review, manifest: Mapping[str, Any], box: DecisionBox | None) -> list[Fact]:
    said = manifest["version"]
    facts = [
        Fact(
            "Purpose",
            cells.text(said["purpose"]) if said["purpose"] else cells.text("Nobody wrote one"),
        ),
        Fact("Risk tier", cells.text(f"Tier {said['risk_tier']}", note=_answers(said))),
        Fact("Impact", _impact(review, manifest)),
        Fact("Findings", _findings(review)),
        Fact("Exceptions", _exceptions(review, manifest)),
    ]
    first = deadlines.first(due.of(review))
    if first is not None:
        late = "overdue" if first.due_at <= clock.now() else ""
        value = cells.text(f"{first.step.title} by {words.utc(first.due_at)}", note=late)
        facts.append(Fact("Due", value))
    if review.wanted_by is not None:
        facts.append(Fact("Wanted by", _wanted(review, review.wanted_by)))
    if box is not None:
        facts.append(Fact("Verdict", _standing(box)))
    return facts


def _wanted(review: Review, day: dt.date) -> Cell:
    """The submitter's wish, and whether its day is over for a request that still waits."""
    over = review.state.is_active and day < clock.now().date()
    note = "that day is over" if over else "the submitter's wish, not a deadline"
    return cells.text(words.date(day), note=note)


def _answers(said: Mapping[str, Any]) -> str:
    exposure = Exposure(said["exposure"]).label.lower()
    return f"{exposure} exposure, {PurposeClass(said['purpose_class']).label.lower()}; 1 is the highest"


def _impact(review: Review, manifest: Mapping[str, Any]) -> Cell:
    """The impact assessment that was put before the signers, with its answers."""
    told = manifest.get("impact") or ()
    if not told:
        return cells.text("none signed when this round was made")
    entry = told[0]
    url = f"{impact.url(review.version.model)}?revision={entry['revision']}"
    note = f"{entry['total']} of 100; it demands at least tier {entry['tier']}"
    return cells.link(f"Level {entry['level']}", url, note=note)


def _findings(review: Review) -> Cell:
    """How many are open now, and whether they block."""
    count = findings.counted(findings.open_findings(review.version))
    if not count.total:
        return cells.text("none open")
    return cells.link(count.sentence, "#findings")


def _exceptions(review: Review, manifest: Mapping[str, Any]) -> Cell:
    """What is waived by a signature, and what the policy takes although it is inconclusive."""
    said = [waivers.sentence(row) for row in waivers.in_force(review.version, clock.now()).values()]
    accepted = reviews.document(review).gates.accept_inconclusive
    said += [
        f"{kinds.title(entry['kind'])} is inconclusive, which the policy accepts: {accepted[entry['kind']]}"
        for entry in manifest["checks"]
        if entry["verdict"] == Verdict.INCONCLUSIVE.value and entry["kind"] in accepted
    ]
    return cells.text(" ".join(said)) if said else cells.text("none")


def _standing(box: DecisionBox) -> Cell:
    """What of the policy does not hold yet, by name."""
    missing = [each.title for each in box.requirements if each.state not in {"met", "waived"}]
    if not missing:
        return cells.link("Everything that the policy asks holds", f"#{box.id}")
    return cells.link(f"Not yet: {', '.join(missing)}", f"#{box.id}")


# --- three numbers ------------------------------------------------------------------------------


def _figures(review: Review, manifest: Mapping[str, Any]) -> list[Figure]:
    """One number of each check, the one that stands worst; then further ones, as far as there is room."""
    named = [entry["measurement"] for entry in manifest["checks"] if entry["measurement"]]
    measurements = checks.named_measurements(review.version, named)
    limits = CheckLimits.parse(reviews.document(review).gates.checks)
    judged = [
        list(_judged(entry, measurements.get(entry["measurement"] or ""), limits))
        for entry in manifest["checks"]
    ]
    first = [rows[0] for rows in judged if rows]
    rest = [row for rows in judged for row in rows[1:]]
    return [_figure(row) for row in [*first, *rest][:KEY_NUMBERS]]


def _judged(
    entry: Mapping[str, Any], measurement: Measurement | None, limits: CheckLimits
) -> Iterator[Judged]:
    """The numbers of one check, worst verdict first; a check without numbers is a row that says its verdict."""
    title, verdict = kinds.title(entry["kind"]), Verdict(entry["verdict"])
    try:
        found = (
            checks.assess(measurement, limits) if measurement and entry["result_digest"] else None
        )
    except NotFound:
        found = None
    rows = [row for row in found.rows if row.value is not None] if found else []
    if not rows:
        yield Judged(entry["kind"], title, verdict, entry["sentence"])
    yield from sorted(rows, key=lambda row: row.verdict.rank)


def _figure(row: Judged) -> Figure:
    label = f"{row.title}, {row.of}" if row.of else row.title
    verdict = status.chip("verdict", row.verdict).label.lower()
    if row.value is None:
        return Figure(label, "—", verdict)
    notes = [verdict]
    if row.limit:
        notes.append(row.limit)
    if row.low is not None and row.high is not None:
        low, high = words.decimals(row.low, 3), words.decimals(row.high, 3)
        notes.append(f"95 % interval {low} to {high}")
    if row.n is not None:
        notes.append(f"n = {words.thousands(row.n)}")
    return Figure(label, words.decimals(row.value), ", ".join(notes))


# --- the quorum ---------------------------------------------------------------------------------


def _seat(review: Review, asked: Asked) -> Seat:
    done, needed = len(asked.signed), asked.step.count
    full = asked.missing == 0
    waiting = review.state == "open"
    tone = "good" if full else ("unknown" if waiting else "quiet")
    chip = Chip(f"{min(done, needed)} of {needed}", tone, "sign" if full else "clock")  # type: ignore[arg-type]
    return Seat(roles.named([asked.step.role]).capitalize(), chip, asked.step.title)


def _you(actor: Actor, review: Review, asked: Sequence[Asked]) -> str:
    """As whom the reader counts: what she signed, what she can sign, or that she is not asked."""
    for each in asked:
        for decision in each.signed:
            if actor.user_id in decision.people:
                return f"You count as {each.step.role}: signed."
    ways = reviews.ways(actor, review)
    if not ways:
        return "You count for none of these."
    way = ways[0]
    if way.delegation is not None:
        return f"You count as {way.step.role}, for {way.delegation.delegator}."
    return f"You count as {way.step.role}."
