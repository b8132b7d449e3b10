"""Where the counting happens: in the worker, or on an engine elsewhere that Ibis speaks to.

`local` is DuckDB, Arrow and NumPy in the worker. Any other value of CHECKS_ENGINE is an address; its scheme decides. The
packages are imported when an engine is first spoken to: they are half a gigabyte, and a site without one does not have them.
"""

from __future__ import annotations

import functools
import itertools
import logging
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Final

import pyarrow as pa

from apps.core.errors import Invalid

LOCAL: Final = "local"
# Scheme -> the modules it needs beside Ibis, and the distributions that are recorded with each result.
_NEEDS: Final = {
    "spark": (("pyspark",), ("ibis-framework", "pyspark")),
    "duckdb": ((), ("ibis-framework", "duckdb")),
    "bigquery": (("google.cloud.bigquery",), ("ibis-framework", "google-cloud-bigquery")),
    "snowflake": (("snowflake.connector",), ("ibis-framework", "snowflake-connector-python")),
    "trino": (("trino",), ("ibis-framework", "trino")),
}
SCHEMES: Final = tuple(_NEEDS)
_PATIENCE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Engine:
    """An open connection. `read` makes one table of the Parquet files at some paths, `answer` executes an expression, `stop` ends
    what it is executing (from another thread)."""

    scheme: str
    read: Callable[[list[str]], Any]
    answer: Callable[[Any], pa.Table]
    stop: Callable[[], None]

    def ask(self, expression: Any, tick: Callable[[], None]) -> pa.Table:
        """The answer; `tick` is called every two seconds meanwhile, and ends the execution by raising."""
        return self._waited(lambda: self.answer(expression), tick)

    def table(self, paths: list[str], tick: Callable[[], None]) -> Any:
        """The files as one table; raises Invalid where the engine cannot read it."""
        return self._waited(lambda: self.read(paths), tick)

    def _waited(self, work: Callable[[], Any], tick: Callable[[], None]) -> Any:
        with ThreadPoolExecutor(1, "engine") as pool:
            future = pool.submit(work)
            try:
                while True:
                    try:
                        return future.result(_PATIENCE)
                    except TimeoutError:
                        if future.done():  # its own, not ours
                            raise
                    tick()
            except BaseException:
                if not future.done():
                    self.stop()
                raise


def scheme_of(address: str) -> str:
    """`local`, or the scheme of an address; "" for what is neither."""
    if address == LOCAL:
        return LOCAL
    scheme, separator, _ = address.partition("://")
    return scheme if separator and scheme in _NEEDS else ""


def lacking(address: str) -> str:
    """In a sentence why this engine cannot be used here; "" if it can. Nothing is connected to."""
    scheme = scheme_of(address)
    if scheme == LOCAL:
        return ""
    if not scheme:
        return f"expected local, or an address that begins with one of {', '.join(f'{each}://' for each in SCHEMES)}"
    modules, _ = _NEEDS[scheme]
    missing = [name for name in ("ibis", *modules) if not _importable(name)]
    if missing:
        return f"{scheme} needs packages that are not installed: {', '.join(missing)}"
    if scheme == "spark" and shutil.which("java") is None:
        return "spark needs Java, and there is no program of that name"
    return ""


def _importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is not there
        return False


@functools.cache
def libraries(address: str) -> dict[str, str]:
    """What takes part in a result beside the local libraries: the engine's kind, and the packages that speak to it.

    The address itself is left out: it may hold a password, and where a cluster stands changes no number.
    """
    scheme = scheme_of(address)
    if scheme == LOCAL:
        return {}
    if not scheme:
        raise Invalid(f"The engine cannot be used: {lacking(address)}.")
    _, distributions = _NEEDS[scheme]
    try:
        return {"engine": scheme, **{name: version(name) for name in distributions}}
    except PackageNotFoundError as error:
        raise Invalid(f"The engine cannot be used: {error.name} is not installed.") from error


@functools.cache
def connect(address: str) -> Engine:
    """One connection a process. Raises Invalid where the engine cannot be used here."""
    reason = lacking(address)
    if reason:
        raise Invalid(f"The engine cannot be used: {reason}.")
    scheme = scheme_of(address)
    return _spark(address) if scheme == "spark" else _by_ibis(scheme, address)


def _by_ibis(scheme: str, address: str) -> Engine:
    import ibis

    connection = ibis.connect(address)
    if scheme == "duckdb":
        connection.raw_sql("SET TimeZone = 'UTC'")

    def read(paths: list[str]) -> Any:
        if scheme != "duckdb" and len(paths) > 1:
            raise Invalid(
                f"data in {len(paths)} files are not counted on {scheme}; attach one file"
            )
        return connection.read_parquet(paths if len(paths) > 1 else paths[0])

    return Engine(scheme, read, lambda expression: expression.to_pyarrow(), lambda: None)


def _spark(address: str) -> Engine:
    """A session of our own: names tell cases apart, moments are in UTC, and whole numbers never become doubles.

    `spark://local[2]` is Spark inside the worker's machine, for tests. Answers come as Arrow and not by way of
    pandas, where a column of whole numbers with gaps turns into doubles.
    """
    import ibis
    from pyspark.errors import AnalysisException
    from pyspark.sql import SparkSession

    logging.getLogger("py4j").setLevel(logging.WARNING)  # it tells of every message otherwise
    rest = address.partition("://")[2]
    here = rest.startswith("local")
    builder = SparkSession.builder.master(rest if here else address)
    if here:  # as many parts as a cluster takes would cost seconds a question
        builder = builder.config("spark.sql.shuffle.partitions", "4")
    session = (
        builder.appName("countersign")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.caseSensitive", "true")
        .config("spark.sql.ansi.enabled", "false")
        .config("spark.sql.legacy.parquet.nanosAsLong", "true")
        .getOrCreate()
    )
    connection = ibis.pyspark.connect(session)
    numbers = itertools.count()

    def read(paths: list[str]) -> Any:
        name = f"data{next(numbers)}"
        try:
            files = session.read.parquet(*("file://" + _literal(path) for path in paths))
        except AnalysisException as error:
            raise Invalid(f"Spark cannot read the file: {_first_line(error)}") from error
        files.createOrReplaceTempView(name)
        return connection.table(name)

    def answer(expression: Any) -> pa.Table:
        return session.sql(ibis.to_sql(expression, dialect="pyspark")).toArrow()

    return Engine("spark", read, answer, session.sparkContext.cancelAllJobs)


def _literal(path: str) -> str:
    """Spark takes a path for a pattern: what would mean something in one stands for itself."""
    return "".join(f"\\{letter}" if letter in "*?[]{}\\" else letter for letter in path)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:160]
