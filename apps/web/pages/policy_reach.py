"""Which models a change of policy reaches, as facts: a few names, and how many more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.registry.models import RegisteredModel
from apps.reviews.reads.reach import Reach
from apps.web import cells, words
from apps.web.parts import Cell, Fact

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Reached:
    """What changes for whom; models that are not seen by the reader are not counted."""

    facts: Sequence[Fact]


def reached(found: Reach) -> Reached:
    """Who begins to be covered, who is no longer, who stays."""
    return Reached(
        [
            Fact("Begin to be covered", _names(found.begins)),
            Fact("Are covered no longer", _names(found.ends)),
            Fact("Stay covered, by the new rules", _names(found.stays)),
        ]
    )


def _names(models: Sequence[RegisteredModel]) -> Cell:
    if not models:
        return cells.missing("no model")
    names = ", ".join(f"{model.name} (tier {model.risk_tier})" for model in models[:SHOWN])
    more = len(models) - SHOWN
    return cells.text(
        words.plural(len(models), "model"), note=names + (f" and {more} more" if more > 0 else "")
    )
