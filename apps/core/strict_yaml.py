"""YAML that people upload, read as plain data and refused with the line of what is wrong.

Plain data only: no aliases (a few lines could unfold to gigabytes), no key twice, no key that is not text, no dates
made of text (JSON has none). Not checked: what the data mean; that is for whoever reads them.
"""

from __future__ import annotations

from typing import Any

import yaml

from apps.core.errors import Invalid


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise refused("aliases (*name) are not read here", self.line + 1)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise refused(f"the key {key!r} is not text", key_node.start_mark.line + 1)
            if key in seen:
                raise refused(f"the key {key} stands there twice", key_node.start_mark.line + 1)
            seen.add(key)
        return super().construct_mapping(node, deep)


# "2026-04-17" stays text.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def composed(text: str, *, most: int, what: str, keys: str) -> tuple[Any, dict[str, Any]]:
    """The nodes (for their lines) and the data of `what`, a mapping of at most `most` characters.

    Raises Invalid, with the line, for text that is no such YAML; `keys` are examples of what was expected.
    """
    if len(text) > most:
        raise Invalid(f"{what} has at most {most:,} characters.", fields={"text": "length"})
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, made stricter
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise refused(str(reason), mark.line + 1 if mark else 1) from error
    except RecursionError as error:
        raise refused("it is nested too deeply", 1) from error
    if not isinstance(data, dict):
        raise refused(f"expected keys such as {keys}", 1)
    return node, data


def refused(reason: str, line: int) -> Invalid:
    """The refusal of one line."""
    return Invalid(f"Line {line}: {reason}.", fields={f"line {line}": reason})
