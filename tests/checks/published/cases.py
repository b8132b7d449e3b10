"""What a published figure is here, and how it is held against what the checks say.

A case is a data set that somebody published figures of: it is written to a file, read by the engine and measured by its kind
of check. Only counts, values and figures are taken from the sources; `docs/checks/published.md` is made from the cases.
"""

from __future__ import annotations

import functools
import itertools
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from django.conf import settings

from apps.checks import kinds
from apps.checks.engine.compute import DataSet
from apps.checks.kinds.base import Task
from tests.checks.support import data_set, workshop

_names = itertools.count()


@dataclass(frozen=True, slots=True)
class Printed:
    """A figure as its source prints it, and where it stands in the result. A share may be printed in per cent.

    `off` is by how many units of the last printed digit it may differ: one half where the source rounds, one where it cuts.
    """

    what: str
    text: str
    found: Callable[[Any], float | str | None]
    off: float = 0.5

    def value(self, result: Any) -> float:
        """What the result says; NaN where it says nothing."""
        found = self.found(result)
        return math.nan if found is None else float(found)

    def agrees(self, result: Any) -> bool:
        """Whether it is the printed number, to the last printed digit."""
        number, unit = self._number()
        return abs(self.value(result) - number) <= self.off * unit * (1 + 1e-9) + 1e-15

    def _number(self) -> tuple[float, float]:
        digits = self.text.removesuffix("%").strip()
        scale = 100 if self.text.endswith("%") else 1
        mantissa, _, exponent = digits.partition("e")
        decimals = len(mantissa.partition(".")[2])
        return float(digits) / scale, 10.0 ** (int(exponent or 0) - decimals) / scale


@dataclass(frozen=True, slots=True)
class Case:
    """One data set with its source. `note` says where a convention differs from the source's."""

    key: str
    kind: str
    data: str
    source: str
    measure: Callable[[], Any]
    printed: tuple[Printed, ...]
    note: str = ""


def rows(names: Sequence[str], counts: Mapping[tuple[Any, ...], int]) -> pd.DataFrame:
    """One row each, from how often these values occur together."""
    every = [values for values, count in counts.items() for _ in range(count)]
    return pd.DataFrame(every, columns=list(names))


def stored(frame: pd.DataFrame, favourable: str = "1", **mapping: Any) -> DataSet:
    """Written to a file, inspected, and declared."""
    folder = Path(tempfile.mkdtemp(prefix="published-", dir=settings.VAR))
    path = folder / f"{next(_names)}.csv"
    frame.to_csv(path, index=False)
    return data_set(path, favourable=favourable, **mapping)


def measured(kind: str, *data: DataSet, **params: Any) -> Any:
    """The result as a worker would store it, from the files."""
    known = kinds.get(kind)
    chosen = known.checked(known.params(**params))
    known.require([each.mapping.to_data() for each in data])
    return known.run(Task(workshop(), data), chosen)[1]


def selected(counts: Mapping[str, tuple[int, int]], **params: Any) -> Callable[[], Any]:
    """The bias audit of people of some groups: selected of assessed."""
    table = {
        (group, outcome): count
        for group, (chosen, total) in counts.items()
        for outcome, count in ((1, chosen), (0, total - chosen))
        if count
    }

    def measure() -> Any:
        frame = rows(["group", "p"], table).assign(y=lambda frame: frame["p"])
        data = stored(frame, target="y", prediction="p", sensitive=["group"])
        return measured("bias_audit", data, min_n=1, **params)

    return measure


def group(result: Any, label: str) -> Any:
    """A group of the first grouping of a bias audit or a fairness check."""
    first = (result.audits if hasattr(result, "audits") else result.groupings)[0]
    return next(each for each in first.groups if each.label == label)


def share(label: str) -> Callable[[Any], str | None]:
    """The selection rate of a group of a bias audit."""
    return lambda result: group(result, label).rate.value  # type: ignore[no-any-return]


def ratio(label: str) -> Callable[[Any], str | None]:
    """The impact ratio of a group of a bias audit."""
    return lambda result: group(result, label).comparison.ratio.value  # type: ignore[no-any-return]


def metric(key: str, part: str = "value") -> Callable[[Any], str | None]:
    """A number of a performance check, or one end of its interval."""
    return lambda result: getattr(result.metrics[key], part)  # type: ignore[no-any-return]


@functools.cache
def result_of(case: Case) -> Any:
    """Measured once for all tests."""
    return case.measure()
