"""Evaluation data logged in the ways that the client has. Prints the run and what was logged as JSON."""

import json
import sys
import tempfile
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.data.dataset_source import DatasetSource

frame = pd.read_csv(sys.argv[1])
folder = Path(tempfile.mkdtemp())
(folder / "scored" / "late").mkdir(parents=True)
frame.iloc[:300].to_parquet(folder / "scored" / "part-0.parquet", index=False)
frame.iloc[300:310].to_parquet(folder / "scored" / "part-1.parquet", index=False)
frame.iloc[310:].to_parquet(folder / "scored" / "late" / "part-2.parquet", index=False)
(folder / "scored" / "_SUCCESS").touch()


class OfRun(DatasetSource):
    """A source that names files of a run, written as teams write their own."""

    def __init__(self, uri):
        self.uri = uri

    @staticmethod
    def _get_source_type():
        return "artifacts"

    def load(self, **kwargs):
        return mlflow.artifacts.download_artifacts(self.uri)

    @staticmethod
    def _can_resolve(raw_source):
        return False

    @classmethod
    def _resolve(cls, raw_source):
        raise NotImplementedError

    def to_dict(self):
        return {"uri": self.uri}

    @classmethod
    def from_dict(cls, source_dict):
        return cls(source_dict["uri"])


mlflow.set_experiment("evaluation data")
with mlflow.start_run() as run:
    mlflow.log_artifacts(str(folder / "scored"), "eval/scored")
    mlflow.log_artifact(str(folder / "scored" / "part-0.parquet"), "eval")
    mlflow.log_table(frame.iloc[:400], "eval/table.json")
    mlflow.log_table(frame.iloc[400:], "eval/table.json")
    mlflow.log_table(frame, "eval/table.parquet")
    mlflow.log_table({"prompt": ["a", "b"], "tokens": [[1, 2], [3]]}, "eval/nested.json")
    sources = {
        "by run": OfRun(f"runs:/{run.info.run_id}/eval/scored"),
        "by place": OfRun(f"{run.info.artifact_uri}/eval/table.json"),
        "local": "/home/ana/credit.csv",
        "web": "https://example.org/credit.csv",
        "code": None,
    }
    for name, source in sources.items():
        given = {"source": source} if source else {}
        data = mlflow.data.from_pandas(frame, name=name, **given)
        mlflow.log_input(data, context="evaluation")

sys.stdout.write(json.dumps({"run": run.info.run_id}))
