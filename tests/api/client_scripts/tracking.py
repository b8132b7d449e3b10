"""What people do with the tracking client. Prints what came back as JSON."""

import json
import math
import sys

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType

client = MlflowClient()
seen = {}

# --- experiments
first = client.create_experiment("credit", tags={"team": "risk"})
client.set_experiment_tag(first, "kind", "tabular")
client.delete_experiment_tag(first, "kind")
client.rename_experiment(first, "credit risk")
seen["experiment"] = dict(client.get_experiment_by_name("credit risk").tags)
seen["missing"] = client.get_experiment_by_name("nothing of that name")
second = client.create_experiment("to be deleted")
client.delete_experiment(second)
seen["deleted"] = client.get_experiment(second).lifecycle_stage
client.restore_experiment(second)
seen["experiments"] = sorted(e.name for e in client.search_experiments())
seen["by tag"] = [e.name for e in client.search_experiments(filter_string="tags.team = 'risk'")]
seen["active only"] = len(client.search_experiments(view_type=ViewType.ACTIVE_ONLY))

# --- runs through the fluent interface, nested, with data
mlflow.set_experiment("credit risk")
with mlflow.start_run(run_name="parent", tags={"phase": "tuning"}) as parent:
    mlflow.log_param("model", "forest")
    mlflow.log_params({"depth": 3, "seed": 7})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"auc": 0.9, "nan": math.nan, "inf": math.inf})
    mlflow.set_tags({"a": "1", "b": "2"})
    mlflow.delete_tag("b")
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [0, 1, 0]})
    data = mlflow.data.from_pandas(frame, source="memory", name="toy", targets="y")
    mlflow.log_input(data, context="training", tags={"split": "all"})
    for number in range(2):
        with mlflow.start_run(nested=True, run_name=f"child {number}"):
            mlflow.log_metric("auc", 0.8 + number / 100)

run = client.get_run(parent.info.run_id)
seen["parent"] = {
    "status": run.info.status,
    "params": dict(run.data.params),
    "metrics": {k: repr(v) for k, v in sorted(run.data.metrics.items())},
    "tags": {k: v for k, v in run.data.tags.items() if not k.startswith("mlflow.")},
    "data": [
        (i.dataset.name, i.dataset.source_type, {t.key: t.value for t in i.tags})
        for i in run.inputs.dataset_inputs
    ],
}
children = client.search_runs(
    [first], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'", order_by=["metrics.auc DESC"]
)
seen["children"] = [(r.info.run_name, r.data.metrics["auc"]) for r in children]
seen["history"] = [(m.step, m.value) for m in client.get_metric_history(parent.info.run_id, "loss")]

# --- the low level client: batches, updates, deletion
made = client.create_run(first, run_name="batch", start_time=5)
points = [Metric(f"m{i % 10}", i / 7, i, i) for i in range(1000)]
client.log_batch(made.info.run_id, metrics=points)
client.log_batch(
    made.info.run_id,
    params=[Param(f"p{i}", "v" * i) for i in range(100)],
    tags=[RunTag(f"t{i}", str(i)) for i in range(100)],
)
client.update_run(made.info.run_id, status="FAILED", name="batch renamed")
client.set_terminated(made.info.run_id, "KILLED", end_time=77)
batch = client.get_run(made.info.run_id)
seen["batch"] = [
    len(batch.data.metrics),
    batch.data.metrics["m9"],
    len(batch.data.params),
    batch.info.status,
    batch.info.end_time,
    batch.info.run_name,
]
try:
    client.log_param(made.info.run_id, "p3", "other")
except mlflow.MlflowException as error:
    seen["changed"] = [
        error.error_code,
        "old_value" in str(error) or "already logged" in str(error),
    ]
client.delete_run(made.info.run_id)
seen["after deletion"] = len(client.search_runs([first], max_results=50))
try:
    client.log_metric(made.info.run_id, "late", 1.0)
except mlflow.MlflowException as error:
    seen["late"] = error.error_code
client.restore_run(made.info.run_id)

# --- searches, paged
for number in range(7):
    made = client.create_run(first, run_name=f"s{number}", start_time=1000 + number)
    client.log_metric(made.info.run_id, "score", number / 10)
    client.log_param(made.info.run_id, "kind", "even" if number % 2 == 0 else "odd")
names, token = [], None
while True:
    page = client.search_runs(
        [first], "metrics.score >= 0 AND params.kind = 'even'",
        order_by=["metrics.score DESC"], max_results=3, page_token=token,
    )  # fmt: skip
    names += [r.info.run_name for r in page]
    token = page.token
    if not token:
        break
seen["found"] = names
table = mlflow.search_runs([first], "attributes.run_name LIKE 's%'", order_by=["start_time ASC"])
seen["table"] = [list(table["tags.mlflow.runName"]), list(table["params.kind"])]
try:
    client.search_runs([first], "metrics.score > 'high'")
except mlflow.MlflowException as error:
    seen["bad filter"] = error.error_code

sys.stdout.write(json.dumps(seen))
