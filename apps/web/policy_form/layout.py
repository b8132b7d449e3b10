"""The sections of the policy form, in the words of somebody who never saw a document. Data only.

Every key of the document's schema stands here once (tests/web/test_policy_form.py compares the two).
"""

from __future__ import annotations

from typing import Final

from apps.reviews.policies.saying import METRICS, kind_title
from apps.web.policy_form.kinds import (
    CODE,
    CROSSINGS,
    DAY,
    HIDDEN,
    LINE,
    LINES,
    LONG,
    NUMBER,
    PICK,
    PICKS,
    RADIO,
    TICK,
    TIERS,
    WHOLE,
    WORD,
    Choices,
    Entry,
    Rows,
    Section,
)

SIGNING: Final[Choices] = (
    ("validator", "Validator"),
    ("approver", "Approver"),
    ("risk", "Risk"),
    ("legal", "Legal"),
    ("product", "Product"),
)
EVERYBODY: Final[Choices] = (("owner", "Owner of the model"), *SIGNING, ("on_call", "On call"))
_UNCHOSEN: Final = ("", "Choose one")

_METRICS: Final = [
    _UNCHOSEN,
    *(
        (kind_title(kind), [(f"{kind}.{name}", label) for name, label in names.items()])
        for kind, names in METRICS.items()
    ),
]

_WHAT: Final = Section(
    "what",
    "What it is called",
    "Signers and submitters read this on every page that the policy reaches.",
    (
        Entry("title", "Title", LINE, needed=True),
        Entry(
            "key",
            "Short name",
            WORD,
            "Small letters, digits and hyphens. A proposal with the short name of a policy in force replaces it. "
            "Left empty, it follows from the title.",
        ),
        Entry("summary", "Summary", LONG, "What it is for, and which rule it follows."),
        *(
            Entry(f"source.{name}", f"Source, {name.replace('_', ' ')}", HIDDEN)
            for name in (
                "jurisdiction", "citation", "url", "effective_from", "effective_to", "pack", "pack_version",
            )
        ),
    ),
)  # fmt: skip

_COVERS: Final = Section(
    "covers",
    "Which models it covers",
    "A model is covered if all that is filled in here is true of it. What is left empty does not narrow: with nothing "
    "filled in, every governed model is covered.",
    (
        Entry(
            "applies_to.tiers",
            "Risk tiers",
            TIERS,
            "Ticking none covers all of them.",
            (("1", "Tier 1, the highest"), ("2", "Tier 2"), ("3", "Tier 3")),
            width="half",
        ),
        Entry(
            "applies_to.teams",
            "Teams",
            LINES,
            "Short names of the teams that own the models, one a line.",
            width="half",
        ),
        Rows(
            "applies_to.tags",
            "Tags the model must have",
            "tag",
            (
                Entry("tag", "Tag", WORD, placeholder="gxp", width="half"),
                Entry("values", "One of these values, one a line", LINES, width="half"),
            ),
        ),
    ),
)

_GOVERNS: Final = Section(
    "governs",
    "What it governs",
    "What a covered model can enter or carry only under this policy. At least one stage, alias or environment; one a line.",
    (
        Entry("governs.stages", "Stages", LINES, placeholder="production", width="half"),
        Entry("governs.aliases", "Aliases", LINES, placeholder="champion", width="half"),
        Entry("governs.environments", "Environments", LINES, width="half"),
        Entry(
            "governs.tags",
            "Tags nobody sets by hand",
            LINES,
            "A * at the end stands for whatever follows.",
            width="half",
        ),
    ),
)

