"""The mapping of Annex IV as data: read once from its file, refused at start where it names what does not exist."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from apps.compliance.reports.fields import Field
from apps.modelcards import schema

FILE = Path(__file__).resolve().parents[1] / "frameworks" / "annex-iv.yaml"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing the annex asks for: what must be there, and what is shown if it is."""

    ref: str
    title: str
    needs: tuple[str, ...] = msgspec.field(name="from")
    also: tuple[str, ...] = ()


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int
    title: str
    lines: tuple[Line, ...]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    label: str
    help: str
    kind: Literal["line", "text"] = "text"


class Annex(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["countersign.annex/1"]
    law: str
    source: str
    blocks: tuple[Block, ...]
    fields: dict[str, Asked]

    def named(self) -> set[str]:
        """Every source that a line names."""
        lines = [line for block in self.blocks for line in block.lines]
        named = [name for line in lines for name in (*line.needs, *line.also)]
        return {each for name in named for each in name.split("|")}


@lru_cache(maxsize=1)
def annex() -> Annex:
    """The mapping; msgspec.ValidationError for a wrong shape, ValueError for a line without a source or one that names a
    block of the card or a field that does not exist."""
    found = msgspec.convert(yaml.safe_load(FILE.read_text(encoding="utf-8")), Annex)
    if any(not line.needs for block in found.blocks for line in block.lines):
        raise ValueError("a line of annex-iv.yaml is answered from nowhere")
    known = {f"card.{key}" for key in schema.BLOCKS} | {f"stated.{key}" for key in found.fields}
    unknown = sorted(name for name in found.named() - known if not name.startswith("record."))
    if unknown:
        raise ValueError(f"annex-iv.yaml names what does not exist: {', '.join(unknown)}")
    return found


def fields() -> tuple[Field, ...]:
    """What a person may state, in the order of the annex."""
    asked = annex().fields.items()
    return tuple(Field(key, each.label, each.help, each.kind) for key, each in asked)
