"""A card template as data: what people write (a source, YAML) and what is kept (the whole of it, spelled out).

A source may name a block that ships with the product by its key alone; what is kept holds every title, help text and
computed block, so that it means the same for ever, whatever ships later. Its digest is over those canonical bytes.

What a template can not do: hide a computed block (one that it leaves out stands at the end of its section), ask for a
computed block to be written, give a known key another kind or section, or ask for less than `FLOOR`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from apps.core import canonical, strict_yaml
from apps.core.errors import Invalid
from apps.modelcards import schema
from apps.modelcards.schema import Block, Kind, Section

SCHEMA: Final = "countersign.card-template/1"
MAX_LENGTH: Final = 200_000
MAX_BLOCKS: Final = 150
MAX_PROBLEMS: Final = 20
# What every card must say, whatever its template: without these nobody can tell a use from a misuse.
FLOOR: Final = ("summary", "primary_uses", "out_of_scope", "ethics", "limitations")

Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Title = Annotated[str, Meta(max_length=120, pattern=schema.PRINTABLE)]
Help = Annotated[str, Meta(max_length=600, pattern=schema.PRINTABLE)]
Tier = Annotated[int, Meta(ge=1, le=3)]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block as it is written down; title and help may be left out for a block that ships."""

    key: Key
    title: Title = ""
    help: Help = ""
    required: bool = False


class Applies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The models it is meant for: of one of these tiers (none: any) that carry each tag with one of its values.

    Without tiers and tags it applies to no model by itself; somebody chooses it.
    """

    tiers: tuple[Tier, ...] = ()
    tags: dict[Annotated[str, Meta(min_length=1, max_length=250)], tuple[str, ...]] = {}

    def to(self, tier: int, tags: Mapping[str, frozenset[str]]) -> bool:
        """Whether it is meant for a model of this tier and these tags (keys in lower case)."""
        if not (self.tiers or self.tags):
            return False
        return (not self.tiers or tier in self.tiers) and all(
            tags.get(key.lower(), frozenset()) & {*values} for key, values in self.tags.items()
        )


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template as people write it: sections by key, each a list of blocks."""

    key: Name
    title: Annotated[str, Meta(min_length=1, max_length=120, pattern=schema.PRINTABLE)]
    sections: dict[str, tuple[Source, ...]]
    about: Help = ""
    applies_to: Applies = Applies()


class CardTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One version of a template, spelled out. Nothing outside of it decides how a card of it is laid out."""

    schema: str
    key: Name
    number: int
    title: str
    about: str
    applies_to: Applies
    sections: tuple[Section, ...]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"

    @property
    def name(self) -> str:
        """key/number, as a policy and an address name it."""
        return f"{self.key}/{self.number}"

    @cached_property
    def blocks(self) -> dict[str, Block]:
        return {block.key: block for section in self.sections for block in section.blocks}

    @cached_property
    def human(self) -> tuple[str, ...]:
        """The keys of the blocks that people write, in order."""
        return tuple(key for key, block in self.blocks.items() if block.kind == "human")

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The keys of the blocks that must be answered, in order."""
        return tuple(key for key, block in self.blocks.items() if block.required)

    @cached_property
    def document(self) -> bytes:
        """The canonical bytes that are kept and hashed."""
        return canonical.dumps(msgspec.to_builtins(self))

    @cached_property
    def digest(self) -> str:
        return canonical.digest(self.document)

    def reference(self) -> dict[str, Any]:
        """How a revision names it."""
        return {"key": self.key, "number": self.number, "digest": self.digest}


def read(document: bytes) -> CardTemplate:
    """The template from its canonical bytes; msgspec.ValidationError for bytes that are none."""
    return msgspec.json.decode(document, type=CardTemplate)


