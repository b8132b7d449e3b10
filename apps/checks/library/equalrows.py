"""What is counted about equal rows. Pure data."""

from __future__ import annotations

import msgspec


class Repeats(msgspec.Struct, frozen=True):
    """`repeated` rows equal an earlier one; they lie in `sets` of equal rows, the largest of `largest` rows."""

    rows: int
    repeated: int
    sets: int
    largest: int


class Shared(msgspec.Struct, frozen=True):
    """Of `rows` rows, `shared` occur among the `reference_rows` too; `distinct` of these differ from each other."""

    rows: int
    reference_rows: int
    shared: int
    distinct: int
