"""A card as plain data: what `selectors.card` builds and every renderer takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from apps.core.parts import Missing, Part
from apps.modelcards import schema
from apps.modelcards.templating import shipped_templates
from apps.modelcards.templating.document import CardTemplate

KEPT = "The card's template does not ask for this; what was written stays."


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a computed block was computed from; `digest` pins it, `link` leads to it."""

    label: str
    link: str = ""
    digest: str = ""


class Computed(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of a computed block and its sources."""

    parts: tuple[Part, ...]
    sources: tuple[Source, ...] = ()


class Prose(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of a human block: Markdown, its author's printed name, when it got this wording."""

    text: str
    author: str
    author_id: int
    at: str


class CardBlock(msgspec.Struct, frozen=True, omit_defaults=True):
    key: str
    title: str
    help: str
    kind: schema.Kind
    required: bool = False
    prose: Prose | None = None
    computed: Computed | None = None
    kept: bool = False

    @property
    def is_gap(self) -> bool:
        """A required human block without text."""
        return self.required and self.kind == "human" and self.prose is None

    @property
    def is_missing(self) -> bool:
        """A computed block that had nothing to compute from."""
        return self.computed is not None and any(
            isinstance(part, Missing) for part in self.computed.parts
        )


class CardSection(msgspec.Struct, frozen=True, omit_defaults=True):
    number: int
    key: str
    title: str
    blocks: tuple[CardBlock, ...]


class Gap(msgspec.Struct, frozen=True, omit_defaults=True):
    """A required block nobody has answered."""

    key: str
    title: str
    section: str


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version's card at one revision. `revision` 0 means: nobody has written anything yet."""

    schema: str
    model: str
    version: int
    sections: tuple[CardSection, ...]
    revision: int = 0
    digest: str = ""
    author: str = ""
    at: str = ""
    template: str = ""
    template_title: str = ""
    template_digest: str = ""

    @property
    def blocks(self) -> Iterator[CardBlock]:
        return (block for section in self.sections for block in section.blocks)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return tuple(
            Gap(block.key, block.title, section.title)
            for section in self.sections
            for block in section.blocks
            if block.is_gap
        )

    def block(self, key: str) -> CardBlock:
        """One block by key; KeyError if the schema has none such."""
        for block in self.blocks:
            if block.key == key:
                return block
        raise KeyError(key)

    def texts(self) -> dict[str, str]:
        """The human blocks as they would be edited."""
        return {block.key: block.prose.text for block in self.blocks if block.prose}


def build_sections(
    *,
    computed: Mapping[str, Computed],
    prose: Mapping[str, Prose],
    required: Iterable[str] = schema.REQUIRED_BY_DEFAULT,
    template: CardTemplate = shipped_templates.FIRST,
    kept: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[CardSection, ...]:
    """The nine sections as the template lays them out, each block filled from the record or from people, gaps left
    visible; text that the template does not ask for (`kept`: its title and section) stands at the end of its section.

    A computed block without content is refused (KeyError): leaving one out would hide a gap.
    """
    wanted = frozenset(required)
    return tuple(
        CardSection(
            number,
            section.key,
            section.title,
            (
                *(_filled(block, computed, prose, wanted) for block in section.blocks),
                *_kept(section.key, prose, kept or {}),
            ),
        )
        for number, section in enumerate(template.sections, start=1)
    )


def _kept(
    section: str, prose: Mapping[str, Prose], kept: Mapping[str, Mapping[str, str]]
) -> Iterator[CardBlock]:
    for key, name in kept.items():
        if name["section"] == section:
            yield CardBlock(key, name["title"], KEPT, "human", prose=prose[key], kept=True)


def _filled(
    block: schema.Block,
    computed: Mapping[str, Computed],
    prose: Mapping[str, Prose],
    required: frozenset[str],
) -> CardBlock:
    return CardBlock(
        key=block.key,
        title=block.title,
        help=block.help,
        kind=block.kind,
        required=block.key in required,
        prose=prose.get(block.key) if block.kind == "human" else None,
        computed=computed[block.key] if block.kind == "computed" else None,
    )


def as_data(value: Any) -> Any:
    """A card (or any struct of these) as canonical-ready plain data: dicts, lists, strings, ints."""
    return msgspec.to_builtins(value)
