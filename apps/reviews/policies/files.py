"""Policies as YAML: what people keep in a repository, exchange and read.

`dump` writes what `load` reads back to the same document. A document that is not valid is refused with the line
and the reason, at the first key on the path to what is wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from apps.core import strict_yaml
from apps.core.errors import Invalid
from apps.reviews.policies.document import PolicyDocument, parse, plain

MAX_LENGTH: Final = 200_000
_PACKS: Final = Path(__file__).parent / "packs"


def load(text: str, **fixed: Any) -> PolicyDocument:
    """The document that the YAML says, with `fixed` top-level values instead of its own.

    Raises Invalid with the line and the reason of everything that is wrong.
    """
    node, data = _composed(text)
    try:
        return parse(data | fixed)
    except Invalid as error:
        lines = {
            f"line {_line(node, path)}, {path}": reason for path, reason in error.fields.items()
        }
        first = "; ".join(f"{where}: {reason}" for where, reason in lines.items())
        raise Invalid(f"The policy is not valid: {first}.", fields=lines) from error


def read(text: str) -> dict[str, Any]:
    """The keys and values of the YAML, which need not be a valid policy. Raises Invalid with the line for what is no YAML."""
    return _composed(text)[1]


def _composed(text: str) -> tuple[Any, dict[str, Any]]:
    keys = "`title:` and `steps:`"
    return strict_yaml.composed(text, most=MAX_LENGTH, what="A policy", keys=keys)


def _line(node: Any, path: str) -> int:
    """The line of the deepest key of the path that is there."""
    line = 1
    for part in path.split("."):
        node, line = _step(node, part, line)
        if node is None:
            break
    return line


def _step(node: Any, part: str, line: int) -> tuple[Any, int]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        found = node.value[int(part)]
        return found, found.start_mark.line + 1
    return None, line


class _Dumper(yaml.SafeDumper):
    """Indented lists, as people write them; never an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump(document: PolicyDocument) -> str:
    """The document as YAML, keys in the order of the reference, without its number (the site gives one)."""
    data = plain(document)
    data.pop("number", None)
    return write(data)


def write(data: dict[str, Any]) -> str:
    """Plain data as YAML, in the order in which it is given."""
    return yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=False,
    )


def packs() -> Sequence[PolicyDocument]:
    """The ready-made policies that come with the product, by key; each says where its rules come from."""
    return [
        load(path.read_text(encoding="utf-8"), number=1) for path in sorted(_PACKS.glob("*.yaml"))
    ]


def in_force(document: PolicyDocument, day: dt.date) -> bool:
    """Whether the rule a ready-made policy follows is in force on that day."""
    source = document.source
    if source is None:
        return True
    begun = source.effective_from is None or source.effective_from <= day
    return begun and (source.effective_to is None or day <= source.effective_to)
