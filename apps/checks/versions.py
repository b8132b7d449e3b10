"""With what a measurement was made: the digest of the code that counts and judges, and the libraries."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

_HERE = Path(__file__).parent
# What can change a number. Limits and verdicts cannot: they are applied afterwards.
_CODE: dict[str, tuple[str, ...]] = {"files": ("files/*.py",)}
_CODE_OF_NUMBERS = (
    "engine/*.py",
    "library/columns.py",
    "library/drift.py",
    "library/estimates.py",
    "library/fairness.py",
    "library/gaps.py",
    "library/groups.py",
    "library/intervals.py",
    "library/performance.py",
    "statistics.py",
)
_LIBRARIES = {"files": ("picklescan",)}
_LIBRARIES_OF_NUMBERS = (
    "duckdb",
    "fairlearn",
    "msgspec",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
)


@functools.cache
def code_version(kind: str = "") -> str:
    """SHA-256 over the sources that produce a result: nobody has to remember to raise a version. The scan of
    files shares none with the checks that count rows."""
    digest = hashlib.sha256()
    for pattern in _CODE.get(kind, _CODE_OF_NUMBERS):
        for path in sorted(_HERE.glob(pattern)):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(_HERE).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


@functools.cache
def libraries(kind: str = "") -> dict[str, str]:
    """The installed versions of everything that takes part in a result of this kind."""
    found = {name: version(name) for name in _LIBRARIES.get(kind, _LIBRARIES_OF_NUMBERS)}
    return {"python": platform.python_version(), **found}
