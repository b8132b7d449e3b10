"""A second data scientist's script: a scorecard on German credit, too small for a conclusive verdict.

Out-of-fold scores are logged beside the model, so that every row is evaluated by a model that never saw it.

    python -m demo.client.german_credit DATA_FOLDER
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from demo.client import downloaded

NAME = "german-credit"
LEFT_OUT = {
    "id",
    "good_credit",
    "credit_risk",
    "sex",
    "age_group",
    "personal_status",
    "foreign_worker",
}


def main() -> None:
    frame = pd.read_csv(Path(sys.argv[1]) / "german_credit.csv")
    inputs = frame[[name for name in frame.columns if name not in LEFT_OUT]]
    numbers = list(inputs.select_dtypes("number").columns)
    words = [name for name in inputs.columns if name not in numbers]
    inputs = inputs.astype(dict.fromkeys(numbers, "float64"))
    model = make_pipeline(
        make_column_transformer(
            (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), words)
        ),
        LogisticRegression(max_iter=1000),
    )
    mlflow.set_experiment(NAME)
    with mlflow.start_run(run_name="scorecard") as run, tempfile.TemporaryDirectory() as scratch:
        folds = StratifiedKFold(10, shuffle=True, random_state=0)
        score = cross_val_predict(
            model, inputs, frame["good_credit"], cv=folds, method="predict_proba"
        )[:, 1]
        rows = frame[
            ["sex", "age", "age_group", "foreign_worker", "credit_amount", "duration_months"]
        ].copy()
        rows["y_true"], rows["y_score"] = frame["good_credit"], score
        rows["y_pred"] = (score >= 0.5).astype(int)
        mlflow.log_params({"algorithm": "logistic regression", "folds": 10, "rows": len(frame)})
        mlflow.log_metric("auc_out_of_fold", roc_auc_score(rows["y_true"], rows["y_score"]))
        for name, part in (("current", rows), ("reference", rows.sample(frac=0.5, random_state=3))):
            path = Path(scratch) / f"german_credit_{name}.csv"
            part.to_csv(path, index=False)
            mlflow.log_artifact(str(path), artifact_path="evaluation")
        model.fit(inputs, frame["good_credit"])
        sample = inputs.head(5)
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(sample, model.predict(sample)),
            input_example=sample,
            pip_requirements=["scikit-learn", "pandas"],
            registered_model_name=NAME,
        )
    versions = {"version": str(info.registered_model_version), "downloaded": downloaded.register()}
    print(json.dumps({"run": run.info.run_id, **versions}))  # noqa: T201


if __name__ == "__main__":
    main()
