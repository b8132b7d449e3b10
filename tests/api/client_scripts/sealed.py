"""Everything a client could still try after a version was submitted. Prints who refused what, as JSON.

Arguments: run id, logged model id, registered model name.
"""

import json
import sys

import mlflow
from mlflow import MlflowClient

run_id, model_id, name = sys.argv[1:]
client = MlflowClient()
ATTEMPTS = {
    "metric": lambda: client.log_metric(run_id, "late", 1.0),
    "parameter": lambda: client.log_param(run_id, "late", "1"),
    "tag": lambda: client.set_tag(run_id, "late", "1"),
    "tag removal": lambda: client.delete_tag(run_id, "mlflow.runName"),
    "rename": lambda: client.update_run(run_id, name="other"),
    "end": lambda: client.set_terminated(run_id, "FAILED"),
    "file": lambda: client.log_text(run_id, "late", "late.txt"),
    "run deletion": lambda: client.delete_run(run_id),
    "model tags": lambda: client.set_logged_model_tags(model_id, {"late": "1"}),
    "model deletion": lambda: client.delete_logged_model(model_id),
    "version deletion": lambda: client.delete_model_version(name, "1"),
    "stage": lambda: client.transition_model_version_stage(name, "1", "Production"),
    "alias": lambda: client.set_registered_model_alias(name, "champion", "1"),
    "deletion": lambda: client.delete_registered_model(name),
}
seen = {}
for what, attempt in ATTEMPTS.items():
    try:
        attempt()
        seen[what] = "let through"
    except Exception as error:  # noqa: BLE001 - whatever the client raises
        seen[what] = [getattr(error, "error_code", type(error).__name__), str(error)]

with mlflow.start_run(run_id=None, experiment_id=client.get_run(run_id).info.experiment_id):
    mlflow.log_metric("auc", 0.5, model_id=model_id)
    seen["another run's metric"] = "let through"
again = mlflow.register_model(f"models:/{model_id}", name)
seen["another version"] = again.version
sys.stdout.write(json.dumps(seen))
