"""Charts as static SVG, drawn by hand.

No library was found that fits. pygal puts a script into each chart, leather fixes colours and sizes, matplotlib draws
texts as outlines and is 10 MB, Altair needs a browser's engine (33 MB) to write SVG, Plotly a browser itself: none takes
its colours from the page (light, dark, paper), or keeps its letters legible on a phone and on a wide screen. These are
rectangles: places across are shares of the width, sizes of letters and heights are pixels, colours are the page's classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element

from sessionize.readable import number
from sessionize.report.elements import element, percent
from sessionize.report.parts import Bar, Columns, Figure, Heat, Node, Sankey, short
from sessionize.values import NamedTuple

TOP: Final = 22
HEIGHT: Final = 140
"""Of the columns, in pixels."""
FOOT: Final = 22
FIELD: Final = 21
"""Height of a shaded field."""
BESIDE: Final = 46
"""Width of what stands on the left of a chart: levels, names of rows; in pixels."""
FEW: Final = 8
"""Columns of which each is told by its value, and that are not as wide as their room."""
MANY: Final = 12
"""Columns up to which each is told by its value, of more than these only the highest."""
SHADES: Final = 6
TALL: Final = 380
GAP: Final = 7
"""Between the nodes of a Sankey diagram, in pixels."""
THICK: Final = 0.012
LEGIBLE: Final = 9
"""Height of a node from which on its name has room beside it, in pixels."""
LETTERS: Final = 96
"""Letters that have room over the whole width of a Sankey diagram."""


def drawn(figure: Figure) -> Element:
    """The chart of a figure, with what it says for who does not see it."""
    chart = figure.chart
    if isinstance(chart, Columns):
        return _columns(chart, figure.says)
    return _heat(chart, figure.says) if isinstance(chart, Heat) else _sankey(chart, figure.says)


def _picture(says: str, height: float, beside: Sequence[Element], *children: Element) -> Element:
    """A chart and what stands on its left; without that, the chart alone."""
    if not beside:
        return element("svg", *children, role="img", aria_label=says, width="100%", height=height)
    left = element("svg", *beside, width=BESIDE, height=height, class_="beside")
    return element("div", left, element("svg", *children, height=height), role="img", aria_label=says, class_="chart")


def _text(text: str, x: float, y: float, kind: str) -> Element:
    return element("text", text, x=percent(x), y=y, class_=kind)


def bar(share: float) -> Element:
    """The bar of a table's row."""
    inside = element("rect", width=percent(share), height="100%", class_="bar", rx=1.5)
    return element("svg", inside, aria_hidden="true", width="100%", height=12)


