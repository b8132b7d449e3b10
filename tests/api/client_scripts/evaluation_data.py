"""Evaluation data logged in the ways that the client has. Prints the run and what was logged as JSON."""

import json
import sys
import tempfile
from pathlib import Path

import mlflow
import pandas as pd

frame = pd.read_csv(sys.argv[1])
folder = Path(tempfile.mkdtemp())
(folder / "scored" / "late").mkdir(parents=True)
frame.iloc[:300].to_parquet(folder / "scored" / "part-0.parquet", index=False)
frame.iloc[300:310].to_parquet(folder / "scored" / "part-1.parquet", index=False)
frame.iloc[310:].to_parquet(folder / "scored" / "late" / "part-2.parquet", index=False)
(folder / "scored" / "_SUCCESS").touch()

mlflow.set_experiment("evaluation data")
with mlflow.start_run() as run:
    mlflow.log_artifacts(str(folder / "scored"), "eval/scored")
    mlflow.log_artifact(str(folder / "scored" / "part-0.parquet"), "eval")
    mlflow.log_table(frame.iloc[:400], "eval/table.json")
    mlflow.log_table(frame.iloc[400:], "eval/table.json")
    mlflow.log_table(frame, "eval/table.parquet")
    mlflow.log_table({"prompt": ["a", "b"], "tokens": [[1, 2], [3]]}, "eval/nested.json")

sys.stdout.write(json.dumps({"run": run.info.run_id}))
