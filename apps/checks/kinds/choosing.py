"""The words of what a person may choose, by kind: data that pages make their forms of (see `apps.checks.choices`)."""

from __future__ import annotations

from typing import Final

from apps.checks.choices import Choice
from apps.checks.engine.parts import WINDOWS
from apps.checks.library.recognisers import IDENTITY

_CONFIDENCE: Final = Choice(
    "confidence", "Confidence of the intervals", "A share such as 0.95, from 0.5 to 0.9999."
)
_DRAWS: Final = Choice(
    "draws",
    "Resamples",
    "How often the counts are drawn again for the intervals beside the formulas'; 0 for none.",
    preview_most=100,
)
_SEED: Final = Choice(
    "seed", "Seed", "The same seed draws the same: an auditor gets these very numbers."
)
_CROSSINGS: Final = Choice(
    "crossings",
    "Crossings of groups",
    "Each declared column is measured by itself in any case. None chosen: all of them crossed.",
)

PERFORMANCE: Final = (
    _CONFIDENCE,
    Choice(
        "threshold",
        "Threshold of the score",
        "Decide by score >= threshold instead of the column of the decision. Empty: the decisions as they are.",
        needs="score",
    ),
    Choice(
        "against",
        "Column of the incumbent's decision",
        "Compared row by row with this model's, on the same rows. Empty: no comparison.",
        shape="column",
    ),
    Choice("against_score", "Column of the incumbent's score", "Compared row by row as well.", shape="column", needs="score"),
    _DRAWS,
    _SEED,
)  # fmt: skip
CONFIDENCE: Final = (_CONFIDENCE,)
FAIRNESS: Final = (
    _CROSSINGS,
    Choice(
        "reference",
        "Reference groups",
        "One column a line, such as sex = female. The other groups are compared with it; without one, with the largest.",
    ),
    _CONFIDENCE,
    _DRAWS,
    _SEED,
)
BIAS_AUDIT: Final = (
    _CROSSINGS,
    _CONFIDENCE,
    Choice("alpha", "Level of significance", "A share such as 0.05: rates differ where the test is below it."),
    Choice("min_n", "Fewest rows of a group", "The page goes by groups of at least so many rows."),
    Choice(
        "exclude_below",
        "Share below which a category is left out",
        "Of Local Law 144's tables only; at most 0.02. It is counted and named.",
    ),
    Choice("justification", "Why such categories are left out", "The published summary must give it."),
    Choice(
        "median_over",
        "The median score is over",
        options=(("known", "rows with a known category in every column"), ("all", "all rows with a score")),
        shape="options",
    ),
)  # fmt: skip
PROXY: Final = (
    _CONFIDENCE,
    Choice("min_n", "Fewest rows of a group", "Smaller groups and categories are not told apart."),
)
DRIFT: Final = (
    Choice(
        "window",
        "Windows of time",
        "Drift as a curve. It takes a column of the time in the current data.",
        options=(("", "months of dates, or the column's own values"), *((name, "each value" if name == "value" else f"by {name}") for name in WINDOWS)),
        shape="options",
    ),
    _CONFIDENCE,
    Choice("epsilon", "Share of an empty bin", "PSI cannot divide by nothing: an empty bin counts as this share."),
)  # fmt: skip
QUALITY: Final = (
    Choice(
        "ranges",
        "Ranges of numbers",
        "One column a line, such as age: 18 to 99. Either end may be left out, as in income: 0 to.",
    ),
    Choice("time_column", "Column that tells the age of a row", "Empty: the declared one, or the only column of times.", shape="column"),
    Choice("as_of", "Age is counted to", "A day; empty: the day on which it is asked for.", shape="day"),
)  # fmt: skip
PII: Final = (
    Choice(
        "countries",
        "Countries",
        f"Whose identity and local telephone numbers are looked for, separated by commas. Known: {', '.join(IDENTITY)}.",
    ),
    Choice(
        "most_values",
        "Most values read of a column",
        "Of a column with more different values a sample is read, and the result says so.",
        preview_most=300,
    ),
    _SEED,
)
FILES: Final = (Choice("unpack_bytes", "Bytes unpacked per file", offered=False),)
