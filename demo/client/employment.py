"""A data scientist's script: train on ACS Massachusetts 2015, score 2015 and 2018, log and register with MLflow.

Plain MLflow, nothing of Countersign: it runs in the client's environment (MLFLOW_TRACKING_URI and
MLFLOW_TRACKING_TOKEN) and would run against any MLflow server. Prints one JSON object.

    python -m demo.client.employment DATA_FOLDER
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.models import infer_signature
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NAME = "employment-ma"
FEATURES = [
    "age",
    "schooling",
    "marital",
    "relationship",
    "disability",
    "citizenship",
    "military",
    "nativity",
]
KEPT = ["sex", "race", "age", "schooling", "disability"]
# What a boosted forest is made of; the file is data (skops), not a pickle.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
CANDIDATES = {
    "logistic-baseline": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "boosting-60": lambda: HistGradientBoostingClassifier(max_iter=60, random_state=0),
    "boosting-120": lambda: HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.08, random_state=0
    ),
}


def read(folder: Path, year: int) -> pd.DataFrame:
    """One year of the survey, the features as float (so that a missing value would not change a type)."""
    frame = pd.read_parquet(folder / f"acs_employment_ma_{year}.parquet")
    return frame.astype(dict.fromkeys(FEATURES, "float64"))


def scored(model: object, frame: pd.DataFrame) -> pd.DataFrame:
    """Truth, score and decision beside the columns that the checks look at."""
    out = frame[KEPT].copy()
    out["y_true"] = frame["y_true"].astype(int)
    out["y_score"] = model.predict_proba(frame[FEATURES])[:, 1]
    out["y_pred"] = (out["y_score"] >= 0.5).astype(int)
    return out


def log_curve(model: object, train: pd.DataFrame, valid: pd.DataFrame) -> None:
    """The loss after each boosting round, on a sample: what a chart is for."""
    if not hasattr(model, "staged_predict_proba"):
        return
    for name, frame in (
        ("train", train.sample(8000, random_state=1)),
        ("valid", valid.sample(8000, random_state=1)),
    ):
        for step, proba in enumerate(model.staged_predict_proba(frame[FEATURES])):
            if step % 2 == 0:
                mlflow.log_metric(
                    f"{name}_log_loss", log_loss(frame["y_true"], proba[:, 1]), step=step
                )


def train_one(label: str, years: dict[int, pd.DataFrame]) -> dict[str, str]:
    """One run: parameters, metrics, curve, data sets, scored files, the model, a registered version."""
    with mlflow.start_run(run_name=label) as run, tempfile.TemporaryDirectory() as scratch:
        model = CANDIDATES[label]()
        data = mlflow.data.from_pandas(
            years[2015], source="acs_employment_ma_2015.parquet", name="acs_ma_2015"
        )
        mlflow.log_input(data, context="training")
        mlflow.log_params({"algorithm": label, "features": ",".join(FEATURES), "trained_on": 2015})
        model.fit(years[2015][FEATURES], years[2015]["y_true"])
        log_curve(model, years[2015], years[2016])
        by_year = {year: scored(model, frame) for year, frame in years.items()}
        for year, rows in by_year.items():
            mlflow.log_metrics(
                {
                    f"auc_{year}": roc_auc_score(rows["y_true"], rows["y_score"]),
                    f"balanced_accuracy_{year}": balanced_accuracy_score(
                        rows["y_true"], rows["y_pred"]
                    ),
                }
            )
            path = Path(scratch) / f"acs_ma_{year}_scored.parquet"
            rows.to_parquet(path, index=False)
            mlflow.log_artifact(str(path), artifact_path="evaluation")
        path = Path(scratch) / "acs_ma_2015_2018_scored.parquet"
        pd.concat([rows.assign(year=year) for year, rows in by_year.items()]).to_parquet(
            path, index=False
        )
        mlflow.log_artifact(str(path), artifact_path="evaluation")
        sample = years[2015][FEATURES].head(5)
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(sample, model.predict(sample)),
            input_example=sample,
            pip_requirements=["scikit-learn", "pandas"],
            skops_trusted_types=TRUSTED,
            registered_model_name=NAME,
        )
        return {"run": run.info.run_id, "version": str(info.registered_model_version)}


def main() -> None:
    folder = Path(sys.argv[1])
    years = {year: read(folder, year) for year in (2015, 2016, 2017, 2018)}
    mlflow.set_experiment(NAME)
    print(json.dumps({label: train_one(label, years) for label in CANDIDATES}))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
