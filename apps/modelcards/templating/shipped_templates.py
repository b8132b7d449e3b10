"""The templates that come with the product. Each version is pinned: `shipped/digests.json` names its digest, and one that
is something else is refused when it is loaded, because cards have named it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from apps.core.errors import Tampered
from apps.modelcards import schema
from apps.modelcards.templating.blocks import KNOWN
from apps.modelcards.templating.document import SCHEMA, Applies, CardTemplate, load

FOLDER: Final = Path(__file__).parent / "shipped"

# What every card was before there were templates.
FIRST: Final = CardTemplate(
    schema=SCHEMA,
    key="standard",
    number=1,
    title="Standard card",
    about="All nine sections of Mitchell et al. 2019, as cards were before there were templates.",
    applies_to=Applies(),
    sections=schema.SECTIONS,
)


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, CardTemplate]:
    """Every shipped version by its name (key/number). Raises Tampered for one that is not what was pinned."""
    pinned = json.loads((FOLDER / "digests.json").read_text(encoding="utf-8"))
    found = {template.name: template for template in (FIRST, *_files())}
    for name, template in found.items():
        if pinned.get(name) != template.digest:
            raise Tampered(
                f"The card template {name} has digest {template.digest}, expected {pinned.get(name)}."
            )
    return found


def _files() -> list[CardTemplate]:
    """`<key>-<number>.yaml`, each."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        key, _, number = path.stem.rpartition("-")
        template = load(path.read_text(encoding="utf-8"), int(number), KNOWN)
        if template.key != key:
            raise Tampered(f"The card template {path.name} says it is {template.key}.")
        found.append(template)
    return found


def shipped_source(template: CardTemplate) -> str:
    """The file of a shipped version; the first one has none and is written out."""
    path = FOLDER / f"{template.key}-{template.number}.yaml"
    return path.read_text(encoding="utf-8") if path.is_file() else written_out(template)


def written_out(template: CardTemplate) -> str:
    """A template as YAML with its key, title and blocks by name."""
    lines = [f"key: {template.key}", f"title: {template.title}", "sections:"]
    for section in template.sections:
        lines.append(f"  {section.key}:")
        for block in section.blocks:
            required = ", required: true" if block.required else ""
            lines.append(f"    - {{key: {block.key}{required}}}")
    return "\n".join(lines) + "\n"
