"""The card's sections after Mitchell et al. 2019 ("Model Cards for Model Reporting"), all nine.

A `computed` block is filled from the record (run, data, measurements) and nobody can type into it;
a `human` block is prose with an author. What stands here is the first template, `standard/1`: it never changes, because
revisions of the first schema are laid out by it. Other templates, which put other blocks into the same nine sections,
are in `templating`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

SCHEMA = "countersign.card/2"
FIRST_SCHEMA = "countersign.card/1"  # revisions without a template: laid out by SECTIONS, for ever

Kind: TypeAlias = Literal["computed", "human"]

# One line that a reader sees as it is stored: no controls, no bidirectional overrides, no half characters.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]*(?![\s\S])"


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str
    title: str
    help: str
    kind: Kind
    required: bool = False


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str
    title: str
    blocks: tuple[Block, ...]


def _computed(key: str, title: str, help_text: str) -> Block:
    return Block(key, title, help_text, "computed")


def _required(key: str, title: str, help_text: str) -> Block:
    return Block(key, title, help_text, "human", required=True)


def _optional(key: str, title: str, help_text: str) -> Block:
    return Block(key, title, help_text, "human")


SECTIONS: tuple[Section, ...] = (
    Section(
        "model_details",
        "Model details",
        (
            _required(
                "summary",
                "What the model is",
                "In a few sentences for a reader who was not there: what it predicts, from what, with what kind of model.",
            ),
            _computed(
                "identity",
                "Identity and ownership",
                "Name, version, owner, risk tier, digest of the files.",
            ),
            _computed(
                "run", "How it was trained", "Parameters, final metrics and tags of the run."
            ),
            _computed("files", "Files", "Every file of the version with its size and SHA-256."),
            _computed(
                "file_safety",
                "What the scan of the files found",
                "The format of each file by its content, what was found in it, what was not verified.",
            ),
            _optional(
                "contact",
                "Licence, citation and contact",
                "Licence, how to cite, where to ask questions.",
            ),
        ),
    ),
    Section(
        "intended_use",
        "Intended use",
        (
            _required(
                "primary_uses",
                "Intended uses and users",
                "The decisions it may support, who uses it, in which process and population.",
            ),
            _required(
                "out_of_scope",
                "Prohibited and out-of-scope uses",
                "Uses it was not made for and must not be put to, and what to use instead.",
            ),
        ),
    ),
    Section(
        "factors",
        "Factors",
        (
            _required(
                "relevant_factors",
                "Relevant factors",
                "Groups of people, instruments and environments for which performance may differ, and why.",
            ),
            _computed(
                "evaluated_factors",
                "Factors evaluated",
                "The group columns of the evaluation data and their sizes.",
            ),
        ),
    ),
    Section(
        "metrics",
        "Metrics",
        (
            _required(
                "metric_choice",
                "Why these metrics and thresholds",
                "What each error costs whom, how the decision threshold was chosen.",
            ),
            _computed(
                "metric_definitions",
                "Formulas and limits",
                "How each number was computed and what it was held against.",
            ),
        ),
    ),
    Section(
        "evaluation_data",
        "Evaluation data",
        (
            _computed(
                "evaluation_sheets",
                "Data sheets",
                "Rows, columns, roles and digests of the attached data sets.",
            ),
            _required(
                "evaluation_notes",
                "Origin and representativeness",
                "Where the data came from, how it was prepared, how far it resembles where the model is used.",
            ),
        ),
    ),
    Section(
        "training_data",
        "Training data",
        (
            _computed(
                "training_inputs",
                "Data sets of the run",
                "The inputs that the run logged, by digest.",
            ),
            _required(
                "training_notes",
                "Origin and preparation",
                "Where the data came from, how it was collected, cleaned and labelled, what is missing from it.",
            ),
        ),
    ),
    Section(
        "quantitative_analyses",
        "Quantitative analyses",
        (
            _computed(
                "performance", "Performance", "Metrics with 95 % intervals on the evaluation data."
            ),
            _computed(
                "fairness",
                "Disparities between groups",
                "Rates per group, gaps and ratios, with intervals.",
            ),
            _computed(
                "drift",
                "Drift against the reference data",
                "Distances per column with the sample sizes.",
            ),
            _computed(
                "further_checks",
                "Further checks",
                "The results of other checks on the data in force.",
            ),
            _computed(
                "reported",
                "Reported by other tools",
                "Results that were uploaded, with who did it and from which tool. Not measured here.",
            ),
            _optional(
                "interpretation", "Interpretation", "What the numbers mean for the intended use."
            ),
        ),
    ),
    Section(
        "ethical_considerations",
        "Ethical considerations",
        (
            _required(
                "ethics",
                "Risks, harms and mitigations",
                "Who could be harmed and how, sensitive data, what was done about it, what remains.",
            ),
            _required(
                "oversight",
                "Human oversight",
                "Who can stop or overrule the model, how, and what they were trained for.",
            ),
        ),
    ),
    Section(
        "caveats",
        "Caveats and recommendations",
        (
            _required(
                "limitations",
                "Known limitations",
                "Where it fails or was not tested; groups too small to measure.",
            ),
            _optional(
                "recommendations",
                "Recommendations",
                "Further tests, monitoring, conditions of use.",
            ),
        ),
    ),
)

BLOCKS: dict[str, Block] = {block.key: block for section in SECTIONS for block in section.blocks}
HUMAN_BLOCKS: tuple[str, ...] = tuple(key for key, b in BLOCKS.items() if b.kind == "human")
COMPUTED_BLOCKS: tuple[str, ...] = tuple(key for key, b in BLOCKS.items() if b.kind == "computed")
REQUIRED_BY_DEFAULT: tuple[str, ...] = tuple(key for key, b in BLOCKS.items() if b.required)


def section_of(key: str) -> Section:
    """The section that holds a block; KeyError for a key that is none."""
    for section in SECTIONS:
        if any(block.key == key for block in section.blocks):
            return section
    raise KeyError(key)


def required_blocks(
    terms: Mapping[str, Any] | None,
    asked: Sequence[str] = REQUIRED_BY_DEFAULT,
    writable: Sequence[str] = HUMAN_BLOCKS,
) -> tuple[str, ...]:
    """The human blocks that a policy's gates (`terms`, or a document that holds them) want answered.

    `asked` are the blocks that the card's template requires, `writable` those that it has. `card_complete` is true for
    what the template requires, false for none, or a list of block keys; terms that do not speak of it get what the
    template requires. Refuses (ValueError) a key that is no human block: a requirement nobody can meet must be seen
    when the policy is written, an ignored one is a hole.
    """
    gates = (terms or {}).get("gates", terms or {})
    wanted = gates.get("card_complete", True) if isinstance(gates, Mapping) else True
    if wanted is True or wanted is False:
        return tuple(asked) if wanted else ()
    unknown = sorted(set(wanted) - set(writable))
    if unknown:
        msg = f"the policy requires card blocks that do not exist: {', '.join(unknown)}"
        raise ValueError(msg)
    return tuple(key for key in writable if key in set(wanted))
