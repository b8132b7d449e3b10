"""Questions about all the evidence of one version that no single item answers. Pure: they read what `evidence` found.

A rule holds, fails and says what exactly, or has nothing to look at; that is never shown as good.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from apps.checks.numbers import plural
from apps.registry.models import ModelVersion
from apps.reviews.models import SETTLED, EntryKind, Outcome

if TYPE_CHECKING:
    from apps.engagements.evidence import Found

HOLDS, FAILS, EMPTY = "holds", "fails", "empty"
A_YEAR: Final = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule says, in one sentence."""

    state: str
    sentence: str


def _judged(problems: list[str], good: str) -> Ruling:
    return Ruling(FAILS, "; ".join(problems) + ".") if problems else Ruling(HOLDS, good)


def _rows(found: Found, version: ModelVersion, source: str) -> list[Any]:
    return [item.row for item in found.of(version.pk, source)]


def _approvals(found: Found, version: ModelVersion) -> list[Any]:
    return [
        row for row in _rows(found, version, "decisions") if row.outcome == Outcome.APPROVE.value
    ]


def four_eyes(found: Found, version: ModelVersion, before: dt.datetime) -> Ruling:
    """Whoever approved made no part of it: the authors are those that the round of evidence names."""
    authors = {row.pk: set(row.authors) for row in _rows(found, version, "rounds")}
    approvals = _approvals(found, version)
    if not approvals:
        return Ruling(EMPTY, "Nobody has approved this version.")
    own = [
        f"{row.signer_name} approved in REV-{row.review_id} and is among the authors"
        for row in approvals
        if row.people & authors.get(row.round_id, set())
    ]
    people = len(set().union(*(row.people for row in approvals)))
    who = f"{plural(people, 'person')} approved, none of them among the authors."
    return _judged(own, who.replace("persons", "people"))


def bound_to_bytes(found: Found, version: ModelVersion, before: dt.datetime) -> Ruling:
    """Each signed statement names the digest of its round, of this version's files, and the round names those files."""
    decisions = _rows(found, version, "decisions")
    if not decisions:
        return Ruling(EMPTY, "Nothing is signed.")
    rounds = {row.pk: row for row in _rows(found, version, "rounds")}
    problems = []
    for row in decisions:
        said = json.loads(bytes(row.statement))
        round_ = rounds.get(row.round_id)
        if round_ is None or said["evidence_digest"] != round_.digest:
            problems.append(f"decision {row.pk} names other evidence than its round")
        elif said["manifest_digest"] != version.manifest_digest:
            problems.append(f"decision {row.pk} names other files than the version has")
        elif json.loads(bytes(round_.manifest))["files"] != version.manifest:
            problems.append(f"the evidence of decision {row.pk} lists other files")
    return _judged(
        problems, f"{plural(len(decisions), 'signature')} on exactly this evidence and these files."
    )


def gates_held(found: Found, version: ModelVersion, before: dt.datetime) -> Ruling:
    """Each check of the evidence that was approved had passed, or was waived."""
    rounds = {row.pk: row for row in _rows(found, version, "rounds")}
    approved = {row.round_id for row in _approvals(found, version)} & rounds.keys()
    if not approved:
        return Ruling(EMPTY, "No evidence was approved.")
    gates = [(rounds[pk], gate) for pk in sorted(approved) for gate in _gates(rounds[pk])]
    problems = [
        f"{gate['kind']} was {gate['verdict']} in REV-{round_.review_id}, round {round_.number}"
        for round_, gate in gates
        if gate["verdict"] not in {"PASS", "WAIVED"}
    ]
    if not gates:
        return Ruling(EMPTY, "The policy asked for no check.")
    waived = sum(gate["verdict"] == "WAIVED" for _round, gate in gates)
    return _judged(problems, f"{plural(len(gates), 'check')} held, {waived} of them waived.")


def _gates(round_: Any) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(bytes(round_.manifest))["checks"]
    return said


def no_bypass(found: Found, version: ModelVersion, before: dt.datetime) -> Ruling:
    """Each entry into a governed target names a review of this version, evidence of it, and that evidence was approved.

    The other way round (nothing holds a governed target without such an entry) is what `verify_ledger` compares.
    """
    entries = _rows(found, version, "promotions")
    if not entries:
        return Ruling(EMPTY, "It never entered a governed stage, alias or environment.")
    rounds = {row.digest for row in _rows(found, version, "rounds")}
    approved = {row.evidence_digest for row in _approvals(found, version)}
    problems = [
        f"event {row.seq}: {row.payload['target']} was entered on evidence that nobody signed"
        for row in entries
        if row.payload["evidence_digest"] not in rounds & approved
    ]
    return _judged(
        problems, f"Each of {plural(len(entries), 'entry', 'entries')} rests on signed evidence."
    )


def waivers_end(found: Found, version: ModelVersion, before: dt.datetime) -> Ruling:
    """Every waiver has an end, and none was signed by an author of the evidence that was signed."""
    waivers = _rows(found, version, "waivers")
    if not waivers:
        return Ruling(EMPTY, "Nothing was waived.")
    authors = set().union(*(row.authors for row in _rows(found, version, "rounds")), ())
    problems = [
        f"{row.requirement} was waived by {row.signer_name}, who is an author"
        for row in waivers
        if row.user_id in authors
    ]
    standing = [
        row for row in waivers if row.expires_at > before and not hasattr(row, "revocation")
    ]
    return _judged(
        problems,
        f"{plural(len(waivers), 'waiver')}, {len(standing)} in force at the end of the period.",
    )


def findings_settled(found: Found, version: ModelVersion, before: dt.datetime) -> Ruling:
    """No blocking finding was open at the end of the period."""
    last = {row.finding_id: row for row in _rows(found, version, "findings")}
    if not last:
        return Ruling(EMPTY, "No finding was raised; that is not to say that there is nothing.")
    unsettled = [row for row in last.values() if EntryKind(row.kind).leads_to not in SETTLED]
    problems = [
        f"{row.finding.key} blocks and is {EntryKind(row.kind).leads_to.label.lower()}"
        for row in unsettled
        if row.finding.blocking
    ]
    return _judged(
        problems, f"{plural(len(last), 'finding')}, {len(unsettled)} still open, none blocks."
    )


def bias_audit_is_recent(found: Found, version: ModelVersion, before: dt.datetime) -> Ruling:
    """The newest bias audit is at most a year old at the end of the period (NYC Administrative Code 20-871(a)(1))."""
    made = [item.at for item in found.named(version.pk, "checks.bias_audit")]
    if not made:
        return Ruling(EMPTY, "There is no bias audit.")
    newest = max(made)
    if before - newest > A_YEAR:
        return Ruling(FAILS, f"The newest is of {newest:%Y-%m-%d}: more than a year old.")
    return Ruling(HOLDS, f"The newest is of {newest:%Y-%m-%d}.")


Rule = Callable[["Found", ModelVersion, dt.datetime], Ruling]
RULES: Final[dict[str, Rule]] = {
    "four_eyes": four_eyes,
    "bound_to_bytes": bound_to_bytes,
    "gates_held": gates_held,
    "no_bypass": no_bypass,
    "waivers_end": waivers_end,
    "findings_settled": findings_settled,
    "bias_audit_is_recent": bias_audit_is_recent,
}
