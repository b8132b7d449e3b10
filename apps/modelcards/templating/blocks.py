"""Every block that ships, by section: those of the first schema, and those that the templates of laws and standards ask for.

The words of a block that is out never change here: versions of templates are pinned by digest (`shipped/digests.json`),
and a later version may put words of its own. A better wording is a new version of the template that says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from apps.modelcards import schema
from apps.modelcards.schema import Block
from apps.modelcards.templating.document import Known

# Regulation (EU) 2024/1689, Annex IV and Art. 10(2); SR 26-2; 6 RCNY 5-301 to 5-303.
_WRITTEN: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "model_details": {
        "responsibilities": ("Who answers for what", "Who owns, develops, validates, runs and may stop it, by role and name."),
        "interaction": ("What it interacts with", "Hardware, software and other AI systems it takes from or gives to, and versions they must have."),
        "forms": ("Forms and hardware", "How it is placed in use (package, service, device) and the hardware it is meant to run on."),
        "development": ("How it was developed", "Methods and steps, use of pre-trained systems or tools of third parties and how they were changed."),
        "design_choices": ("Design choices", "The logic, the assumptions, what it optimises and for whom, the trade-offs made."),
        "architecture": ("Architecture and computing resources", "How the components build on each other; the computing used to develop, train, test and run it."),
        "standards_applied": ("Standards applied", "Harmonised or other standards applied in full or in part, and what was done where none was."),
        "third_parties": ("Vendors and third-party parts", "Models, data and tools of others: what is known of them, what is not, and how they were validated."),
    },
    "intended_use": {
        "instructions": ("Instructions for whoever uses it", "How to use it, read its output, and when not to rely on it."),
        "use_restrictions": ("Limits on use", "Conditions, volumes and overlays under which it may be used, and who may change them."),
        "positions": ("Positions and decisions it is used for", "The jobs or promotions, in which step of the decision, and how its output weighs in it."),
    },
    "factors": {
        "groups_not_measured": ("Groups not measured", "Groups that matter for this use and are not in the data, or are too small, and why."),
    },
    "evaluation_data": {
        "evaluation_origin": ("Origin of the evaluation data", "Who collected them, when, where; the sampling; the rights to use them."),
        "evaluation_purpose": ("Why the evaluation data were collected", "The purpose at the time; for personal data, the original purpose of the collection."),
        "evaluation_preparation": ("How the evaluation data were prepared", "Annotation, labelling, cleaning, updating, enrichment, aggregation."),
        "evaluation_assumptions": ("What the evaluation data are taken to measure", "The assumptions about what they stand for, and where these could fail."),
        "evaluation_availability": ("Availability and suitability of the evaluation data", "How much there is, how much is needed, how far it fits the place and people of the use."),
        "evaluation_bias": ("Examination of the evaluation data for bias", "What was examined that could harm health, safety, rights, or lead to discrimination, and what was found."),
        "evaluation_mitigation": ("What was done about bias in the evaluation data", "Measures to detect, prevent and mitigate it, and what remains."),
        "evaluation_gaps": ("Gaps of the evaluation data", "Data that are missing or fall short, and how that is addressed."),
        "historical_data": ("Historical or test data", "Whether the audit rests on historical data, of whom and when; if on test data, why, and how they were made."),
    },
    "training_data": {
        "training_origin": ("Origin of the training data", "Who collected them, when, where; the sampling; the rights to use them."),
        "training_purpose": ("Why the training data were collected", "The purpose at the time; for personal data, the original purpose of the collection."),
        "training_preparation": ("How the training data were prepared", "Annotation, labelling, cleaning, updating, enrichment, aggregation."),
        "training_assumptions": ("What the training data are taken to measure", "The assumptions about what they stand for, and where these could fail."),
        "training_availability": ("Availability and suitability of the training data", "How much there is, how much is needed, how far it fits the place and people of the use."),
        "training_bias": ("Examination of the training data for bias", "What was examined that could harm health, safety, rights, or lead to discrimination, and what was found."),
        "training_mitigation": ("What was done about bias in the training data", "Measures to detect, prevent and mitigate it, and what remains."),
        "training_gaps": ("Gaps of the training data", "Data that are missing or fall short, and how that is addressed."),
    },
    "quantitative_analyses": {
        "outcomes_analysis": ("Outcomes against what happened", "Back-testing and benchmarking: what was predicted, what came, which challengers were compared."),
        "sensitivity": ("Sensitivity and stress", "How results move with inputs and assumptions, at the edges and under stress."),
        "unknown_categories": ("People of unknown category", "How many applicants could not be put in a category, and what that does to the ratios."),
    },
    "ethical_considerations": {
        "risk_management": ("Risk management", "Risks to health, safety and fundamental rights, measures taken, and what risk remains and why it is accepted."),
        "cybersecurity": ("Robustness and cybersecurity", "Errors, faults, poisoning, evasion, extraction: what was tested and what protects it."),
        "notices": ("Notices to people", "What those concerned are told, when, and how they ask for another way or for reasons."),
        "challenge": ("Effective challenge", "Who independent of its making questioned it, what they questioned, and what changed for it."),
    },
    "caveats": {
        "foreseeable_outcomes": ("Foreseeable unintended outcomes", "What could go wrong in use and in foreseeable misuse, and the sources of such risks."),
        "assumptions": ("Assumptions and uncertainty", "What it takes for granted, how uncertain its output is, and when that no longer holds."),
        "lifecycle_changes": ("Changes through its life", "What was changed since it was first in use, and why."),
        "planned_changes": ("Changes planned beforehand", "Changes settled in advance of the assessment, and how performance is kept through them."),
        "monitoring_plan": ("Monitoring in use", "What is watched after it is in use, how often, by whom, at which limits, and what then happens."),
    },
}  # fmt: skip

_COMPUTED: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "model_details": {
        "lineage": ("Lineage", "The run, the data it logged, the version before it, the versions in use."),
        "dependencies": ("Dependencies", "The packages that the version's own files name, read as text."),
        "environment": ("Environment", "Python, platform and library versions, of the training and of the checks."),
    },
    "quantitative_analyses": {
        "worst_groups": ("Worst groups", "For each measure the group, crossed ones too, that comes off worst, with its interval and size."),
        "drift_baseline": ("Drift baseline", "The reference data that drift is measured against, and since when."),
    },
}  # fmt: skip


def _known() -> dict[str, Known]:
    found = {
        block.key: Known(section.key, block)
        for section in schema.SECTIONS
        for block in section.blocks
    }
    for section, blocks in _COMPUTED.items():
        for key, (title, help_) in blocks.items():
            found[key] = Known(section, Block(key, title, help_, "computed"))
    for section, blocks in _WRITTEN.items():
        for key, (title, help_) in blocks.items():
            found[key] = Known(section, Block(key, title, help_, "human"))
    return found


KNOWN: Final[Mapping[str, Known]] = _known()
