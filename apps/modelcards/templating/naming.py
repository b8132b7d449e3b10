"""What the written blocks of cards are called, in the order in which they are read. Pure.

Cards of different templates are compared block by block: both need one list of names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from apps.modelcards import schema
from apps.modelcards.templating.blocks import KNOWN
from apps.modelcards.templating.document import CardTemplate

_SECTIONS: Final = {section.key: section.title for section in schema.SECTIONS}
_ORDER: Final = list(_SECTIONS)


@dataclass(frozen=True, slots=True)
class BlockName:
    """The title of a block and the key of its section."""

    title: str
    section: str

    @property
    def section_title(self) -> str:
        return _SECTIONS[self.section]


Names = Mapping[str, BlockName]


def of(*cards: tuple[CardTemplate, Mapping[str, Any]]) -> Names:
    """The names of every written block of these cards, each given as its template and what it kept.

    By section; within one in the order of the first card that has the block.
    """
    found: dict[str, BlockName] = {}
    for template, kept in cards:
        for key, name in _names(template, kept):
            found.setdefault(key, name)
    return _sorted(found)


def _names(
    template: CardTemplate, kept: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, BlockName]]:
    for section in template.sections:
        for block in section.blocks:
            if block.kind == "human":
                yield block.key, BlockName(block.title, section.key)
    for key, name in kept.items():
        yield key, BlockName(name["title"], name["section"])


def _sorted(names: Names) -> Names:
    """Sorting is stable: within a section the order stays."""
    ordered = sorted(names.items(), key=lambda pair: _ORDER.index(pair[1].section))
    return MappingProxyType(dict(ordered))


SHIPPED: Final[Names] = _sorted(
    {
        key: BlockName(known.block.title, known.section)
        for key, known in KNOWN.items()
        if known.block.kind == "human"
    }
)


def with_shipped(names: Names) -> Names:
    """These names, then every shipped block that they do not have."""
    return {**names, **{key: name for key, name in SHIPPED.items() if key not in names}}
