"""The refusal of a results file, with the place in it."""

from __future__ import annotations

from apps.core.errors import Invalid


class Malformed(Invalid):
    """The file is not what it has to be; `line` counts from 1, 0 where the whole file is meant."""

    def __init__(self, reason: str, line: int = 0) -> None:
        self.reason, self.line = reason, line
        said = f"Line {line}: {reason}" if line else f"{reason[:1].upper()}{reason[1:]}"
        super().__init__(f"{said}.", fields={"file": f"{said}."})
