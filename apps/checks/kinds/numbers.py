"""What the built-in kinds that count rows have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Final

HOME: Final = Path(__file__).parents[1]
# What can change a number. Limits and verdicts cannot: they are applied afterwards.
SOURCES: Final = (
    "engine/*.py",
    "library/bootstrap.py",
    "library/columns.py",
    "library/delta.py",
    "library/drift.py",
    "library/estimates.py",
    "library/fairness.py",
    "library/gaps.py",
    "library/groupings.py",
    "library/groups.py",
    "library/intervals.py",
    "library/paired.py",
    "library/parted.py",
    "library/performance.py",
    "library/scored.py",
    "statistics.py",
)
LIBRARIES: Final = ("duckdb", "fairlearn", "msgspec", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")  # fmt: skip
