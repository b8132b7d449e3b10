"""Files up and down with the client. Prints what came back as JSON."""

import json
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl
import mlflow
from mlflow import MlflowClient

mpl.use("Agg")
from matplotlib import pyplot as plt

client = MlflowClient()
seen = {}
folder = Path(tempfile.mkdtemp())

mlflow.set_experiment("files")
with mlflow.start_run() as run:
    run_id = run.info.run_id
    (folder / "plain.txt").write_text("plain")
    (folder / "empty.bin").touch()
    big = bytes(range(256)) * 4096 * 5
    (folder / "big.bin").write_bytes(big)
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "with space ü.txt").write_text("deep")
    mlflow.log_artifact(str(folder / "plain.txt"))
    mlflow.log_artifact(str(folder / "empty.bin"), "sub")
    mlflow.log_artifacts(str(folder), "all")
    mlflow.log_text("hello", "notes/hello.md")
    mlflow.log_dict({"a": 1}, "conf/a.json")
    mlflow.log_table({"q": ["x", "y"], "n": [1, 2]}, "table.json")
    mlflow.log_table({"q": ["z"], "n": [3]}, "table.json")
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    mlflow.log_figure(figure, "plots/line.png")
    mlflow.log_text("first", "twice.txt")
    mlflow.log_text("second", "twice.txt")


def walk(path=None):
    for item in client.list_artifacts(run_id, path):
        if item.is_dir:
            yield from walk(item.path)
        else:
            yield item.path, item.file_size


seen["files"] = dict(walk())
local = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=""))
seen["big equal"] = (local / "all/big.bin").read_bytes() == big
seen["empty"] = (local / "sub/empty.bin").read_bytes() == b""
seen["deep"] = (local / "all/deep/er/with space ü.txt").read_text()
seen["twice"] = mlflow.artifacts.load_text(f"runs:/{run_id}/twice.txt")
seen["dict"] = mlflow.artifacts.load_dict(f"runs:/{run_id}/conf/a.json")
seen["table"] = mlflow.load_table("table.json", run_ids=[run_id]).to_dict(orient="list")
seen["png"] = (local / "plots/line.png").read_bytes()[:4].hex()
try:
    mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="nowhere.txt")
    seen["missing"] = "found"
except Exception as error:  # noqa: BLE001 - whatever the client raises
    seen["missing"] = type(error).__name__

sys.stdout.write(json.dumps(seen))
