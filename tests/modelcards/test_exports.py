"""The forms for programs: each read by the library it is meant for, and the same bytes as its golden file."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import msgspec
import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from huggingface_hub import ModelCard, ModelCardData
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from apps.modelcards import dossier as dossiers
from apps.modelcards.content import to_html
from apps.modelcards.machine import Energy, Number
from apps.modelcards.renderers import markdown, mlbom, prose
from tests.modelcards import samples
from tests.support import golden

GOLDEN = Path(__file__).with_name("golden")
FORMS = {
    "card.md": lambda dossier: markdown.render(dossier).encode(),
    "card.cdx.json": mlbom.render,
    "card.json": dossiers.settled,
}
BREAKOUTS = (
    "---\nlicense: mit\n---\n# Not the title",
    "```\nan open fence",
    "~~~~ python\nprint(1)",
    "<!-- an open comment",
    "</blockquote><details><summary>x",
    "[run]: https://evil.example\n\nsee [run]",
    "Setext\n===\n\nand\n---",
    "> quoted\n> ```\nlazy",
    "- item\n\n      code\n1. one\n2) two",
    "| a | b |\n| --- | --- |\n| `x|y` | z |",
    "    indented code\n\ttabbed",
    "![picture](https://evil.example/pixel.png) [js](javascript:alert(1))",
    "# One\n## Two\n###### Six\n####### seven",
    "line\\\nbreak **bold *both*** ~~gone~~ `` a`b ``",
    "&lt;b&gt; &amp; <b>bold</b> <https://example.org/a|b>",
)


def headings(text: str) -> list[tuple[str, str]]:
    """The outline as a reader's parser sees it: headings at top level, with raw HTML switched on as on the hub."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    return [
        (token.tag, tokens[at + 1].content)
        for at, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.tag in {"h1", "h2", "h3"}
    ]


def body(text: str) -> str:
    return ModelCard(text, ignore_metadata_errors=False).text


@pytest.mark.parametrize("name", FORMS)
def test_the_bytes_are_those_of_the_golden_file(name: str):
    data = FORMS[name](samples.dossier())
    assert data == FORMS[name](samples.dossier())
    golden.compare(GOLDEN / name, data)


def test_every_form_prints_the_digest_of_card_json():
    dossier = samples.dossier()
    digest = hashlib.sha256(dossiers.settled(dossier)).hexdigest()
    assert digest == dossiers.card_digest(dossier)
    for name in ("card.md", "card.cdx.json"):
        assert digest.encode() in FORMS[name](dossier)
    assert digest.encode() not in dossiers.settled(dossier)


def test_the_digest_does_not_change_with_the_head_of_the_ledger_and_does_with_a_fact():
    dossier = samples.dossier()
    assert dossier.ledger is not None
    grown = msgspec.structs.replace(dossier.ledger, size=9999, root="f" * 64, extract="{}")
    later = msgspec.structs.replace(dossier, ledger=grown)
    assert dossiers.card_digest(later) == dossiers.card_digest(dossier)
    other = msgspec.structs.replace(dossier, notes=("one more",))
    assert dossiers.card_digest(other) != dossiers.card_digest(dossier)


def test_a_dossier_of_before_reads_and_renders_in_every_form():
    bare = msgspec.structs.replace(samples.dossier(), machine=None)
    assert b'"machine"' not in dossiers.to_json(bare)
    again = dossiers.from_json(dossiers.to_json(bare))
    assert (
        JsonStrictValidator(SchemaVersion.V1_6).validate_str(mlbom.render(again).decode()) is None
    )
    assert ModelCard(markdown.render(again)).data.eval_results is None


# Markdown


