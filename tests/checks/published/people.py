"""Published figures about groups of people: decisions, admissions, hirings, and who was saved."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tests.checks.published.cases import (
    Case,
    Printed,
    group,
    measured,
    metric,
    ratio,
    rows,
    selected,
    share,
    stored,
)
from tests.checks.support import DEMO

# ProPublica's counts: survived and scored low, survived and scored high, recidivated and low, recidivated and high.
COMPAS = {"African-American": (990, 805, 532, 1369), "Caucasian": (1139, 349, 461, 505)}
COMPAS_ALL = (2681, 1282, 1216, 2035)
_OUTCOMES = ((0, 0), (0, 1), (1, 0), (1, 1))


def _compas() -> Any:
    counts = {
        (race, *pair): count
        for race, cells in COMPAS.items()
        for pair, count in zip(_OUTCOMES, cells, strict=True)
    }
    data = stored(
        rows(["race", "y", "p"], counts),
        favourable="0",
        target="y",
        prediction="p",
        sensitive=["race"],
    )
    return measured("fairness", data)


def _compas_overall() -> Any:
    counts = dict(zip(_OUTCOMES, COMPAS_ALL, strict=True))
    data = stored(
        rows(["y", "p"], counts), favourable="0", positive="1", target="y", prediction="p"
    )
    return measured("performance", data)


def _rate(label: str, key: str, part: str = "value") -> Any:
    return lambda result: getattr(group(result, label).rates[key], part)


def _fairlearn_example() -> Any:
    frame = pd.DataFrame(
        {
            "y": [1, 1, 1, 1, 1, 0, 0, 1, 1, 0],
            "p": [0, 1, 1, 1, 1, 0, 0, 0, 1, 1],
            "sex": ["Female"] * 5 + ["Male"] * 5,
        }
    )
    return measured("fairness", stored(frame, target="y", prediction="p", sensitive=["sex"]))


def _german(column: str) -> Any:
    """The outcomes themselves as decisions: who is a good credit, of all 1 000."""
    frame = pd.read_csv(DEMO / "german_credit_predictions.csv")
    data = stored(
        frame.assign(again=frame["y_true"]), target="y_true", prediction="again", sensitive=[column]
    )
    return measured("fairness", data)


def _gap(key: str) -> Any:
    return lambda result: result.groupings[0].gaps[key].value


def _taiwan() -> Any:
    counts = {(1, 0): 23364, (1, 1): 6636}
    return measured("performance", stored(rows(["p", "y"], counts), target="y", prediction="p"))


ADMITTED = {
    "A": ((512, 825), (89, 108)),
    "B": ((353, 560), (17, 25)),
    "C": ((120, 325), (202, 593)),
    "D": ((138, 417), (131, 375)),
    "E": ((53, 191), (94, 393)),
    "F": ((22, 373), (24, 341)),
}
_PER_CENT = {"A": (62, 82), "B": (63, 68), "C": (37, 34), "D": (33, 35), "E": (28, 24), "F": (6, 7)}


def _majors() -> Any:
    counts = {}
    for major, pairs in ADMITTED.items():
        for sex, (admitted, applied) in zip(("men", "women"), pairs, strict=True):
            counts[sex, major, 1] = admitted
            counts[sex, major, 0] = applied - admitted
    frame = rows(["sex", "major", "p"], counts).assign(y=lambda frame: frame["p"])
    data = stored(frame, target="y", prediction="p", sensitive=["sex", "major"])
    return measured("bias_audit", data, min_n=1)


def _crossed(sex: str, major: str) -> Any:
    def found(result: Any) -> Any:
        wanted = result.find(["sex", "major"])
        return next(g for g in wanted.groups if set(g.values) == {sex, major}).rate.value

    return found


# Saved of those on board; the report prints per cent with two places, some of them cut.
SAVED = {
    "First class": (203, 325, "62.46 %"),
    "Second class": (118, 285, "41.40 %"),
    "Third class": (178, 706, "25.21 %"),
    "Crew": (212, 885, "23.95 %"),
}
SAVED_PARTS = {
    "Second class, men": (14, 168, "8.33 %"),
    "Second class, women": (80, 93, "86.02 %"),
    "Third class, men": (75, 462, "16.23 %"),
    "Third class, women": (76, 165, "46.06 %"),
    "Third class, boys": (13, 48, "27.08 %"),
    "Third class, girls": (14, 31, "45.16 %"),
}
DECK = {
    "Deck": (43, 66, "65.15 %"),
    "Engine room": (72, 325, "22.15 %"),
    "Victualling": (97, 494, "19.63 %"),
}
_INQUIRY = (
    "Loss of the Steamship Titanic, report of a formal investigation (Wreck Commissioner's Court, "
    "London 1912), answer to question 21"
)


def _saved(key: str, data: str, table: dict[str, tuple[int, int, str]]) -> Case:
    return Case(
        key,
        "bias_audit",
        data,
        _INQUIRY,
        selected({name: cells[:2] for name, cells in table.items()}),
        tuple(
            Printed(f"saved, {name}", text, share(name), off=1)
            for name, (_, _, text) in table.items()
        ),
        note="The report cuts per cent where others round (97 of 494).",
    )


def _yates(x: int, m: int, y: int, n: int, z: float) -> float:
    """Chi-square with the continuity correction from the uncorrected z: the difference is shortened by (1/m + 1/n) / 2."""
    gap = abs(x / m - y / n)
    return (z * (gap - (1 / m + 1 / n) / 2) / gap) ** 2


CASES = (
    Case(
        "compas",
        "fairness",
        "COMPAS, Broward County: 3 696 African-American and 2 454 Caucasian defendants",
        "Larson, Mattu, Kirchner and Angwin, How We Analyzed the COMPAS Recidivism Algorithm (ProPublica, 23 May 2016)",
        _compas,
        (
            Printed(
                "false positive rate, African-American",
                "44.85 %",
                _rate("African-American", "false_negative_rate"),
            ),
            Printed(
                "false positive rate, Caucasian",
                "23.45 %",
                _rate("Caucasian", "false_negative_rate"),
            ),
            Printed(
                "false negative rate, African-American",
                "27.99 %",
                _rate("African-American", "false_positive_rate"),
            ),
            Printed(
                "false negative rate, Caucasian",
                "47.72 %",
                _rate("Caucasian", "false_positive_rate"),
            ),
        ),
        note="The source calls a new arrest positive. People want the other outcome, and rates by group are about what people "
        "want: its false positive rate is the false negative rate here, and the other way round.",
    ),
    Case(
        "compas-accuracy",
        "fairness",
        "the same defendants",
        "Dressel and Farid, The accuracy, fairness, and limits of predicting recidivism, Science Advances 4 (2018) eaao5580, table 2 (D)",
        _compas,
        (
            Printed("accuracy, African-American", "63.8 %", _rate("African-American", "accuracy")),
            Printed("its lower end", "62.2 %", _rate("African-American", "accuracy", "low"), off=1),
            Printed("its upper end", "65.4 %", _rate("African-American", "accuracy", "high")),
            Printed("accuracy, Caucasian", "67.0 %", _rate("Caucasian", "accuracy")),
            Printed("its lower end", "65.1 %", _rate("Caucasian", "accuracy", "low")),
            Printed("its upper end", "68.9 %", _rate("Caucasian", "accuracy", "high"), off=1),
        ),
        note="The source's intervals are the normal approximation's, Wilson's here: a tenth of a point at most. Its intervals "
        "of error rates are as wide as the other outcome's rows would make them, and are not compared.",
    ),
    Case(
        "compas-overall",
        "performance",
        "COMPAS, Broward County: all 7 214 defendants",
        "ProPublica as above for the error rates; Dressel and Farid 2018, table 2 (D), for the accuracy",
        _compas_overall,
        (
            Printed(
                "false positive rate",
                "32.35 %",
                lambda r: 1 - float(r.metrics["specificity"].value),
            ),
            Printed(
                "false negative rate", "37.40 %", lambda r: 1 - float(r.metrics["recall"].value)
            ),
            Printed("positive predictive value", "0.61", metric("precision")),
            Printed("accuracy", "65.4 %", metric("accuracy")),
            Printed("its lower end", "64.3 %", metric("accuracy", "low")),
            Printed("its upper end", "66.5 %", metric("accuracy", "high")),
        ),
    ),
    Case(
        "fairlearn-example",
        "fairness",
        "ten rows by sex",
        "Fairlearn, API reference of MetricFrame, example",
        _fairlearn_example,
        (
            Printed("selection rate, Female", "0.8", _rate("Female", "selection_rate")),
            Printed("selection rate, Male", "0.4", _rate("Male", "selection_rate")),
            Printed("difference", "0.4", _gap("demographic_parity_difference")),
            Printed("ratio", "0.5", _gap("demographic_parity_ratio")),
        ),
    ),
    Case(
        "adult",
        "bias_audit",
        "Adult (census income): over 50 000 dollars, 11 687 of 48 842 people, 11 208 of the 45 222 of whom everything is known",
        "UCI, description of the data set (adult.names)",
        selected({"everything known": (11208, 45222), "something unknown": (479, 3620)}),
        (
            Printed(
                "over 50 000 dollars",
                "23.93 %",
                lambda r: (
                    sum(g.selected for g in r.audits[0].groups)
                    / sum(g.total for g in r.audits[0].groups)
                ),
            ),
            Printed("without unknowns", "24.78 %", share("everything known")),
        ),
    ),
    Case(
        "german-age",
        "fairness",
        "German credit: 1 000 people, good credit by age over 25",
        "The data set's own description (Statlog German Credit, UCI): 700 good and 300 bad",
        lambda: _german("age_group"),
        (
            Printed(
                "good credits",
                "700",
                lambda r: sum(g.tp + g.fn for g in r.groupings[0].groups),
            ),
        ),
    ),
    Case(
        "taiwan",
        "performance",
        "Default of credit card clients, Taiwan: 6 636 of 30 000 default",
        "Yeh and Lien, The comparisons of data mining techniques ..., Expert Systems with Applications 36 (2009) 2473: 22.12 % default",
        _taiwan,
        (Printed("precision of always saying default", "22.12 %", metric("precision")),),
        note="The paper has 25 000 of the 30 000 rows.",
    ),
    Case(
        "berkeley",
        "bias_audit",
        "Graduate admissions, Berkeley, autumn 1973: 8 442 men and 4 321 women",
        "Bickel, Hammel and O'Connell, Sex bias in graduate admissions, Science 187 (1975) 398, table 1",
        selected({"men": (3738, 8442), "women": (1494, 4321)}),
        (
            Printed("admitted, men", "44 %", share("men")),
            Printed("admitted, women", "35 %", share("women")),
            Printed(
                "chi-square with Yates's correction",
                "110.8",
                lambda r: _yates(3738, 8442, 1494, 4321, float(group(r, "women").comparison.z)),
            ),
        ),
        note="The test here has no continuity correction; the correction is put on the z of the result to compare.",
    ),
    Case(
        "berkeley-majors",
        "bias_audit",
        "The six largest majors of the same admissions, sex and major crossed",
        "Freedman, Pisani and Purves, Statistics, chapter 2, table 2 (counts: R, datasets::UCBAdmissions)",
        _majors,
        tuple(
            Printed(f"admitted, {sex} to {major}", f"{cents} %", _crossed(sex, major), off=1)
            for major, pair in _PER_CENT.items()
            for sex, cents in zip(("men", "women"), pair, strict=True)
        ),
        note="Some of the source's per cents are rounded by hand: 131 of 375 is 34.9.",
    ),
    _saved("titanic", "Titanic: 2 201 on board by class", SAVED),
    _saved("titanic-parts", "Titanic: second and third class by sex and age", SAVED_PARTS),
    _saved("titanic-crew", "Titanic: crew by department", DECK),
    Case(
        "uniform-guidelines-12",
        "bias_audit",
        "48 of 80 White and 12 of 40 Black applicants hired",
        "Questions and Answers on the Uniform Guidelines, 44 Federal Register 11996 (2 March 1979), question 12",
        selected({"White": (48, 80), "Black": (12, 40)}),
        (
            Printed("selection rate, White", "60 %", share("White")),
            Printed("selection rate, Black", "30 %", share("Black")),
            Printed("impact ratio", "50 %", ratio("Black")),
        ),
    ),
    Case(
        "uniform-guidelines-ratios",
        "bias_audit",
        "hiring rates of four groups, 100 people each",
        "Questions and Answers on the Uniform Guidelines, 44 Federal Register 11996 (2 March 1979): adverse impact is "
        "indicated for American Indians, and not for Hispanics (exactly 80 %) or Blacks",
        selected(
            {
                "White": (60, 100),
                "American Indian": (45, 100),
                "Hispanic": (48, 100),
                "Black": (51, 100),
            }
        ),
        (
            Printed("impact ratio, American Indians", "75 %", ratio("American Indian")),
            Printed("impact ratio, Hispanics", "80 %", ratio("Hispanic")),
            Printed("impact ratio, Blacks", "85 %", ratio("Black")),
            Printed(
                "groups below four fifths",
                "1",
                lambda r: sum(
                    bool(g.comparison and g.comparison.below) for g in r.audits[0].groups
                ),
            ),
        ),
    ),
    Case(
        "teal-test",
        "bias_audit",
        "Written examination: 26 of 48 black and 206 of 259 white candidates passed",
        "Connecticut v. Teal, 457 U.S. 440 (1982)",
        selected({"black": (26, 48), "white": (206, 259)}),
        (
            Printed("pass rate, black", "54.17 %", share("black")),
            Printed("pass rate, white", "79.54 %", share("white")),
            Printed("impact ratio", "68 %", ratio("black")),
        ),
    ),
    Case(
        "teal-promotions",
        "bias_audit",
        "Promotions: 11 of 48 black and 35 of 259 white candidates",
        "Connecticut v. Teal, 457 U.S. 440 (1982)",
        selected({"black": (11, 48), "white": (35, 259)}),
        (
            Printed("promoted, black", "22.9 %", share("black")),
            Printed("promoted, white", "13.5 %", share("white")),
            Printed(
                "black rate as a share of the white one (almost 170 %)",
                "170 %",
                lambda r: 1 / float(group(r, "white").comparison.ratio.value),
            ),
        ),
        note="The ratio here is to the most selected group, so that of the white candidates is turned over.",
    ),
    Case(
        "ricci-captain",
        "bias_audit",
        "Examination for captain: 16 of 25 white, 3 of 8 black and 3 of 8 Hispanic candidates passed",
        "Ricci v. DeStefano, 557 U.S. 557 (2009)",
        selected({"white": (16, 25), "black": (3, 8), "Hispanic": (3, 8)}),
        (
            Printed("pass rate, white", "64 %", share("white")),
            Printed("pass rate, black", "37.5 %", share("black")),
            Printed("pass rate, Hispanic", "37.5 %", share("Hispanic")),
        ),
    ),
    Case(
        "ricci-lieutenant",
        "bias_audit",
        "Examination for lieutenant: 25 of 43 white, 6 of 19 black and 3 of 15 Hispanic candidates passed",
        "Ricci v. DeStefano, 557 U.S. 557 (2009)",
        selected({"white": (25, 43), "black": (6, 19), "Hispanic": (3, 15)}),
        (
            Printed("pass rate, white", "58.1 %", share("white")),
            Printed("pass rate, black", "31.6 %", share("black")),
            Printed("pass rate, Hispanic", "20 %", share("Hispanic")),
        ),
    ),
    Case(
        "catecholamine",
        "bias_audit",
        "coronary disease: 27 of 122 with high, 44 of 487 with low catecholamine",
        "Kleinbaum et al., example 3.1, as in SciPy's reference of relative_risk",
        selected({"high": (27, 122), "low": (44, 487)}),
        (
            Printed(
                "relative risk",
                "2.4495156482861398",
                lambda r: 1 / float(group(r, "low").comparison.ratio.value),
                off=20,
            ),
            Printed(
                "its lower end",
                "1.5836990926700116",
                lambda r: 1 / float(group(r, "low").comparison.ratio.high),
                off=200,
            ),
            Printed(
                "its upper end",
                "3.7886786315466354",
                lambda r: 1 / float(group(r, "low").comparison.ratio.low),
                off=200,
            ),
        ),
        note="The ratio here is to the larger rate, so the source's is turned over.",
    ),
    Case(
        "fisher-scipy",
        "bias_audit",
        "8 of 10 against 1 of 6",
        "SciPy, reference of fisher_exact, example",
        selected({"a": (8, 10), "b": (1, 6)}),
        (
            Printed(
                "Fisher's p",
                "0.034965034965034975",
                lambda r: group(r, "b").comparison.p_fisher,
                off=200,
            ),
        ),
    ),
    Case(
        "fisher-twins",
        "bias_audit",
        "convictions of twins of criminals: 10 of 13 monozygotic, 2 of 17 dizygotic",
        "Fisher 1970, p. 48, as in R's help of fisher.test",
        selected({"monozygotic": (10, 13), "dizygotic": (2, 17)}),
        (
            Printed(
                "Fisher's p, two-sided",
                "0.0005367",
                lambda r: group(r, "dizygotic").comparison.p_fisher,
            ),
        ),
    ),
    Case(
        "hmda",
        "bias_audit",
        "Mortgages, Boston 1990: 243 of 339 black and 1 853 of 2 042 other applicants approved",
        "Stock and Watson, Introduction to Econometrics, chapter 11: 28 % of black and 9 % of white applicants denied",
        selected({"black": (243, 339), "white": (1853, 2042)}),
        (
            Printed("denied, black", "28 %", lambda r: 1 - float(group(r, "black").rate.value)),
            Printed("denied, white", "9 %", lambda r: 1 - float(group(r, "white").rate.value)),
        ),
        note="The source has 2 380 of the 2 381 rows.",
    ),
)
