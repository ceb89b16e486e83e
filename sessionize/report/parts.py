"""What a report is made of, whatever it is written as: sections of cards, tables and charts. Texts are as the data has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Final

from sessionize.values import dataclass

LONGEST: Final = 160
"""Characters of a text of the data that are shown."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows in columns.

    Attributes:
        caption: What the rows are.
        head: Names of the columns.
        rows: A text a cell.
        texts: Columns from the left that hold texts; the others hold numbers.
        bars: Length of a bar beside the first number of each row, from 0 to 1; none where there are no bars.
        total: Whether the last row sums the others up.
    """

    caption: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    bars: Sequence[float] = ()
    total: bool = False


@dataclass(frozen=True, kw_only=True)
class Card:
    """One figure that stands out.

    Attributes:
        name: What it is called.
        value: The figure, as text.
        more: What stands beside it.
        change: How it changed; empty where nothing is compared.
        meaning: What the name means.
    """

    name: str
    value: str
    more: str = ""
    change: str = ""
    meaning: str = ""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One column of a chart.

    Attributes:
        value: Height of the bar.
        says: What it is, with its value.
        start: Where the bar begins on the axis, from 0 to 1.
        end: Where the bar ends on the axis, from 0 to 1.
        strong: Whether it is set apart from the others.
    """

    value: float
    says: str
    start: float
    end: float
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A chart of columns.

    Attributes:
        bars: The columns.
        marks: Places on the axis, from 0 to 1, and what stands there.
        line: Place of a line across the chart and what it is; None for no line.
    """

    bars: Sequence[Bar]
    marks: Sequence[tuple[float, str]]
    line: tuple[float, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Heat:
    """A chart of shaded fields.

    Attributes:
        rows: Name of each row.
        columns: Name of each column; empty for one that is not shown.
        values: A number for each row and column.
        says: What each field is, with its value.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[int]]
    says: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Node:
    """A bar of a Sankey diagram.

    Attributes:
        step: Number of its column, from 0.
        name: What the node is: a page, an event type, or an end.
        value: How much goes through it.
        quiet: Whether it is set back: an end, or what is counted together.
    """

    step: int
    name: str
    value: int
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class Sankey:
    """A chart of what goes from where to where.

    Attributes:
        nodes: Nodes, those of one step one after the other.
        links: Number of the node it leaves, of the node it goes to, and how much goes.
        heads: Title of each step.
    """

    nodes: Sequence[Node]
    links: Sequence[tuple[int, int, int]]
    heads: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart and its rows.

    Attributes:
        title: What is shown.
        says: What it shows, in a sentence or two: for who does not see it.
        chart: The chart.
        table: Rows that the chart shows.
    """

    title: str
    says: str
    chart: Columns | Heat | Sankey
    table: Table


@dataclass(frozen=True, kw_only=True)
class Cards:
    """Figures that stand out, and all figures as rows.

    Attributes:
        cards: The figures that stand out.
        table: A table of all figures.
    """

    cards: Sequence[Card]
    table: Table


Part = str | Table | Figure | Cards
"""A text is a paragraph."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report with a heading.

    Attributes:
        name: As `--sections` names it.
        title: Its heading.
        meaning: What it tells, in a sentence.
        parts: What it holds.
    """

    name: str
    title: str
    meaning: str
    parts: Sequence[Part]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report.

    Attributes:
        title: Its heading.
        about: What it is of, a phrase each.
        sections: In their order.
        foot: How it was made: names, and what they are.
        definitions: Words, and what they mean.
    """

    title: str
    about: Sequence[str]
    sections: Sequence[Section]
    foot: Sequence[tuple[str, str]] = field(default_factory=tuple)
    definitions: Sequence[tuple[str, str]] = field(default_factory=tuple)


def short(text: str, most: int = LONGEST) -> str:
    """A text of the data that is not too long to be shown; what is left out shows as an ellipsis in its middle.

    Examples:
        >>> short("/a/very/long/page", 9)
        '/a/v…page'
    """
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return text[: most - 1 - tail] + "…" + text[-tail:]
