"""Verbs on deployments: record what runs where, change its share of the traffic, end it.

The order in `record_deployment`, which the triggers of migrations 0008 (registry) and 0019 (reviews) repeat in SQL:
 1. lock the model, the version, the environment; the files are those that the caller deploys, if it says which;
 2. where the environment is governed for the model: if the version is not in it, spend its authorization, through
    `promote` with every gate; then ask settings.DEPLOYMENT_RULE whether the approval holds at this moment;
 3. the shares of the model's versions in the environment are not more than all of the traffic, at no moment;
 4. write the deployment, with the approval it rests on; the ledger has it.
What is refused here may still run somewhere: a record is no switch.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from apps.accounts import policy
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Conflict, Forbidden, Invalid
from apps.registry import deployed, deployment_events, selectors
from apps.registry.deployment_models import LARGEST_SHARE, share_text
from apps.registry.gates import GateResult
from apps.registry.models import Authorization, Deployment, Environment, ModelVersion
from apps.registry.services.environments import lock_environment
from apps.registry.services.locks import lock_model, lock_version
from apps.registry.services.moves import demand_authorization
from apps.registry.services.promotion import promote
from apps.registry.services.retired import refuse_if_retired
from apps.registry.services.text import check_text
from apps.registry.targets import Target

Rule = Callable[[ModelVersion, Target], Sequence[GateResult]]
TOLERANCE = dt.timedelta(seconds=60)  # by so much may the caller's clock be ahead of ours


def record_deployment(
    actor: Actor,
    version: ModelVersion,
    *,
    environment: Environment,
    traffic: str = "100",
    started_at: dt.datetime | None = None,
    place: str = "",
    digest: str = "",
) -> Deployment:
    """Record that a version runs in an environment since `started_at` (now) with a share of the traffic, in percent.

    The first record in a governed environment spends the version's authorization for it; later ones (another place,
    a restart) rest on the same approval while it holds. `place` says where in the environment, for people.
    Refuses: a retired environment, a governed one without a valid approval or with a gate that does not pass, other
    files than `digest`, a moment before the approval or in the future, more than all of the traffic, the same
    version in the same place twice.
    """
    share, place = _share(traffic), check_text(place, "place", 500).strip()
    policy.require(actor, "deployment.record", version)
    if actor.user_id is None:
        raise Forbidden("A deployment is recorded by a person or a service account.")
    with verb(actor) as v:
        version = lock_version(version.pk)
        refuse_if_retired(version.model)
        environment = lock_environment(environment)
        _require_open(environment)
        _require_files(version, digest)
        since = _moment(started_at, "started_at", not_before=version.created_at)
        approval = _approval(actor, version, Target("environment", environment.key))
        if approval is not None and since < approval.minted_at:
            raise Invalid(
                f"{version} was approved at {approval.minted_at:%Y-%m-%d %H:%M} UTC, after that moment.",
                fields={"started_at": "before the approval"},
            )
        _require_room(version, environment, since, share)
        row = _write(actor.user_id, version, environment, approval, share, since, place)
        v.record(
            deployment_events.DeploymentRecorded(
                model=version.model_id,
                version=version.pk,
                deployment=row.pk,
                environment=environment.key,
                traffic=share_text(share),
                started_at=since.isoformat(),
                place=place,
                authorization=approval.pk if approval else None,
                manifest_digest=version.manifest_digest,
            )
        )
    return row


def _share(traffic: str) -> Decimal:
    """Percent with at most two decimals; raises Invalid."""
    try:
        share = Decimal(traffic)
        if share.is_finite() and 0 <= share <= LARGEST_SHARE and share == round(share, 2):
            return share
    except InvalidOperation:
        pass
    raise Invalid(
        f"Not a share of the traffic: {traffic[:40]!r}.",
        fields={"traffic": "a number from 0 to 100 with at most two decimals, in percent"},
    )


def _require_open(environment: Environment) -> None:
    if environment.retired_at is not None:
        raise Blocked(f"Environment {environment.key} is retired: nothing new runs there.")


def _require_files(version: ModelVersion, digest: str) -> None:
    if digest and digest.removeprefix("sha256:") != version.manifest_digest:
        raise Conflict(
            f"{version} has other files than those deployed: its manifest is {version.manifest_digest[:12]}, "
            f"got {digest.removeprefix('sha256:')[:12]}."
        )


def _moment(given: dt.datetime | None, field: str, *, not_before: dt.datetime) -> dt.datetime:
    """The moment given, or now; raises Invalid for one in the future or before `not_before`."""
    now = clock.now()
    if given is None:
        return max(now, not_before)
    if given > now + TOLERANCE:
        raise Invalid(f"{given.isoformat()} has not come yet.", fields={field: "in the future"})
    if given < not_before:
        raise Invalid(f"It cannot be before {not_before.isoformat()}.", fields={field: "too early"})
    return min(given, now)


def _approval(actor: Actor, version: ModelVersion, target: Target) -> Authorization | None:
    """The approval by which the version may run there at this moment; None where nobody need approve."""
    if not selectors.is_governed(version.model, target):
        return None
    if not selectors.holds(version, target):
        demand_authorization(version, target)
        promote(actor, version, targets=[target])
    require_approved(version, target)
    entry = deployed.entry_of(version.pk, target.name)
    if entry is None:
        raise Conflict(f"{version} left {target.label} meanwhile.")
    return entry.authorization


def require_approved(version: ModelVersion, target: Target) -> None:
    """Raise Blocked, with every reason, unless settings.DEPLOYMENT_RULE allows the version to run there now."""
    rule: Rule = import_string(settings.DEPLOYMENT_RULE)
    results = rule(version, target)
    reasons = [f"{gate.title}: {gate.fact}" for gate in results if not gate.passes]
    if reasons or not results:
        raise Blocked(
            f"{version} may not run in {target.label}: {'; '.join(reasons) or 'nothing speaks for it'}",
            reasons=reasons,
            url=selectors.review_url(version),
        )


def _require_room(
    version: ModelVersion, environment: Environment, since: dt.datetime, share: Decimal
) -> None:
    row_of = {"model_id": version.model_id, "environment_id": environment.pk}
    taken = deployed.most_since(row_of, since)
    if taken + share > LARGEST_SHARE:
        raise Conflict(
            f"{share_text(share)} % is more than is left in environment {environment.key}: versions of "
            f"{version.model.name} have {share_text(taken)} % of the traffic there.",
            hint="Lower the share of another deployment, or end it, first.",
        )


def _write(
    user_id: int,
    version: ModelVersion,
    environment: Environment,
    approval: Authorization | None,
    share: Decimal,
    since: dt.datetime,
    place: str,
) -> Deployment:
    try:
        with transaction.atomic():
            return Deployment.objects.create(
                model=version.model,
                version=version,
                environment=environment,
                governed=approval is not None,
                authorization=approval,
                traffic=share,
                traffic_since=since,
                place=place,
                started_at=since,
                recorded_by_id=user_id,
                recorded_at=clock.now(),
            )
    except IntegrityError as error:
        where = f"{environment.key} ({place})" if place else environment.key
        raise AlreadyExists(
            f"{version} is recorded as running in {where} already.",
            hint="Change its share, end it, or name another place.",
        ) from error


def change_traffic(actor: Actor, deployment: Deployment, *, traffic: str) -> Deployment:
    """Give a running deployment another share of the traffic from now on.

    Refuses: one that has ended; a larger or smaller share where the approval does not hold any more (end it, or
    approve it anew); more than all of the traffic.
    """
    share = _share(traffic)
    policy.require(actor, "deployment.record", deployment.model)
    with verb(actor) as v:
        row = _lock(deployment)
        environment, old = row.environment, row.traffic
        target = Target("environment", environment.key)
        if share == old:
            return row
        if selectors.is_governed(row.model, target):
            _require_same_approval(row, target)
        taken = deployed.live_share(row.model_id, row.environment_id) - old
        if taken + share > LARGEST_SHARE:
            raise Conflict(
                f"{share_text(share)} % is more than is left in environment {environment.key}: other versions have "
                f"{share_text(taken)} % of the traffic there."
            )
        row.traffic, row.traffic_since = share, max(clock.now(), row.traffic_since)
        row.save(update_fields=["traffic", "traffic_since"])
        v.record(
            deployment_events.DeploymentChanged(
                model=row.model_id,
                version=row.version_id,
                deployment=row.pk,
                environment=environment.key,
                old=share_text(old),
                traffic=share_text(share),
            )
        )
    return row


def _require_same_approval(row: Deployment, target: Target) -> None:
    entry = deployed.entry_of(row.version_id, target.name)
    if entry is None or entry.authorization_id != row.authorization_id:
        raise Blocked(
            f"The approval by which {row.version} began to run in {target.label} does not hold any more.",
            hint="End this deployment; with a new approval, record another.",
            url=selectors.review_url(row.version),
        )
    require_approved(row.version, target)


def end_deployment(
    actor: Actor, deployment: Deployment, *, reason: str = "", ended_at: dt.datetime | None = None
) -> Deployment:
    """Record that a deployment stopped at a moment (now). Whoever may record may end; no approval is asked.

    Refuses: one that has ended, a moment in the future or before its share last changed.
    """
    check_text(reason, "reason", 2000)
    policy.require(actor, "deployment.record", deployment.model)
    if actor.user_id is None:
        raise Forbidden("A deployment is ended by a person or a service account.")
    with verb(actor) as v:
        row = _lock(deployment)
        row.ended_at = _moment(ended_at, "ended_at", not_before=row.traffic_since)
        row.ended_by_id, row.end_reason = actor.user_id, reason
        row.save(update_fields=["ended_at", "ended_by", "end_reason"])
        _end(v, row)
    return row


def _end(v: Verb, row: Deployment) -> None:
    v.record(
        deployment_events.DeploymentEnded(
            model=row.model_id,
            version=row.version_id,
            deployment=row.pk,
            environment=row.environment.key,
            ended_at=row.ended_at.isoformat() if row.ended_at else "",
            reason=row.end_reason,
        )
    )


def _lock(deployment: Deployment) -> Deployment:
    """The deployment's row, locked after its model's; raises Conflict if it has ended."""
    model = lock_model(deployment.model_id)
    rows = Deployment.objects.select_for_update(of=("self",)).select_related(
        "version", "environment"
    )
    row = rows.get(pk=deployment.pk)
    row.model = row.version.model = model
    if row.ended_at is not None:
        raise Conflict(f"This deployment ended at {row.ended_at:%Y-%m-%d %H:%M} UTC.")
    return row
