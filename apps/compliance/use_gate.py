"""Who gets files of a version, where the site wants its uses read first (settings.USES_ACKNOWLEDGED_FIRST).

Held are people and services who may read a governed version but not edit its model, until `uses.acknowledged`. The same
bytes lie in the run and the logged model they were registered from: through those they are to be had where the run may
be written (it is one's own work), or where one registration of them is open. Registering is asked the same, so that no copy
in a model of one's own is a way round. Lists of names are not held.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.conf import settings
from django.db.models import F, Q

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.compliance import uses
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Forbidden
from apps.experiments.models import LoggedModel, Run
from apps.modelcards import selectors as cards
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.selectors import version_url

READ: Final = "model.read"
EDIT: Final = "model.edit"
WRITE: Final = "experiment.write"
PAGE: Final = "use/"

Root = Run | LoggedModel | ModelVersion


def must_acknowledge(actor: Actor, version: ModelVersion) -> bool:
    """Whether it is still to be said that this person, or for this service somebody, read the uses."""
    if not settings.USES_ACKNOWLEDGED_FIRST or actor.kind == ActorKind.SYSTEM:
        return False
    if not version.model.is_governed or policy.can(actor, EDIT, version):
        return False
    said = uses.uses_of(version)
    return bool(said.digest) and uses.acknowledged(actor, version, said) is None


def services_asked(person: User, version: ModelVersion) -> list[User]:
    """The services that the person answers for and that get this version's files only when it was said for them."""
    if not settings.USES_ACKNOWLEDGED_FIRST or not version.model.is_governed:
        return []
    mine = accounts.services_of(person)
    keys = [user.pk for user in mine]
    asked = set(policy.who_may(READ, version).filter(pk__in=keys))
    asked -= set(policy.who_may(EDIT, version).filter(pk__in=keys))
    return [user for user in mine if user in asked]


def require_acknowledged(actor: Actor, version: ModelVersion) -> None:
    """Raises Forbidden, with the address of the page, where `must_acknowledge`."""
    if must_acknowledge(actor, version):
        raise Forbidden(
            f"{_said(actor)} read what {version} may and must not be used for.",
            url=version_url(version, PAGE),
        )


def require_for_files(actor: Actor, root: Root, digests: Collection[str]) -> None:
    """Raises Forbidden where the actor may not have these files of this run, logged model or version yet.

    One query where none of them was registered, none at all where the site does not ask.
    """
    if not settings.USES_ACKNOWLEDGED_FIRST or not digests:
        return
    if isinstance(root, ModelVersion):
        require_acknowledged(actor, root)
        return
    holding = _registered(root, digests)
    if holding and not policy.can(actor, WRITE, root):
        _require_one_open(actor, holding)


def _registered(root: Run | LoggedModel, digests: Collection[str]) -> dict[str, list[ModelVersion]]:
    """By digest: the versions that were made of the run or logged model and hold the file. Ungoverned ones too."""
    if isinstance(root, Run):
        made_of = Q(run=root) | Q(logged_model__source_run=root)
    else:
        made_of = Q(logged_model=root)
        if root.source_run_id is not None:
            made_of |= Q(run=root.source_run_id)
    rows = (
        ModelVersion.objects.filter(made_of, files__blob_id__in=digests, deleted_at__isnull=True)
        .annotate(blob=F("files__blob_id"))
        .select_related("model")
        .order_by("pk")
        .distinct()
    )
    found: dict[str, list[ModelVersion]] = {}
    for row in rows:
        found.setdefault(row.blob, []).append(row)
    return found


def _require_one_open(actor: Actor, holding: dict[str, list[ModelVersion]]) -> None:
    """For each file one version that the actor may read and owes nothing. The refusal names one that she may see."""
    versions = {row.pk: row for rows in holding.values() for row in rows}
    seen = {pk: row for pk, row in versions.items() if policy.can(actor, READ, row)}
    free = {pk for pk, row in seen.items() if not must_acknowledge(actor, row)}
    for rows in holding.values():
        if free.isdisjoint(row.pk for row in rows):
            asked = next((row for row in rows if row.pk in seen), None)
            if asked is not None:
                require_acknowledged(actor, asked)
            raise Forbidden(
                "These files are a registered version, which you may not see; its uses are to be read before it is used.",
                hint="Ask whoever registered it.",
            )


def gates(actor: Actor, version: ModelVersion) -> list[GateResult]:
    """For the gate of a deployment: one more thing that must hold, where the site demands it of whoever asks."""
    if not must_acknowledge(actor, version):
        return []
    service = actor.kind == ActorKind.SERVICE
    who = f"Nobody who answers for {actor.label} has" if service else f"{actor.label} has not"
    return [
        GateResult(
            key="uses",
            title="Uses acknowledged",
            state="missing",
            fact=f"{who} said that {'they' if service else 'she'} read what {version} may and must not be used for.",
            act_label="Read the uses",
            act_url=cards.card_url(version, PAGE),
        )
    ]


def _said(actor: Actor) -> str:
    if actor.kind == ActorKind.SERVICE:
        return f"Somebody who answers for {actor.label} says first, for it, that they"
    return "Say first that you"
