"""JUnit XML as pytest, Gradle, Maven, Jest, CTest and GoogleTest write it. There is no standard; this is what is taken.

Read by defusedxml, which refuses document types, entities and anything that would be fetched. Refused with the line:
what is not well-formed, elements that are no part of the format where a result could stand, nesting beyond MAX_DEPTH,
times that are no numbers, and a suite that declares more cases or more that went wrong than stand in it (something is
missing then). A verdict is the worst of a case's elements and its `status`.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from xml.sax import ErrorHandler, InputSource, SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import DefusedXmlException, DTDForbidden
from defusedxml.expatreader import create_parser

from apps.checks.uploaded import moments
from apps.checks.uploaded.malformed import Malformed
from apps.checks.uploaded.reading import (
    COUNTED,
    LONGEST_MESSAGE,
    LONGEST_NAME,
    Format,
    Item,
    Reading,
    clipped,
    outcome_of,
    shown,
)

READER: Final = "junit/1"
MAX_DEPTH: Final = 24
MAX_CASES: Final = 200_000

_SUITES: Final = frozenset({"testsuites", "testsuite"})
# What a case says of itself. The flaky ones are Maven Surefire's: it failed, was run again and passed.
_SAID: Final = {"error": "error", "failure": "failed", "skipped": "skipped"}
_AGAIN: Final = frozenset({"flakyFailure", "flakyError", "rerunFailure", "rerunError"})
# GoogleTest and CTest tell by an attribute what others tell by an element.
_STATUS: Final = {
    "notrun": "skipped", "disabled": "skipped", "skipped": "skipped", "fail": "failed", "failed": "failed", "error": "error",
}  # fmt: skip
# Not results: kept in the file, counted in the remarks, not read.
_KEPT: Final = frozenset({"properties", "system-out", "system-err"})
_SECONDS: Final = re.compile(
    r"[0-9]{1,3}(?:,[0-9]{3})*(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?|\.[0-9]+"
)
_WHOLE: Final = re.compile(r"[0-9]{1,9}")


def read(data: bytes) -> Reading:
    """What the file says; raises Malformed with line and reason."""
    _require_encoding(data)
    handler = _Handler()
    parser = create_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(handler)
    parser.setErrorHandler(ErrorHandler())
    source = InputSource()
    source.setByteStream(io.BytesIO(data))
    try:
        parser.parse(source)
    except SAXParseException as error:
        reason = f"it is not well-formed XML: {error.getMessage()}"
        raise Malformed(reason, error.getLineNumber() or 0) from None
    except DTDForbidden:
        raise Malformed(
            "a document type is not taken: it could define entities", handler.line
        ) from None
    except DefusedXmlException:
        raise Malformed(
            "entities and references to other files are not taken", handler.line
        ) from None
    except (SAXException, ValueError, LookupError) as error:
        raise Malformed(f"it cannot be read: {clipped(str(error), 200)}", handler.line) from None
    return handler.reading()


_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def _require_encoding(data: bytes) -> None:
    """Name the byte where the file is not the UTF-8 that it says (or that XML means where it says nothing)."""
    found = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf"))
    said = found.group(1).decode("ascii").lower() if found else "utf-8"
    if said not in {"utf-8", "utf8"} or data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"the byte 0x{data[error.start]:02x} is not UTF-8, and the file declares no other encoding"
        raise Malformed(reason, line) from None


@dataclass(slots=True)
class _Suite:
    """A suite that is open, with what stands in it and below."""

    line: int
    name: str
    declared: dict[str, int]
    cases: int = 0
    wrong: int = 0


@dataclass(slots=True)
class _Case:
    """A case that is open. `text` collects the words of its first element that tells what went wrong."""

    line: int
    name: str
    outcomes: list[str] = field(default_factory=list)
    elements: int = 0
    again: bool = False
    message: str = ""


class _Handler(ContentHandler):
    """Keeps what is open and the sums; memory does not grow with the cases that passed."""

    def __init__(self) -> None:
        super().__init__()
        self.locator: Locator | None = None
        self.open: list[str] = []
        self.suites: list[_Suite] = []
        self.case: _Case | None = None
        self.text: list[str] | None = None
        self.room = 0
        self.kept: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.items: list[Item] = []
        self.seconds, self.untimed = Decimal(0), 0
        self.moments: list[moments.Moment] = []
        self.names: list[str] = []

    @property
    def line(self) -> int:
        """Where the reader is."""
        return (self.locator.getLineNumber() if self.locator else 0) or 0

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - the library's name
        self.locator = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        parent = self.open[-1] if self.open else ""
        self.open.append(name)
        if len(self.open) > MAX_DEPTH:
            raise Malformed(f"nested deeper than {MAX_DEPTH} elements", self.line)
        if any(each in _KEPT for each in self.open[:-1]):
            return
        if not parent and name not in _SUITES:
            raise Malformed(
                f"<{_shown(name)}> is not JUnit XML; expected <testsuites> or <testsuite>",
                self.line,
            )
        if name in _KEPT:
            self.kept[name] += 1
        elif name in _SUITES and parent in {"", *_SUITES} and (name == "testsuite" or not parent):
            self.start_suite(attrs)
        elif name == "testcase" and parent == "testsuite":
            self.start_case(attrs)
        elif parent == "testcase" and (name in _SAID or name in _AGAIN):
            self.start_said(name, attrs)
        else:
            raise Malformed(f"<{_shown(name)}> has no place in <{_shown(parent)}>", self.line)

    def endElement(self, name: str) -> None:  # noqa: N802
        self.open.pop()
        if any(each in _KEPT for each in self.open) or name in _KEPT:
            return
        if name in _SUITES:
            self.end_suite()
        elif name == "testcase":
            self.end_case()
        elif self.case is not None and self.text is not None:
            said = clipped("".join(self.text), LONGEST_MESSAGE)
            self.case.message = self.case.message or said
            self.text = None

    def characters(self, content: str) -> None:
        if self.text is not None and self.room > 0:
            self.text.append(content)
            self.room -= len(content)

    def start_suite(self, attrs: AttributesImpl) -> None:
        declared = {key: self.whole(attrs, key) for key in ("tests", "failures", "errors")}
        name = attrs.get("name", "")
        self.suites.append(_Suite(self.line, name, declared))
        self.names.append(name)
        if stamp := attrs.get("timestamp", ""):
            self.moments.append(moments.read(stamp, self.line))

    def end_suite(self) -> None:
        suite = self.suites.pop()
        called = f"the suite {clipped(suite.name, 80)!r}" if suite.name else "the suite"
        for what, said, found in (
            ("cases", suite.declared["tests"], suite.cases),
            (
                "failures and errors",
                suite.declared["failures"] + suite.declared["errors"],
                suite.wrong,
            ),
        ):
            if said > found:
                raise Malformed(
                    f"{called} declares {said} {what}, and {found} stand in it", suite.line
                )
        if self.suites:
            self.suites[-1].cases += suite.cases
            self.suites[-1].wrong += suite.wrong

    def start_case(self, attrs: AttributesImpl) -> None:
        name = attrs.get("name", "").strip()
        if not name:
            raise Malformed("a test case has no name", self.line)
        group = attrs.get("classname", "").strip()
        self.case = _Case(self.line, f"{group}: {name}" if group else name)
        status = attrs.get("status", "").strip().lower()
        if status in _STATUS:
            self.case.outcomes.append(_STATUS[status])
        self.time(attrs)
        if sum(self.counts.values()) >= MAX_CASES:
            raise Malformed(f"more than {MAX_CASES} cases", self.line)

    def start_said(self, name: str, attrs: AttributesImpl) -> None:
        case = self.case
        if case is None:
            raise Malformed(f"<{_shown(name)}> stands outside of a case", self.line)
        if name in _AGAIN:
            case.again = True
            return
        case.outcomes.append(_SAID[name])
        case.elements += name != "skipped"
        case.message = case.message or clipped(attrs.get("message", ""), LONGEST_MESSAGE)
        self.text, self.room = [], 4 * LONGEST_MESSAGE

    def end_case(self) -> None:
        case, self.case = self.case, None
        if case is None:
            return
        outcome = min(case.outcomes, key=COUNTED.index, default="passed")
        self.counts[outcome] += 1
        self.counts["flaky"] += case.again and outcome == "passed"
        if outcome != "passed":
            name = clipped(case.name, LONGEST_NAME)
            self.items.append(Item(name, outcome, case.message, case.line))
        self.suites[-1].cases += 1
        self.suites[-1].wrong += max(case.elements, outcome in {"failed", "error"})

    def whole(self, attrs: AttributesImpl, name: str) -> int:
        """A count that a suite declares; 0 where it declares none."""
        text = attrs.get(name, "").strip()
        if text and not _WHOLE.fullmatch(text):
            raise Malformed(f"{name}={clipped(text, 40)!r} is no count", self.line)
        return int(text or 0)

    def time(self, attrs: AttributesImpl) -> None:
        text = attrs.get("time", "").strip()
        if not text:
            self.untimed += 1
            return
        if len(text) > 40 or not _SECONDS.fullmatch(text):
            raise Malformed(f"time={clipped(text, 40)!r} is no number of seconds", self.line)
        self.seconds += Decimal(text.replace(",", ""))

    def reading(self) -> Reading:
        items, left = shown(self.items)
        counts = {key: self.counts[key] for key in (*COUNTED, "flaky")}
        first = min(self.moments, key=lambda each: each.at, default=None)
        return Reading(
            reader=READER,
            format=Format.JUNIT.value,
            outcome=outcome_of(counts).value,
            counts=counts,
            name=clipped(next((name for name in self.names if name.strip()), ""), LONGEST_NAME),
            ran_at=first.at.isoformat() if first else "",
            seconds=_plain(self.seconds) if sum(self.counts.values()) > self.untimed else "",
            items=items,
            items_left=left,
            remarks=tuple(self.remarks(first)),
        )

    def remarks(self, first: moments.Moment | None) -> list[str]:
        kept = [f"{count} × {name}" for name, count in sorted(self.kept.items())]
        said = [f"Kept in the file and not read: {', '.join(kept)}."] if kept else []
        if first is not None and first.assumed:
            said.append("Its time names no zone and is read as UTC.")
        if self.untimed and self.untimed < sum(self.counts.values()):
            said.append(f"Cases without a time: {self.untimed}.")
        return said


def _plain(seconds: Decimal) -> str:
    return (
        f"{seconds.quantize(Decimal('0.001')):f}" if seconds < Decimal(10**15) else f"{seconds:.3E}"
    )


def _shown(name: str) -> str:
    return clipped(name, 60)
