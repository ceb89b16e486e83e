"""A report as Markdown, for a comment or a job's summary page: the same sections as tables, and no charts."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Final

from sessionize.checks.formats.plain import cell
from sessionize.report.parts import Cards, Figure, Part, Report, Section, Table, short

BEGINNING: Final = "<!-- sessionize report -->\n"
"""How every report begins: by this one of ours is known."""
MOST_ROWS: Final = 11
"""Of a table that is seen: a comment is read at a glance."""
MOST_FOLDED: Final = 40
"""Of a table behind its title."""


def as_markdown(report: Report) -> str:
    """The report.

    Args:
        report: What it says.
    """
    about = " · ".join(cell(short(each)) for each in report.about)
    blocks = [f"## {cell(short(report.title))}", about]
    for section in report.sections:
        blocks += _section(section)
    foot = "\n".join(f"- {cell(name)}: {cell(text if name == 'Rules' else short(text))}" for name, text in report.foot)
    blocks += ["### How this was made", foot]
    return BEGINNING + "\n\n".join(block for block in blocks if block) + "\n"


def _section(section: Section) -> list[str]:
    found = [f"### {section.title}", section.meaning]
    for part in section.parts:
        found += _part(part)
    return found


def _part(part: Part) -> list[str]:
    if isinstance(part, str):
        return [cell(part)]
    if isinstance(part, Cards):
        return [_rows(_without_meaning(part.table))]
    if isinstance(part, Figure):
        return [_folded(part.title, _rows(part.table, MOST_FOLDED))]
    return [f"**{cell(part.caption)}**", _rows(part, MOST_ROWS)]


def _folded(title: str, rows: str) -> str:
    """Rows of a chart, which are many, behind their title."""
    return f"<details><summary>{escape(title)}</summary>\n\n{rows}\n\n</details>"


def _without_meaning(table: Table) -> Table:
    """The figures, without what they mean."""
    return replace(
        table, head=(table.head[0], *table.head[2:]), rows=[(row[0], *row[2:]) for row in table.rows], texts=1
    )


def _rows(table: Table, most: int = MOST_FOLDED) -> str:
    lines = [
        _line([cell(name) for name in table.head]),
        _line(["---" if place < table.texts else "---:" for place in range(len(table.head))]),
    ]
    sums = list(table.rows[-1:]) if table.total else []
    body = list(table.rows[: len(table.rows) - len(sums)])
    shown = body if len(body) <= most else body[: most - 1]
    lines += [_line([cell(short(text)) for text in row]) for row in shown]
    if len(body) > len(shown):
        lines.append(_line([f"and {len(body) - len(shown):,} more", *[""] * (len(table.head) - 1)]))
    lines += [_line([cell(short(text)) for text in row]) for row in sums]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
