"""How long checks take on large files, each run in a process of its own. Run by hand; it asserts nothing about time:

    python -m tests.checks.bench_checks --data DIR --rows 1000000 --repeat 5
    python -m tests.checks.bench_checks --data DIR --rows 1000000 --columns 1000 --repeat 1

DIR holds `ref-ROWS.parquet` and `cur-ROWS.parquet` (y_true, y_pred, score, sex, race, region, n00-n29, c00-c09); they are
made where they are missing. With --columns the files are `ref-ROWSxCOLUMNS.parquet` and so on, of rounded numbers and one
column of two groups. Time is from the open file to the finished result, as the worker takes it after it has
verified the bytes; imports and the description of the columns (made once, when data are attached) are not in it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WIDEST = 20_000_000
WIDE_TASKS = ("drift", "proxy", "quality", "leakage", "pii")
TASKS = ("fairness", "fairness+scores", "performance", "multiclass", "regression", "drift")
NUMBERS = [f"n{place:02d}" for place in range(30)]
_IMPORTED = {
    "fairness": ("pandas", "fairlearn.metrics", "sklearn.metrics"),
    "drift": ("scipy.stats",),
}
CATEGORIES = [f"c{place:02d}" for place in range(10)]


def make(path: Path, rows: int, moved: float) -> None:
    """Scores, outcomes and groups, thirty columns of numbers and ten of words; every third column of `cur` moves.

    Above WIDEST rows only scores, outcomes and groups: forty columns more would take tens of gigabytes.
    """
    import duckdb

    wide = rows <= WIDEST
    numbers = ", ".join(
        f"{_number(place)} + {moved if place % 3 == 0 else 0} * {place} AS {name}"
        for place, name in enumerate(NUMBERS if wide else ())
    )
    words = ", ".join(
        f"'level-' || CAST(floor({3 + 5 * place} * power(random(), 2)) AS INTEGER) AS {name}"
        for place, name in enumerate(CATEGORIES if wide else ())
    )
    more = f", {numbers}, {words}" if wide else ""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SELECT setseed(0.42)")
    connection.execute(
        f"""COPY (
            SELECT CAST(random() < score AS TINYINT) AS y_true, CAST(score > 0.5 AS TINYINT) AS y_pred, *
            FROM (SELECT random() AS score,
                CASE WHEN random() < 0.48 THEN 'female' ELSE 'male' END AS sex,
                ['asian', 'black', 'latino', 'other', 'white'][1 + CAST(floor(5 * power(random(), 0.6)) AS INTEGER)] AS race,
                'region-' || CAST(floor(12 * power(random(), 0.7)) AS INTEGER) AS region{more}
                FROM range({rows}))
        ) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 250000)"""  # noqa: S608 - numbers and names of this file
    )


def _number(place: int) -> str:
    normal = "sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())"
    if place < 10:
        return normal
    if place < 20:
        return f"round({normal}, 3)"
    return f"CAST(floor({2 + place % 10} * -ln(1 - random())) AS DOUBLE)"


def make_wide(path: Path, rows: int, columns: int, moved: float) -> None:
    """Numbers of three decimals, one group of columns at a time in memory."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(int(moved * 100))
    names = _wide(columns)
    schema = pa.schema([("group", pa.string()), *((name, pa.float64()) for name in names)])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, 50_000):
            size = min(50_000, rows - start)
            found = {name: np.round(rng.normal(moved, 1, size), 3) for name in names}
            writer.write_table(pa.table({"group": rng.choice(["f", "m"], size), **found}, schema))


def _wide(columns: int) -> list[str]:
    return [f"w{place:04d}" for place in range(columns)]


