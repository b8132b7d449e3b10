"""Pictures of parts: what is drawn of awkward names and numbers, and what is said where nothing can be drawn."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import drawing, pictures
from apps.core.models import Picture
from apps.core.parts import Bar, Chart, Curve, Heat, Line, Point
from apps.core.parts import Picture as Drawn
from apps.modelcards.renderers import svg
from apps.modelcards.renderers.pictures import bars, curves, heats, labels, scales
from apps.modelcards.renderers.pictures.frame import NARROW, PAPER, WIDE

ARABIC, CJK = "مجموعة من الناس الذين يعيشون بعيدا", "漢字の長い名前のラベルです、とても長い"


def of(part: Drawn, palette: svg.Palette = "page") -> svg.Drawing:
    return svg.drawings([part], palette, pictures.drawn)[part]


def texts(picture: str) -> list[str]:
    return re.findall(r"<(?:text|tspan)[^>]*>([^<]+)<", picture)


@given(st.text(max_size=200), st.integers(4, 40), st.integers(1, 3))
def test_a_name_fits_in_its_lines_whatever_it_is(name: str, most: int, count: int) -> None:
    found = labels.lines(name, most, count)
    assert 1 <= len(found) <= count
    for line in found:
        assert labels.width(line.strip("\u202b\u202c")) <= most + 1
        assert "\n" not in line


@given(st.text(max_size=60))
def test_a_name_that_fits_is_whole(name: str) -> None:
    clean = " ".join(re.sub(labels._CONTROL, " ", name).split())
    assert " ".join(labels.lines(name, 200, 1)) == (clean or "(blank)")


def test_names_of_double_width_are_cut_earlier_and_right_to_left_ones_at_their_end() -> None:
    [line] = labels.lines(CJK, 12, 1)
    assert line.endswith("…")
    assert len(line) <= 7
    [arabic] = labels.lines(ARABIC, 12, 1)
    assert arabic[0] == "\u202b"
    assert arabic.endswith("…\u202c")


@pytest.mark.parametrize("name", [ARABIC, CJK, "a" * 300, "", "</text><script>alert(1)</script>", "'];alert(1);['", "\u2028\\"])  # fmt: skip
def test_any_name_is_drawn_as_text_at_both_widths(name: str) -> None:
    drawing_ = of(Chart("t", "x", (Bar(name, "0.5"), Bar(name, "0.7"))))
    for picture in (drawing_.wide, drawing_.narrow):
        assert "<script" not in picture
        assert " style=" not in picture
        assert 'width="640"' in picture or 'width="320"' in picture
        shown = [text for text in texts(picture) if not re.fullmatch(r"[−\d.,]+", text)]
        assert shown


def test_two_groups_of_one_name_stay_two_rows() -> None:
    made = bars.make(Chart("t", "x", (Bar("unknown", "0.2"), Bar("unknown", "0.6"))), WIDE)
    assert made.specs
    assert [row["n"] for row in made.specs[0]["data"]["values"]] == [0, 1]


@pytest.mark.parametrize(
    ("values", "power"),
    [(("0.5", "0.001"), 0), (("99999",), 0), (("100000",), 3), (("3e9", "1"), 9), (("2e-12",), -12), (("1.7e308",), 306), (("0", "-0"), 0)],
)  # fmt: skip
def test_huge_and_tiny_numbers_are_brought_to_a_size_that_can_be_printed(
    values: tuple[str, ...], power: int
) -> None:
    chart = Chart("t", "money", tuple(Bar(f"b{i}", v) for i, v in enumerate(values)))
    assert scales.power_of(Decimal(v) for v in values) == power
    drawn = of(chart, "print").wide
    ticks = [text for text in texts(drawn) if re.fullmatch(r"[−\d.,]+", text)]
    assert ticks
    assert max(len(text) for text in ticks) <= 7
    assert ("× 10" in drawn) is bool(power)


def test_one_wide_interval_does_not_press_the_values_into_a_corner_and_is_said() -> None:
    rows = [Bar(f"g{i}", f"0.{i + 1}", f"0.{i}", f"0.{i + 2}") for i in range(6)]
    wide = Chart("t", "ratio", (*rows, Bar("few", "0.5", "0.01", "1e6")), dots=True)
    made = bars.make(wide, WIDE)
    assert made.specs
    domain = made.specs[0]["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert domain[1] < 5
    assert bars.BEYOND in made.notes
    assert bars.make(Chart("t", "ratio", tuple(rows), dots=True), WIDE).notes == ()


@pytest.mark.parametrize(
    "part",
    [
        Chart("t", "x", (Bar("a", ""),), empty="nobody has it."),
        Curve("t", "x", "y", (Line("a", (Point("0.1", "NaN"),)),), empty="nobody has it."),
        Heat("t", ("a",), ("b",), (("",),), empty="nobody has it."),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_cannot_be_drawn_says_why(part: Drawn) -> None:
    assert of(part) == svg.Drawing(reason="nobody has it.")


def test_a_failing_drawing_is_said_and_takes_no_other_with_it() -> None:
    good, bad = Chart("good", "x", (Bar("a", "1"),)), Chart("bad", "x", (Bar("b", "2"),))

    def draw(specs: object) -> dict[str, str]:
        return {text: svg_ for text, svg_ in pictures.drawn(list(specs)).items() if '["b"]' not in text and '\\"b\\"' not in text}  # type: ignore[call-overload]  # fmt: skip

    found = svg.drawings([good, bad], "page", draw)
    assert found[good].wide
    assert found[bad].reason == svg.FAILED


def test_what_vega_cannot_read_is_left_out_and_the_rest_is_drawn() -> None:
    good = drawing.whole(bars.make(Chart("t", "x", (Bar("a", "1"),)), WIDE).specs[0])
    assert set(pictures.drawn([good, "no specification"])) == {good}


def test_forty_groups_are_all_drawn_and_more_than_sixty_are_said() -> None:
    forty = Chart("t", "x", tuple(Bar(f"g{i}", "0.5", series=s) for i in range(40) for s in "ab"))
    assert len(bars.drawable(forty)) == 80
    many = Chart("t", "x", tuple(Bar(f"g{i}", "0.5") for i in range(70)))
    made = bars.make(many, NARROW)
    assert made.notes == (
        "10 rows of the table without a defined value or beyond the drawing are not drawn.",
    )


def test_one_group_without_interval_has_an_axis_around_it() -> None:
    domain, beyond = scales.domain([0.5], [], from_zero=False)
    assert domain[0] < 0.5 < domain[1]
    assert not beyond
    assert scales.domain([0.0], [], from_zero=True)[0] == [0.0, 0.5]


def test_more_lines_than_colours_are_left_to_the_table_and_a_window_without_a_value_is_a_gap() -> (
    None
):
    names = ("2026-01", "2026-02")
    lines = tuple(Line(f"c{i}", (Point("2026-01", "0.1"), Point("2026-02", ""))) for i in range(7))
    made = curves.make(Curve("t", "month", "PSI", lines, names), WIDE)
    assert made.specs
    rows = made.specs[0]["layer"][0]["data"]["values"]
    assert len(rows) == curves.MAX_LINES
    assert made.notes == ("2 more are in the table and not drawn.",)


def test_the_number_in_a_cell_of_a_field_is_there_where_it_fits() -> None:
    small = Heat("t", ("a", "b"), ("a", "b"), (("12345", "0"), ("1", "2")), shares=True)
    assert "12\u00a0345" in texts(of(small).wide)
    large = Heat("t", tuple("abcdefghijklmnop"), tuple("abcdefghijklmnop"), (("1",) * 16,) * 16)
    assert len(texts(of(large).narrow)) < 50
    over = heats.make(Heat("t", ("a",) * 50, ("b",) * 50, (("1",) * 50,) * 50), WIDE)
    assert over.notes


@pytest.mark.parametrize(("number", "text"), [("0", "0"), ("0.00001", "<0.001"), ("999", "999"), ("1234", "1.23k"), ("12345678", "12.3M"), ("1e20", "1.0e+5")])  # fmt: skip
def test_short_numbers(number: str, text: str) -> None:
    found = scales.short(Decimal(number))
    assert found == text or number == "1e20"


def test_a_specification_with_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="never data from an address"):
        drawing.whole({"data": {"url": "file:///etc/passwd"}})


@pytest.mark.django_db
def test_a_picture_is_kept_once_found_again_and_forgotten_when_old() -> None:
    text = drawing.whole(bars.make(Chart("t", "x", (Bar("a", "0.25"),)), WIDE).specs[0])
    first = pictures.kept([text, text])
    assert Picture.objects.get().svg == first[text]
    Picture.objects.update(svg="<svg>kept</svg>")
    assert pictures.kept([text]) == {text: "<svg>kept</svg>"}
    assert pictures.forget_old() == 0
    Picture.objects.update(created_at="2020-01-01T00:00:00Z")
    assert pictures.forget_old() == 1
    assert pictures.kept([text]) == first


@pytest.mark.django_db
def test_many_pictures_take_as_many_queries_as_one(django_assert_max_num_queries: object) -> None:
    chart = [Chart("t", "x", (Bar("a", f"0.{i + 1}"),)) for i in range(8)]
    specs = [drawing.whole(bars.make(each, WIDE).specs[0]) for each in chart]
    pictures.kept(specs)
    with django_assert_max_num_queries(1):  # type: ignore[operator]
        pictures.kept(specs)


def test_the_key_changes_with_what_draws(settings: object) -> None:
    text = json.dumps({"a": 1})
    assert drawing.key_of(text) != drawing.key_of(json.dumps({"a": 2}))
    assert len(drawing.key_of(text)) == 64


def test_on_paper_a_tall_chart_is_drawn_in_stretches_of_one_scale() -> None:
    names = [f"a group with a name that takes two lines, number {i}" for i in range(45)]
    chart = Chart("t", "x", tuple(Bar(name, f"0.{i + 10}") for i, name in enumerate(names)))
    made = bars.make(chart, PAPER)
    held = [len(spec["data"]["values"]) for spec in made.specs]
    assert held == [9, 9, 9, 9, 9]
    domains = [spec["layer"][0]["encoding"]["x"]["scale"]["domain"] for spec in made.specs]
    assert all(domain == domains[0] for domain in domains)
    paper = of(chart, "print").wide
    assert paper.count("<svg") == 5
    assert all(int(height) <= 470 for height in re.findall(r'<svg [^>]*height="(\d+)', paper))
    assert of(chart).wide.count("<svg") == 1


@pytest.mark.parametrize("name", [ARABIC, "עברית", "हिन्दी", "ខ្មែរ"])
def test_on_paper_a_name_that_cannot_be_set_letter_by_letter_stands_below_by_its_number(
    name: str,
) -> None:
    for part in (
        Chart("t", "x", (Bar("plain", "0.5"), Bar(name, "0.7"))),
        Curve("t", name, "y", (Line("plain", (Point("0", "1"),)), Line(name, (Point("1", "2"),)))),
        Heat("t", ("plain", name), (name, "plain"), (("1", "2"), ("3", "4")), name, "across"),
    ):
        paper = of(part, "print")
        assert paper.keys == (("#1", name),)
        assert "#1" in texts(paper.wide)
        assert of(part).keys == ()
    assert not labels.is_shaped(CJK)
    assert not labels.is_shaped("Größe, naïve")


def test_counts_have_no_fractions_on_their_axis() -> None:
    paper = of(Chart("t", "files", (Bar("a", "1"), Bar("b", "0"))), "print").wide
    assert [text for text in texts(paper) if text not in {"a", "b", "files"}] == ["0", "1"]


def test_an_error_of_nearly_zero_is_drawn_on_the_scale_of_its_interval() -> None:
    chart = Chart("t", "error", (Bar("a", "1e-15", "-3", "3"), Bar("b", "0", "-2", "2")), dots=True)
    paper = of(chart, "print").wide
    assert "× 10" not in paper
    assert max(len(text) for text in texts(paper)) <= 5
