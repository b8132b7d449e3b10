"""Authorizations and promotion: the only way into a governed target.

The order in `promote`, which the triggers of migration 0002 repeat in SQL:
 1. lock the model, then the version;
 2. every target: find the live authorization, refuse when there is none or it expired;
 3. every gate of settings.PROMOTION_GATES must pass under the authorization's terms, now;
 4. every target: spend the authorization, retire the incumbent (an environment keeps it), move the version, record it.
All of it is one transaction: a version is in all of the targets or in none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict
from apps.registry import events, gates, selectors
from apps.registry.models import (
    Alias,
    Authorization,
    EnvironmentEntry,
    ModelVersion,
    RegisteredModel,
)
from apps.registry.services.locks import lock_version
from apps.registry.services.retired import refuse_if_retired
from apps.registry.targets import STAGES, Target


def authorize(
    actor: Actor,
    version: ModelVersion,
    *,
    target: Target,
    review_id: int,
    round_id: int,
    evidence_digest: str,
    terms: Mapping[str, Any],
    expires_at: dt.datetime,
) -> Authorization:
    """Mint leave for one move. Called by apps.reviews when a quorum is complete; a deferred trigger of
    that app refuses the row at commit unless the quorum of decisions and this event stand behind it."""
    refuse_if_retired(version.model)
    with verb(actor) as v:
        row = Authorization.objects.create(
            version=version,
            target_kind=target.kind,
            target_name=target.name,
            review_id=review_id,
            round_id=round_id,
            evidence_digest=evidence_digest,
            terms=dict(terms),
            minted_at=clock.now(),
            expires_at=expires_at,
        )
        v.record(
            events.AuthorizationMinted(
                model=version.model_id,
                version=version.pk,
                authorization=row.pk,
                target=str(target),
                review=review_id,
                round=round_id,
                evidence_digest=evidence_digest,
                expires_at=row.expires_at.isoformat(),
            )
        )
    return row


def revoke_authorizations(
    actor: Actor, version: ModelVersion, *, round_id: int, reason: str
) -> int:
    """Void what a dead round had authorized and nobody has spent; returns how many."""
    with verb(actor) as v:
        rows = Authorization.objects.select_for_update().filter(
            version=version, round_id=round_id, spent_at__isnull=True, revoked_at__isnull=True
        )
        for row in rows:
            row.revoked_at = clock.now()
            row.save(update_fields=["revoked_at"])
            v.record(
                events.AuthorizationRevoked(
                    model=version.model_id,
                    version=version.pk,
                    authorization=row.pk,
                    target=str(row.target),
                    reason=reason,
                )
            )
    return len(rows)


def promote(actor: Actor, version: ModelVersion, *, targets: Sequence[Target]) -> ModelVersion:
    """Move a version into governed targets by spending their authorizations; where it is already, that renews its approval.

    Refuses (Blocked): no live authorization, an expired one, any gate that does not pass at this moment.
    Raises Conflict when somebody else spent it first. Does not check the actor's right to promote:
    the right is the authorization, and any contributor may use it.
    """
    with verb(actor) as v:
        version = lock_version(version.pk)
        refuse_if_retired(version.model)
        found = [_authorization(version, target) for target in targets]
        for authorization in found:
            blockers = [
                gate
                for gate in gates.evaluate(version, targets, authorization.terms)
                if not gate.passes
            ]
            if blockers:
                raise Blocked(
                    f"{version} is signed but not promoted: "
                    + "; ".join(f"{gate.title}: {gate.fact}" for gate in blockers),
                    reasons=[f"{gate.title}: {gate.fact}" for gate in blockers],
                    url=selectors.review_url(version),
                )
        for authorization in found:
            _enter(v, version, authorization)
        RegisteredModel.objects.filter(pk=version.model_id).update(updated_at=clock.now())
    return version


def put_back(actor: Actor, version: ModelVersion, *, authorization: Authorization) -> ModelVersion:
    """Move a version into a target by an authorization that an emergency rollback stands behind; no gate is asked.

    Called by apps.reviews only, inside its transaction; the trigger on authorizations demands the rollback.
    """
    with verb(actor) as v:
        version = lock_version(version.pk)
        _enter(v, version, authorization)
        RegisteredModel.objects.filter(pk=version.model_id).update(updated_at=clock.now())
    return version


def _authorization(version: ModelVersion, target: Target) -> Authorization:
    row = selectors.live_authorization(version, target)
    if row is None:
        raise Blocked(
            f"{version} may not enter {target.label}: no authorization.",
            reasons=["no live authorization"],
            url=selectors.review_url(version),
        )
    if row.expires_at <= clock.now():
        raise Blocked(
            f"{version} may not enter {target.label}: the approval expired on "
            f"{row.expires_at:%Y-%m-%d}.",
            reasons=["the approval expired"],
            url=selectors.review_url(version),
        )
    return row


def _enter(v: Verb, version: ModelVersion, authorization: Authorization) -> None:
    target = authorization.target
    spent = Authorization.objects.filter(
        pk=authorization.pk, spent_at__isnull=True, revoked_at__isnull=True
    ).update(spent_at=clock.now())
    if spent != 1:
        raise Conflict(f"The authorization of {version} for {target.label} was spent meanwhile.")
    side_by_side = target.kind == "environment"
    incumbent = None if side_by_side else selectors.holder(version.model, target)
    said: dict[str, Any] = {
        "model": version.model_id,
        "version": version.pk,
        "target": str(target),
        "authorization": authorization.pk,
        "review": authorization.review_id,
        "round": authorization.round_id,
        "evidence_digest": authorization.evidence_digest,
    }
    if not side_by_side and target in selectors.held_targets(version):
        v.record(events.ApprovalRenewed(**said))
        return
    v.record(events.VersionPromoted(**said, incumbent=incumbent.pk if incumbent else None))
    if side_by_side:
        _let_in(version, target, authorization)
    elif target.kind == "alias":
        _point_alias(version, target)
    else:
        _take_stage(v, version, target, incumbent)


def _let_in(version: ModelVersion, target: Target, authorization: Authorization) -> None:
    """Into an environment, beside whatever is there; an approval of this version that has expired makes room."""
    now = clock.now()
    EnvironmentEntry.objects.filter(
        version=version, environment=target.name, left_at__isnull=True
    ).update(left_at=now)
    EnvironmentEntry.objects.create(
        model=version.model,
        version=version,
        environment=target.name,
        authorization=authorization,
        entered_at=now,
    )


def _point_alias(version: ModelVersion, target: Target) -> None:
    Alias.objects.filter(model=version.model, name__iexact=target.name).delete()
    Alias.objects.create(model=version.model, name=target.name, version=version)


def _take_stage(
    v: Verb, version: ModelVersion, target: Target, incumbent: ModelVersion | None
) -> None:
    now = clock.now()
    if incumbent is not None and incumbent.pk != version.pk:
        old, incumbent.stage, incumbent.updated_at = incumbent.stage, "Archived", now
        incumbent.save(update_fields=["stage", "updated_at"])
        v.record(
            events.StageSet(
                model=version.model_id,
                version=incumbent.pk,
                old=old,
                stage="Archived",
                because=f"v{version.number} took its place",
            )
        )
    version.stage, version.updated_at = STAGES[target.name], now
    version.save(update_fields=["stage", "updated_at"])