_LIMITS: Final = Section(
    "checks",
    "What the checks must show",
    "A row for each limit. A check without a limit is not demanded. Reaching a limit meets it.",
    (
        Rows(
            "limits",
            "Limits",
            "limit",
            (
                Entry("metric", "Measure", PICK, choices=_METRICS, width="half"),  # type: ignore[arg-type]  # groups
                Entry(
                    "bound",
                    "Must be",
                    PICK,
                    choices=(("min", "at least"), ("max", "at most")),
                    width="quarter",
                ),
                Entry("number", "Limit", NUMBER, placeholder="0.70", width="quarter"),
            ),
        ),
        Entry(
            "gates.checks.performance.min_n",
            "Fewest rows behind a number",
            WHOLE,
            placeholder="30",
            width="half",
        ),
        Entry(
            "gates.checks.performance.max_excluded_share",
            "Largest share of rows left out",
            NUMBER,
            "For missing values.",
            placeholder="0.05",
            width="half",
        ),
        Entry(
            "gates.checks.performance.threshold",
            "Decisions are judged from this score on",
            NUMBER,
            "Left empty, the decisions of the prediction column are judged and no others.",
            placeholder="0.5",
            width="half",
        ),
        Entry(
            "gates.accept_inconclusive.performance",
            "An inconclusive result is accepted, because",
            LINE,
            "Left empty, too wide an interval is not accepted.",
        ),
        Entry(
            "gates.checks.multiclass.min_n",
            "Fewest rows behind a number",
            WHOLE,
            placeholder="30",
            width="half",
        ),
        Entry(
            "gates.checks.multiclass.max_excluded_share",
            "Largest share of rows left out",
            NUMBER,
            "For missing values.",
            placeholder="0.05",
            width="half",
        ),
        Entry(
            "gates.accept_inconclusive.multiclass",
            "An inconclusive result is accepted, because",
            LINE,
            "Left empty, too wide an interval is not accepted.",
        ),
        Entry(
            "gates.checks.regression.min_n",
            "Fewest rows behind a number",
            WHOLE,
            placeholder="30",
            width="half",
        ),
        Entry(
            "gates.checks.regression.max_excluded_share",
            "Largest share of rows left out",
            NUMBER,
            "For missing values.",
            placeholder="0.05",
            width="half",
        ),
        Entry(
            "gates.accept_inconclusive.regression",
            "An inconclusive result is accepted, because",
            LINE,
            "Left empty, too wide an interval is not accepted.",
        ),
        Entry(
            "gates.checks.fairness.features",
            "Groups that are judged",
            CROSSINGS,
            "One a line; a crossing with a plus, such as sex + race. Left empty: every single one that was measured.",
        ),
        Entry(
            "gates.checks.fairness.min_n",
            "Fewest rows of a judged group",
            WHOLE,
            placeholder="30",
            width="third",
        ),
        Entry(
            "gates.checks.fairness.min_coverage",
            "Share of rows in judged groups",
            NUMBER,
            "At least.",
            placeholder="0.95",
            width="third",
        ),
        Entry(
            "gates.checks.fairness.max_excluded_share",
            "Largest share of rows left out",
            NUMBER,
            placeholder="0.05",
            width="third",
        ),
        Entry(
            "gates.accept_inconclusive.fairness",
            "An inconclusive result is accepted, because",
            LINE,
            "Left empty, too wide an interval is not accepted.",
        ),
        Entry(
            "gates.checks.regression_gaps.features",
            "Groups that are judged",
            CROSSINGS,
            "One a line; a crossing with a plus, such as sex + race. Left empty: every single one that was measured.",
        ),
        Entry(
            "gates.checks.regression_gaps.min_n",
            "Fewest rows of a judged group",
            WHOLE,
            placeholder="30",
            width="third",
        ),
        Entry(
            "gates.checks.regression_gaps.min_coverage",
            "Share of rows in judged groups",
            NUMBER,
            "At least.",
            placeholder="0.95",
            width="third",
        ),
        Entry(
            "gates.checks.regression_gaps.max_excluded_share",
            "Largest share of rows left out",
            NUMBER,
            placeholder="0.05",
            width="third",
        ),
        Entry(
            "gates.accept_inconclusive.regression_gaps",
            "An inconclusive result is accepted, because",
            LINE,
            "Left empty, too wide an interval is not accepted.",
        ),
        Entry(
            "gates.checks.bias_audit.features",
            "Groups that are judged",
            CROSSINGS,
            "One a line; a crossing with a plus, such as sex + race. Left empty: every single one that was measured.",
        ),
        Entry(
            "gates.checks.bias_audit.alpha",
            "Level of significance",
            NUMBER,
            "A ratio below the limit fails where the rates differ at this level.",
            placeholder="0.05",
            width="half",
        ),
        Entry(
            "gates.checks.bias_audit.min_n",
            "Fewest rows of a judged group",
            WHOLE,
            placeholder="30",
            width="half",
        ),
        Entry(
            "gates.checks.bias_audit.min_coverage",
            "Share of rows in judged groups",
            NUMBER,
            "At least.",
            placeholder="0.95",
            width="half",
        ),
        Entry(
            "gates.checks.bias_audit.max_excluded_share",
            "Largest share of rows left out",
            NUMBER,
            placeholder="0.05",
            width="half",
        ),
        Entry(
            "gates.accept_inconclusive.bias_audit",
            "An inconclusive result is accepted, because",
            LINE,
            "Left empty, too wide an interval is not accepted.",
        ),
        Entry(
            "gates.checks.proxy.columns",
            "Columns that are judged",
            LINES,
            "One a line. Left empty: every feature, and the score.",
        ),
        Entry(
            "gates.checks.proxy.attributes",
            "Sensitive columns that may not be told from them",
            LINES,
            "One a line. Left empty: every one that was measured.",
        ),
        Entry(
            "gates.checks.proxy.alpha",
            "Level of significance",
            NUMBER,
            "Higher alarms more often.",
            placeholder="0.05",
            width="third",
        ),
        Entry(
            "gates.checks.proxy.min_n",
            "Fewest rows behind a number",
            WHOLE,
            placeholder="30",
            width="third",
        ),
        Entry(
            "gates.checks.proxy.max_excluded_share",
            "Largest share of rows left out",
            NUMBER,
            placeholder="0.05",
            width="third",
        ),
        Entry(
            "gates.accept_inconclusive.proxy",
            "An inconclusive result is accepted, because",
            LINE,
            "Left empty, too wide an interval is not accepted.",
        ),
        Entry(
            "gates.checks.drift.columns",
            "Columns that are judged",
            LINES,
            "One a line. Left empty: every column compared.",
        ),
        Entry(
            "gates.checks.drift.alpha",
            "Level of significance",
            NUMBER,
            "Higher alarms more often.",
            placeholder="0.05",
            width="half",
        ),
        Entry(
            "gates.checks.drift.min_n",
            "Fewest rows behind a number",
            WHOLE,
            placeholder="30",
            width="half",
        ),
        Entry(
            "gates.accept_inconclusive.drift",
            "An inconclusive result is accepted, because",
            LINE,
            "Left empty, too wide an interval is not accepted.",
        ),
        Entry(
            "gates.checks.files.max_unverified",
            "Files that nothing here reads to their end, at most",
            WHOLE,
            "A number demands that the files are scanned, 0 that all of them were read. Empty: no scan is demanded.",
            placeholder="0",
        ),
        Entry(
            "gates.checks.files.allow_globals",
            "Further names that pickles may import",
            LINES,
            "One a line, such as mypackage.steps.Clipper; an asterisk at the end stands for all of a module.",
        ),
        Entry(
            "gates.accept_inconclusive.files",
            "An inconclusive scan is accepted, because",
            LINE,
            "Left empty, it is not.",
        ),
    ),
    {
        "gates.checks.files.max_unverified": "Files",
        "gates.checks.performance.min_n": "Performance, further settings",
        "gates.checks.multiclass.min_n": "Multiclass performance, further settings",
        "gates.checks.regression.min_n": "Regression performance, further settings",
        "gates.checks.fairness.features": "Fairness, further settings",
        "gates.checks.regression_gaps.features": "Regression gaps, further settings",
        "gates.checks.bias_audit.features": "Bias audit, further settings",
        "gates.checks.proxy.columns": "Proxies, further settings",
        "gates.checks.drift.columns": "Drift, further settings",
    },
)

