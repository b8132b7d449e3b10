"""Which metrics, parameters and tags the table of runs shows: held in the address as ?show=metrics.auc&show=params.lr."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apps.experiments.selectors import RunKeys

KINDS: Final = {"metrics": "Metrics", "params": "Parameters", "tags": "Tags"}
MOST: Final = 20
OFFERED: Final = 100
FIRST: Final = {"metrics": 3, "params": 2}
SYSTEM: Final = ("system/", "mlflow.")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column beside the fixed ones."""

    kind: str
    key: str

    @property
    def value(self) -> str:
        """As the address and the sort key have it."""
        return f"{self.kind}.{self.key}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A column that could be shown."""

    value: str
    label: str
    chosen: bool


def chosen(asked: Sequence[str], keys: RunKeys, *, remembered: bool) -> list[Chosen]:
    """The columns asked for; without a choice (`remembered` tells), the most common metrics, and parameters
    that tell the runs apart."""
    if asked or remembered:
        parsed = [Chosen(*each.split(".", 1)) for each in dict.fromkeys(asked) if "." in each]
        return [each for each in parsed if each.kind in KINDS and each.key][:MOST]
    first = {"metrics": keys.metrics, "params": keys.varying or keys.params}
    return [
        Chosen(kind, key)
        for kind, most in FIRST.items()
        for key in [key for key in first[kind] if not key.startswith(SYSTEM)][:most]
    ]


def choices(shown: Sequence[Chosen], keys: RunKeys) -> list[tuple[str, list[Choice]]]:
    """What can be ticked, by kind; what is shown already is always among it."""
    found = []
    for kind, label in KINDS.items():
        ticked = [each.key for each in shown if each.kind == kind]
        offered = dict.fromkeys([*ticked, *_keys(keys, kind)[:OFFERED]])
        columns = [Choice(f"{kind}.{key}", key, key in ticked) for key in offered]
        if columns:
            found.append((label, columns))
    return found


def _keys(keys: RunKeys, kind: str) -> Sequence[str]:
    return {"metrics": keys.metrics, "params": keys.params, "tags": keys.tags}[kind]
