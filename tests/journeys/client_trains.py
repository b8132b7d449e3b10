"""What a data scientist runs, in the MLflow client's own environment: train, log, register. Prints JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression


def scored(model: LogisticRegression, rows: int, seed: int) -> pd.DataFrame:
    """Rows with a truth that depends on x, in two groups that do not differ."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": random.normal(size=rows), "sex": random.choice(["f", "m"], rows)})
    frame["y_true"] = (frame["x"] + random.normal(size=rows) > 0).astype(int)
    frame["y_score"] = model.predict_proba(frame[["x"]].to_numpy())[:, 1]
    frame["y_pred"] = (frame["y_score"] >= 0.5).astype(int)
    return frame


def main() -> None:
    mlflow.set_experiment("credit")
    random = np.random.default_rng(0)
    x = random.normal(size=(2000, 1))
    with mlflow.start_run(run_name="scorecard") as run, tempfile.TemporaryDirectory() as folder:
        model = LogisticRegression().fit(x, x[:, 0] + random.normal(size=2000) > 0)
        mlflow.log_params({"algorithm": "logistic"})
        mlflow.log_metric("auc", 0.83)
        for name, seed in (("current", 1), ("reference", 2)):
            path = Path(folder) / f"{name}.parquet"
            scored(model, 20_000, seed).to_parquet(path, index=False)
            mlflow.log_artifact(str(path), artifact_path="evaluation")
        info = mlflow.sklearn.log_model(
            model, name="model", pip_requirements=["scikit-learn"], registered_model_name="credit"
        )
    sys.stdout.write(json.dumps({"run": run.info.run_id, "version": info.registered_model_version}))


if __name__ == "__main__":
    main()