_INCUMBENT: Final = Section(
    "incumbent",
    "Compared with the version in use",
    "How much worse than the version now in the target each measure may be. No row: nothing is compared.",
    (
        Rows(
            "losses",
            "Largest losses",
            "comparison",
            (
                Entry("metric", "Measure", PICK, choices=(_UNCHOSEN, *METRICS["performance"].items()), width="half"),
                Entry("loss", "May be worse by", NUMBER, placeholder="0.02", width="half"),
            ),
        ),
        Entry(
            "gates.against_incumbent.same_data",
            "Only results on the same data are compared",
            TICK,
        ),
    ),
)  # fmt: skip

_EVIDENCE: Final = Section(
    "evidence",
    "What else must hold",
    "At the moment of promotion, beside the checks.",
    (
        Entry("gates.max_age_days.results", "Results are at most so many days old", WHOLE, width="half"),
        Entry("gates.max_age_days.data", "Evaluation data is at most so many days old", WHOLE, width="half"),
        Entry("gates.card_complete", "The model card is complete", TICK),
        Entry("gates.card_templates", "The card follows the template", LINES, "A key such as eu-annex-iv, or key/number for that version or a newer one."),
        Entry("gates.clean_commit", "The code is committed: the run names a commit without changes", TICK),
        Entry(
            "gates.impact_assessment.tiers",
            "An impact assessment is signed, for models of these risk tiers",
            TIERS,
            "Ticking none asks for none.",
            (("1", "Tier 1, the highest"), ("2", "Tier 2"), ("3", "Tier 3")),
            width="half",
        ),
        Entry("gates.impact_assessment.max_age_days", "Signed at most so many days ago", WHOLE, "Empty: until it is due again.", width="half"),
        Rows(
            "gates.conditions",
            "Conditions of your own",
            "condition",
            (
                Entry("title", "What it asks, in words", LINE),
                Entry("expression", "Expression", CODE, "Must be true. The names it may use stand below."),
                Entry("key", "Short name", WORD, "Left empty, it follows from the words."),
            ),
        ),
    ),
)  # fmt: skip