def ticks(most: float) -> list[float]:
    """Round numbers up to the largest value, two or three of them.

    Examples:
        >>> ticks(171), ticks(9), ticks(1), ticks(0)
        ([50, 100, 150], [3, 6, 9], [1], [])
    """
    if most < 1:
        return []
    size = 10 ** math.floor(math.log10(most))
    steps = [each * size / 10 for each in (1, 2, 2.5, 3, 5, 10, 20, 25, 30, 50)]
    step = next(each for each in steps if most / each < 4 and each >= 1 and each == int(each))
    return [int(step * place) for place in range(1, int(most // step) + 1)]


def _columns(chart: Columns, says: str) -> Element:
    most = max((each.value for each in chart.bars), default=0) or 1
    base = TOP + HEIGHT
    levels = [(level, base - HEIGHT * level / most) for level in ticks(most)]
    beside = [element("text", compact(level), x=BESIDE - 8, y=y + 4, class_="mark end") for level, y in levels]
    drawn = [element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid") for _, y in levels]
    drawn += [_column(each, base, most, wide=len(chart.bars) <= FEW) for each in chart.bars]
    drawn.append(element("line", x1="0", x2="100%", y1=base, y2=base, class_="axis"))
    highest = max(chart.bars, key=lambda each: each.value, default=None)
    for each in chart.bars:
        if each.value and (len(chart.bars) <= MANY or each is highest):
            place, top = (each.start + each.end) / 2, base - HEIGHT * each.value / most
            drawn.append(_text(compact(each.value), place, top - 5, f"value {_anchor(place)}"))
    drawn += [_text(text, place, base + 16, f"mark {_anchor(place)}") for place, text in chart.marks]
    if chart.line is not None:
        drawn += _limit(*chart.line, base)
    return _picture(says, base + FOOT, beside or [element("g")], *drawn)


def _column(each: Bar, base: float, most: float, *, wide: bool) -> Element:
    high = HEIGHT * each.value / most
    high = max(high, 1.0) if each.value else 0.0
    room = each.end - each.start
    width = room * (0.5 if wide else 0.86 if room > 0.012 else 1)
    return element(
        "rect", element("title", each.says), x=percent(each.start + (room - width) / 2), width=percent(width), y=base - high,
        height=high, class_="bar strong" if each.strong else "bar",
    )  # fmt: skip


def _limit(place: float, text: str, base: float) -> list[Element]:
    """A line across the chart, its name on the side that has room."""
    side = "end" if place > 0.5 else "start"
    name = _text(text, place, 12, f"limit {side}")
    name.set("dx", "-6" if side == "end" else "6")
    return [element("line", x1=percent(place), x2=percent(place), y1=2, y2=base, class_="limit"), name]


def compact(value: float) -> str:
    """A number that takes few letters.

    Examples:
        >>> compact(950), compact(12_345), compact(2_500_000)
        ('950', '12.3k', '2.5M')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / min(size, 1e3 if unit == 'k' else size):.3g}{unit}"
    return number(value)


def _anchor(place: float) -> str:
    return "start" if place < 0.03 else "end" if place > 0.97 else "middle"


def _heat(chart: Heat, says: str) -> Element:
    most = max((value for row in chart.values for value in row), default=0) or 1
    width = 1 / max(1, len(chart.columns))
    names = [
        element("text", name, x=0, y=place * FIELD + FIELD - 6, class_="mark") for place, name in enumerate(chart.rows)
    ]
    drawn = [
        element(
            "rect", element("title", chart.says[row][place]), x=percent(place * width), width=percent(width * 0.94),
            y=row * FIELD, height=FIELD - 2, rx=2, class_=f"field {shade(value, most)}",
        )
        for row, values in enumerate(chart.values)
        for place, value in enumerate(values)
    ]  # fmt: skip
    foot = len(chart.rows) * FIELD + 14
    drawn += [
        _text(name, (place + 0.47) * width, foot, "mark middle") for place, name in enumerate(chart.columns) if name
    ]
    return _picture(says, foot + 6, names, *drawn)


def shade(value: float, most: float) -> str:
    """Class of a shaded field: ``s0`` of none, then equal steps up to the largest."""
    return f"s{math.ceil(SHADES * value / most) if value > 0 else 0}"


class _Placed(NamedTuple):
    """A node where it is drawn.

    Attributes:
        node: The node.
        x: Share of the width.
        y: Top of the node, in pixels.
        high: Height of the node, in pixels.
    """

    node: Node
    x: float
    y: float
    high: float


def _sankey(chart: Sankey, says: str) -> Element:
    placed = _placed(chart.nodes, len(chart.heads))
    ribbons = element("svg", *_ribbons(chart, placed), viewBox=f"0 0 1000 {TALL}", preserveAspectRatio="none",
                      x="0", y=TOP, width="100%", height=TALL)  # fmt: skip
    drawn = [_text(head, step / len(chart.heads), 12, "mark start") for step, head in enumerate(chart.heads)]
    drawn.append(ribbons)
    room = LETTERS // len(chart.heads)
    for each in placed:
        kind = "bar quiet" if each.node.quiet else "bar"
        says_it = element("title", f"{each.node.name}: {number(each.node.value)} sessions")
        drawn.append(element("rect", says_it, x=percent(each.x), width=percent(THICK), y=TOP + each.y,
                             height=max(1.0, each.high), class_=kind))  # fmt: skip
        if each.high >= LEGIBLE:
            many = number(each.node.value)
            name = short(each.node.name, room - len(many) - 1)
            text = element("text", element("tspan", name, class_="name"), f" {many}", x=percent(each.x + THICK + 0.006),
                           y=TOP + each.y + each.high / 2 + 4, class_="label")  # fmt: skip
            drawn.append(text)
    return _picture(says, TOP + TALL + 4, (), *drawn)


def _placed(nodes: Sequence[Node], steps: int) -> list[_Placed]:
    """Nodes one below the other, all steps on one scale."""
    columns = [list(each) for _, each in groupby(nodes, key=lambda node: node.step)]
    scale = min(
        ((TALL - GAP * (len(each) - 1)) / max(1, sum(node.value for node in each)) for each in columns), default=1.0
    )
    found: list[_Placed] = []
    for column in columns:
        y = 0.0
        for node in column:
            found.append(_Placed(node, node.step / steps, y, node.value * scale))
            y += node.value * scale + GAP
    return found


def _ribbons(chart: Sankey, placed: Sequence[_Placed]) -> list[Element]:
    """The links, each leaving and reaching its nodes below the one before it."""
    out, into = [each.y for each in placed], [each.y for each in placed]
    drawn = []
    for one, other, value in chart.links:
        high = placed[one].high * value / max(1, placed[one].node.value)
        left, right = 1000 * (placed[one].x + THICK), 1000 * placed[other].x
        middle = (left + right) / 2
        top, end = out[one], into[other]
        path = (
            f"M{left:.1f} {top:.1f}C{middle:.1f} {top:.1f} {middle:.1f} {end:.1f} {right:.1f} {end:.1f}"
            f"V{end + high:.1f}C{middle:.1f} {end + high:.1f} {middle:.1f} {top + high:.1f} {left:.1f} {top + high:.1f}Z"
        )
        out[one] += high
        into[other] += high
        title = f"{chart.nodes[one].name} to {chart.nodes[other].name}: {number(value)} sessions"
        quiet = " quiet" if chart.nodes[other].quiet else ""
        drawn.append(element("path", element("title", title), d=path, class_=f"ribbon{quiet}"))
    return drawn
