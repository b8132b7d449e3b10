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

from apps.core.errors import Invalid
from apps.reviews.policies.document import PolicyDocument, parse, plain

MAX_LENGTH: Final = 200_000
_PACKS: Final = Path(__file__).parent / "packs"


class _Loader(yaml.SafeLoader):
    """Plain data only: no aliases (a few lines could unfold to gigabytes), no key twice, no dates made of text."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise _refused("aliases (*name) are not read here", self.line + 1)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _refused(f"the key {key!r} is not text", key_node.start_mark.line + 1)
            if key in seen:
                raise _refused(f"the key {key} stands there twice", key_node.start_mark.line + 1)
            seen.add(key)
        return super().construct_mapping(node, deep)


# "2026-04-17" stays text: JSON has no dates, and pydantic reads them.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


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
    if len(text) > MAX_LENGTH:
        raise Invalid(f"A policy has at most {MAX_LENGTH:,} characters.", fields={"text": "length"})
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, made stricter
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise _refused(str(reason), mark.line + 1 if mark else 1) from error
    except RecursionError as error:
        raise _refused("it is nested too deeply", 1) from error
    if not isinstance(data, dict):
        raise _refused("expected keys such as `title:` and `steps:`", 1)
    return node, data


def _refused(reason: str, line: int) -> Invalid:
    return Invalid(f"Line {line}: {reason}.", fields={f"line {line}": reason})


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
