"""Verbs on logged models."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.experiments import access, events, limits, sql
from apps.experiments.ingest import Pair
from apps.experiments.models import (
    VERSIONS_TAG,
    LoggedModel,
    LoggedModelParam,
    LoggedModelTag,
    ModelStatus,
    Run,
)
from apps.experiments.names import random_name

VALUE_LENGTH = 100_000


def create_logged_model(
    actor: Actor,
    *,
    experiment_id: int,
    name: str = "",
    model_type: str = "",
    source_run_id: str = "",
    params: Sequence[Pair] = (),
    tags: Sequence[Pair] = (),
) -> LoggedModel:
    """Announce a model whose files are about to be uploaded.

    Refuses: an ill-formed name, a deleted experiment, a source run that the actor may not see.
    """
    name = limits.model_name(name) if name else random_name()
    param_values, tag_values = _values(params, "params"), _values(tags, "tags")
    if actor.user_id is None:
        raise Forbidden("A model is logged by a person or a service.")
    now = clock.now_ms()
    with transaction.atomic():
        access.active(access.experiment(actor, experiment_id, access.WRITE))
        made = LoggedModel.objects.create(
            model_id=f"m-{uuid.uuid4().hex}",
            experiment_id=experiment_id,
            name=name,
            model_type=limits.at_most(model_type, 500, "model_type"),
            source_run=_source_run(actor, source_run_id),
            created_by_id=actor.user_id,
            created_at=now,
            updated_at=now,
        )
        LoggedModelParam.objects.bulk_create(
            LoggedModelParam(model=made, key=key, value=value)
            for key, value in sorted(param_values.items())
        )
        LoggedModelTag.objects.bulk_create(
            LoggedModelTag(model=made, key=key, value=value)
            for key, value in sorted(tag_values.items())
        )
    return made


def finalize_logged_model(actor: Actor, *, model_id: str, status: str) -> None:
    """Say whether the upload is complete. Refuses: a state that does not exist, a sealed model."""
    if status not in ModelStatus.values:
        raise limits.invalid_value(
            "status", status, f"expected one of {', '.join(ModelStatus.values)}"
        )
    with transaction.atomic():
        model = access.writable_model(actor, model_id, exclusive=True)
        LoggedModel.objects.filter(pk=model.id).update(status=status, updated_at=clock.now_ms())


def log_model_params(actor: Actor, *, model_id: str, params: Sequence[Pair]) -> None:
    """Add parameters; the same again is no error, another value is."""
    values = _values(params, "params")
    if not values:
        return
    keys = sorted(values)
    with transaction.atomic():
        model = access.writable_model(actor, model_id)
        added = sql.run(
            """
            INSERT INTO experiments_loggedmodelparam (model_id, key, value)
            SELECT %s, p.key, p.value FROM unnest(%s::text[], %s::text[]) AS p (key, value)
            ON CONFLICT (model_id, key) DO NOTHING
            """,
            (model.id, keys, [values[key] for key in keys]),
        )
        if added < len(keys):
            _refuse_changed(model, values)


def _refuse_changed(model: access.WritableModel, values: dict[str, str]) -> None:
    known = LoggedModelParam.objects.filter(model_id=model.id, key__in=values)
    for param in known.order_by("key"):
        if param.value != values[param.key]:
            raise Invalid(
                f"Changing param values is not allowed. Param with key='{param.key}' was already "
                f"logged with value='{param.value}' for model ID='{model.model_id}'. "
                f"Attempted logging new value '{values[param.key]}'.",
                fields={param.key: "already logged with another value"},
            )


def set_model_tags(actor: Actor, *, model_id: str, tags: Sequence[Pair]) -> None:
    """Set tags, overwriting. Refuses: a sealed model, except for the client's note of its versions."""
    values = _values(tags, "tags")
    with transaction.atomic():
        model = access.writable_model(actor, model_id, aside=set(values) == {VERSIONS_TAG})
        if values:
            keys = sorted(values)
            sql.run(
                """
                INSERT INTO experiments_loggedmodeltag AS tag (model_id, key, value)
                SELECT %s, t.key, t.value FROM unnest(%s::text[], %s::text[]) AS t (key, value)
                ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value
                """,
                (model.id, keys, [values[key] for key in keys]),
            )


def delete_model_tag(actor: Actor, *, model_id: str, key: str) -> None:
    """Refuses: a tag that is not there, a sealed model."""
    with transaction.atomic():
        model = access.writable_model(actor, model_id)
        gone, _ = LoggedModelTag.objects.filter(model_id=model.id, key=key).delete()
        if not gone:
            raise NotFound(f"No tag with key {key!r} found for model with ID {model_id!r}.")


def delete_logged_model(actor: Actor, *, model_id: str) -> None:
    """Mark as deleted; its files stay. Refuses: a sealed model."""
    with verb(actor) as v:
        model = access.writable_model(actor, model_id, exclusive=True)
        now = clock.now_ms()
        LoggedModel.objects.filter(pk=model.id).update(deleted_at=now, updated_at=now)
        name = LoggedModel.objects.values_list("name", flat=True).get(pk=model.id)
        v.record(
            events.LoggedModelDeleted(
                logged_model=model_id, experiment=model.experiment_id, name=name
            )
        )


def _source_run(actor: Actor, run_id: str) -> Run | None:
    if not run_id:
        return None
    run = Run.objects.select_related("experiment").filter(run_id=run_id).first()
    if run is None:
        raise access.run_not_found(run_id)
    access.allow(actor, access.READ, run.experiment, access.run_not_found(run_id))
    return run


def _values(pairs: Sequence[Pair], path: str) -> dict[str, str]:
    return {
        limits.key(pair.key, path=f"{path}[{position}].key"): limits.at_most(
            pair.value or "", VALUE_LENGTH, f"{path}[{position}].value"
        )
        for position, pair in enumerate(pairs)
    }
