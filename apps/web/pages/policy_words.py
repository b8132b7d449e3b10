"""Policies and changes of them in a few words."""

from __future__ import annotations

from collections.abc import Sequence

from apps.reviews.models import PolicyChange
from apps.reviews.policies.document import PolicyDocument
from apps.reviews.policies.idle import idle_parts
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


def idle(document: PolicyDocument) -> Notice | None:
    """A warning about what is written here and not acted on yet; None when everything is."""
    parts = idle_parts(document)
    if not parts:
        return None
    return Notice(f"{'; '.join(parts).capitalize()}.", "warn", "Written here, not acted on yet")


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
