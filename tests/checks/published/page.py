"""docs/checks/published.md, made from the cases: COMMAND writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.checks.published.audits import CASES as AUDITS
from tests.checks.published.cases import Case, Printed, result_of
from tests.checks.published.numbers import CASES as NUMBERS
from tests.checks.published.people import CASES as PEOPLE

CASES = PEOPLE + AUDITS + NUMBERS
PAGE = Path(__file__).resolve().parents[3] / "docs" / "checks" / "published.md"
# What was published and is held against the checks in other tests.
ELSEWHERE = (
    ("the four tables of the examples of 6 RCNY 5-301 (New York City, Local Law 144)", "tests/checks/test_bias_audit_numbers.py"),
    ("PyCM's example (Haghighi et al. 2018)", "tests/checks/test_multiclass_numbers.py"),
    ("golden vectors of the four-fifths rule", "tests/checks/test_bias_audit_numbers.py"),
    ("rentals of bicycles 2011 against 2012, PSI by number of bins", "tests/checks/test_drift_numbers.py"),
    ("card, account and identity numbers that their issuers publish", "tests/checks/test_pii.py"),
)  # fmt: skip
COMMAND = 'manage.py shell -c "from tests.checks.published.page import main; main()"'
_INTRO = f"""# Published figures

What others printed, and what the checks say of the same data. Each data set is written to a file, read by the engine and measured by its
check; a test demands the printed number to its last digit. This page is made from the cases of that test
(`tests/checks/published`), which fails if the two differ: `{COMMAND}`
writes it anew.

Audits of millions of people, and p-values, go in as what the engine would have stored of them. Only counts and figures are taken from the sources. Where a convention differs the note says which; the number is then brought to the
source's convention and compared.

It does not say that these models, decisions or data are good or bad, only that the same arithmetic comes out.
"""


def _lines() -> Iterator[str]:
    yield _INTRO
    for kind in dict.fromkeys(case.kind for case in CASES):
        yield f"## {kind}\n"
        yield "| data | figure | printed | here |\n| --- | --- | --- | --- |"
        of_kind = [case for case in CASES if case.kind == kind]
        sources = list(dict.fromkeys((case.source, case.note) for case in of_kind))
        for case in of_kind:
            yield from _rows(1 + sources.index((case.source, case.note)), case)
        yield ""
        for number, (source, note) in enumerate(sources, 1):
            yield f"{number}. {source}." + (f" *{note}*" if note else "")
        yield ""
    yield "## Elsewhere\n"
    yield from (f"- {what}: `{where}`" for what, where in ELSEWHERE)


def _rows(number: int, case: Case) -> Iterator[str]:
    result = result_of(case)
    for place, each in enumerate(case.printed):
        data = f"{case.data} ({number})" if place == 0 else ""
        yield f"| {data} | {each.what} | {each.text} | {_here(each, each.value(result))} |"


def _here(printed: Printed, value: float) -> str:
    """One digit more than the source has, at most nine."""
    digits = printed.text.removesuffix("%").strip().partition("e")[0].partition(".")[2]
    places = min(9, len(digits) + 1)
    if "e" in printed.text:
        return f"{value:.{places}e}"
    if float(value).is_integer() and not digits and not printed.text.endswith("%"):
        return str(int(value))
    scaled = f"{100 * value:.{places}f} %" if printed.text.endswith("%") else f"{value:.{places}f}"
    return scaled.replace("-0.00000", "0.00000") if float(value) == 0 else scaled


def rendered() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip() + "\n"


def main() -> None:
    """Write the page where the documentation has it."""
    PAGE.write_text(rendered(), encoding="utf-8")
