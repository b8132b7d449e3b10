"""Experiments in a list, and what the runs of one have in common; each in a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from apps.accounts import policy
from apps.core.actor import Actor
from apps.experiments import sql
from apps.experiments.models import Experiment, Lifecycle


@dataclass(frozen=True, slots=True)
class Activity:
    """How many runs an experiment has (deleted ones left out) and when the last one started."""

    runs: int = 0
    last_start: int | None = None


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """An experiment, with its team and creator, and its activity."""

    experiment: Experiment
    activity: Activity


@dataclass(frozen=True, slots=True)
class RunKeys:
    """What the newest runs recorded under which names, the most common first.

    `varying` are the parameters that have more than one value among them.
    """

    metrics: Sequence[str]
    params: Sequence[str]
    tags: Sequence[str]
    varying: Sequence[str]


def list_experiments(
    actor: Actor,
    *,
    q: str = "",
    stage: Lifecycle = Lifecycle.ACTIVE,
    before: int | None = None,
    limit: int = 50,
) -> list[ExperimentRow]:
    """The experiments the actor may see, newest first; the next page starts `before` the last id."""
    found = Experiment.objects.filter(policy.visible_experiments(actor), lifecycle_stage=stage)
    if q:
        found = found.filter(name__icontains=q)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.select_related("team", "created_by").order_by("-pk")[:limit])
    activities = activity([row.pk for row in rows])
    return [ExperimentRow(row, activities[row.pk]) for row in rows]


_ACTIVITY = """
SELECT experiment_id, count(*), max(start_time) FROM experiments_run
 WHERE experiment_id = ANY(%s::bigint[]) AND lifecycle_stage = 'active' GROUP BY experiment_id
"""


def activity(experiment_ids: Collection[int]) -> dict[int, Activity]:
    """The activity of each. Asks no rights: the caller has chosen experiments the actor may read."""
    found = sql.rows(_ACTIVITY, (list(experiment_ids),))
    known = {pk: Activity(runs, last) for pk, runs, last in found}
    return {pk: known.get(pk, Activity()) for pk in experiment_ids}


_KEYS = """
WITH newest AS (
    SELECT id FROM experiments_run WHERE experiment_id = %(experiment)s
     ORDER BY start_time DESC, run_id LIMIT %(runs)s
)
SELECT 'metrics', key, count(*), 1 FROM experiments_latestmetric JOIN newest ON run_id = id GROUP BY 2
UNION ALL
SELECT 'params', key, count(*), count(DISTINCT left(value, 200))
  FROM experiments_param JOIN newest ON run_id = id GROUP BY 2
UNION ALL
SELECT 'tags', key, count(*), 1 FROM experiments_runtag JOIN newest ON run_id = id GROUP BY 2
 ORDER BY 1, 3 DESC, 2
"""


def recent_keys(experiment: Experiment, *, runs: int = 100) -> RunKeys:
    """The names under which the newest runs recorded something. Asks no rights."""
    found: dict[str, list[str]] = {"metrics": [], "params": [], "tags": []}
    varying = []
    for kind, key, _, values in sql.rows(_KEYS, {"experiment": experiment.pk, "runs": runs}):
        found[kind].append(key)
        if values > 1:
            varying.append(key)
    return RunKeys(found["metrics"], found["params"], found["tags"], varying)


def run_names(experiment_id: int, run_ids: Collection[str]) -> dict[str, str]:
    """The names of runs of one experiment by id; unknown ones are left out. Asks no rights."""
    found = sql.rows(
        "SELECT run_id, name FROM experiments_run "
        "WHERE experiment_id = %s AND run_id = ANY(%s::text[])",
        (experiment_id, sorted(set(run_ids))),
    )
    return dict(found)
