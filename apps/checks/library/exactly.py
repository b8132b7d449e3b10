"""A number that is the whole truth about the data at hand, against a limit. Pure.

Counts of what a file holds are no sample of anything: they have no interval, and the point alone decides. Compared as
fractions, so 1 of 20 is not above 0.05.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from apps.checks.library.estimates import Estimate
from apps.checks.library.judging import Row
from apps.checks.limits import Bound
from apps.checks.numbers import grouped, shown_against
from apps.checks.verdicts import Verdict
from apps.core.canonical import decimal

METHOD = "counted"


def share(count: int, total: int) -> Estimate:
    """A share of all rows; null where there are none."""
    if not total:
        return Estimate(None, numerator=count, denominator=0, reason="not defined: no rows")
    text = decimal(count / total)
    return Estimate(text, text, text, count, total, method=METHOD)


def number(count: int) -> Estimate:
    """A count."""
    return Estimate(str(count), str(count), str(count), count, 1, method=METHOD)


@dataclass(frozen=True, slots=True)
class Question:
    """What is judged: `of` names the column, `n` the rows behind the number."""

    key: str
    title: str
    n: int
    of: str = ""

    def judged(self, found: Estimate, bound: Bound, told: str = "") -> Row:
        """PASS or FAIL; INSUFFICIENT only where there is no number. `told` is added to the sentence."""
        if found.value is None:
            return self.unknown(f"{self._phrase}: {found.reason}.", bound.sentence)
        value, limit = found.exact, Fraction(bound.text)
        holds = value <= limit if bound.min is None else value >= limit
        return Row(
            key=self.key,
            title=self.title,
            verdict=Verdict.PASS if holds else Verdict.FAIL,
            sentence=f"{self._phrase}: {_shown(found, bound)} is {_side(bound, holds)}, n = {grouped(self.n)}.{told and ' ' + told}",
            of=self.of,
            value=found.value,
            low=found.low,
            high=found.high,
            limit=bound.sentence,
            n=self.n,
            method=METHOD,
        )

    def unknown(self, why: str, limit: str = "") -> Row:
        """Nothing can be said, and why."""
        return Row(
            self.key, self.title, Verdict.INSUFFICIENT, why, of=self.of, limit=limit, n=self.n
        )

    @property
    def _phrase(self) -> str:
        return f"{self.title} {self.of}" if self.of else self.title


def _shown(found: Estimate, bound: Bound) -> str:
    if found.denominator == 1 and found.numerator is not None:
        return grouped(found.numerator)
    return shown_against(str(found.value), bound.text)


def _side(bound: Bound, holds: bool) -> str:
    if holds:
        return bound.sentence
    return f"above {bound.max}" if bound.min is None else f"below {bound.min}"
