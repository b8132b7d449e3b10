"""Bias audits that were published under New York City's Local Law 144, category by category.

They print applicants and rates; how many were selected (or scored above the median) follows from both. Counts of millions
of people go to the check as the count tables that the engine would have stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apps.checks.library.bias_audit import Category, Params, measure
from apps.checks.selections import BiasAuditStatistics, Selections
from apps.checks.statistics import RowCount
from tests.checks.published.cases import Case, Printed

_COLLECTED = "; as collected by Gerchick et al., Auditing the Audits (FAccT 2025), doi 10.1145/3715275.3732004"
_ADP = (
    "ADP, candidate relevancy, audited by BLDS, LLC, 2023 (perma.cc/KF5Y-5XY7), scoring rates"
    + _COLLECTED
)
_JETBLUE = (
    "JetBlue, HireVue's service assessment, audited by DCI Consulting Group, 2023 (perma.cc/6Z94-QW5E)"
    + _COLLECTED
)
_ROUNDED = (
    "The rates are printed with {} digits, so a ratio of them may be off by {} of its last digit."
)

# Applicants, printed rate, printed ratio; none where the category was left out of the ratio.
Row = tuple[int, str, str]
ADP_SEX = {"Female": (573_856, "0.473", "1.000"), "Male": (478_161, "0.466", "0.986")}
ADP_RACE = {
    "Asian": (97_576, "0.470", "0.956"),
    "Black or African American": (278_592, "0.465", "0.946"),
    "Hispanic or Latino": (196_581, "0.475", "0.965"),
    "Two or More Races": (40_542, "0.489", "0.994"),
    "White": (385_751, "0.492", "1.000"),
    "American Indian or Alaska Native": (5_050, "0.454", ""),
    "Native Hawaiian or Other Pacific Islander": (4_329, "0.487", ""),
}
ADP_CROSSED = {
    ("Female", "Asian"): (40_617, "0.484", "0.992"),
    ("Female", "Black or African American"): (166_039, "0.467", "0.957"),
    ("Female", "Hispanic or Latino"): (99_243, "0.469", "0.962"),
    ("Female", "Two or More Races"): (22_186, "0.488", "1.000"),
    ("Female", "White"): (196_823, "0.485", "0.993"),
    ("Male", "Asian"): (51_661, "0.461", "0.945"),
    ("Male", "Black or African American"): (103_143, "0.453", "0.928"),
    ("Male", "Hispanic or Latino"): (87_864, "0.471", "0.965"),
    ("Male", "Two or More Races"): (14_187, "0.471", ""),
    ("Male", "White"): (183_819, "0.486", "0.996"),
    ("Female", "American Indian or Alaska Native"): (2_662, "0.447", ""),
    ("Male", "American Indian or Alaska Native"): (1_749, "0.464", ""),
    ("Female", "Native Hawaiian or Other Pacific Islander"): (2_240, "0.505", ""),
    ("Male", "Native Hawaiian or Other Pacific Islander"): (1_706, "0.523", ""),
}
TOP_AND_MIDDLE = {"Male": (85_275, "0.70", "1.00"), "Female": (70_117, "0.62", "0.89")}
TOP = {"Male": (85_434, "0.37", "1.00"), "Female": (70_118, "0.31", "0.84")}


def _audited(features: tuple[str, ...], table: Mapping[Any, Row]) -> Callable[[], Any]:
    counts = {
        _values(name): (round(float(rate) * total), total)
        for name, (total, rate, _) in table.items()
    }

    def audit() -> Any:
        selections = Selections.of(features, counts)
        rows = RowCount(selections.total, selections.total)
        params = Params(justification="less than 2 % of the data")
        return measure(BiasAuditStatistics(rows, "1", 0, (selections,)), params)

    return audit


def _values(name: str | tuple[str, ...]) -> tuple[str, ...]:
    return (name,) if isinstance(name, str) else name


def _category(result: Any, name: Any) -> Category:
    [table] = result.tables
    return next(each for each in table.categories if each.values == _values(name))


def _rate(name: Any) -> Callable[[Any], str | None]:
    return lambda result: _category(result, name).rate.value


def _ratio(name: Any) -> Callable[[Any], str | None]:
    def found(result: Any) -> str | None:
        ratio = _category(result, name).ratio
        return ratio.value if ratio else None

    return found


def _left_out(result: Any) -> int:
    return sum(each.excluded for each in result.tables[0].categories)


def _case(
    key: str, data: str, source: str, features: tuple[str, ...], table: Mapping[Any, Row], off: int
) -> Case:
    digits = len(next(iter(table.values()))[1]) - 2
    printed = [
        figure
        for name, (_, rate, ratio) in table.items()
        for label in [", ".join(_values(name))]
        for figure in (
            Printed(f"rate, {label}", rate, _rate(name)),
            *([Printed(f"impact ratio, {label}", ratio, _ratio(name), off=off)] if ratio else []),
        )
    ]
    without = sum(not ratio for _, _, ratio in table.values())
    if without:
        printed.append(Printed("categories below 2 %, without a ratio", str(without), _left_out))
    units = "one unit" if off == 1 else f"{off} units"
    note = _ROUNDED.format(digits, units)
    return Case(key, "bias_audit", data, source, _audited(features, table), tuple(printed), note)


CASES = (
    _case("adp-sex", "Applicants scored by sex", _ADP, ("sex",), ADP_SEX, 2),
    _case("adp-race", "Applicants scored by race", _ADP, ("race",), ADP_RACE, 2),
    _case(
        "adp-crossed",
        "Applicants scored by sex and race (of men of two or more races, 1.5 %, the auditor gives a ratio all the same)",
        _ADP,
        ("sex", "race"),
        ADP_CROSSED,
        2,
    ),
    _case("jetblue-middle", "Top and middle by sex", _JETBLUE, ("sex",), TOP_AND_MIDDLE, 1),
    _case("jetblue-top", "Top by sex", _JETBLUE, ("sex",), TOP, 1),
)