def load(text: str, number: int, known: Mapping[str, Known]) -> CardTemplate:
    """The template that the YAML says, spelled out as version `number`. Raises Invalid naming what is wrong and where."""
    keys = "`key:`, `title:` and `sections:`"
    _, data = strict_yaml.composed(text, most=MAX_LENGTH, what="A card template", keys=keys)
    try:
        written = msgspec.convert(data, Written)
    except msgspec.ValidationError as error:
        raise _refused({"text": _plainly(str(error))}) from error
    problems = dict(_problems(written, known))
    if problems:
        raise _refused(problems)
    return _spelled_out(written, number, known)


def _plainly(said: str) -> str:
    """A regular expression tells nobody what is wrong."""
    expected, _, where = said.partition(" - at ")
    if "matching regex" in expected:
        shape = (
            "a plain name (lower case, digits, _)"
            if "[a-z]" in expected
            else "one line of text without control characters"
        )
        return f"{where}: expected {shape}"
    return said


class Known(msgspec.Struct, frozen=True):
    """A block that ships, and the section it belongs to."""

    section: str
    block: Block


def _refused(problems: Mapping[str, str]) -> Invalid:
    few = list(problems.items())[:MAX_PROBLEMS]
    said = "; ".join(f"{where}: {what}" if where != "text" else what for where, what in few)
    more = len(problems) - len(few)
    said += f"; and {more} more" if more else ""
    return Invalid(
        f"The card template is not valid: {said}.", fields={"text": said}, hint="Nothing was saved."
    )


def _problems(written: Written, known: Mapping[str, Known]) -> Iterator[tuple[str, str]]:
    sections = {section.key for section in schema.SECTIONS}
    for key in written.sections.keys() - sections:
        yield f"sections.{key[:60]}", f"no such section; there are {', '.join(sorted(sections))}"
    pairs = [(section, block) for section, blocks in written.sections.items() for block in blocks]
    if len(pairs) > MAX_BLOCKS:
        yield "sections", f"{len(pairs):,} blocks; a template may have {MAX_BLOCKS}"
        return
    seen: set[str] = set()
    for section, block in pairs:
        if block.key in seen:
            yield f"{section}.{block.key}", "the block stands there twice"
        seen.add(block.key)
        if problem := _problem(section, block, known.get(block.key)):
            yield f"{section}.{block.key}", problem
    asked = {block.key for _, block in pairs if block.required}
    for key in FLOOR:
        if key not in asked:
            yield key, "every template requires it (required: true)"


def _problem(section: str, block: Source, shipped: Known | None) -> str:
    if shipped is None:
        return "" if block.title and block.help else "a block of your own needs a title and a help"
    if shipped.section != section:
        return f"it belongs to {shipped.section}"
    if block.required and shipped.block.kind == "computed":
        return "it is computed; nobody can be required to write it"
    return ""


def _spelled_out(written: Written, number: int, known: Mapping[str, Known]) -> CardTemplate:
    return CardTemplate(
        schema=SCHEMA,
        key=written.key,
        number=number,
        title=written.title,
        about=written.about,
        applies_to=written.applies_to,
        sections=tuple(_section(section, written, known) for section in schema.SECTIONS),
    )


def _section(section: Section, written: Written, known: Mapping[str, Known]) -> Section:
    """The blocks as written, then the computed blocks that were left out: a template hides no number."""
    blocks = [_block(each, known) for each in written.sections.get(section.key, ())]
    named = {block.key for block in blocks}
    left = [
        each.block
        for key, each in known.items()
        if each.block.kind == "computed" and each.section == section.key and key not in named
    ]
    return Section(section.key, section.title, (*blocks, *left))


def _block(source: Source, known: Mapping[str, Known]) -> Block:
    shipped = known.get(source.key)
    kind: Kind = shipped.block.kind if shipped else "human"
    title = source.title or (shipped.block.title if shipped else "")
    help_ = source.help or (shipped.block.help if shipped else "")
    return Block(source.key, title, help_, kind, source.required)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of what people write, for editors that check YAML while one types."""
    return msgspec.json.schema(Written)
