"""Each kind of check has its page, and all pages say the same things in the same order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apps.checks import kinds
from apps.checks.kinds.base import Kind

PAGES = Path(__file__).resolve().parents[2] / "docs" / "checks"
HEADINGS = [
    "Formulas",
    "What is counted",
    "Verdicts",
    "Limits and parameters",
    "How to read it",
    "What it does not say",
    "References",
]
BUILT_IN = [kind for kind in kinds.registered().values() if kind.home.name == "checks"]
KINDS = pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: kind.key)


def page(kind: Kind) -> str:
    return (PAGES / f"{kind.key}.md").read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second rank."""
    return re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]  # fmt: skip


def named(text: str) -> set[str]:
    """Every name in code marks and blocks, `a` of `a: {max: 0}` as well."""
    marked = re.findall(r"```.+?```|`[^`]+`", text, re.DOTALL)
    return set(re.findall(r"\w+", " ".join(marked)))


def test_the_pages_are_of_all_built_in_kinds() -> None:
    assert {kind.key for kind in BUILT_IN} == {
        "performance", "multiclass", "regression", "regression_gaps", "fairness", "bias_audit", "proxy", "drift", "quality", "leakage", "pii", "files",
    }  # fmt: skip


@KINDS
def test_the_page_of_a_kind_has_all_headings_in_their_order(kind: Kind) -> None:
    assert re.findall(r"^## (.+)$", page(kind), re.MULTILINE) == HEADINGS
    for heading in HEADINGS:
        assert section(page(kind), heading).strip(), heading


@KINDS
def test_the_page_of_a_kind_begins_with_the_question_that_it_answers(kind: Kind) -> None:
    title, _, rest = page(kind).partition("\n")
    assert title.startswith("# ")
    assert "?" in rest.partition("\n## ")[0]


@KINDS
def test_every_figure_of_a_kind_is_named_on_its_page(kind: Kind) -> None:
    missing = {hint.key for hint in kind.hints} - named(page(kind))
    assert not missing


@KINDS
def test_every_limit_and_parameter_of_a_kind_is_named_where_they_stand(kind: Kind) -> None:
    there = named(section(page(kind), "Limits and parameters"))
    limits, params = set(kind.limits.model_fields), set(kind.params.__struct_fields__)
    assert limits | params <= there, (limits | params) - there


@KINDS
def test_the_page_of_a_kind_is_in_the_index(kind: Kind) -> None:
    assert f"]({kind.key}.md)" in (PAGES / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: path.stem)
def test_no_page_calls_anything_fair_or_free_of_bias(path: Path) -> None:
    """After Fairlearn: a check assesses; it does not certify. That something is *not* said is said in words like "does not say"."""
    text = re.sub(r"`[^`]*`|\*[^*]*\*", "", path.read_text(encoding="utf-8").lower())
    assert not re.search(r"\b(unbiased|debias\w*|unfair|fairer)\b", text)
    assert not re.search(r"\b(is|are|be) fair\b", text)
