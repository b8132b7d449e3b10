"""Reads of the registry. Everything a stranger may not see answers NotFound, as if it were not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Lower
from django.utils.http import urlencode

from apps.accounts import policy
from apps.accounts.selectors import accountable_users
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.experiments import selectors as experiments
from apps.registry import deployed
from apps.registry.models import (
    Alias,
    Authorization,
    Governance,
    GovernedTarget,
    ModelTag,
    ModelVersion,
    RegisteredModel,
    TargetKind,
    VersionTag,
)
from apps.registry.targets import Target


def visible_models(actor: Actor) -> QuerySet[RegisteredModel]:
    """The live models this actor may see."""
    return RegisteredModel.objects.filter(policy.visible_models(actor), deleted_at__isnull=True)


def visible_versions(actor: Actor) -> QuerySet[ModelVersion]:
    """The live versions of the models this actor may see, with their model."""
    return ModelVersion.objects.filter(
        model__in=visible_models(actor), deleted_at__isnull=True
    ).select_related("model")


def find_model(name: str) -> RegisteredModel | None:
    """The live model of that name, whoever asks."""
    if "\x00" in name:  # no name has one, and the database cannot even look for it
        return None
    return RegisteredModel.objects.filter(name=name, deleted_at__isnull=True).first()


def get_model(actor: Actor, name: str) -> RegisteredModel:
    """The model of that name; NotFound if there is none or the actor may not know of it."""
    model = find_model(name)
    if model is None or not policy.can(actor, "model.read", model):
        raise NotFound(f"Registered Model with name={name} not found")
    return model


def get_version(actor: Actor, name: str, number: int) -> ModelVersion:
    """One version of a model; NotFound like `get_model`."""
    model = find_model(name)
    version = (
        ModelVersion.objects.filter(model=model, number=number, deleted_at__isnull=True)
        .select_related("model")
        .first()
        if model is not None
        else None
    )
    if version is None or not policy.can(actor, "model.read", version):
        raise NotFound(f"Model Version (name={name}, version={number}) not found")
    return version


def find_by_alias(model: RegisteredModel, alias: str) -> ModelVersion | None:
    """The version an alias points to, in any letter case; `latest` is the highest version."""
    if alias.lower() == "latest":
        return latest_versions(model).first()
    row = (
        Alias.objects.filter(model=model, name__iexact=alias)
        .select_related("version__model")
        .first()
    )
    return row.version if row else None


def latest_versions(model: RegisteredModel) -> QuerySet[ModelVersion]:
    """The live versions of a model, newest first."""
    return (
        ModelVersion.objects.filter(model=model, deleted_at__isnull=True)
        .select_related("model")
        .order_by("-number")
    )


def is_governed(model: RegisteredModel, target: Target) -> bool:
    """Does this model need an authorization to enter this target? (The trigger asks the same in SQL.)"""
    if not model.is_governed or target in {Target("stage", "none"), Target("stage", "archived")}:
        return False
    rows = set(GovernedTarget.objects.values_list("kind", "name"))
    return not rows or (target.kind, target.name) in rows


def governed_targets() -> list[Target]:
    """The stages, environments and aliases that the active policies govern."""
    kinds = [TargetKind.STAGE, TargetKind.ALIAS, TargetKind.ENVIRONMENT]
    rows = GovernedTarget.objects.filter(kind__in=kinds)
    rows = rows.order_by("-kind", "name")
    return [Target(row.kind, row.name) for row in rows]


def is_governed_tag(model: RegisteredModel, key: str) -> bool:
    """Is this tag one that nobody may set on a governed model?"""
    return model.is_governed and _tag_is_governed(_governed_tag_names(), key)


def is_scope_tag(key: str) -> bool:
    """Does this tag of a model decide which policies cover it?"""
    return GovernedTarget.objects.filter(kind=TargetKind.SCOPE, name=key.lower()).exists()


def scope_tags() -> list[str]:
    """The keys, in lower case, of the tags that decide which policies cover a model."""
    rows = GovernedTarget.objects.filter(kind=TargetKind.SCOPE).order_by("name")
    return list(rows.values_list("name", flat=True))


def tag_of(version: ModelVersion, key: str) -> str | None:
    """The value of a tag of the version, else of its model; None where neither carries it."""
    for rows in (
        VersionTag.objects.filter(version=version, key=key),
        ModelTag.objects.filter(model=version.model_id, key=key),
    ):
        value: str | None = rows.values_list("value", flat=True).first()
        if value is not None:
            return value
    return None


def governed_tags_on(model: RegisteredModel) -> list[str]:
    """The governed tags that this model and its live versions carry: only a sandbox model can have any."""
    names = _governed_tag_names()
    keys = {*ModelTag.objects.filter(model=model).values_list("key", flat=True)}
    versions = VersionTag.objects.filter(version__model=model, version__deleted_at__isnull=True)
    keys |= {*versions.values_list("key", flat=True)}
    return sorted(key for key in keys if _tag_is_governed(names, key))


def _governed_tag_names() -> list[str]:
    return list(GovernedTarget.objects.filter(kind=TargetKind.TAG).values_list("name", flat=True))


def _tag_is_governed(names: Iterable[str], key: str) -> bool:
    folded = key.lower()
    return any(
        folded == name or (name.endswith("*") and folded.startswith(name[:-1])) for name in names
    )


def holder(model: RegisteredModel, target: Target) -> ModelVersion | None:
    """The version that is in this target now: the highest, where an ungoverned stage has several; in an environment
    the one with most of the traffic."""
    versions = latest_versions(model)
    if target.kind == "environment":
        leading = deployed.leading(model.pk, target.name)
        return versions.filter(pk=leading).first() if leading is not None else None
    if target.kind == "stage":
        return versions.filter(stage__iexact=target.name).first()
    return versions.filter(aliases__name__iexact=target.name).first()


def holders(model: RegisteredModel, target: Target) -> list[ModelVersion]:
    """Every version in this target: one, or several in an environment, the newest first."""
    if target.kind == "environment":
        return list(latest_versions(model).filter(pk__in=deployed.entered(model.pk, target.name)))
    found = holder(model, target)
    return [found] if found is not None else []


def holds(version: ModelVersion, target: Target) -> bool:
    """Is the version in this target? An environment may have several versions in it."""
    if target.kind == "environment":
        return deployed.entry_of(version.pk, target.name) is not None
    found = holder(version.model, target)
    return found is not None and found.pk == version.pk


def held_targets(version: ModelVersion) -> list[Target]:
    """The stage (other than None) and aliases this version holds, and the environments it may run in."""
    held = [
        Target("alias", name.lower()) for name in version.aliases.values_list("name", flat=True)
    ]
    if version.stage != "None":
        held.append(Target("stage", version.stage.lower()))
    held += [Target("environment", row.environment) for row in deployed.entries(version.pk)]
    return sorted(held)


def held_governed_targets(version: ModelVersion) -> list[Target]:
    """The governed targets this version holds."""
    return [target for target in held_targets(version) if is_governed(version.model, target)]


def held_governed_of(versions: Iterable[int]) -> dict[int, list[Target]]:
    """The governed targets that each of these versions of governed models holds, in three queries."""
    rows = ModelVersion.objects.filter(pk__in=versions, stage_slot__isnull=False)
    held = {pk: [Target("stage", str(slot))] for pk, slot in rows.values_list("pk", "stage_slot")}
    names = GovernedTarget.objects.filter(kind=TargetKind.ALIAS).values("name")
    aliases = Alias.objects.annotate(folded=Lower("name")).filter(
        version__in=versions, folded__in=names, model__governance=Governance.GOVERNED
    )
    for pk, name in aliases.values_list("version", "folded"):
        held.setdefault(pk, []).append(Target("alias", name))
    for pk, key in deployed.let_in(versions):
        held.setdefault(pk, []).append(Target("environment", key))
    return held


def live_authorization(version: ModelVersion, target: Target) -> Authorization | None:
    """An unspent, unrevoked authorization for this target, expired or not."""
    return Authorization.objects.filter(
        version=version,
        target_kind=target.kind,
        target_name=target.name,
        spent_at__isnull=True,
        revoked_at__isnull=True,
    ).first()


def version_authors(version: ModelVersion) -> dict[int, list[str]]:
    """Who made this version, by credentials, with what each did; never what a client claims.

    Covers the registration, the run (creator, every writer, files) and the logged model. Service
    accounts count as the people accountable for them. Data sets and the card are added by the apps
    that own them (apps.reviews composes the whole).
    """
    found: dict[int, list[str]] = {}
    _add(found, [version.created_by_id], "registered the version")
    if version.manifest:
        # A copy is the work of whoever first registered these bytes, however they were copied.
        same = ModelVersion.objects.filter(manifest_digest=version.manifest_digest)
        makers = same.exclude(pk=version.pk).values_list("created_by_id", flat=True).distinct()
        _add(found, makers, "registered the same files")
    if version.run is not None:
        _add(found, experiments.run_authors(version.run), "wrote to the run")
    if version.logged_model is not None:
        _add(found, experiments.logged_model_authors(version.logged_model), "logged the model")
    return found


def _add(found: dict[int, list[str]], users: Iterable[int], reason: str) -> None:
    for user in users:
        for person in accountable_users(user):
            reasons = found.setdefault(person, [])
            if reason not in reasons:
                reasons.append(reason)


def version_url(version: ModelVersion, page: str = "") -> str:
    """The address of a page of this version, for messages to clients that are not browsers."""
    name = quote(version.model.name, safe="")
    return f"{settings.BASE_URL}/models/{name}/{version.number}/{page}"


def review_url(version: ModelVersion) -> str:
    """Where to see the review of this version, or to ask for one."""
    if version.submitted_review is not None:
        return f"{settings.BASE_URL}/reviews/{version.submitted_review}/"
    return version_url(version, "submit/")


def search_url(**filters: str) -> str:
    """The list of models with these filters."""
    return f"{settings.BASE_URL}/models/?{urlencode(filters)}"


def facts(version: ModelVersion) -> Mapping[str, Any]:
    """The version's identity as canonical-ready values, for an evidence manifest."""
    return {
        "model": version.model.name,
        "number": version.number,
        "uuid": str(version.uuid),
        "manifest_digest": version.manifest_digest,
        "files": len(version.manifest),
        "size": version.total_size,
        "source": version.source,
        "run": version.run_uuid,
    }


