"""A report as one page: no script, no request, nothing outside of it; the browser is told to allow neither."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Final
from xml.etree.ElementTree import Element

from sessionize.report.charts import SHADES, bar, drawn
from sessionize.report.elements import element, percent, written
from sessionize.report.parts import Card, Cards, Figure, Heat, Part, Report, Sankey, Section, Table, short

GENERATOR: Final = "sessionize report"
BEGINNING: Final = (
    f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="{GENERATOR}">'
)
"""How every page begins: by this one of ours is known."""
POLICY: Final = "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
NO_ICON: Final = "data:,"
"""A browser that is given no icon asks the server for one."""


def as_html(report: Report) -> str:
    """The page.

    Args:
        report: What is on it.
    """
    return "<!DOCTYPE html>\n" + written(element("html", _head(report), _body(report), lang="en")) + "\n"


def _head(report: Report) -> Element:
    style = files("sessionize.report").joinpath("style.css").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = element("meta", content=POLICY.format(digest=digest))
    policy.set("http-equiv", "Content-Security-Policy")
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="generator", content=GENERATOR),
        policy,
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("link", rel="icon", href=NO_ICON),
        element("title", report.title),
        _style(style),
    )


def _style(text: str) -> Element:
    """The style, as it is: its digest is that of every byte."""
    found = Element("style")
    found.text = text
    return found


def _body(report: Report) -> Element:
    links = [element("li", element("a", section.title, href=f"#{section.name}")) for section in report.sections]
    return element(
        "body",
        element("a", "Skip to the figures", href="#main", class_="skip"),
        element(
            "header",
            element("h1", short(report.title)),
            element("ul", *(element("li", short(each)) for each in report.about), class_="about"),
            element("nav", element("ul", *links), aria_label="Sections"),
        ),
        element("main", *map(_section, report.sections), id="main"),
        _footer(report),
    )


def _section(section: Section) -> Element:
    heading = f"h-{section.name}"
    return element(
        "section",
        element("h2", section.title, id=heading),
        element("p", section.meaning, class_="meaning"),
        *(each for part in section.parts for each in _part(part)),
        id=section.name,
        aria_labelledby=heading,
    )


def _part(part: Part) -> list[Element]:
    if isinstance(part, str):
        return [element("p", part)]
    if isinstance(part, Table):
        return [_table(part)]
    if isinstance(part, Cards):
        return [element("dl", *map(_card, part.cards), class_="cards"), _rows(part.table, "All figures as a table")]
    return [_figure(part)]


def _card(card: Card) -> Element:
    return element(
        "div",
        element("dt", card.name),
        element("dd", card.value, class_="value"),
        *(
            element("dd", text, class_=kind)
            for text, kind in ((card.more, "more"), (card.change, "change"), (card.meaning, "what"))
            if text
        ),
    )


def _figure(figure: Figure) -> Element:
    chart = drawn(figure)
    if isinstance(figure.chart, Sankey):
        chart = _wide(chart, figure.title)
    key = _key(figure.chart) if isinstance(figure.chart, Heat) else []
    rows = _rows(figure.table, "Rows of the chart")
    return element("figure", element("figcaption", figure.title), chart, *key, rows)


def _key(heat: Heat) -> list[Element]:
    """What the shades mean."""
    most = max((value for row in heat.values for value in row), default=0)
    fields = [
        element("rect", x=percent(shade / (SHADES + 1)), width=percent(0.94 / (SHADES + 1)), height=12, rx=2,
                class_=f"field s{shade}")
        for shade in range(SHADES + 1)
    ]  # fmt: skip
    svg = element("svg", *fields, height=12, aria_hidden="true")
    return [element("div", element("span", "0"), svg, element("span", f"{most:,} sessions"), class_="key")]


def _rows(table: Table, title: str) -> Element:
    return element("details", element("summary", title), _table(table))


def _table(table: Table) -> Element:
    kinds = ["t" if place < table.texts else "n" for place in range(len(table.head))]
    head = [element("th", name, scope="col", class_=kind) for name, kind in zip(table.head, kinds, strict=True)]
    body = []
    most = max(table.bars, default=0) or 1
    if table.bars:
        head.insert(table.texts, element("td", class_="b"))
    for number, row in enumerate(table.rows):
        cells = [
            element("th", short(text), scope="row", class_=kind)
            if place == 0
            else element("td", short(text), class_=kind)
            for place, (text, kind) in enumerate(zip(row, kinds, strict=True))
        ]
        if table.bars:
            drawn_bar = bar(table.bars[number] / most) if number < len(table.bars) else None
            cells.insert(table.texts, element("td", drawn_bar, class_="b"))
        is_total = table.total and number == len(table.rows) - 1
        body.append(element("tr", *cells, class_="total" if is_total else None))
    whole = element(
        "table",
        element("caption", table.caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )
    return _wide(whole, table.caption)


def _wide(inside: Element, name: str) -> Element:
    """What may be wider than the screen: it is moved by finger, wheel or key, and the page is not."""
    return element("div", inside, class_="wide", tabindex="0", role="group", aria_label=short(name))


def _footer(report: Report) -> Element:
    return element(
        "footer",
        element("h2", "How this was made"),
        _pairs(report.foot),
        element("details", element("summary", "What the words mean"), _pairs(report.definitions)),
    )


def _pairs(pairs: Sequence[tuple[str, str]]) -> Element:
    found: list[Element] = []
    for name, text in pairs:
        found += [element("dt", name), element("dd", text)]
    return element("dl", *found, class_="made")
