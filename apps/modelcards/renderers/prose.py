"""What people wrote, as Markdown that cannot leave its place: parsed as the site shows it, written anew from the parse.

Guarantee: nothing a person types closes or opens anything around it. Fences and lists end where their text ends, headings
stand below the block's own, raw HTML is text, no image and no link but http(s) and mailto, no reference definitions. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final
from urllib.parse import quote

from markdown_it.tree import SyntaxTreeNode

from apps.modelcards import content

Lines = list[str]

_ALWAYS = re.compile(r"([\\`*\[\]<>|~])")
_LINE_START = re.compile(r"^(\s*)([#+=:-])")
_NUMBERED = re.compile(r"^(\s*\d{1,9})([.)])(?=\s|$)")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_BAR = re.compile(r"(?<!\\)\|")
_OUTSIDE_URL = re.compile(r"[<>|\\\s]")
_SCHEMES: Final = ("http://", "https://", "mailto:")


def markdown(text: str) -> str:
    """The text in Markdown; without a line break at either end."""
    tree = SyntaxTreeNode(content.parsed(text))
    return "\n".join(_blocks(tree.children)).strip("\n")


def escaped(text: str) -> str:
    """Plain text as one line of Markdown that reads as what it is, also in a table's cell."""
    return _escaped(" ".join(text.split()))


def fenced(text: str) -> str:
    """Plain text as inline code."""
    line = " ".join(text.split())
    if not line:
        return ""
    ticks = _ticks(line, 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def address(url: str) -> str:
    """A URL that stays within <> and a table's cell."""
    return _OUTSIDE_URL.sub(lambda match: quote(match[0]), url)


def _escaped(line: str) -> str:
    line = _ALWAYS.sub(r"\\\1", line)
    line = _UNDERSCORE.sub(r"\\_", line)
    line = _ENTITY.sub("&amp;", line)
    line = _LINE_START.sub(r"\1\\\2", line)
    line = _NUMBERED.sub(r"\1\\\2", line)
    # Before a link it would make a picture of it.
    return line[:-1] + "\\!" if line.endswith("!") else line


def _blocks(nodes: list[SyntaxTreeNode], *, tight: bool = False) -> Lines:
    lines: Lines = []
    for node in nodes:
        if lines and not (tight and node.type in {"paragraph", "bullet_list", "ordered_list"}):
            lines.append("")
        lines += _WRITERS[node.type](node)
    return lines


def _paragraph(node: SyntaxTreeNode) -> Lines:
    return _inline(node.children).split("\n")


def _heading(node: SyntaxTreeNode) -> Lines:
    level = {"h4": 4, "h5": 5}.get(node.tag, 5)
    return ["#" * level + " " + _inline(node.children).replace("\\\n", " ").replace("\n", " ")]


def _list(node: SyntaxTreeNode) -> Lines:
    lines: Lines = []
    number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    for item in node.children:
        tight = any(child.type == "paragraph" and child.hidden for child in item.children)
        mark = f"{number}{node.markup} " if number is not None else f"{node.markup} "
        if lines and not tight:
            lines.append("")
        lines += _indented(_blocks(item.children, tight=tight) or [""], mark, " " * len(mark))
        number = None if number is None else number + 1
    return lines


def _quote(node: SyntaxTreeNode) -> Lines:
    return _indented(_blocks(node.children) or [""], "> ", "> ")


def _code(node: SyntaxTreeNode) -> Lines:
    ticks = _ticks(node.content, 3)
    word = re.match(r"[\w+#.-]{0,40}", node.info or "")
    lines = node.content.removesuffix("\n").split("\n") if node.content else []
    return [ticks + (word[0] if word else ""), *lines, ticks]


def _rule(_: SyntaxTreeNode) -> Lines:
    return ["___"]


def _table(node: SyntaxTreeNode) -> Lines:
    rows = [row for part in node.children for row in part.children]
    lines = ["| " + " | ".join(_cell(cell) for cell in row.children) + " |" for row in rows]
    columns = len(rows[0].children)
    return [lines[0], "|" + " --- |" * columns, *lines[1:]]


def _cell(node: SyntaxTreeNode) -> str:
    """On one line; a bar would end it even within code."""
    return _BAR.sub(r"\\|", _inline(node.children).replace("\n", " "))


def _indented(lines: Lines, first: str, others: str) -> Lines:
    return [
        (first if at == 0 else others) + line if line else (first if at == 0 else others).rstrip()
        for at, line in enumerate(lines)
    ]


def _ticks(text: str, least: int) -> str:
    runs = [len(list(run)) for char, run in groupby(text) if char == "`"]
    return "`" * max(least, max(runs, default=0) + 1)


def _inline(nodes: list[SyntaxTreeNode]) -> str:
    """Lines are escaped one by one: what stands first in a line means more than elsewhere."""
    return "".join(_spans(nodes))


def _spans(nodes: list[SyntaxTreeNode]) -> Iterator[str]:
    at_start = True
    for node in nodes:
        if node.type == "inline":
            yield from _spans(node.children)
        elif node.type == "text":
            text = _escaped(node.content) if at_start else _within(node.content)
            yield text.lstrip() if at_start else text
        elif node.type == "softbreak":
            yield "\n"
        elif node.type == "hardbreak":
            yield "\\\n"
        elif node.type == "code_inline":
            yield fenced(node.content)
        elif node.type == "link":
            yield _link(node)
        else:
            yield node.markup + _inline(node.children) + node.markup
        at_start = node.type in {"softbreak", "hardbreak"}


def _within(text: str) -> str:
    """Text that does not stand first in its line."""
    return _escaped("x" + text)[1:]


def _link(node: SyntaxTreeNode) -> str:
    words = _inline(node.children)
    href = str(node.attrs.get("href", ""))
    if not href.lower().startswith(_SCHEMES):
        return words
    return f"[{words}](<{address(href)}>)"


_WRITERS: Final[dict[str, Callable[[SyntaxTreeNode], Lines]]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "bullet_list": _list,
    "ordered_list": _list,
    "blockquote": _quote,
    "fence": _code,
    "code_block": _code,
    "hr": _rule,
    "table": _table,
}