_STEPS: Final = Section(
    "steps",
    "Who must sign",
    "Different people in every step, and never whoever made what is signed.",
    (
        Rows(
            "steps",
            "Steps",
            "step",
            (
                Entry("title", "Title", LINE, placeholder="Independent validation", width="half"),
                Entry("key", "Short name", WORD, "Left empty, it follows from the title.", width="half"),
                Entry("role", "Role", PICK, choices=SIGNING, width="half"),
                Entry("count", "How many people", WHOLE, width="half"),
                Entry("after", "Only after these steps", PICKS, "None: at any time."),
                Entry("exclude_owner", "The owner of the model cannot sign it", TICK),
                Entry("deadline_days", "Days to sign", WHOLE, "Empty: no deadline.", width="half"),
                Entry("remind_days", "Remind so many days before", WHOLE, placeholder="2", width="half"),
                Entry("escalate_to", "Once it is overdue, also tell", PICKS, choices=EVERYBODY),
            ),
            ordered=True,
        ),
        Entry(
            "promote",
            "When everybody has signed",
            RADIO,
            choices=(
                ("on_last_signature", "It is promoted with the last signature"),
                ("on_request", "Somebody asks for the promotion"),
            ),
        ),
    ),
)  # fmt: skip

_LIFE: Final = Section(
    "life",
    "How long it lives",
    "After these days everything is asked anew.",
    (
        Entry("approval_days", "An approval lives so many days", WHOLE, needed=True, width="half"),
        Entry("review_days", "A request expires after so many days", WHOLE, "Empty: never.", width="half"),
        Entry(
            "rereview_on",
            "What asks for a new review",
            PICKS,
            choices=(
                ("recall", "A recalled result"),
                ("finding", "A blocking finding"),
                ("checks", "A failed check"),
                ("data", "New evaluation data"),
                ("use", "A change of use"),
                ("incident", "An incident"),
                ("vendor", "A vendor's change"),
            ),
        ),
        Rows(
            "freeze_windows",
            "Days on which nothing is promoted",
            "freeze",
            (
                Entry("title", "Why", LINE, placeholder="End of year", width="third"),
                Entry("first", "First day", DAY, width="third"),
                Entry("last", "Last day", DAY, width="third"),
            ),
            "First and last day included, in UTC.",
        ),
    ),
)  # fmt: skip

_PEOPLE: Final = Section(
    "exceptions",
    "Exceptions",
    "Who may act outside the usual way. Each of it is signed and recorded.",
    (
        Entry(
            "emergency.roles",
            "In an emergency, one person may put back the last approved version who is",
            PICKS,
            "All of the roles ticked. None: nobody may.",
            EVERYBODY,
        ),
        Entry(
            "emergency.review_within_days",
            "Others review it within so many days",
            WHOLE,
            width="half",
        ),
        Entry(
            "findings.residual_risk_roles",
            "What is left of a risk is accepted by somebody who is",
            PICKS,
            "All of the roles ticked; at least one.",
            SIGNING,
        ),
        Entry(
            "waivers.roles",
            "A requirement is waived by somebody who is",
            PICKS,
            "All of the roles ticked; at least one.",
            SIGNING,
        ),
        Entry("waivers.max_days", "A waiver lives at most so many days", WHOLE, width="half"),
    ),
)

SECTIONS: Final[tuple[Section, ...]] = (
    _WHAT, _COVERS, _GOVERNS, _LIMITS, _INCUMBENT, _EVIDENCE, _STEPS, _LIFE, _PEOPLE,
)  # fmt: skip
ROWS: Final = {
    part.path: part for section in SECTIONS for part in section.parts if isinstance(part, Rows)
}
ENTRIES: Final = {
    part.path: part for section in SECTIONS for part in section.parts if isinstance(part, Entry)
}
