"""Every way in which the client reads a registered model's files. Writes, by way, what it got or what it was told."""

import json
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient

name, number, run_id, model_id = sys.argv[1:]
version = f"models:/{name}/{number}"


def files(**what):
    folder = Path(mlflow.artifacts.download_artifacts(**what, dst_path=tempfile.mkdtemp()))
    found = [folder] if folder.is_file() else folder.rglob("*")
    return sorted(path.name for path in found if path.is_file())


def copied():
    copy = MlflowClient().copy_model_version(version, "mine")
    return f"{copy.name} v{copy.version}"


def registered():
    mlflow.register_model(f"runs:/{run_id}/model", "mine")
    return "registered"


WAYS = {
    "address": lambda: MlflowClient().get_model_version_download_uri(name, number),
    "load": lambda: mlflow.pyfunc.load_model(version),
    "version": lambda: files(artifact_uri=version),
    "alias": lambda: files(artifact_uri=f"models:/{name}@fit"),
    "logged model": lambda: files(artifact_uri=f"models:/{model_id}"),
    "run": lambda: files(run_id=run_id, artifact_path="model"),
    "one file": lambda: files(artifact_uri=f"runs:/{run_id}/model/MLmodel"),
    "other file": lambda: files(artifact_uri=f"runs:/{run_id}/notes.txt"),
    "copy": copied,
    "register": registered,
}


def tried(way):
    try:
        return str(way())
    except Exception as error:  # noqa: BLE001 - whatever the client raises
        return f"{type(error).__name__}: {error}"


sys.stdout.write(json.dumps({key: tried(way) for key, way in WAYS.items()}))
