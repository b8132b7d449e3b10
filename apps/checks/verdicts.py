"""What can be said about a requirement, in the order in which verdicts combine: the worst wins."""

from __future__ import annotations

import enum
from collections.abc import Container, Iterable


class Verdict(enum.StrEnum):
    """From worst to best. Only PASS and WAIVED satisfy a gate."""

    ERROR = "ERROR"
    FAIL = "FAIL"
    INSUFFICIENT = "INSUFFICIENT"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_RUN = "NOT_RUN"
    WAIVED = "WAIVED"
    PASS = "PASS"  # noqa: S105 - a verdict, not a secret

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _ORDER[self]

    @property
    def satisfies(self) -> bool:
        """Whether a gate may count it as met."""
        return self in {Verdict.PASS, Verdict.WAIVED}

    @property
    def label(self) -> str:
        """The word beside the icon."""
        return _LABELS[self]

    @property
    def tone(self) -> str:
        """Which of the interface's seven tones it takes; "unknown" never looks like passed."""
        return _TONES[self]


_ORDER = {verdict: rank for rank, verdict in enumerate(Verdict)}

_LABELS = {
    Verdict.ERROR: "Error",
    Verdict.FAIL: "Failed",
    Verdict.INSUFFICIENT: "Too little data",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.NOT_RUN: "Not run",
    Verdict.WAIVED: "Waived",
    Verdict.PASS: "Passed",
}

_TONES = {
    Verdict.ERROR: "bad",
    Verdict.FAIL: "bad",
    Verdict.INSUFFICIENT: "warn",
    Verdict.INCONCLUSIVE: "warn",
    Verdict.NOT_RUN: "unknown",
    Verdict.WAIVED: "warn",
    Verdict.PASS: "good",
}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of the whole. Of nothing at all: NOT_RUN, because missing is not passing."""
    return min(verdicts, key=lambda verdict: verdict.rank, default=Verdict.NOT_RUN)


def accepts(verdict: Verdict, kind: str, inconclusive: Container[str]) -> bool:
    """Whether a gate counts the check as met: it satisfies, or the policy accepts inconclusive for this kind."""
    return verdict.satisfies or (verdict is Verdict.INCONCLUSIVE and kind in inconclusive)
