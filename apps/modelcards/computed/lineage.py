"""Where a version comes from and what it stands beside: run, data, the version before it, the versions in use. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from apps.core.parts import Cell, Column, Fact, Facts, Missing, Part, Table
from apps.modelcards.card import Computed


class Relative(msgspec.Struct, frozen=True):
    """Another version of the model; `targets` are the governed ones that it holds."""

    label: str
    url: str
    registered: str
    targets: tuple[str, ...] = ()


def lineage(
    run: Cell | None,
    data: Sequence[str],
    before: Relative | None,
    in_use: Sequence[Relative],
) -> Computed:
    """The run with the data it logged, the version before, and the versions in governed targets."""
    rows = [
        Fact("Run", run or Cell("none that this site knows")),
        Fact("Trained on", Cell(", ".join(data) or "the run logged no data set")),
        Fact(
            "Version before it",
            Cell(f"{before.label}, registered {before.registered}", before.url)
            if before
            else Cell("none, it is the first"),
        ),
    ]
    parts: list[Part] = [Facts(tuple(rows))]
    parts.append(_in_use(in_use) if in_use else Missing("No version is in a governed target."))
    return Computed(tuple(parts))


def _in_use(versions: Sequence[Relative]) -> Table:
    head = (Column("Version in use"), Column("Targets"), Column("Registered"))
    rows = tuple(
        (Cell(each.label, each.url), Cell(", ".join(each.targets)), Cell(each.registered))
        for each in versions
    )
    return Table("Versions in governed targets", head, rows)
