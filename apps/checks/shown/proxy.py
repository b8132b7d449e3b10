"""A proxy check as a page reads it: the strongest association first, then every pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apps.checks.library.proxy import Proxy, ProxyResult, Separation
from apps.checks.numbers import MISSING, grouped, plural, shown
from apps.checks.shown.words import bar, counted, interval, p_text, percent
from apps.core.parts import Chart, Column, Missing, Part, Table, Text, cells

MOST = 40
FORMULA = (
    "Cramer's V: 0 where the attribute does not depend on the column, 1 where the column tells it; from the table of "
    "categories by groups, corrected for bias: √(max(0, χ²/n − (r−1)(c−1)/(n−1)) / (min(r*, c*) − 1)) with "
    "r* = r − (r−1)²/(n−1) and c* alike (Bergsma 2013). Interval: noncentral χ² (Smithson 2003). Numbers are cut into "
    "twentieths; a missing value is a category. p: χ² without correction, adjusted over all pairs (Benjamini & "
    "Hochberg 1995). AUC: how often somebody of the group has the higher number than somebody else, ties one half; "
    "the group that is told best is named. One column at a time: what several give away together is not measured."
)


def parts(result: ProxyResult) -> tuple[Part, ...]:
    """Each attribute with its pairs; what was not measured is a visible gap with its reason."""
    found: list[Part] = [Text(_sentence(result.pairs))]
    for attribute in dict.fromkeys(pair.attribute for pair in result.pairs):
        pairs = [pair for pair in result.pairs if pair.attribute == attribute]
        found += _attribute(attribute, pairs, result)
    found += [
        Missing(
            f"{each.attribute}{f' from {each.feature}' if each.feature else ''} was not measured: {each.reason}."
        )
        for each in result.unmeasured
    ]
    found.append(Text(FORMULA, heading="How to read the associations"))
    return tuple(found)


def _sentence(pairs: Sequence[Proxy]) -> str:
    known = [pair for pair in pairs if pair.cramers_v.value is not None]
    if not known:
        return (
            "No association is defined: no column has two values that could be told apart by group."
        )
    first = max(known, key=_strength)
    itself = ", which is the attribute itself" if first.itself else ""
    return (
        f"Told best: {first.attribute} from {first.feature}{itself}, Cramer's V {shown(first.cramers_v.value)} "
        f"({interval(first.cramers_v)}, n = {grouped(first.rows.counted)}), of {plural(len(pairs), 'pair')}."
    )


def _strength(pair: Proxy) -> float:
    return float(pair.cramers_v.value or -1)


def _attribute(attribute: str, pairs: Sequence[Proxy], result: ProxyResult) -> Iterator[Part]:
    ordered = sorted(pairs, key=lambda pair: (-_strength(pair), pair.feature))
    fewest = min(pairs, key=lambda pair: pair.rows.counted)
    least = f"Groups of fewer than {grouped(result.min_n)} rows are left out."
    yield Text(f"{counted(fewest.rows)} {least}", heading=f"How well {attribute} can be told")
    confidence = percent(result.confidence)
    yield Chart(
        f"Cramer's V with {attribute}, with {confidence} intervals",
        "Cramer's V",
        tuple(bar(pair.feature, pair.cramers_v) for pair in ordered[:MOST]),
    )
    head = (
        Column("Column"),
        Column("n", numeric=True),
        Column("Cramer's V", numeric=True),
        Column(f"{confidence} interval", numeric=True),
        Column("Adjusted p", numeric=True),
        Column("AUC"),
    )
    rows = tuple(cells(*_row(pair)) for pair in ordered)
    yield Table(f"Columns that tell {attribute}", head, rows, note=_rare(ordered))


def _row(pair: Proxy) -> tuple[str, ...]:
    name = f"{pair.feature} (score)" if pair.role == "score" else pair.feature
    number = pair.cramers_v
    return (
        f"{name} (the attribute itself)" if pair.itself else name,
        grouped(pair.rows.counted),
        shown(number.value) if number.value is not None else number.reason,
        interval(number),
        p_text(pair.test.p_adjusted if pair.test else None),
        _auc(pair.separations),
    )


def _auc(separations: Sequence[Separation]) -> str:
    """The group that is told best."""
    known = [each for each in separations if each.auc.value is not None]
    if not known:
        return MISSING
    best = max(known, key=lambda each: abs(float(each.auc.value or 0.5) - 0.5))
    return f"{best.group}: {shown(best.auc.value)} ({interval(best.auc)})"


def _rare(pairs: Sequence[Proxy]) -> str:
    rare = [pair for pair in pairs if pair.test is not None and pair.test.merged > 1]
    if not rare:
        return ""
    said = ", ".join(f"{pair.test.merged} of {pair.feature}" for pair in rare[:8] if pair.test)
    more = f" and of {len(rare) - 8} more columns" if len(rare) > 8 else ""
    return f"Categories that are too rare for the test and count there as one: {said}{more}."
