"""Reads of waivers: what can be put aside, what is put aside now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from apps.accounts import policy
from apps.checks import kinds
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.registry.models import ModelVersion
from apps.reviews import roles
from apps.reviews.in_force import document_over
from apps.reviews.models import Waiver
from apps.reviews.policies.document import Waivers
from apps.reviews.reads import findings

# What may be waived, with its words. Deliberately missing: signatures, the evidence's integrity and findings, which
# have ways of their own; whatever is not listed is refused.
REQUIREMENTS: dict[str, str] = {
    **{f"checks.{key}": f"{kind.title} check" for key, kind in kinds.registered().items()},
    "card": "Completeness of the model card",
}


def allowed_by(version: ModelVersion) -> Waivers:
    """What the policies over the version say of waivers: the roles, all of which the signer holds, and the days."""
    return document_over(version).waivers


def _rows() -> QuerySet[Waiver]:
    return Waiver.objects.select_related("version__model", "user", "revocation__user")


def _standing(at: dt.datetime) -> Q:
    revoked = Q(revocation__isnull=False, revocation__created_at__lte=at)
    return Q(created_at__lte=at, expires_at__gt=at) & ~revoked


def in_force(version: ModelVersion, at: dt.datetime) -> dict[str, Waiver]:
    """The waivers of a version that count at this moment, by requirement: not expired, not revoked."""
    return {row.requirement: row for row in _rows().filter(_standing(at), version=version)}


def sentence(row: Waiver) -> str:
    """What is put aside, by whom and until when, for the gates."""
    until = f"{row.expires_at:%d %b %Y}"
    return (
        f"{REQUIREMENTS[row.requirement]} waived by {row.signer_name} until {until}: {row.reason}."
    )


def waivers_of(version: ModelVersion) -> list[Waiver]:
    """Every waiver ever signed for a version, newest first."""
    return list(_rows().filter(version=version).order_by("-pk"))


def get_waiver(actor: Actor, pk: int) -> Waiver:
    """One waiver; NotFound if there is none or its model is out of the actor's sight."""
    row = _rows().filter(pk=pk, version__deleted_at__isnull=True).first()
    if row is None or not policy.can(actor, "review.read", row):
        raise NotFound("No such waiver.")
    return row


@dataclass(frozen=True, slots=True)
class Standing:
    """How a waiver stands: in force, expired or revoked."""

    state: str
    reason: str = ""


def standing(row: Waiver) -> Standing:
    """How a waiver of `waivers_of` stands now; no query of its own."""
    revocation = getattr(row, "revocation", None)
    if revocation is not None:
        return Standing("revoked", revocation.reason)
    return Standing("in_force" if row.expires_at > clock.now() else "expired")


def why_not(actor: Actor, version: ModelVersion) -> str:
    """Why this actor cannot waive anything here, in a sentence; "" if she can."""
    needed = allowed_by(version).roles
    if not roles.among(needed, policy.verbs_on(actor, version)):
        return f"Requirements are waived by somebody with the role {roles.named(needed)}."
    if actor.user_id in findings.authors_of(version):
        return "You made part of this version, so somebody else must decide what it may lack."
    return ""
