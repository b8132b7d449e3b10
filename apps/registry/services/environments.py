"""Verbs on environments: add, rename, retire, bring back."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from apps.accounts import policy
from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Forbidden, Invalid
from apps.registry import deployed, deployment_events
from apps.registry.models import Environment
from apps.registry.services.text import check_text
from apps.registry.targets import Target


def create_environment(actor: Actor, *, key: str, title: str = "") -> Environment:
    """Add an environment; its key is case-folded and stays. Refuses a key that is taken, by a retired one too."""
    key = Target.environment(key).name
    policy.require(actor, "environment.manage")
    if key == "new":
        raise Invalid("`new` is the address of a page.", fields={"key": "choose another key"})
    if actor.user_id is None:
        raise Forbidden("An environment is added by a person.")
    with verb(actor) as v:
        try:
            with transaction.atomic():
                row = Environment.objects.create(
                    key=key,
                    title=_title(title or key),
                    created_by_id=actor.user_id,
                    created_at=clock.now(),
                )
        except IntegrityError as error:
            raise AlreadyExists(
                f"There is an environment {key} already.",
                hint="A retired one can be brought back on its page.",
            ) from error
        v.record(
            deployment_events.EnvironmentCreated(environment=row.pk, key=row.key, title=row.title)
        )
    return row


def change_environment(
    actor: Actor, environment: Environment, *, title: str | None = None, retired: bool | None = None
) -> Environment:
    """Rename an environment's title, retire it or bring it back.

    Refuses (Blocked) to retire one in which something is recorded as running.
    """
    policy.require(actor, "environment.manage")
    with verb(actor) as v:
        row = lock_environment(environment)
        changes = {}
        if title is not None and _title(title) != row.title:
            changes["title"] = [row.title, _title(title)]
            row.title = _title(title)
        was = row.retired_at is not None
        if retired is not None and retired != was:
            if retired:
                _refuse_while_used(row)
            changes["retired"] = ["yes" if was else "no", "yes" if retired else "no"]
            row.retired_at = clock.now() if retired else None
        if changes:
            row.save(update_fields=["title", "retired_at"])
            v.record(
                deployment_events.EnvironmentChanged(
                    environment=row.pk, key=row.key, changes=changes
                )
            )
    return row


def lock_environment(environment: Environment) -> Environment:
    """The environment's row, locked until the transaction ends: after a model's and a version's."""
    return Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)


def _refuse_while_used(row: Environment) -> None:
    number = row.deployments.filter(ended_at__isnull=True).count()
    if number:
        raise Blocked(
            f"Environment {row.key} is in use: {number} "
            f"{'deployment is' if number == 1 else 'deployments are'} recorded as running there.",
            hint="End them first.",
            url=deployed.environment_url(row),
        )


def _title(title: str) -> str:
    check_text(title, "title", 200)
    text = " ".join(title.split())
    if not text:
        raise Invalid("Give the environment a title.", fields={"title": "required"})
    return text