def test_hugging_face_reads_the_metadata_and_every_result():
    card = ModelCard(markdown.render(samples.dossier()), ignore_metadata_errors=False)
    data = card.data
    assert isinstance(data, ModelCardData)
    assert (data.license, data.library_name) == ("apache-2.0", "sklearn")
    assert data.language == ["en"]
    assert data.base_model == ["bert-base-uncased"]
    assert data.datasets == ["acs_ma_2014"]
    assert data.pipeline_tag == "tabular-classification"
    assert data.metrics == ["accuracy", "roc_auc", "matthews_correlation"]
    assert data.eval_results is not None
    found = {result.metric_type: result for result in data.eval_results}
    assert {key: result.metric_value for key, result in found.items()} == {
        "accuracy": 0.8125,
        "roc_auc": 0.871,
        "matthews_correlation": 0.61,
    }
    for result in found.values():
        assert result.dataset_name == "acs_ma_2016"
        assert result.dataset_revision == samples.digest("data")
        assert result.verified is None
    again = ModelCardData(
        **{key: value for key, value in data.to_dict().items() if key != "model-index"}
    )
    assert yaml.safe_load(again.to_yaml())["countersign"] == data.countersign


def test_intervals_gaps_and_sources_stand_in_the_text():
    text = body(markdown.render(samples.dossier(samples.card(empty=("limitations",)))))
    assert "| Performance | ROC AUC | 0.871 | 0.866 to 0.876 (level 0.95) | 35210 |" in text
    assert "**Not answered (1):** Known limitations." in text
    assert "**Not answered.** This block is required." in text
    assert "[run 8f3a51c0](<http://localhost:8000/runs/8f3a51c0/>)" in text
    assert text.count("\n## ") == 9 + 3  # the nine sections, the results, the decisions, about


@pytest.mark.parametrize("text", BREAKOUTS)
def test_what_a_person_writes_cannot_change_the_outline(text: str):
    plain = body(markdown.render(samples.dossier(samples.card(texts={"summary": "Plain."}))))
    given_ = markdown.render(samples.dossier(samples.card(texts={"summary": text, "ethics": text})))
    assert headings(body(given_)) == headings(plain)
    tokens = MarkdownIt("commonmark", {"html": True}).parse(body(given_))
    inside = [each for token in tokens for each in token.children or ()]
    assert not [each for each in inside if each.type in {"image", "html_inline"}]
    assert not [token for token in tokens if token.type == "html_block"]
    links = [str(each.attrs["href"]) for each in inside if each.type == "link_open"]
    assert all(link.startswith("http") for link in links)


@pytest.mark.parametrize("text", BREAKOUTS)
def test_what_a_person_wrote_reads_as_on_the_site(text: str):
    """But for the level of headings (below the block's own) and the last line end of a fence."""
    written, shown = (
        re.sub(r"h[45]>", "h>", to_html(each))
        .replace("\n</code>", "</code>")
        .replace(" python", "")
        for each in (prose.markdown(text), text)
    )
    assert written == shown


@given(st.lists(st.sampled_from([*BREAKOUTS, "word", "\n", "\n\n", "  ", "\t", "*", "_", "`", ">", "- ", "1. ", "#", "|", "---", "\\", "<", "&"]), max_size=12).map("".join))  # fmt: skip
def test_no_mixture_of_marks_changes_the_outline(text: str):
    written = prose.markdown(text)
    around = f"### Before\n\n{written}\n\n*by*\n\n### After\n"
    assert headings(around) == [("h3", "Before"), ("h3", "After")]


@pytest.mark.parametrize(
    "name",
    [
        "---",
        "a: b",
        "x\n---\ny",
        "'",
        '"',
        "| pipe",
        "# hash",
        "{{x}}",
        "&a *a",
        "\u2028---\u2028",
        "\U0001f916",
    ],
)
def test_no_name_breaks_the_front_matter_or_the_table(name: str):
    dossier = samples.renamed(samples.dossier(), name)
    machine = msgspec.structs.replace(
        samples.machine(),
        about=msgspec.structs.replace(
            samples.machine().about, license=name, languages=(name,), base_models=(name,), library_name=name, tags=(name,), pipeline_tag=name,
        ),
        datasets=tuple(msgspec.structs.replace(each, name=name) for each in samples.machine().datasets),
    )  # fmt: skip
    card = ModelCard(markdown.render(msgspec.structs.replace(dossier, machine=machine)))
    assert card.data.base_model == [" ".join(name.split())]
    assert card.data.to_dict()["countersign"]["card_digest"].startswith("sha256:")
    assert [tag for tag, _ in headings(card.text)].count("h1") == 1


