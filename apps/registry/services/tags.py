"""Verbs on tags. Free tags may always be set and are recorded; governed tags are set by nobody."""

from __future__ import annotations

from apps.accounts import policy
from apps.audits.log import verb
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.registry import events, selectors, standing
from apps.registry.models import ModelTag, ModelVersion, RegisteredModel, VersionTag
from apps.registry.services.locks import lock_model, lock_version
from apps.registry.services.models import refuse_governed_tag
from apps.registry.services.standing import refuse_letting_go
from apps.registry.services.text import check_key, check_text


def require_tagging(actor: Actor, model: RegisteredModel, key: str) -> None:
    """A tag that decides which policies cover a model takes the right to manage it, not only to edit it."""
    policy.require(actor, "model.manage" if selectors.is_scope_tag(key) else "model.edit", model)


def _refuse_letting_go(model: RegisteredModel, key: str, value: str | None) -> None:
    if selectors.is_scope_tag(key):
        before = standing.of(model)
        refuse_letting_go(model, before, before.with_tag(key, value))


def set_model_tag(actor: Actor, model: RegisteredModel, *, key: str, value: str) -> None:
    """Set a free tag on a model."""
    check_key(key)
    check_text(value, "value")
    require_tagging(actor, model, key)
    with verb(actor) as v:
        model = lock_model(model.pk)
        refuse_governed_tag(model, key)
        old = ModelTag.objects.filter(model=model, key=key).values_list("value", flat=True).first()
        if old != value:
            _refuse_letting_go(model, key, value)
            ModelTag.objects.update_or_create(model=model, key=key, defaults={"value": value})
            v.record(events.ModelTagChanged(model=model.pk, key=key, old=old, value=value))


def delete_model_tag(actor: Actor, model: RegisteredModel, *, key: str) -> None:
    """Remove a free tag from a model; a missing one is NotFound."""
    require_tagging(actor, model, key)
    with verb(actor) as v:
        model = lock_model(model.pk)
        refuse_governed_tag(model, key)
        tag = ModelTag.objects.filter(model=model, key=key).first()
        if tag is None:
            raise NotFound(f"No tag with name: {key} on model {model.name}")
        _refuse_letting_go(model, key, None)
        tag.delete()
        v.record(events.ModelTagChanged(model=model.pk, key=key, old=tag.value, value=None))


def set_version_tag(actor: Actor, version: ModelVersion, *, key: str, value: str) -> None:
    """Set a free tag on a version; allowed and recorded at every time, and never evidence."""
    check_key(key)
    check_text(value, "value")
    policy.require(actor, "model.edit", version)
    with verb(actor) as v:
        version = lock_version(version.pk)
        refuse_governed_tag(version.model, key)
        old = (
            VersionTag.objects.filter(version=version, key=key)
            .values_list("value", flat=True)
            .first()
        )
        if old != value:
            VersionTag.objects.update_or_create(version=version, key=key, defaults={"value": value})
            v.record(
                events.VersionTagChanged(
                    model=version.model_id, version=version.pk, key=key, old=old, value=value
                )
            )


def delete_version_tag(actor: Actor, version: ModelVersion, *, key: str) -> None:
    """Remove a free tag from a version; a missing one is NotFound."""
    policy.require(actor, "model.edit", version)
    with verb(actor) as v:
        version = lock_version(version.pk)
        refuse_governed_tag(version.model, key)
        tag = VersionTag.objects.filter(version=version, key=key).first()
        if tag is None:
            raise NotFound(f"No tag with name: {key} on version {version}")
        tag.delete()
        v.record(
            events.VersionTagChanged(
                model=version.model_id, version=version.pk, key=key, old=tag.value, value=None
            )
        )
