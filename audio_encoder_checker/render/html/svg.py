"""Plots as inline SVG: two axes, and what is drawn between them. Colours and fonts come from the page's style sheet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Point = tuple[float, float]

LEFT, RIGHT, TOP, BOTTOM = 62, 14, 20, 40
"""Room for the axes' numbers and names, in pixels."""


class Figure(NamedTuple):
    """A picture with the same in words and numbers, for those who do not see it.

    Attributes:
        title: what is plotted.
        alternative: what there is to see, in a sentence or two.
        picture: the `<svg>` element.
        head: names of the table's columns.
        rows: the numbers.
        legend: class of the style sheet and its meaning.
    """

    title: str
    alternative: str
    picture: Markup
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    legend: Sequence[tuple[str, str]] = ()


class Scale(NamedTuple):
    """Numbers on an axis.

    Attributes:
        low, high: its ends.
        ticks: where numbers stand.
        log: whether equal steps are equal ratios.
    """

    low: float
    high: float
    ticks: Sequence[float]
    log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value lies, 0 to 1; values beyond the ends lie at the ends."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def linear(values: Iterable[float], *, zero: bool = True) -> Scale:
    """A scale over some values with round ticks, from zero on where `zero` is set."""
    known = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(known + [0.0] * zero), max(known + [0.0] * zero)
    if high <= low:
        high = low + 1
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, last * step, [n * step for n in range(first, last + 1)])


def logarithmic(values: Iterable[float], ticks: Sequence[float] = ()) -> Scale:
    """A scale over some positive values; ticks at powers of ten where none are given."""
    known = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
    low, high = min(known), max(known)
    if ticks:
        return Scale(low * 0.9, high * 1.1, ticks, log=True)
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    return Scale(10.0**first, 10.0**last, [10.0**n for n in range(first, last + 1)], log=True)


class Plot:
    """A picture that is drawn piece by piece.

    Args:
        x, y: the axes.
        x_name, y_name: what they show, with the unit.
        height: in pixels, axes included; the page scales it.
        left: room in front of the axes, for numbers or names.
    """

    width = 540

    def __init__(self, x: Scale, y: Scale, x_name: str, y_name: str, *, height: int = 260, left: int = LEFT) -> None:
        self.x, self.y = x, y
        self.height, self.left = height, left
        self._parts: list[Markup] = []
        self._axes(x_name, y_name)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point."""
        across, down = self.width - self.left - RIGHT, self.height - TOP - BOTTOM
        return round(self.left + self.x.share(x) * across, 1), round(TOP + (1 - self.y.share(y)) * down, 1)

    def line(self, points: Sequence[Point], style: str) -> None:
        """Connect points."""
        self._parts.append(Markup('<polyline class="line {}" points="{}"/>').format(style, self._path(points)))

    def area(self, lower: Sequence[Point], upper: Sequence[Point], style: str) -> None:
        """Fill what lies between two lines."""
        around = self._path([*lower, *reversed(upper)])
        self._parts.append(Markup('<polygon class="area {}" points="{}"/>').format(style, around))

    def dot(self, point: Point, style: str, hint: str, radius: float = 3.5) -> None:
        """Mark one point; `hint` is shown under the pointer."""
        x, y = self.at(*point)
        mark = Markup('<circle class="dot {}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>')
        self._parts.append(mark.format(style, x, y, radius, shown(hint)))

    def bar(self, x: tuple[float, float], y: float, style: str, hint: str, thickness: float = 12) -> None:
        """A horizontal bar from one value to another; never thinner than can be seen."""
        (left, middle), (right, _) = self.at(x[0], y), self.at(x[1], y)
        mark = Markup('<rect class="bar {}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
        top = round(middle - thickness / 2, 1)
        self._parts.append(mark.format(style, left, top, round(max(right - left, 2), 1), thickness, shown(hint)))

    def limit(self, y: float, name: str) -> None:
        """A horizontal line that must not be crossed; nothing where it lies far above all that is drawn."""
        if y > self.y.high:
            return
        (left, level), (right, _) = self.at(self.x.low, y), self.at(self.x.high, y)
        mark = Markup(
            '<line class="limit" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/><text class="limit" x="{1}" y="{3}">{4}'
        )
        self._parts.append(mark.format(left, right, level, level - 5, shown(name)) + Markup("</text>"))

    def upright(self, x: float, style: str) -> None:
        """A vertical line over the whole height."""
        (left, top), (_, bottom) = self.at(x, self.y.high), self.at(x, self.y.low)
        mark = Markup('<line class="{0}" x1="{1}" x2="{1}" y1="{2}" y2="{3}"/>')
        self._parts.append(mark.format(style, left, top, bottom))

    def label(self, y: float, text: str) -> None:
        """Name a row, left of the axis."""
        _, middle = self.at(self.x.low, y)
        self._parts.append(
            Markup('<text class="name" x="{}" y="{}">{}</text>').format(self.left - 8, middle + 4, shown(text))
        )

    def picture(self, title: str) -> Markup:
        """The `<svg>` element."""
        head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            self.width, self.height, shown(title)
        )
        return head + Markup("").join(self._parts) + Markup("</svg>")

    def _path(self, points: Sequence[Point]) -> str:
        return " ".join(f"{x},{y}" for x, y in (self.at(*point) for point in points))

    def _axes(self, x_name: str, y_name: str) -> None:
        bottom = self.height - BOTTOM
        for tick in self.y.ticks:
            _, level = self.at(self.x.low, tick)
            mark = Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick y" x="{}" y="{}">{}</text>'
            )
            where = (self.left, self.width - RIGHT, level, level, self.left - 6, level + 4)
            self._parts.append(mark.format(*where, number(tick)))
        for tick in self.x.ticks:
            place, _ = self.at(tick, self.y.low)
            mark = Markup('<text class="tick x" x="{}" y="{}">{}</text>')
            self._parts.append(mark.format(place, bottom + 16, number(tick)))
        middle = (self.left + self.width - RIGHT) / 2
        self._parts.append(
            Markup('<text class="tick x" x="{}" y="{}">{}</text>').format(middle, self.height - 6, x_name)
        )
        self._parts.append(Markup('<text class="tick" x="4" y="10">{}</text>').format(y_name))


def shown(text: str) -> str:
    """Text of a submission without what would hide or turn it around; the caller escapes it."""
    return printable(text, limit=400)


def number(value: float) -> str:
    """A tick's number, as short as it can be."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{round(value, 9):g}"
