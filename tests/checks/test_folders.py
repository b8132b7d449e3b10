"""Several files as one data set: the same numbers as one file of all rows, or an error that names the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.checks.engine.compute import DataSet
from apps.checks.engine.folders import Part, inspect_parts, is_data
from apps.checks.engine.inspect import Profile
from apps.checks.engine.source import Caps
from apps.checks.kinds import get
from apps.checks.kinds.base import Task
from apps.checks.mapping import Mapping
from apps.checks.statistics import to_data
from apps.core.errors import Invalid
from tests.checks.support import ACS, CAPS, DEMO, GOOD, ROLES, data_set, workshop


def parts_of(folder: Path) -> list[Part]:
    """The files of a folder by name, as the service hands them on."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [Part(str(path.relative_to(folder)), path, path.stat().st_size) for path in files]


def looked_at(folder: Path, caps: Caps = CAPS) -> Profile:
    return inspect_parts(parts_of(folder), caps=caps, scratch=workshop().scratch)


def folder_set(folder: Path, *, favourable: str = "1", **mapping: object) -> DataSet:
    profile = looked_at(folder)
    first, *more = [part.path for part in parts_of(folder)]
    meaning = Mapping.parse(mapping)
    return DataSet(first, profile.format, profile.columns, meaning, favourable, tuple(more))


def split(frame: pd.DataFrame, folder: Path, sizes: Sequence[int], suffix: str) -> Path:
    """The rows in files of these sizes, the last one taking the rest."""
    folder.mkdir()
    start = 0
    for number, size in enumerate([*sizes, len(frame)]):
        rows = frame.iloc[start : start + size]
        path = folder / f"part-{number:03}.{suffix}"
        if suffix == "parquet":
            rows.to_parquet(path, index=False)
        else:
            rows.to_csv(path, index=False)
        start += size
    return folder


def numbers(kind: str, *data: DataSet) -> object:
    found = get(kind)
    task = Task(workshop(), data)
    statistics, result = found.run(task, found.params())
    return to_data(statistics), to_data(result)


@pytest.fixture(scope="module")
def census() -> pd.DataFrame:
    frame = pd.read_parquet(DEMO / "acs_employment_ma_2016.parquet")
    frame.attrs = {}
    return frame.iloc[:20_000]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("kind", ["fairness", "performance", "quality", "bias_audit", "proxy"])
def test_a_folder_gives_the_numbers_of_one_file(tmp_path, census, kind, suffix):
    frame = pd.concat([census, census.iloc[:50]], ignore_index=True)  # with repeated rows
    one = tmp_path / f"one.{suffix}"
    _ = (
        frame.to_parquet(one, index=False)
        if suffix == "parquet"
        else frame.to_csv(one, index=False)
    )
    folder = split(frame, tmp_path / "many", [1, 0, 7_000, 20, 9_000], suffix)
    assert numbers(kind, folder_set(folder, **ACS)) == numbers(kind, data_set(one, **ACS))


def test_drift_between_two_folders_is_that_between_two_files(tmp_path, census):
    before, after = census.iloc[:9_000], census.iloc[9_000:]
    files, folders = [], []
    for name, frame in (("before", before), ("after", after)):
        path = tmp_path / f"{name}.parquet"
        frame.to_parquet(path, index=False)
        files.append(data_set(path, **ACS))
        folders.append(folder_set(split(frame, tmp_path / name, [3_000, 3_000], "parquet"), **ACS))
    assert numbers("drift", *folders) == numbers("drift", *files)


def test_rows_repeated_in_different_files_are_found(tmp_path):
    frame = GOOD.assign(n=range(len(GOOD)))
    folder = tmp_path / "twice"
    folder.mkdir()
    for name in ("a", "b"):  # the same bytes under two names: every row occurs twice
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    data = folder_set(folder, **ROLES)
    _, result = numbers("quality", data)
    assert isinstance(result, dict)
    assert (result["rows"], result["duplicate_share"]["numerator"]) == (80, 40)


def test_a_file_without_rows_is_allowed_where_others_have_some(tmp_path):
    folder = split(GOOD, tmp_path / "some", [0, 0, 40], "parquet")
    assert looked_at(folder).rows == 40


def test_how_text_is_stored_does_not_make_another_type(tmp_path):
    table = pa.table({"g": ["a", "b", "a"], "y": [1, 0, 1]})
    pq.write_table(table, tmp_path / "a")
    pq.write_table(table.set_column(0, "g", table["g"].dictionary_encode()), tmp_path / "b")
    pq.write_table(table.set_column(0, "g", table["g"].cast(pa.large_string())), tmp_path / "c")
    found = looked_at(tmp_path)
    assert (found.rows, [column.kind for column in found.columns]) == (9, ["text", "number"])


def test_a_column_of_numbers_in_one_csv_and_words_in_another_is_text(tmp_path):
    (tmp_path / "a.csv").write_text("zip\n12\n")
    (tmp_path / "b.csv").write_text("zip\nx7\n")
    assert [column.kind for column in looked_at(tmp_path).columns] == ["text"]


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8:80] = bytes(72)
    path.write_bytes(bytes(data))


