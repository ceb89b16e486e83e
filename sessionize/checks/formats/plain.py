"""For people: on a terminal, one line a finding, or a table for a page."""

from __future__ import annotations

import re
from typing import Final

from sessionize.checks.findings import Checked, Finding, Status
from sessionize.checks.text import sanitize
from sessionize.patterns import pattern

MARKS: Final[dict[Status, str]] = {"passed": "pass", "warned": "warn", "failed": "FAIL", "not measured": "  --"}
PROSE: Final = pattern(r"(?:[^\W_]|[ ,;%()+'=\u2013]|-(?!\d)|[.:](?=\s|\d|$))*")
"""What no reader of Markdown makes anything else of: no mention, no address, no reference, no markup."""
LONG: Final = 2_000


def full(checked: Checked) -> str:
    """Every check, with examples of what is bad; a summary."""
    lines = []
    for finding in checked.findings:
        lines.append(f"{MARKS[finding.status]}  {_clean(finding.check):<22}  {_clean(finding.line)}")
        lines += [f"{'':>30}{_example(finding, number)}" for number in range(len(finding.examples))]
    return _joined([*lines, "", checked.summary])


def concise(checked: Checked) -> str:
    """What is bad, a line each, with the place first where there is one; a summary."""
    lines = []
    for finding in checked.findings:
        if finding.is_bad:
            where = finding.where
            place = _clean(where.place) if where is not None else _clean(" ".join(checked.inputs))
            lines.append(f"{place}: {MARKS[finding.status].lower()} {_clean(finding.check)}: {_clean(finding.line)}")
    return _joined([*lines, checked.summary])


def markdown(checked: Checked, *, only_bad: bool = False) -> str:
    """A table, what is bad first: for a job's summary page or a comment.

    Args:
        checked: What was found.
        only_bad: Whether what is well is left out.
    """
    lines = [
        f"### sessionize check: {checked.summary}",
        "",
        "| | check | finding | allowed |",
        "| --- | --- | --- | --- |",
    ]
    order: tuple[Status, ...] = ("failed", "warned", "passed", "not measured")
    for status in order[:2] if only_bad else order:
        lines += [
            f"| {MARKS[status].strip()} | {cell(finding.check)} | {cell(finding.said)}{_examples(finding)} | "
            f"{cell(finding.allowed)} |"
            for finding in checked.of(status)
        ]
    return _joined(lines)


def _examples(finding: Finding) -> str:
    return "".join(f"<br>{cell(_example(finding, number))}" for number in range(len(finding.examples)))


def _example(finding: Finding, number: int) -> str:
    example = finding.examples[number]
    return _clean(f"{example.place}: {example.text}" if example.place else example.text)


def cell(text: str) -> str:
    r"""A text in a cell of a table: as code, where anything in it could be more than text.

    In code, no site looks for mentions, links or references, as some do even in what was escaped.

    Examples:
        >>> print(cell("3 of 4 rows"), cell("@ann"), cell("a|`b` \\| c"))
        3 of 4 rows `@ann` ``a\|`b` \x5c\| c``
    """
    text = _clean(text)
    if PROSE.fullmatch(text):
        return text
    text = text.replace("\\|", "\\x5c|").replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _clean(text: str) -> str:
    return sanitize(text, longest=LONG)


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