def measure(task: str, data: Path, rows: int, wide: int = 0) -> dict[str, float]:
    """One run in this process."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from apps.checks import kinds
    from apps.checks.engine.compute import DataSet, Workshop
    from apps.checks.engine.inspect import inspect
    from apps.checks.engine.source import Caps
    from apps.checks.kinds.base import Task
    from apps.checks.mapping import Mapping

    for module in _IMPORTED.get(task.partition("+")[0], ()):  # imports are not in the time
        importlib.import_module(module)
    declared = _declared(task, wide)
    names = ("ref", "cur") if task in {"drift", "leakage"} else ("ref",)
    kind = kinds.get(task.partition("+")[0])
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Caps(memory="1GB"), Path(folder))
        sets = []
        for name in names:
            path = _file(data, name, rows, wide)
            columns = _described(path, inspect, workshop)
            sets.append(DataSet(path, "parquet", columns, Mapping.parse(declared), "1"))
        before = _peak()
        began, cpu = time.perf_counter(), time.process_time()
        kind.run(Task(workshop, tuple(sets)), kind.checked(kind.params()))
        return {
            "wall": time.perf_counter() - began,
            "cpu": time.process_time() - cpu,
            "peak": _peak(),
            "growth": _peak() - before,
        }


def _declared(task: str, wide: int) -> dict[str, Any]:
    if wide and task == "drift":
        return {"features": _wide(wide)}
    if wide:
        sensitive = {"sensitive": ["group"]} if task == "proxy" else {}
        return {"target": "w0000", "prediction": "w0001", "features": _wide(wide)} | sensitive
    if task == "drift":
        return {"features": NUMBERS + CATEGORIES}
    columns = {"multiclass": ("c00", "c03"), "regression": ("n00", "n01")}
    target, prediction = columns.get(task, ("y_true", "y_pred"))
    declared: dict[str, Any] = {"target": target, "prediction": prediction}
    if task in columns:
        declared["task"] = task
    if task.startswith("fairness"):
        declared["sensitive"] = ["race", "region"]
    if task in {"performance", "fairness+scores"}:
        declared["score"] = "score"
    return declared


def _file(data: Path, name: str, rows: int, wide: int) -> Path:
    return data / (f"{name}-{rows}x{wide}.parquet" if wide else f"{name}-{rows}.parquet")


def _described(path: Path, inspect: Any, workshop: Any) -> Any:
    """The columns as they were found when the data were attached, kept beside the file: finding them takes memory."""
    from apps.checks.engine.source import Column

    kept = path.with_suffix(".columns.json")
    if not kept.exists():
        found = inspect(path, caps=workshop.caps, scratch=workshop.scratch)
        kept.write_text(json.dumps([[c.name, c.kind, c.missing] for c in found.columns]))
    return tuple(Column(*entry) for entry in json.loads(kept.read_text()))


def _peak() -> float:
    """Most memory this process ever held, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Each task `repeat` times, its medians as a line of a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--columns", type=int, default=0)
    parser.add_argument("--only", choices=sorted({*TASKS, *WIDE_TASKS}))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one, asked.data, asked.rows, asked.columns)))  # noqa: T201
        return
    usual = WIDE_TASKS if asked.columns else TASKS if asked.rows <= WIDEST else TASKS[:3]
    tasks = [asked.only] if asked.only else usual
    for name, moved in (("ref", 0.0), ("cur", 0.02))[: 2 if "drift" in tasks else 1]:
        path = _file(asked.data, name, asked.rows, asked.columns)
        if path.exists():
            continue
        if asked.columns:
            make_wide(path, asked.rows, asked.columns, moved)
        else:
            make(path, asked.rows, moved)
    print("| task | rows | wall s | cpu s | peak MB | growth MB |")  # noqa: T201
    for task in tasks:
        _run(task, asked, 1)  # the page cache, and the description of the columns
        runs = _run(task, asked, asked.repeat)
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(  # noqa: T201
            f"| {task} | {asked.rows:,} | {middle['wall']:.2f} | {middle['cpu']:.2f} | "
            f"{middle['peak']:.0f} | {middle['growth']:.0f} |"
        )


def _run(task: str, asked: argparse.Namespace, repeat: int) -> list[dict[str, float]]:
    command = [sys.executable, "-m", "tests.checks.bench_checks", "--data", str(asked.data)]
    command += ["--rows", str(asked.rows), "--columns", str(asked.columns), "--one", task]
    environ = {
        "SECRET_KEY": "for-measuring-only-" + "0" * 40,
        "VAR": str(asked.data / "var"),
    } | os.environ
    done = [
        subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        for _ in range(repeat)
    ]
    return [json.loads(each.stdout.splitlines()[-1]) for each in done]


if __name__ == "__main__":
    main()
