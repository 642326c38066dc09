"""Plots as SVG: pure functions of numbers. Colours are the page's tokens, so that they follow light, dark and print.

Every text goes through `markupsafe`, which escapes it. Coordinates have one decimal: a tenth of a pixel.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from backend.services.tearsheet.scales import Scale, bounds, date_ticks, log_ticks, ticks

#: Of a drawing that takes the whole page, and of one of two beside each other: text is of one size in both.
WIDE, NARROW = 1080, 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 26
#: Least room between two dates under the axis, px.
_LABEL = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series by session: `colour` is a token's name; None where there is no value; `is_area` fills it to zero."""

    colour: str
    values: Sequence[float | None]
    is_area: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a drawing has whatever it shows.

    Parameters
    ----------
    key : str
        Prefix of the ids in it, unique on the page.
    title, desc : str
        For who hears the page.
    width, height : int
        px.
    written : callable
        A value of the axis as text.
    """

    key: str
    title: str
    desc: str
    width: int
    height: int = 210
    written: Callable[[float], str]


def line_plot(frame: Frame, days: Sequence[dt.date], lines: Sequence[Line], *, is_log: bool = False) -> Markup:
    """Series over time on one axis.

    Parameters
    ----------
    frame : Frame
    days : sequence of date
        Sessions, strictly increasing, two or more.
    lines : sequence of Line
        As long as `days`; drawn in order.
    is_log : bool
        Logarithmic axis; values that are not above zero make it linear.
    """
    known = [value for line in lines for value in line.values if value is not None]
    if not known:
        return Markup('<p class="soft">{}: undefined for this result.</p>').format(frame.title)
    is_log = is_log and min(known) > 0
    low, high = bounds(known, zero=not is_log)
    across = Scale(low=days[0].toordinal(), high=days[-1].toordinal(), begin=_LEFT, end=frame.width - _RIGHT)
    up = Scale(low=low, high=high, begin=frame.height - _BOTTOM, end=_TOP, is_log=is_log)
    marked = log_ticks(low, high) if is_log else ticks(low, high)
    body = (
        _grid(frame, up, marked)
        + _dates(frame, across, days)
        + Markup("").join(_path(line, days, across, up) for line in lines)
    )
    return _drawing(frame, body)


def bar_plot(frame: Frame, bars: Sequence[tuple[str, float, float | None]]) -> Markup:
    """Bars (name, value, mark), up for gains and down for losses; the mark is a tick, where there is one."""
    values = [number for _, value, mark in bars for number in (value, mark) if number is not None]
    low, high = bounds(values, zero=True)
    up = Scale(low=low, high=high, begin=frame.height - _BOTTOM, end=_TOP)
    step = (frame.width - _LEFT - _RIGHT) / len(bars)
    every = math.ceil(_LABEL / step)
    body = _grid(frame, up, ticks(low, high))
    for number, (name, value, mark) in enumerate(bars):
        label = name if number % every == 0 else ""
        body += _bar(up, _LEFT + number * step, step, value=value, mark=mark)
        body += _text(_LEFT + (number + 0.5) * step, frame.height - 8, label, anchor="middle")
    return _drawing(frame, body)


def _bar(up: Scale, left: float, step: float, *, value: float, mark: float | None) -> Markup:
    zero, top = up(0.0), up(value)
    bar = Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="var(--{})"/>').format(
        _px(left + step * 0.14),
        _px(min(zero, top)),
        _px(step * 0.72),
        _px(max(abs(zero - top), 0.5)),
        "loss" if value < 0 else "gain",
    )
    if mark is None:
        return bar
    place = _px(up(mark))
    return bar + Markup('<path class="mark" d="M{} {}H{}"/>').format(
        _px(left + step * 0.08), place, _px(left + step * 0.92)
    )


def _drawing(frame: Frame, body: Markup) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{key}-title {key}-desc">'
        '<title id="{key}-title">{title}</title><desc id="{key}-desc">{desc}</desc>{body}</svg>'
    ).format(width=frame.width, height=frame.height, key=frame.key, title=frame.title, desc=frame.desc, body=body)


def _grid(frame: Frame, up: Scale, marked: Sequence[float]) -> Markup:
    rows = Markup("")
    for value in marked:
        place = up(value)
        kind = "zero" if value == 0 else "grid"
        rows += Markup('<path class="{}" d="M{} {}H{}"/>').format(kind, _LEFT, _px(place), frame.width - _RIGHT)
        rows += _text(_LEFT - 8, place + 4, frame.written(value), anchor="end")
    return rows


def _dates(frame: Frame, across: Scale, days: Sequence[dt.date]) -> Markup:
    texts = Markup("")
    for day, text in date_ticks(days[0], days[-1], most=(frame.width - _LEFT) // _LABEL // 2):
        place = across(day.toordinal())
        texts += Markup('<path class="grid" d="M{} {}v5"/>').format(_px(place), frame.height - _BOTTOM)
        if place + _LABEL / 2 <= frame.width:
            texts += _text(place, frame.height - 8, text, anchor="middle")
    return texts


def _path(line: Line, days: Sequence[dt.date], across: Scale, up: Scale) -> Markup:
    runs = Markup("")
    for run in _runs(thinned(days, line.values, int(across.end - across.begin))):
        points = "L".join(f"{_px(across(day.toordinal()))} {_px(up(value))}" for day, value in run)
        if line.is_area:
            first, last = (_px(across(run[place][0].toordinal())) for place in (0, -1))
            area = f"M{first} {_px(up(0.0))}L{points}L{last} {_px(up(0.0))}Z"
            runs += Markup('<path d="{}" fill="var(--{})" opacity=".25"/>').format(area, line.colour)
        runs += Markup('<path class="line" d="M{}" stroke="var(--{})"/>').format(points, line.colour)
    return runs


def thinned(
    days: Sequence[dt.date], values: Sequence[float | None], n_columns: int = WIDE
) -> list[tuple[dt.date, float | None]]:
    """At most two points of each column of the drawing, its lowest and its highest, in order of time.

    What is left out could not be seen: the line between the two passes over it. A gap keeps one empty point.
    """
    if len(days) <= 2 * n_columns:
        return list(zip(days, values, strict=True))
    kept: list[tuple[dt.date, float | None]] = []
    for column in range(n_columns):
        begin, stop = column * len(days) // n_columns, (column + 1) * len(days) // n_columns
        known = [(value, row) for row in range(begin, stop) if (value := values[row]) is not None]
        if len(known) < stop - begin:
            kept.append((days[begin], None))
        rows = sorted({min(known)[1], max(known)[1]}) if known else []
        kept += [(days[row], values[row]) for row in rows]
    return kept


def _runs(points: Sequence[tuple[dt.date, float | None]]) -> Iterator[list[tuple[dt.date, float]]]:
    run: list[tuple[dt.date, float]] = []
    for day, value in points:
        if value is not None:
            run.append((day, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _text(x: float, y: float, text: str, *, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(_px(x), _px(y), anchor, text)


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
