"""Leakage: does the evaluation data hold what the model had seen, or what it could not know? Pure.

Steps of `measure`: 1 the share of evaluation rows that occur in the reference data, 2 the outcome or the model's own
answer among the features, 3 features that tell the outcome of every row by themselves.

Not measured: rows that are nearly equal, several rows of one person, features made from the outcome with some noise.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from apps.checks.library.equalrows import Repeats, Shared
from apps.checks.library.estimates import Estimate
from apps.checks.library.exactly import Question, number, share
from apps.checks.library.judging import Assessment, Row, conclude
from apps.checks.limits import LeakageLimits
from apps.checks.numbers import grouped, listed, plural
from apps.checks.verdicts import Verdict

# A value that occurs once tells nothing: so many rows must have a value that occurs again before a feature is said to tell all.
LEAST_REPEATED = 30
TITLES = {
    "shared_share": "Share of rows seen before",
    "answers_as_features": "Features that are the answer",
    "perfect_features": "Features that tell every outcome",
}


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose: which columns are features is declared with the data, so that none can be left out afterwards."""


class Purity(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one feature alone divides the rows whose outcome is known.

    `rows` have a value of the feature; `repeated` of them have one that occurs again, and `pure` of these belong to the
    commonest outcome of their value. `apart` (numbers, two outcomes) says that all of one outcome lie below all of the other.
    """

    name: str
    rows: int
    repeated: int
    pure: int
    values: int
    apart: bool = False


class Unlooked(msgspec.Struct, frozen=True, array_like=True):
    """A feature that was not looked at, and why."""

    name: str
    reason: str


class LeakageStatistics(msgspec.Struct, frozen=True, tag="leakage"):
    """What was counted. `compared` are the columns by which rows are called equal, `declared` whether they are features
    or, for want of any, all that both data sets have."""

    compared: tuple[str, ...]
    declared: bool
    shared: Shared
    repeats: Repeats  # within the reference
    answers: tuple[str, ...]
    outcomes: int
    purities: tuple[Purity, ...]
    unlooked: tuple[Unlooked, ...] = ()
    unlike: tuple[str, ...] = ()


class LeakageResult(msgspec.Struct, frozen=True, omit_defaults=True, tag="leakage"):
    """`usual_share` is the share of reference rows that repeat one another: what to expect where rows are often equal."""

    rows: int
    reference_rows: int
    compared: tuple[str, ...]
    declared: bool
    shared_share: Estimate
    distinct_shared: int
    usual_share: Estimate
    answers: tuple[str, ...]
    perfect: tuple[str, ...]
    purities: tuple[Purity, ...]
    outcomes: int
    unlooked: tuple[Unlooked, ...] = ()
    unlike: tuple[str, ...] = ()


def measure(statistics: LeakageStatistics, _params: Params) -> LeakageResult:
    """The same statistics give the same result."""
    shared, repeats = statistics.shared, statistics.repeats
    several = statistics.outcomes > 1
    return LeakageResult(
        rows=shared.rows,
        reference_rows=shared.reference_rows,
        compared=statistics.compared,
        declared=statistics.declared,
        shared_share=share(shared.shared, shared.rows),
        distinct_shared=shared.distinct,
        usual_share=share(repeats.repeated, repeats.rows),
        answers=statistics.answers,
        perfect=tuple(each.name for each in statistics.purities if several and tells_all(each)),
        purities=statistics.purities,
        outcomes=statistics.outcomes,
        unlooked=statistics.unlooked,
        unlike=statistics.unlike,
    )


def tells_all(purity: Purity) -> bool:
    """Whether the feature alone tells the outcome of every row, and not because hardly a value of it occurs twice."""
    if purity.rows < LEAST_REPEATED:
        return False
    often = purity.repeated >= LEAST_REPEATED and 2 * purity.repeated >= purity.rows
    return purity.apart or (often and purity.pure == purity.repeated)


def assess(result: LeakageResult, limits: LeakageLimits) -> Assessment:
    """Rows for the limits, for answers among the features always, for features that tell all always.

    The latter are a warning (INCONCLUSIVE): whether something is known before the outcome, no count can say. A policy that
    names them in `allow_features` has looked.
    """
    return conclude(list(_rows(result, limits)), sentence(result))


def sentence(result: LeakageResult) -> str:
    """What was found, in one sentence."""
    count = result.shared_share.numerator or 0
    seen = f"{plural(count, 'row')} of {grouped(result.rows)} {'occurs' if count == 1 else 'occur'} in the reference data"
    tells = f"{listed(list(result.perfect))} {'tells' if len(result.perfect) == 1 else 'tell'} the outcome of every row alone"
    alone = tells if result.perfect else "no feature was found that tells every outcome alone"
    return f"{seen}, compared by {plural(len(result.compared), 'column')}; {alone}."


def _rows(result: LeakageResult, limits: LeakageLimits) -> Iterator[Row]:
    if limits.shared_share:
        asked = Question("shared_share", TITLES["shared_share"], result.rows)
        told = f"By {plural(len(result.compared), 'column')}."
        row = asked.judged(result.shared_share, limits.shared_share, told)
        yield _alike(row, asked, result) if row.verdict.satisfies else row
    yield _answers(result)
    yield from _perfect(result, limits)


def _alike(row: Row, asked: Question, result: LeakageResult) -> Row:
    """The row, unless few equal rows are no surprise: words never equal numbers."""
    if not result.unlike:
        return row
    names = listed(list(result.unlike))
    told = f"{names} {'holds' if len(result.unlike) == 1 else 'hold'} another kind of values than in the reference data, so equal rows may not look equal."
    return asked.unknown(told, row.limit)


def _answers(result: LeakageResult) -> Row:
    title, n = TITLES["answers_as_features"], len(result.compared)
    if result.answers:
        is_one = f"{listed(list(result.answers))} {'is' if len(result.answers) == 1 else 'are'} declared as outcome, prediction or score and as feature."
        count = str(len(result.answers))
        return Row(
            "answers_as_features", title, Verdict.FAIL, is_one, value=count, limit="none", n=n
        )
    if not result.declared:
        why = "No features are declared, so whether the answer is one of them is not known."
        return Question("answers_as_features", title, n).unknown(why, "none")
    clean = "None of the declared features is the outcome, the prediction or the score."
    return Row("answers_as_features", title, Verdict.PASS, clean, value="0", limit="none", n=n)


def _perfect(result: LeakageResult, limits: LeakageLimits) -> Iterator[Row]:
    title = TITLES["perfect_features"]
    asked = Question("perfect_features", title, result.rows)
    known = {each.name: each for each in result.purities}
    open_ = [name for name in result.perfect if name not in limits.allow_features]
    if result.outcomes < 2:
        yield asked.unknown("There is a single outcome, so nothing could tell it.")
    elif not known:
        yield asked.unknown("No feature could be looked at.")
    elif result.unlooked:
        names = listed([each.name for each in result.unlooked])
        yield asked.unknown(f"Not looked at: {names} ({result.unlooked[0].reason}).")
    for name in open_:
        yield _warning(known[name], result.outcomes)
    if limits.perfect_features:
        yield asked.judged(
            number(len(open_)), limits.perfect_features, f"{listed(open_)}." if open_ else ""
        )
    elif not open_ and known and result.outcomes > 1 and not result.unlooked:
        told = f"None of {plural(len(known), 'feature')} tells the outcome of every row alone{_looked_at(result)}."
        yield Row("perfect_features", title, Verdict.PASS, told, value="0", n=result.rows)


def _looked_at(result: LeakageResult) -> str:
    return (
        f" beside {listed(list(result.perfect))}, which the policy lets in"
        if result.perfect
        else ""
    )


def _warning(purity: Purity, outcomes: int) -> Row:
    how = (
        "one outcome lies below the other without overlap"
        if purity.apart
        else f"each of its values goes with one of {grouped(outcomes)} outcomes"
    )
    told = f"{purity.name} alone tells the outcome of all {grouped(purity.rows)} rows ({how}): is it known before the outcome is?"
    return Row(
        "perfect_features",
        TITLES["perfect_features"],
        Verdict.INCONCLUSIVE,
        told,
        of=purity.name,
        n=purity.rows,
    )
