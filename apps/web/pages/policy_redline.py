"""The differences between two policies as a table."""

from __future__ import annotations

from collections.abc import Iterable

from apps.reviews.policies import saying
from apps.reviews.policies.compare import Change
from apps.web import cells
from apps.web.parts import Column, Empty, Row, Table


def redline(changes: Iterable[Change]) -> Table:
    """Where, what stood there, what stands there now."""
    rows = [
        Row(
            [
                cells.text(saying.where(each.path), note=each.path),
                cells.text(saying.value(each.old)) if each.old else cells.missing("nothing"),
                cells.text(saying.value(each.new)) if each.new else cells.missing("nothing"),
            ]
        )
        for each in changes
    ]
    empty = Empty("no-match", "Nothing changes", "Both ask for the same.")
    columns = [Column("Where"), Column("Was"), Column("Becomes")]
    return Table("What changes", columns, rows, empty)