def get_file(version: ModelVersion, path: str) -> Mapping[str, Any]:
    """The manifest's entry of one file: path, digest, size; NotFound."""
    for entry in version.manifest:
        if entry["path"] == path:
            found: Mapping[str, Any] = entry
            return found
    raise NotFound(f"{version} has no file {path[:200]!r}.")


def other_versions_of_run(version: ModelVersion) -> list[ModelVersion]:
    """The live versions registered from the same run: sealing it concerns them too."""
    if version.run_id is None:
        return []
    rows = ModelVersion.objects.filter(run_id=version.run_id, deleted_at__isnull=True)
    return list(rows.exclude(pk=version.pk).select_related("model").order_by("pk")[:20])


def entry(version: ModelVersion, target: Target) -> Authorization | None:
    """The authorization by which the version last entered a target."""
    rows = Authorization.objects.filter(
        version=version,
        target_kind=target.kind,
        target_name=target.name,
        spent_at__isnull=False,
    )
    return rows.order_by("-spent_at").first()


def own_drafts(actor: Actor) -> QuerySet[ModelVersion]:
    """The newest version of each governed model that this person registered and nobody was asked about yet."""
    newest = (
        ModelVersion.objects.filter(model=OuterRef("model"), deleted_at__isnull=True)
        .order_by("-number")
        .values("pk")[:1]
    )
    rows = visible_versions(actor).filter(
        pk=Subquery(newest),
        created_by_id=actor.user_id,
        model__governance=Governance.GOVERNED,
        submitted_review__isnull=True,
        decided=False,
    )
    return rows.select_related("run").order_by("-created_at")
