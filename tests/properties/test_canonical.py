"""Canonical bytes: one value, one form, which reads back as the value; everything else is refused."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import canonical
from apps.core.errors import Invalid
from tools.verify_ledger import parse

_INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = st.recursive(
    st.none() | st.booleans() | _INTEGERS | _TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(_VALUES)
def test_the_bytes_read_back_as_the_value(value: canonical.JSON) -> None:
    assert json.loads(canonical.dumps(value)) == value


@given(_VALUES)
def test_the_bytes_of_what_was_read_back_are_the_same_bytes(value: canonical.JSON) -> None:
    data = canonical.dumps(value)
    assert canonical.dumps(json.loads(data)) == data


@given(_VALUES)
def test_the_stand_alone_verifier_has_the_same_idea_of_canonical(value: canonical.JSON) -> None:
    data = canonical.dumps(value)
    again = json.dumps(parse(data, "it"), ensure_ascii=False, separators=(",", ":"))
    assert again.encode() == data


@given(st.dictionaries(_TEXT, _INTEGERS, min_size=2, max_size=6))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical.dumps(value) == canonical.dumps(dict(reversed(value.items())))


@given(_VALUES)
def test_the_bytes_in_pieces_are_the_bytes(value: canonical.JSON) -> None:
    for levels in (0, 1, 2, 9):
        assert b"".join(canonical.pieces(value, levels=levels)) == canonical.dumps(value)


@given(_VALUES)
def test_the_standard_library_writes_again_what_it_read(value: canonical.JSON) -> None:
    """So that whoever holds canonical bytes can digest a part of them without a library (docs/checks/index.md)."""
    data = canonical.dumps(value)
    again = json.dumps(json.loads(data), ensure_ascii=False, separators=(",", ":"))
    assert again.encode() == data


@pytest.mark.parametrize("value", [{"a": [1.5]}, {"\ud800": 1}, [{"a": {1: 2}}], {"a": [object()]}])
def test_pieces_refuse_what_has_no_single_form(value: object) -> None:
    with pytest.raises(Invalid):
        list(canonical.pieces(value))  # type: ignore[arg-type]


def test_keys_are_ordered_as_rfc_8785_says_by_utf_16_code_units() -> None:
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7}
    expected = '{"\\r":2,"1":4,"\x80":6,"\xf6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'
    assert canonical.dumps(value).decode() == expected


def _nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        float("nan"),
        [float("inf")],
        {"a": {"b": 1.0}},
        2**53,
        -(2**53),
        {1: "a"},
        {None: "a"},
        {"a": object()},
        b"bytes",
        {"a", "b"},
        "\ud800",
        {"\udfff": 1},
        _nested(70),
        _nested(100_000),
    ],
)
def test_what_has_no_single_form_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        canonical.dumps(value)  # type: ignore[arg-type]


@given(st.floats())
def test_a_number_becomes_a_string_that_reads_back_as_the_same_double(number: float) -> None:
    text = canonical.decimal(number)
    back = float(text)
    assert back == number or (math.isnan(back) and math.isnan(number))
    assert math.copysign(1, back) == math.copysign(1, number) or math.isnan(number)


def test_the_special_numbers_have_names() -> None:
    special = [float("nan"), float("inf"), float("-inf"), -0.0, 1e16, 0.1]
    assert [canonical.decimal(number) for number in special] == [
        "NaN",
        "Infinity",
        "-Infinity",
        "-0.0",
        "1e+16",
        "0.1",
    ]


def test_a_digest_is_sha_256_in_lowercase_hexadecimal() -> None:
    empty_object = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert canonical.digest_of({}) == canonical.digest(b"{}") == empty_object
