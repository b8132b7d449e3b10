"""How many statements reach the database, read off the wire: raw cursors pass Django's own counter by."""

from __future__ import annotations

import tempfile
from types import TracebackType

from django.db import connection


class CountedStatements:
    """Counts what the test's connection sends while the block runs (statements prepared and executed)."""

    number = 0

    def __enter__(self) -> CountedStatements:
        connection.ensure_connection()
        self._file = tempfile.TemporaryFile("w+")
        connection.connection.pgconn.trace(self._file.fileno())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connection.connection.pgconn.untrace()
        self._file.seek(0)
        lines = [line.split("\t") for line in self._file]
        self._file.close()
        self.number = sum(
            1
            for line in lines
            if len(line) > 3 and line[1] == "F" and line[3] in {"Execute", "Query"}
        )
