"""What Dana runs before she opens the browser: plain autologging, and the scored rows of an evaluation. Registers nothing."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
from sklearn.linear_model import LogisticRegression

from tests.journeys.client_trains import scored


def main() -> None:
    mlflow.set_experiment("credit scoring")
    mlflow.sklearn.autolog(log_input_examples=True)
    random = np.random.default_rng(0)
    x = random.normal(size=(2000, 1))
    with mlflow.start_run(run_name="scorecard") as run, tempfile.TemporaryDirectory() as folder:
        model = LogisticRegression().fit(x, (x[:, 0] + random.normal(size=2000) > 0).astype(int))
        for name, seed in (("current", 1), ("reference", 2)):
            path = Path(folder) / f"{name}.parquet"
            scored(model, 20_000, seed).to_parquet(path, index=False)
            mlflow.log_artifact(str(path), artifact_path="evaluation")
    sys.stdout.write(run.info.run_id)


if __name__ == "__main__":
    main()
