"""Verbs that move a version into or out of a stage or alias, as the MLflow client and the pages ask for it.

A governed target is entered only through `promotion.promote`; what is asked for here either leads
there or is refused with what is missing and where to get it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils.module_loading import import_string

from apps.accounts import policy
from apps.accounts.services import ReauthProof
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Invalid
from apps.registry import deployed, events, selectors
from apps.registry.models import Alias, EnvironmentEntry, ModelVersion, RegisteredModel
from apps.registry.services.locks import lock_model, lock_version
from apps.registry.services.promotion import promote
from apps.registry.services.retired import refuse_if_retired
from apps.registry.services.text import check_text
from apps.registry.targets import STAGES, Target


def set_stage(
    actor: Actor, version: ModelVersion, *, stage: str, archive_existing: bool = False
) -> ModelVersion:
    """Move a version to a stage; into a governed one only by spending an authorization.

    Refuses: a governed stage without authorization (Blocked, with what is missing), leaving a governed
    stage (that takes a person and a reason on the page), archive_existing elsewhere than into Staging
    or Production.
    """
    target = Target.stage(stage)
    if archive_existing and target.name not in {"staging", "production"}:
        raise Invalid(
            f"Model version transition cannot archive existing model versions because '{stage}' is not an "
            "Active stage. Valid stages are Staging, Production"
        )
    policy.require(actor, "model.edit", version)
    with _drafted(actor), verb(actor) as v:
        version = lock_version(version.pk)
        if version.stage.lower() == target.name:
            return version
        refuse_if_retired(version.model)
        if selectors.is_governed(version.model, target):
            demand_authorization(version, target)
            return promote(actor, version, targets=[target])
        _refuse_leaving(version, Target("stage", version.stage.lower()))
        _move(v, version, STAGES[target.name])
        if archive_existing:
            _archive_others(v, version)
    return version


def _move(v: Verb, version: ModelVersion, stage: str, because: str = "") -> None:
    old, version.stage, version.updated_at = version.stage, stage, clock.now()
    version.save(update_fields=["stage", "updated_at"])
    RegisteredModel.objects.filter(pk=version.model_id).update(updated_at=version.updated_at)
    v.record(
        events.StageSet(
            model=version.model_id, version=version.pk, old=old, stage=stage, because=because
        )
    )


def _archive_others(v: Verb, version: ModelVersion) -> None:
    others = ModelVersion.objects.select_for_update().filter(
        model=version.model, stage=version.stage, deleted_at__isnull=True
    )
    for other in others.exclude(pk=version.pk).order_by("number"):
        _move(v, other, "Archived", because=f"v{version.number} took its place")


def demand_authorization(version: ModelVersion, target: Target) -> None:
    """Raise Blocked, naming what is missing and the review's address, unless an authorization lives."""
    if selectors.live_authorization(version, target) is not None:
        return
    if version.submitted_review is None:
        missing = "nobody has asked for a review of this version"
    else:
        missing = f"REV-{version.submitted_review} has not approved it"
    raise Unapproved(version, target, missing)


class Unapproved(Blocked):
    """Nobody has approved this move."""

    def __init__(self, version: ModelVersion, target: Target, missing: str) -> None:
        super().__init__(
            f"{version} may not enter {target.label}: {missing}.",
            reasons=[missing],
            hint="Promotion takes a signed review; see",
            url=selectors.review_url(version),
        )
        self.version, self.target = version, target


@contextmanager
def _drafted(actor: Actor) -> Iterator[None]:
    """Where a move is refused for want of an approval, settings.AFTER_REFUSAL may keep a draft of the request.

    It stands around the transaction of the move, which is rolled back when it is asked. It changes the words of the
    refusal and never that it is one.
    """
    try:
        yield
    except Unapproved as refused:
        url = import_string(settings.AFTER_REFUSAL)(actor, refused.version, refused.target)
        if not url:
            raise
        raise Blocked(
            refused.message,
            reasons=refused.reasons,
            hint="A draft of the request is kept; somebody who may submit it finishes it at",
            url=url,
        ) from refused


def _refuse_leaving(version: ModelVersion, target: Target) -> None:
    if selectors.is_governed(version.model, target):
        raise Blocked(
            f"{version} may not leave {target.label} through a client: it takes its owner, a reason and "
            "re-authentication on the page.",
            url=selectors.version_url(version),
        )


def set_alias(actor: Actor, version: ModelVersion, *, alias: str) -> None:
    """Point an alias at a version; a governed one only by spending an authorization."""
    target = Target.alias(alias)
    policy.require(actor, "model.edit", version)
    with _drafted(actor), verb(actor) as v:
        version = lock_version(version.pk)
        refuse_if_retired(version.model)
        row = Alias.objects.filter(model=version.model, name__iexact=alias).first()
        if selectors.is_governed(version.model, target):
            if row is None or row.version_id != version.pk:
                demand_authorization(version, target)
                promote(actor, version, targets=[target])
            return
        old = row.version_id if row else None
        if row is None:
            Alias.objects.create(model=version.model, name=alias, version=version)
        else:
            row.name, row.version = alias, version
            row.save(update_fields=["name", "version"])
        v.record(
            events.AliasSet(
                model=version.model_id, version=version.pk, alias=alias, old_version=old
            )
        )


def delete_alias(actor: Actor, model: RegisteredModel, *, alias: str) -> None:
    """Remove an alias; a missing one is no error (as MLflow), a governed one is refused here."""
    policy.require(actor, "model.edit", model)
    with verb(actor) as v:
        model = lock_model(model.pk)
        row = (
            Alias.objects.filter(model=model, name__iexact=alias).select_related("version").first()
        )
        if row is None:
            return
        row.version.model = model
        _refuse_leaving(row.version, Target("alias", row.name.lower()))
        row.delete()
        v.record(events.AliasDeleted(model=model.pk, version=row.version_id, alias=row.name))


def leave_target(
    actor: Actor, version: ModelVersion, *, target: Target, reason: str, proof: ReauthProof
) -> ModelVersion:
    """Take a version out of a governed target: the owner, with a reason, re-authenticated; no quorum.

    Refuses: a target it does not hold, an environment in which it still runs, no reason, a proof that is not the
    actor's own.
    """
    proof.require_for(actor)
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": "required"})
    check_text(reason, "reason", 2000)
    with verb(actor) as v:
        version = lock_version(version.pk)
        policy.require_fresh(actor, "target.leave", version)
        if target not in selectors.held_governed_targets(version):
            raise Invalid(f"{version} is not in {target.label}.", fields={"target": "not held"})
        if target.kind == "environment":
            _refuse_while_running(version, target)
        v.record(
            events.VersionLeft(
                model=version.model_id,
                version=version.pk,
                target=str(target),
                reason=reason,
                method=proof.method,
            )
        )
        if target.kind == "environment":
            EnvironmentEntry.objects.filter(
                version=version, environment=target.name, left_at__isnull=True
            ).update(left_at=clock.now())
        elif target.kind == "alias":
            Alias.objects.filter(model=version.model, name__iexact=target.name).delete()
        else:
            version.stage, version.updated_at = "Archived", clock.now()
            version.save(update_fields=["stage", "updated_at"])
    return version


def _refuse_while_running(version: ModelVersion, target: Target) -> None:
    rows = deployed.running(deployed.of_version(version.pk)).filter(environment__key=target.name)
    if rows.exists():
        raise Blocked(
            f"{version} is recorded as running in {target.label}: end its deployment there first.",
            url=selectors.version_url(version),
        )
