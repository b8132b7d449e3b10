"""A model's way with the client: autolog, log, register, move, copy, load, predict. Prints JSON."""

import json
import sys

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
seen = {}
chance = np.random.default_rng(0)
features = chance.normal(size=(200, 3))
target = (features[:, 0] > 0).astype(int)

mlflow.set_experiment("models")
mlflow.sklearn.autolog(log_datasets=True)
with mlflow.start_run(run_name="autologged") as run:
    LogisticRegression(C=0.5).fit(features, target)
mlflow.sklearn.autolog(disable=True)
run = client.get_run(run.info.run_id)
seen["autolog"] = {
    "C": run.data.params["C"],
    "metrics": sorted(run.data.metrics),
    "outputs": len(run.outputs.model_outputs),
    "status": run.info.status,
    "files": sorted(f.path for f in client.list_artifacts(run.info.run_id)),
}

model = LogisticRegression().fit(features, target)
with mlflow.start_run(run_name="logged") as run:
    info = mlflow.sklearn.log_model(
        model, name="classifier", registered_model_name="credit",
        params={"solver": "lbfgs"},
    )  # fmt: skip
    mlflow.log_metric("auc", 0.91, model_id=info.model_id)
run_id = run.info.run_id
logged = client.get_logged_model(info.model_id)
seen["logged"] = {
    "name": logged.name,
    "status": str(logged.status),
    "run": logged.source_run_id == run_id,
    "params": logged.params,
    "metrics": [(m.key, m.value) for m in logged.metrics],
}
found = mlflow.search_logged_models(
    experiment_ids=[run.info.experiment_id], filter_string="name = 'classifier'",
    order_by=[{"field_name": "metrics.auc", "ascending": False}], output_format="list",
)  # fmt: skip
seen["found models"] = [m.name for m in found]

second = mlflow.register_model(f"runs:/{run_id}/classifier", "credit", tags={"by": "uri"})
client.update_registered_model("credit", description="scores credit")
client.set_registered_model_tag("credit", "domain", "retail")
client.update_model_version("credit", second.version, description="the second")
client.set_model_version_tag("credit", second.version, "checked", "yes")
client.delete_model_version_tag("credit", second.version, "checked")
client.set_registered_model_alias("credit", "challenger", second.version)
client.transition_model_version_stage("credit", second.version, "Staging")
version = client.get_model_version_by_alias("credit", "challenger")
seen["version"] = {
    "version": version.version,
    "stage": version.current_stage,
    "description": version.description,
    "tags": version.tags,
    "aliases": list(version.aliases),
    "run": version.run_id == run_id,
    "status": version.status,
}
entry = client.get_registered_model("credit")
seen["model"] = {
    "description": entry.description,
    "tags": entry.tags,
    "aliases": entry.aliases,
    "latest": sorted((v.current_stage, v.version) for v in entry.latest_versions),
}
seen["search models"] = [m.name for m in client.search_registered_models("name LIKE 'cre%'")]
seen["search versions"] = [
    v.version
    for v in client.search_model_versions("name = 'credit'", order_by=["version_number ASC"])
]
copy = client.copy_model_version("models:/credit@challenger", "credit-copy")
seen["copy"] = [copy.name, copy.version, copy.run_id == run_id]

rows = features[:5]
expected = model.predict(rows).tolist()
seen["predictions"] = {
    uri: mlflow.pyfunc.load_model(uri).predict(rows).tolist() == expected
    for uri in (
        "models:/credit@challenger",
        "models:/credit/1",
        "models:/credit/Staging",
        "models:/credit/latest",
        "models:/credit-copy/1",
        f"models:/{info.model_id}",
        f"runs:/{run_id}/classifier",
    )
}
client.delete_registered_model_alias("credit", "challenger")
seen["refused"] = {}
for what, attempt in (
    ("stage", lambda: client.transition_model_version_stage("credit", "1", "Production")),
    ("alias", lambda: client.set_registered_model_alias("credit", "Champion", "1")),
):
    try:
        attempt()
        seen["refused"][what] = "let through"
    except MlflowException as error:
        seen["refused"][what] = [error.error_code, str(error)]
client.delete_model_version("credit-copy", "1")
client.delete_registered_model("credit-copy")
client.delete_logged_model(info.model_id)
seen["uri"] = client.get_model_version_download_uri("credit", "1")
sys.stdout.write(json.dumps(seen))
