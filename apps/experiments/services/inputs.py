"""What a run used and what it produced: data sets, logged models."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.db import transaction

from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.experiments import access, limits, sql
from apps.experiments.ingest import Pair


class DatasetClaim(msgspec.Struct):
    """A data set as the client describes it."""

    name: str = ""
    digest: str = ""
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class InputClaim(msgspec.Struct):
    """A data set and how the run used it (the tag mlflow.data.context)."""

    dataset: DatasetClaim
    tags: list[Pair]


_DATASETS = """
INSERT INTO experiments_dataset (experiment_id, name, digest, source_type, source, schema, profile)
SELECT %s, d.* FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS d
ON CONFLICT (experiment_id, name, digest) DO NOTHING
"""

_LINKS = """
INSERT INTO experiments_datasetinput (run_id, dataset_id)
SELECT %s, d.id FROM experiments_dataset d
  JOIN unnest(%s::text[], %s::text[]) AS wanted (name, digest)
    ON wanted.name = d.name AND wanted.digest = d.digest
 WHERE d.experiment_id = %s
 ORDER BY d.id
ON CONFLICT (run_id, dataset_id) DO NOTHING
RETURNING id, (SELECT ARRAY[d.name, d.digest] FROM experiments_dataset d WHERE d.id = dataset_id)
"""

_LINK_TAGS = """
INSERT INTO experiments_datasetinputtag (input_id, name, value)
SELECT t.* FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS t
"""


def log_inputs(
    actor: Actor, *, run_id: str, datasets: Sequence[InputClaim] = (), models: Sequence[str] = ()
) -> None:
    """Note what a run used. A data set is linked once; the tags of the first link stay.

    Refuses: too many or too long, a run that is not open to the actor, an unknown model.
    """
    claims = _checked(datasets)
    with transaction.atomic():
        run = access.writable_run(actor, run_id)
        if claims:
            _link_datasets(run, claims)
        if models:
            ids = access.models_to_measure(actor, run, set(models))
            _link_models(run, "runmodelinput", dict.fromkeys(ids.values(), 0))


def log_outputs(actor: Actor, *, run_id: str, models: Sequence[tuple[str, int]]) -> None:
    """Note which logged models a run produced, and at which step."""
    with transaction.atomic():
        run = access.writable_run(actor, run_id)
        if models:
            ids = access.models_to_measure(actor, run, {model_id for model_id, _ in models})
            _link_models(run, "runoutput", {ids[model_id]: step for model_id, step in models})


def _checked(datasets: Sequence[InputClaim]) -> dict[tuple[str, str], InputClaim]:
    """The first claim per name and digest."""
    if len(datasets) > limits.DATASETS_PER_CALL:
        raise Invalid(
            f"A log-inputs request can contain at most {limits.DATASETS_PER_CALL} datasets. "
            f"Got {len(datasets)}.",
            fields={"datasets": "too many"},
        )
    claims: dict[tuple[str, str], InputClaim] = {}
    for position, claim in enumerate(datasets):
        path = f"datasets[{position}]"
        for field, limit in limits.DATASET_LIMITS.items():
            limits.at_most(getattr(claim.dataset, field), limit, f"{path}.dataset.{field}")
        for tag in claim.tags:
            limits.at_most(tag.key, limits.INPUT_TAG_KEY_LENGTH, f"{path}.tags.key")
            limits.at_most(tag.value or "", limits.INPUT_TAG_VALUE_LENGTH, f"{path}.tags.value")
        claims.setdefault((claim.dataset.name, claim.dataset.digest), claim)
    return dict(sorted(claims.items()))


def _link_datasets(run: access.WritableRun, claims: dict[tuple[str, str], InputClaim]) -> None:
    data = [claim.dataset for claim in claims.values()]
    names, digests = [d.name for d in data], [d.digest for d in data]
    sql.run(
        _DATASETS,
        (
            run.experiment_id,
            names,
            digests,
            [d.source_type for d in data],
            [d.source for d in data],
            [d.schema for d in data],
            [d.profile for d in data],
        ),
    )
    made = sql.rows(_LINKS, (run.id, names, digests, run.experiment_id))
    tags = [
        (pk, key, value)
        for pk, (name, digest) in made
        for key, value in {t.key: t.value or "" for t in claims[name, digest].tags}.items()
    ]
    if tags:
        sql.run(_LINK_TAGS, tuple(map(list, zip(*tags, strict=True))))


def _link_models(run: access.WritableRun, table: str, steps: dict[int, int]) -> None:
    ids = sorted(steps)
    if table == "runoutput":
        sql.run(
            """
            INSERT INTO experiments_runoutput (run_id, model_id, step)
            SELECT %s, m.* FROM unnest(%s::bigint[], %s::bigint[]) AS m ON CONFLICT DO NOTHING
            """,
            (run.id, ids, [steps[pk] for pk in ids]),
        )
        return
    sql.run(
        """
        INSERT INTO experiments_runmodelinput (run_id, model_id)
        SELECT %s, m.* FROM unnest(%s::bigint[]) AS m ON CONFLICT DO NOTHING
        """,
        (run.id, ids),
    )