def _written(frame: pd.DataFrame) -> Callable[[Path], None]:
    return lambda path: frame.to_parquet(path, index=False)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (_truncated, "ends too early"),
    "truncated to nothing": (lambda path: path.write_bytes(b""), "the file is empty"),
    "damaged in its body": (_damaged, "damaged or truncated Parquet"),
    "a footer of rubbish": (lambda path: path.write_bytes(b"PAR1" + b"\x07" * 60 + b"PAR1"), "footer"),
    "a CSV among Parquet": (lambda path: GOOD.to_csv(path, index=False), "csv, not parquet as in"),
    "a packed file": (lambda path: path.write_bytes(b"\x1f\x8b" + b"0" * 50), "compressed (gzip)"),
    "a column is missing": (_written(GOOD.drop(columns="s")), "has no column 's'"),
    "a column too many": (_written(GOOD.assign(extra=1)), "has a column 'extra'"),
    "a column renamed": (_written(GOOD.rename(columns={"g": "G"})), "has no column 'g'"),
    "another order": (_written(GOOD[["p", "y", "s", "g"]]), "another order"),
    "another type": (_written(GOOD.assign(y=GOOD["y"].astype(float))), "column 'y' holds double, not int64 as in"),
    "an empty column of no type": (_written(GOOD.assign(g=None)), "column 'g' holds null, not string as in"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_does_not_fit_is_named(tmp_path, case):
    spoil, reason = BAD[case]
    folder = split(GOOD, tmp_path / "some", [10, 10, 10], "parquet")
    spoil(folder / "part-002.parquet")
    with pytest.raises(Invalid) as refusal:
        looked_at(folder)
    told = refusal.value.fields["file"]
    assert told.startswith("part-002.parquet: "), told
    assert reason in told


def test_the_csv_that_is_not_well_formed_is_named_with_its_line(tmp_path):
    folder = split(GOOD, tmp_path / "some", [10, 10, 10], "csv")
    path = folder / "part-001.csv"
    path.write_text(path.read_text().replace("\n", "\n1,2,3,4,5,6\n", 1))
    with pytest.raises(Invalid) as refusal:
        looked_at(folder)
    told = refusal.value.fields["file"]
    assert told.startswith("part-001.csv: the file cannot be read: line 2"), told


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        (replace(CAPS, max_parts=3), "4 files; at most 3"),
        (replace(CAPS, max_bytes=8_000), "bytes in all"),
        (replace(CAPS, max_rows=39), "40 rows; at most 39"),
        (replace(CAPS, max_unpacked_bytes=500), "when unpacked"),
    ],
)
def test_more_than_one_check_may_read_is_refused_as_a_whole(tmp_path, caps, reason):
    folder = split(GOOD, tmp_path / "some", [10, 10, 10], "parquet")
    with pytest.raises(Invalid) as refusal:
        looked_at(folder, caps)
    assert reason in refusal.value.fields["file"].replace("\N{NO-BREAK SPACE}", " ")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(Invalid, match="no files"):
        looked_at(tmp_path)


def test_files_none_of_which_has_rows_are_refused(tmp_path):
    folder = split(GOOD.iloc[:0], tmp_path / "none", [0, 0], "csv")
    with pytest.raises(Invalid, match="a header and no rows"):
        looked_at(folder)


def test_ten_thousand_files_are_one_data_set(tmp_path):
    schema = pa.schema({"y": pa.int64(), "g": pa.string()})
    for number in range(10_000):
        table = pa.table({"y": [number % 2], "g": ["ab"[number % 3 > 0]]}, schema)
        pq.write_table(table, tmp_path / f"{number:05}", compression="none")
    data = folder_set(tmp_path, target="y", prediction="y", sensitive=["g"])
    counted, _ = numbers("fairness", data)
    assert isinstance(counted, dict)
    assert counted["rows"]["total"] == 10_000
    with pytest.raises(Invalid, match="at most"):
        looked_at(tmp_path, replace(CAPS, max_parts=9_999))


def test_a_part_cannot_make_the_engine_read_a_file_outside(tmp_path):
    """The names that DuckDB gives its own columns are data when a file has them."""
    frame = pd.DataFrame({"file_index": [5, 6], "filename": ["x", "y"], "file_row_number": [1, 1]})
    frame.to_parquet(tmp_path / "a", index=False)
    frame.to_parquet(tmp_path / "b", index=False)
    data = folder_set(tmp_path)
    with workshop().open(data) as source:
        places = [row[0] for row in source.numbered().fetch("SELECT place FROM {data}")]
        with pytest.raises(Invalid):
            source.fetch("SELECT * FROM read_csv('/etc/passwd')")
        values = source.fetch(f"SELECT {source.raw('file_index')} FROM {{data}}")  # noqa: S608 - by position
    assert sorted(row[0] for row in values) == [5, 5, 6, 6]
    assert len(set(places)) == 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.parquet", True),
        ("year=2018/a.parquet", True),
        ("_SUCCESS", False),
        (".a.parquet.crc", False),
        ("_temporary/0/a.parquet", False),
        ("a_b/c.parquet", True),
    ],
)
def test_marks_of_writers_are_no_data(name, expected):
    assert is_data(name) is expected


def test_the_order_of_the_files_changes_no_number(tmp_path):
    rng = np.random.default_rng(7)
    frame = GOOD.assign(s=rng.random(len(GOOD)))
    folder = split(frame, tmp_path / "one", [10, 10, 10], "parquet")
    data = folder_set(folder, **ROLES)
    turned = replace(data, path=data.more[-1], more=(data.path, *data.more[:-1]))
    assert numbers("performance", data) == numbers("performance", turned)
