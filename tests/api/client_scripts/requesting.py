"""The client asks that a refused promotion becomes a request. Arguments: the model. Prints what it was told as JSON."""

from __future__ import annotations

import json
import sys
import warnings

import mlflow
from mlflow.exceptions import MlflowException

warnings.filterwarnings("ignore")
client = mlflow.MlflowClient()
name = sys.argv[1]


def told(act):
    try:
        act()
    except MlflowException as error:
        return [error.error_code, str(error)]
    return "let through"


seen = {"before": told(lambda: client.set_registered_model_alias(name, "champion", "1"))}
client.set_model_version_tag(name, "1", "request_review", "replaces v2, adds tenure")
seen["alias"] = told(lambda: client.set_registered_model_alias(name, "champion", "1"))
seen["stage"] = told(lambda: client.transition_model_version_stage(name, "1", "Production"))
sys.stdout.write(json.dumps(seen))
