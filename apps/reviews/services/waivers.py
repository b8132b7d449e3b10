"""Put a requirement of a version aside for a while, by signature; and take that back.

A waiver is signed as a decision is: the role at this moment, a fresh proof, no author, a statement whose digest is
in the ledger. It says nothing about the requirement itself, which stays as it is and counts again when it ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.accounts.services import ReauthProof
from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, Forbidden, Invalid
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version
from apps.reviews import roles
from apps.reviews.events import reviews as events
from apps.reviews.models import Waiver, WaiverRevocation
from apps.reviews.reads import waivers
from apps.reviews.services import signing, wording

STATEMENT = "countersign.waiver.v1"


def grant_waiver(
    actor: Actor,
    version: ModelVersion,
    *,
    requirement: str,
    reason: str,
    until: dt.date,
    proof: ReauthProof,
) -> Waiver:
    """Sign that one requirement of this version need not hold up to and including the day `until`.

    Refuses: a requirement that is not known or cannot be waived, more days or another role than the policy
    names, an author, a stale or foreign proof, a second waiver while one is in force.
    """
    allowed = waivers.allowed_by(version)
    roles.require(actor, allowed.roles, version)
    _check(requirement, until, allowed.max_days)
    reason = wording.text(reason, "reason")
    proof.require_for(actor)
    with verb(actor) as v:
        version = lock_version(version.pk)
        allowed = waivers.allowed_by(version)
        roles.require_fresh(actor, allowed.roles, version)
        obstacle = waivers.why_not(actor, version)
        if obstacle:
            raise Forbidden(obstacle)
        if requirement in waivers.in_force(version, clock.now()):
            raise AlreadyExists(f"{waivers.REQUIREMENTS[requirement]} is waived already.")
        person = accounts.get_user(actor.user_id or 0)
        row = _write(version, person, requirement, reason, until, proof, allowed.roles)
        v.record(
            events.WaiverGranted(
                waiver=row.pk,
                version=version.pk,
                model=version.model_id,
                requirement=requirement,
                until=until.isoformat(),
                statement_digest=row.statement_digest,
                role=row.role,
                method=row.method,
                signer=str(person.uuid),
                signer_name=row.signer_name,
            )
        )
    return row


def revoke_waiver(actor: Actor, waiver: Waiver, *, reason: str) -> WaiverRevocation:
    """End a waiver that is in force. For whoever could sign one; an author may, since it only asks for more."""
    roles.require(actor, waivers.allowed_by(waiver.version).roles, waiver)
    reason = wording.text(reason, "reason")
    if actor.user_id is None:
        raise Forbidden("A waiver is revoked by a person.")
    with verb(actor) as v:
        version = lock_version(waiver.version_id)
        roles.require_fresh(actor, waivers.allowed_by(version).roles, version)
        row = waivers.in_force(version, clock.now()).get(waiver.requirement)
        if row is None or row.pk != waiver.pk:
            raise Conflict("This waiver is not in force any more.")
        made = WaiverRevocation.objects.create(
            waiver=row, reason=reason, user_id=actor.user_id, created_at=clock.now()
        )
        v.record(
            events.WaiverRevoked(
                waiver=row.pk,
                version=version.pk,
                model=version.model_id,
                requirement=row.requirement,
                reason=reason,
            )
        )
    return made


def _check(requirement: str, until: dt.date, most: int) -> None:
    if requirement not in waivers.REQUIREMENTS:
        known = ", ".join(waivers.REQUIREMENTS)
        raise Invalid(
            f"{requirement[:64]!r} cannot be waived.", fields={"requirement": f"One of {known}."}
        )
    today = clock.now().date()
    if not today <= until <= today + dt.timedelta(days=most):
        problem = f"Today or later, and within {most} days."
        raise Invalid("A waiver ends.", fields={"until": problem})


def _write(
    version: ModelVersion,
    person: User,
    requirement: str,
    reason: str,
    until: dt.date,
    proof: ReauthProof,
    as_roles: Sequence[str],
) -> Waiver:
    role = ",".join(as_roles)
    expires = dt.datetime.combine(until, dt.time(), dt.UTC) + dt.timedelta(days=1)
    signed = signing.sign(
        STATEMENT,
        person,
        proof,
        {
            "model": version.model.name,
            "version": version.number,
            "manifest_digest": version.manifest_digest,
            "requirement": requirement,
            "reason": reason,
            "expires_at": expires.isoformat(),
            "role": role,
        },
    )
    return Waiver.objects.create(
        version=version,
        requirement=requirement,
        reason=reason,
        expires_at=expires,
        role=role,
        **signed.columns,
    )