def test_numbers_that_json_cannot_hold_stay_out_of_the_metadata():
    machine = samples.machine()
    odd = msgspec.structs.replace(machine.measured[1], numbers=(Number("log_loss", "Log loss", "Infinity"),))  # fmt: skip
    dossier = msgspec.structs.replace(
        samples.dossier(), machine=msgspec.structs.replace(machine, measured=(odd,))
    )
    assert ModelCard(markdown.render(dossier)).data.eval_results is None


# ML-BOM


@pytest.mark.parametrize(
    "dossier",
    [
        samples.dossier(),
        samples.dossier(samples.card(groups=40, params=300), reviewed=False),
        samples.dossier(samples.card(empty=tuple(samples.schema.HUMAN_BLOCKS))),
        samples.renamed(samples.dossier(), "\u05e9\u05dc\u05d5\u05dd \u4e16\u754c <&\"'>"),
    ],
    ids=["reviewed", "long", "gaps", "scripts"],
)
def test_cyclonedx_takes_the_bom(dossier: dossiers.Dossier):
    text = mlbom.render(dossier).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_the_validator_would_refuse_a_bom_that_is_none():
    broken = mlbom.document(samples.dossier()) | {"extra": 1}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(broken)) is not None


def test_the_bom_holds_what_was_measured_and_of_what():
    bom = json.loads(mlbom.render(samples.dossier()))
    assert bom["metadata"]["timestamp"] == samples.WHEN
    model = bom["metadata"]["component"]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {
        "type": "fairness:selection_rate",
        "value": "0.312",
        "slice": "sex: 1",
        "confidenceInterval": {"lowerBound": "0.301", "upperBound": "0.323"},
    } in metrics
    risks = [
        each["groupAtRisk"] for each in model["modelCard"]["considerations"]["fairnessAssessments"]
    ]
    assert risks == ["sex: 1", "sex: 2", "sex"]
    by_ref = {each["bom-ref"]: each for each in bom["components"]}
    assert by_ref["file:model/part-0/weights.bin"]["hashes"] == [
        {"alg": "SHA-256", "content": samples.digest("0")}
    ]
    assert by_ref["pkg:pypi/scikit-learn@1.7.2"]["version"] == "1.7.2"
    assert "version" not in by_ref["pkg:pypi/numpy"]
    assert "hashes" not in by_ref["data:2"]  # the client's digest is no SHA-256
    refs = {each["ref"] for each in bom["dependencies"]}
    assert refs == {"model", *by_ref}


def test_energy_stands_in_kwh_and_tonnes():
    card = mlbom.document(samples.dossier())["metadata"]["component"]["modelCard"]
    (used,) = card["considerations"]["environmentalConsiderations"]["energyConsumptions"]
    assert used["activityEnergyCost"] == {"value": 0.012345, "unit": "kWh"}
    assert used["co2CostEquivalent"] == {"value": 3.1e-06, "unit": "tCO2eq"}


def test_emissions_without_energy_are_told_and_no_energy_is_invented():
    machine = msgspec.structs.replace(
        samples.machine(), energy=Energy("the run's metrics", emissions_kg="0.5")
    )
    dossier = msgspec.structs.replace(samples.dossier(), machine=machine)
    text = mlbom.render(dossier).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = mlbom.document(dossier)["metadata"]["component"]["modelCard"]["considerations"]
    environment = found["environmentalConsiderations"]
    assert "energyConsumptions" not in environment
    assert {"name": "countersign:energy:emissions-kg", "value": "0.5"} in environment["properties"]


def test_the_same_package_named_by_two_files_is_one_component():
    package = samples.machine().packages[0]
    twice = msgspec.structs.replace(
        samples.machine(),
        packages=(package, msgspec.structs.replace(package, said_by="conda.yaml")),
    )
    dossier = msgspec.structs.replace(samples.dossier(), machine=twice)
    text = mlbom.render(dossier).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    refs = [each["bom-ref"] for each in json.loads(text)["components"]]
    assert len(refs) == len(set(refs))
