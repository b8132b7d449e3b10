"""A validator that is not ours agrees that the document is PDF/A-4f, whatever people write into it."""

from __future__ import annotations

import pytest

from apps.modelcards.renderers import pdf
from tests import pdfa
from tests.modelcards import samples
from tests.modelcards.bench_pdf import with_charts

HARD = {
    "emoji": "Approved 👍🏽 by 👩‍⚖️ on 🇩🇪 ground",
    "no font has it": "a private sign \U000f1234 and \ue000",
    "combining": "e\u0301 a\u0323\u0302 ก็ำ ክፍል ಕನ್ನಡ বাংলা தமிழ் မြန်မာ ខ្មែរ བོད་",
    "directions": "\u202eright\u202c هذا النموذج `code` מודל (1) 该模型 \u200f\u200d\u2060",
    "controls": "a\u00adb\u200bc \u2028 d\ufefff \u0085 \ufffc \ufffd",
    "mathematics": "\u2211\u2099 \u27e8x|y\u27e9 \U0001d538\U0001d4b7\U0001d4d3 ⅓ ≤ ½ √2 \u211d",
    "links": "[here](https://example.org/a?b=c&d=%20) <https://example.org> mail@example.org",
    "tables": "| a | b |\n|---|--:|\n| 1 | 2 |\n\n> quoted\n\n```\ncode\n```\n\n1. one\n   - two\n",
}


@pytest.fixture(scope="module")
def judged() -> dict[str, list[str]]:
    """Few documents, for each takes seconds: everything hard is in one."""
    hard = "\n\n".join(f"{name}:\n\n{text}" for name, text in HARD.items())
    dossiers = {
        "hard": samples.dossier(samples.card(texts={"summary": hard, "ethics": hard})),
        "charts": with_charts(),
        "void": samples.dossier(void="recalled"),
    }
    return pdfa.problems({name: pdf.render_pdf(each) for name, each in dossiers.items()})


@pytest.mark.parametrize("name", ["hard", "charts", "void"])
def test_it_conforms(judged: dict[str, list[str]], name: str) -> None:
    assert judged[name] == []


def test_the_validator_sees_what_does_not() -> None:
    data = pdf.render_pdf(samples.dossier())
    appended = pdfa.problems({"whole": data, "appended": data + b"more"})
    assert appended["whole"] == []
    assert "6.1.3" in appended["appended"][0]
