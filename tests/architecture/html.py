"""Reading a page as a browser and as a screen reader would: what the checks of templates ask of it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib

HTML = "{http://www.w3.org/1999/xhtml}"
CONTROLS = {"input", "select", "textarea"}


class Page:
    """A parsed page, with the parser's complaints."""

    def __init__(self, text: str, *, fragment: bool = False) -> None:
        parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"))
        self.root: Element = (
            parser.parseFragment(text, container="div") if fragment else parser.parse(text)
        )
        self.errors = [f"{code} {data} at {place}" for place, code, data in parser.errors]
        self._parents = {child: parent for parent in self.root.iter() for child in parent}

    def all(self, *names: str) -> Iterator[Element]:
        """Elements of these names in document order, except what is inside a <template>."""
        for element in self.root.iter():
            if tag(element) in names and not self._inside(element, "template"):
                yield element

    def problems(self) -> list[str]:
        """Everything that is wrong, in sentences."""
        return [
            *self.errors,
            *self._headings(),
            *self._ids(),
            *self._names(),
            *self._inline(),
            *self._frame(),
        ]

    def _headings(self) -> Iterator[str]:
        levels = [int(tag(each)[1]) for each in self.all("h1", "h2", "h3", "h4", "h5", "h6")]
        if levels.count(1) != 1:
            yield f"{levels.count(1)} h1 instead of one"
        for before, after in itertools.pairwise(levels):
            if after > before + 1:
                yield f"a heading jumps from h{before} to h{after}"

    def _ids(self) -> Iterator[str]:
        ids = Counter(each.get("id") for each in self.root.iter() if each.get("id"))
        yield from (
            f"the id {name} is there {count} times" for name, count in ids.items() if count > 1
        )
        for each in self.root.iter():
            for attribute in ("for", "aria-labelledby", "aria-describedby"):
                for name in (each.get(attribute) or "").split():
                    if name not in ids:
                        yield f"{attribute}={name} points nowhere"

    def _names(self) -> Iterator[str]:
        yield from self._labels()
        for each in self.all("a", "button", "summary"):
            if not (each.get("aria-label") or words(each)):
                yield f"a <{tag(each)}> without a name: {each.attrib}"
        for each in self.all("img"):
            if each.get("alt") is None:
                yield f"the image {each.get('src')} has no alt"
        for each in self.all("table"):
            if not any(tag(child) == "caption" for child in each):
                yield "a table without a caption"

    def _labels(self) -> Iterator[str]:
        labelled = {each.get("for") for each in self.all("label")}
        for each in self.all(*CONTROLS):
            if each.get("type") in {"hidden", "submit"} or each.get("id") in labelled:
                continue
            if not (each.get("aria-label") or self._inside(each, "label")):
                yield f"the control {each.get('name')} has no label"

    def _inline(self) -> Iterator[str]:
        for each in self.root.iter():
            for attribute in each.attrib:
                if attribute == "style" or attribute.startswith(("on", "hx-on")):
                    yield f"<{tag(each)} {attribute}>: inline, the policy forbids it"
            if tag(each) == "style" or (tag(each) == "script" and not each.get("src")):
                yield f"an inline <{tag(each)}>"

    def _frame(self) -> Iterator[str]:
        if tag(self.root) != "html":
            return
        if not self.root.get("lang"):
            yield "the page does not say its language"
        titles = ["".join(each.itertext()).strip() for each in self.all("title")]
        if len(titles) != 1 or titles[0].startswith("·"):
            yield f"the page's title is {titles}"
        mains = sum(1 for _ in self.all("main"))
        if mains != 1:
            yield f"{mains} main landmarks"

    def _inside(self, element: Element, name: str) -> bool:
        above = self._parents.get(element)
        while above is not None:
            if tag(above) == name:
                return True
            above = self._parents.get(above)
        return False


def tag(element: Element) -> str:
    """The name of an HTML element; of an SVG element with its namespace."""
    return str(element.tag).removeprefix(HTML)


def words(element: Element) -> str:
    """What a screen reader says of an element's content, as far as it is text or a labelled picture."""
    found = [element.text or ""]
    for child in element:
        if child.get("aria-hidden") != "true":
            found.append(child.get("aria-label") or child.get("alt") or words(child))
        found.append(child.tail or "")
    return "".join(found).strip()
