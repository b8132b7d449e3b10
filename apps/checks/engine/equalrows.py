"""Equal rows, found exactly and in little memory: within one file, and between two.

1 Every row gets DuckDB's 64-bit hash, a block of columns at a time, so that a thousand columns need no more memory than
fifty. 2 Rows whose hash occurs once are alone. 3 The others are confirmed by SHA-256 over the texts of their values,
each with its length before it: two rows that share a 64-bit hash by accident, or because somebody made them so, are told apart.

The tables of a step spill to the scratch folder. Not found: rows that are nearly equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from apps.checks.engine.source import Source
from apps.checks.library.equalrows import Repeats, Shared

BLOCK = 50
_AT_ONCE = 20_000_000  # hashes compared at a time: 160 MB a side
_MIX_HASH = "hash(folded.v, block.v)"
_MIX_SHA = "sha256(folded.v || block.v)"


@dataclass(frozen=True, slots=True)
class Rows:
    """A file with the SQL expressions that make up a row. `tick` is called after each block of columns."""

    source: Source
    values: Sequence[str]
    tick: Callable[[], None] = lambda: None


def repeats(rows: Rows) -> Repeats:
    """How many rows repeat an earlier one. Reads each column once, and once more where a hash occurs twice."""
    total = _hashed(rows)
    rows.source.fetch(
        "CREATE OR REPLACE TEMP TABLE candidates AS SELECT place FROM hashed "
        "WHERE v IN (SELECT v FROM hashed GROUP BY v HAVING count(*) > 1)"
    )
    found = _repeated(rows)
    _dropped(rows.source, "hashed")
    return Repeats(total, *found)


def shared(evaluation: Rows, reference: Rows) -> Shared:
    """The rows of the first file that occur in the second one too."""
    sides = (evaluation, reference)
    totals = [_hashed(each) for each in sides]
    _candidates(evaluation.source, reference.source, 1 + max(totals) // _AT_ONCE)
    for each in sides:
        _confirmed(each)
    known = _halves(reference.source, "SELECT DISTINCT v FROM folded")
    evaluation.source.connection.register("known", known)
    both = "FROM halves SEMI JOIN known USING (a, b)"
    evaluation.source.fetch(f"CREATE OR REPLACE TEMP VIEW halves AS {_split('FROM folded')}")
    count, distinct = evaluation.source.fetch(f"SELECT count(*), count(DISTINCT (a, b)) {both}")[0]
    evaluation.source.connection.unregister("known")
    return Shared(totals[0], totals[1], int(count), int(distinct))


def _hashed(rows: Rows) -> int:
    """Step 1: the table `hashed` of places and 64-bit hashes. Answers the number of rows."""
    _fold(rows, lambda values: f"hash({', '.join(values)})", _MIX_HASH)
    rows.source.fetch("DROP TABLE IF EXISTS hashed")
    rows.source.fetch("ALTER TABLE folded RENAME TO hashed")
    return int(rows.source.fetch("SELECT count(*) FROM hashed")[0][0])


def _confirmed(rows: Rows) -> None:
    """Step 3: the table `folded` of places and SHA-256 of the rows in `candidates`."""
    only = "SEMI JOIN candidates USING (place)"
    _fold(
        rows, lambda values: f"sha256({' || '.join(map(_measured_text, values))})", _MIX_SHA, only
    )


def _fold(rows: Rows, digest: Callable[[Sequence[str]], str], mix: str, only: str = "") -> None:
    """One digest a row into the table `folded`, block by block of columns."""
    source = rows.source.numbered()
    for start in range(0, len(rows.values), BLOCK):
        value = digest(rows.values[start : start + BLOCK])
        table = "block" if start else "folded"
        source.fetch(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT place, {value} AS v FROM (SELECT * FROM {{data}}) AS d {only}"
        )
        if start:
            source.fetch(
                f"CREATE OR REPLACE TEMP TABLE mixed AS SELECT place, {mix} AS v FROM folded JOIN block USING (place)"
            )
            _dropped(source, "folded", "block")
            source.fetch("ALTER TABLE mixed RENAME TO folded")
        rows.tick()


def _measured_text(value: str) -> str:
    """The value as text behind its length; `-` where it is missing: no two rows give the same text."""
    text = f"CAST({value} AS VARCHAR)"
    return f"coalesce(strlen({text}) || ':' || {text}, '-')"


def _repeated(rows: Rows) -> tuple[int, int, int]:
    """Rows beyond the first of each set of equal ones, the sets, and the size of the largest."""
    if not rows.source.fetch("SELECT 1 FROM candidates LIMIT 1"):
        return 0, 0, 0
    _confirmed(rows)
    sets = "SELECT count(*) AS n FROM folded GROUP BY v HAVING count(*) > 1"
    more, count, largest = rows.source.fetch(
        f"SELECT coalesce(sum(n - 1), 0), count(*), coalesce(max(n), 0) FROM ({sets})"
    )[0]
    _dropped(rows.source, "folded", "candidates")
    return int(more), int(count), int(largest)


def _candidates(first: Source, second: Source, turns: int) -> None:
    """Step 2 between two files: the places of the rows whose hash both have, compared a part of the hashes at a time."""
    for source in (first, second):
        source.fetch("CREATE OR REPLACE TEMP TABLE candidates (place BIGINT)")
    for turn in range(turns):
        part = f"SELECT DISTINCT v FROM hashed WHERE v % {turns} = {turn}"
        both = np.intersect1d(first.arrays(part)["v"], second.arrays(part)["v"], assume_unique=True)
        for source in (first, second):
            source.connection.register("both_have", pa.table({"v": both}))
            source.fetch(
                "INSERT INTO candidates SELECT place FROM hashed SEMI JOIN both_have USING (v)"
            )
            source.connection.unregister("both_have")
    _dropped(first, "hashed")
    _dropped(second, "hashed")


def _split(from_: str) -> str:
    """128 bits of each SHA-256 as two whole numbers, which cost a tenth of its text."""
    return (
        "SELECT CAST('0x' || substr(v, 1, 16) AS UBIGINT) AS a, "
        f"CAST('0x' || substr(v, 17, 16) AS UBIGINT) AS b {from_}"
    )


def _halves(source: Source, distinct: str) -> pa.Table:
    return pa.table(dict(source.arrays(_split(f"FROM ({distinct})"))))


def _dropped(source: Source, *tables: str) -> None:
    for table in tables:
        source.fetch(f"DROP TABLE IF EXISTS {table}")
