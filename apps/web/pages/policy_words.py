"""Policies and changes of them in a few words."""

from __future__ import annotations

from collections.abc import Sequence

from apps.reviews.models import PolicyChange
from apps.reviews.policies.document import PolicyDocument, Source, Step
from apps.web.parts import Crumb, Notice

CRUMB = Crumb("Policies", "/policies/")


def at(aliases: Sequence[str]) -> list[str]:
    """Aliases as people write them: with an @."""
    return [f"@{name}" for name in aliases]


def covers(document: PolicyDocument) -> str:
    """`risk tiers 1 and 2; tag gxp is yes`, or every governed model."""
    applies = document.applies_to
    parts = []
    if applies.tiers:
        tiers = " and ".join(map(str, applies.tiers))
        parts.append(f"risk tier{'s' if len(applies.tiers) > 1 else ''} {tiers}")
    if applies.teams:
        parts.append(f"models of {', '.join(applies.teams)}")
    parts += [f"tag {tag} is {' or '.join(values)}" for tag, values in applies.tags.items()]
    return "; ".join(parts) or "every governed model"


TRIGGERS = {
    "recall": "a recalled result",
    "finding": "a blocking finding",
    "checks": "a failed check",
    "data": "new evaluation data",
    "use": "a change of use",
    "incident": "an incident",
    "vendor": "a vendor's change",
}


def all_of(roles: Sequence[str]) -> str:
    """`validator and risk`: somebody who is all of it."""
    return " and ".join(role.replace("_", " ") for role in roles)


def signers(step: Step) -> str:
    """`2 validators`, `2 of risk`."""
    if step.role in {"validator", "approver"}:
        return f"{step.count} {step.role}{'s' if step.count > 1 else ''}"
    return f"{step.count} of {step.role}"


def source(of: Source) -> str:
    """`US, since 2026-04-17; pack sr-26-2, version 2`."""
    since = f"since {of.effective_from}" if of.effective_from else ""
    until = f"until {of.effective_to}" if of.effective_to else ""
    dates = " ".join(part for part in (since, until) if part)
    where = ", ".join(part for part in (of.jurisdiction, dates) if part)
    return f"{where}; pack {of.pack}, version {of.pack_version}"


def what(change: PolicyChange) -> str:
    """The change in a few words."""
    if change.version is None:
        return f"Retire {change.replaces}"
    if change.replaces is None:
        return f"New: {change.version}"
    return f"{change.version} instead of {change.replaces}"


def tally(change: PolicyChange) -> str:
    """`1 of 2`: signatures for the change, and how many it takes."""
    return f"{sum(row.approves for row in change.signatures.all())} of {change.needed}"


def verdict(loosens: Sequence[str], needed: int, *, new: bool) -> Notice:
    """What it loosens, and how many must sign because of it."""
    many = f"It takes {needed} signature{'s' if needed > 1 else ''}, and never the proposer's."
    if loosens:
        return Notice(
            many, "warn", "This loosens the policy" if not new else "This loosens", loosens
        )
    return Notice(many, "info", "A new policy" if new else "This loosens nothing")


def begins(change: PolicyChange) -> str:
    """`in force from 1 March 2027, 00:00 UTC`; "" for with the last signature."""
    at = change.effective_at
    return f"in force from {at.day} {at:%B %Y}, {at:%H:%M} UTC" if at else ""
