"""Axes and drawings: places by hand, and nothing lost on the way to the paper."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET

import pytest

from backend.services.tearsheet.plots import Frame, Line, bar_plot, line_plot, thinned
from backend.services.tearsheet.scales import Scale, bounds, date_ticks, log_ticks, ticks

DAYS = [dt.date(2020, 1, 1) + dt.timedelta(days=number) for number in range(400)]
FRAME = Frame(key="x", title="Equity <b>", desc='of "A&B"', width=500, written=str)
SVG = "{http://www.w3.org/2000/svg}"


def drawing(text: str) -> ET.Element:
    """The drawing as the parser of a page reads it; an SVG in HTML needs no name space, in XML it does."""
    return ET.fromstring(str(text).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314  our own


def test_a_logarithmic_axis_gives_equal_room_to_equal_factors() -> None:
    scale = Scale(low=1.0, high=100.0, begin=200.0, end=0.0, is_log=True)
    assert [scale(value) for value in (1.0, 10.0, 100.0)] == pytest.approx([200.0, 100.0, 0.0])


def test_round_values_are_marked() -> None:
    assert ticks(-0.53, 0.0) == pytest.approx([-0.5, -0.4, -0.3, -0.2, -0.1, 0.0])
    assert log_ticks(90_000, 1_200_000) == pytest.approx([100_000, 200_000, 500_000, 1_000_000])
    assert log_ticks(100, 130) == pytest.approx([100, 105, 110, 115, 120, 125, 130])  # too few powers
    assert [text for _, text in date_ticks(dt.date(2006, 7, 3), dt.date(2026, 8, 21), most=5)] == [
        "2007",
        "2011",
        "2015",
        "2019",
        "2023",
    ]
    assert [text for _, text in date_ticks(dt.date(2020, 1, 15), dt.date(2020, 3, 20))] == ["2020-02", "2020-03"]


def test_a_flat_curve_has_room_on_both_sides() -> None:
    low, high = bounds([5.0, 5.0])
    assert low < 5 < high
    assert bounds([0.0, 0.0]) == (-1, 1)


def test_a_drawing_has_a_name_and_a_description_that_are_escaped() -> None:
    text = line_plot(FRAME, DAYS, [Line(colour="accent", values=[1.0] * 400)])
    found = drawing(text)
    assert found.attrib["role"] == "img"
    assert found.attrib["aria-labelledby"] == "x-title x-desc"
    assert [found.findtext(f"{SVG}{name}") for name in ("title", "desc")] == ["Equity <b>", 'of "A&B"']


def test_a_line_is_broken_where_there_is_no_value() -> None:
    values = [1.0] * 100 + [None] * 100 + [2.0] * 200
    text = line_plot(FRAME, DAYS, [Line(colour="accent", values=values)])
    lines = [path for path in drawing(text).iter(f"{SVG}path") if path.attrib.get("class") == "line"]
    assert len(lines) == 2


def test_what_is_nowhere_defined_says_so() -> None:
    lines = [Line(colour="accent", values=[None] * 400)]
    assert "undefined" in line_plot(FRAME, DAYS, lines)


def test_thinning_keeps_the_highest_and_the_lowest_of_every_column() -> None:
    days = [dt.date(1990, 1, 1) + dt.timedelta(days=number) for number in range(10_000)]
    values = [float((number * 7919) % 10_007) for number in range(10_000)]
    points = thinned(days, values, 100)
    assert len(points) == 200
    assert [day for day, _ in points] == sorted(day for day, _ in points)
    for column in range(100):
        part = values[column * 100 : (column + 1) * 100]
        kept = [value for day, value in points if days[column * 100] <= day <= days[column * 100 + 99]]
        assert sorted(value for value in kept if value is not None) == [min(part), max(part)]


def test_bars_go_up_for_gains_and_down_for_losses() -> None:
    bars = [("2020", 0.1, 0.05), ("2021", -0.1, None)]
    found = drawing(bar_plot(FRAME, bars))
    up, down = found.iter(f"{SVG}rect")
    zero = float(down.attrib["y"])
    assert float(up.attrib["y"]) + float(up.attrib["height"]) == pytest.approx(zero, abs=0.2)
    assert (up.attrib["fill"], down.attrib["fill"]) == ("var(--gain)", "var(--loss)")
    assert len([path for path in found.iter(f"{SVG}path") if path.attrib.get("class") == "mark"]) == 1
