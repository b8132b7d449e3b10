"""A number against a limit: the verdict, and the sentence that says it. Pure.

FAIL: the point is beyond the limit and its interval excludes the limit. PASS: the point is on the right
side and so is its whole interval. INCONCLUSIVE: the interval crosses the limit. INSUFFICIENT: there is no
number, no interval, or too little behind it. The bound itself is on the right side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import msgspec

from apps.checks.library.estimates import Estimate
from apps.checks.limits import Bound
from apps.checks.numbers import grouped, plural, shown, shown_against
from apps.checks.statistics import RowCount
from apps.checks.verdicts import Verdict, worst


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One requirement judged. `of` names the group, feature or column, empty for the whole."""

    key: str
    title: str
    verdict: Verdict
    sentence: str
    of: str = ""
    value: str | None = None
    low: str | None = None
    high: str | None = None
    limit: str = ""
    n: int | None = None
    method: str = ""


class Assessment(msgspec.Struct, frozen=True):
    """A measurement against limits: the verdict of the whole, one sentence, the rows behind it."""

    verdict: Verdict
    sentence: str
    rows: tuple[Row, ...]


def verdict_of(number: Estimate, bound: Bound) -> Verdict:
    """The rule above. Points are compared as fractions, so 3/5 : 6/8 is not below four fifths."""
    if number.value is None or number.interval is None:
        return Verdict.INSUFFICIENT
    limit = bound.value
    low, high = Fraction(number.interval.low), Fraction(number.interval.high)
    if bound.min is not None:
        point_holds, all_hold, none_holds = number.exact >= limit, low >= limit, high < limit
    else:
        point_holds, all_hold, none_holds = number.exact <= limit, high <= limit, low > limit
    if point_holds and all_hold:
        return Verdict.PASS
    if not point_holds and none_holds:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE


class Subject(msgspec.Struct, frozen=True):
    """What is judged: `n` rows in all, `support` of them behind the number (the smaller class, say)."""

    key: str
    title: str
    n: int
    support: int
    of: str = ""

    @property
    def phrase(self) -> str:
        return f"{self.title} {self.of}" if self.of else self.title


def judged(subject: Subject, number: Estimate, bound: Bound, *, min_n: int) -> Row:
    """One row of the assessment."""
    enough = subject.support >= min_n
    verdict = verdict_of(number, bound) if enough else Verdict.INSUFFICIENT
    return Row(
        key=subject.key,
        title=subject.title,
        verdict=verdict,
        sentence=_sentence(subject, number, bound, verdict, min_n),
        of=subject.of,
        value=number.value,
        low=number.low,
        high=number.high,
        limit=bound.sentence,
        n=subject.n,
        method=number.method,
    )


def _sentence(
    subject: Subject, number: Estimate, bound: Bound, verdict: Verdict, min_n: int
) -> str:
    if number.value is None:
        return f"{subject.phrase}: {number.reason}."
    value = f"{subject.phrase}: {shown_against(number.value, bound.text)}{between(number)}"
    size = f"n = {grouped(subject.n)}"
    if subject.support < min_n:
        rests = plural(subject.support, "row")
        return f"{value} rests on {rests}; at least {grouped(min_n)} are needed."
    if verdict is Verdict.INSUFFICIENT:
        return f"{value} has no interval: {number.reason}."
    if verdict is Verdict.INCONCLUSIVE:
        return f"{value} cannot be told from the limit of {bound.text}, {size}."
    if verdict is Verdict.PASS:
        return f"{value} is {bound.sentence}, {size}."
    side = "below" if bound.max is None else "above"
    return f"{value} is {side} {bound.text}, {size}."


def between(number: Estimate) -> str:
    """` (0.668 to 0.732)`, or nothing where there is no interval."""
    if number.low is None or number.high is None:
        return ""
    return f" ({shown(number.low)} to {shown(number.high)})"


def left_out(rows: RowCount, most: str, what: str = "rows") -> list[Row]:
    """A row only when more was left out than may be: what is missing must not improve a number."""
    gone = rows.total - rows.counted
    if not rows.total or Fraction(gone, rows.total) <= Fraction(most):
        return []
    reasons = ", ".join(f"{grouped(count)} {why}" for why, count in rows.excluded.items())
    sentence = f"{grouped(gone)} of {grouped(rows.total)} {what} were left out ({reasons})."
    return [
        Row(
            "excluded",
            f"Share of {what} left out",
            Verdict.INSUFFICIENT,
            sentence,
            limit=f"at most {most}",
        )
    ]


def conclude(rows: Sequence[Row], when_passed: str) -> Assessment:
    """The worst row speaks; how many others do not pass either is counted."""
    verdict = worst(row.verdict for row in rows)
    if verdict is Verdict.PASS:
        return Assessment(verdict, when_passed, tuple(rows))
    first = next((row for row in rows if row.verdict is verdict), None)
    if first is None:
        return Assessment(Verdict.NOT_RUN, "Nothing was judged.", ())
    others = sum(not row.verdict.satisfies for row in rows) - 1
    more = f" {plural(others, 'more requirement')} not met." if others else ""
    return Assessment(verdict, first.sentence + more, tuple(rows))


def unless_weakened(result: msgspec.Struct, assessment: Assessment) -> Assessment:
    """The assessment; without a pass where a parameter was chosen that makes passing easier than the default does.

    Whoever runs a check chooses its parameters and may have made the model. A lower confidence narrows every interval, and a
    larger share for empty bins makes PSI smaller.
    """
    rows = []
    for key, title, weaker in _CHOSEN:
        chosen = getattr(result, key, None)
        if isinstance(chosen, str) and (why := weaker(float(chosen))):
            rows.append(Row(key, title, Verdict.INSUFFICIENT, f"{why}; run the check again."))
    return conclude([*rows, *assessment.rows], assessment.sentence) if rows else assessment


def _narrower(confidence: float) -> str:
    return (
        f"The intervals are of {confidence:g}; a verdict takes 0.95 or more"
        if confidence < 0.95
        else ""
    )


def _larger(epsilon: float) -> str:
    return (
        f"An empty bin counted as {epsilon:g}; a verdict takes 0.0001 or less"
        if epsilon > 0.0001
        else ""
    )


_CHOSEN: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("confidence", "Confidence of the intervals", _narrower),
    ("epsilon", "Share of an empty bin", _larger),
)
