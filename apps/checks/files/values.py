"""What is known of the things on a pickle's stack: enough to name what is imported and called, no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


class Mark:
    """Where a list of arguments begins."""


@dataclass(frozen=True, slots=True)
class Name:
    """Something imported."""

    module: str
    name: str


@dataclass(slots=True)
class Made:
    """What a call gives, as far as it matters: of what, with which arguments, with which state."""

    of: object
    args: object = None
    state: object = None


@dataclass(slots=True)
class Import:
    """A name of the stream: where it stands first, how often, whether it is called."""

    module: str
    name: str
    at: int
    count: int = 0
    called: bool = False
    hidden: bool = False


@dataclass(slots=True)
class Account:
    """What following a stream found. `ended` says that it came to its STOP; else `broken` says why not."""

    imports: dict[tuple[str, str], Import] = field(default_factory=dict)
    ops: int = 0
    calls: int = 0
    ended: bool = False
    broken: str = ""
    limited: bool = False
    at: int = 0


MARK: Final = Mark()
THING: Final = object()  # something of which nothing has to be known
TEXT: Final = object()  # a text that is no name
WRAPPER: Final = Name("joblib.numpy_pickle", "NumpyArrayWrapper")
