"""The parts of a screen: bars, columns, tables, text cut to fit. Nothing from the data steers a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from sessionize.cli.view import plain
from sessionize.values import dataclass

NARROWEST: Final = 40
WIDEST: Final = 120
PIPED: Final = 80
GAP: Final = "  "
LEAST: Final = 10
"""Columns that a name keeps."""
DIM: Final = "dim"
BOLD: Final = "bold"
LOUD: Final = "bold yellow"
ASCII: Final = str.maketrans({"–": "-", "…": "~", "·": "|", "×": "x", "●": "*", "−": "-", "█": "#", "▎": "-", "≥": ">"})


@dataclass(frozen=True)
class Cell:
    """Some text of a line.

    Attributes:
        text: What it says; of data already safe to print.
        style: How it looks where there are styles; it never carries a meaning alone.
    """

    text: str
    style: str = ""


Line = tuple[Cell, ...]


@dataclass(frozen=True)
class Page:
    """What a screen can show.

    Attributes:
        width: Columns of the terminal.
        blocks: Whether there are letters beyond ASCII: blocks, dashes, dots.
    """

    width: int
    blocks: bool

    def bar(self, share: float, width: int) -> str:
        """A bar in eighths of a block, at least a trace of one for more than nothing."""
        if not self.blocks:
            return "#" * max(round(share * width), 1 if share > 0 else 0)
        eighths = max(round(share * width * 8), 1 if share > 0 else 0)
        rest = " ▏▎▍▌▋▊▉"[eighths % 8].strip()
        return "█" * (eighths // 8) + rest

    def columns(self, numbers: Sequence[float]) -> str:
        """A column of one of eight heights a number."""
        levels = "▁▂▃▄▅▆▇█" if self.blocks else "_.-:=+*#"
        most = max(numbers, default=0)
        return "".join(" " if not number else levels[min(7, int(8 * number / most))] for number in numbers)

    def plain(self, text: str) -> str:
        """Text of ours as it can be shown here."""
        return text if self.blocks else text.translate(ASCII)


def page() -> Page:
    """What stdout can show."""
    width = shutil.get_terminal_size((PIPED, 24)).columns if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED
    return Page(max(NARROWEST, min(width, WIDEST)), _has_blocks())


def _has_blocks() -> bool:
    if "utf" not in (sys.stdout.encoding or "").lower():
        return False
    named = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))), "")
    # Python puts C.UTF-8 in the place of a C locale when it starts.
    coerced = named == "C.UTF-8" and os.environ.get("LANG") in ("C", "POSIX")
    return "utf" in named.lower() and not coerced


def show(lines: Sequence[Line], where: Page, *, color: bool) -> None:
    """Print lines on stdout, in their styles on a terminal."""
    styled = sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))
    if not (styled and color) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        text = "".join("".join(where.plain(cell.text) for cell in line).rstrip() + "\n" for line in lines)
        sys.stdout.write(
            text.encode(sys.stdout.encoding or "utf-8", "backslashreplace").decode(sys.stdout.encoding or "utf-8")
        )
        return
    from rich.console import Console
    from rich.text import Text

    out = Console(markup=False, highlight=False, emoji=False, width=where.width, soft_wrap=True)
    for line in lines:
        out.print(Text.assemble(*((where.plain(cell.text), cell.style) for cell in line)), end="\n")


def cells(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def cut(text: str, width: int) -> str:
    """Text from the data, safe to print, no wider than so many columns; what is left out shows as ``…``."""
    safe = plain(text)
    if cells(safe) <= width:
        return safe
    return _beginning(safe, width - 1) + "…"


def _beginning(text: str, width: int) -> str:
    """As many letters as fit into so many columns."""
    found = ""
    for letter in text:
        if cells(found + letter) > width:
            break
        found += letter
    return found


def cut_middle(text: str, width: int) -> str:
    """The same, of a text whose end tells as much as its beginning."""
    safe = plain(text)
    if cells(safe) <= width or width < 8:
        return cut(safe, width)
    tail = (width - 1) // 2
    return _beginning(safe, width - 1 - tail) + "…" + _beginning(safe[::-1], tail)[::-1]


def cut_distinctly(texts: Sequence[str], width: int, shorten: Callable[[str, int], str]) -> list[str]:
    """Texts cut to so many columns, of which no two different ones read the same.

    Args:
        texts: Safe to print.
        width: Columns that a text may take.
        shorten: Cuts one by itself.

    Examples:
        >>> cut_distinctly(["Mozilla/5.0 Chrome/31 Safari/537", "Mozilla/5.0 Chrome/32 Safari/537"], 14, cut_middle)
        ['M…31 Safari/5…', 'M…32 Safari/5…']
    """
    found = [shorten(text, width) for text in texts]
    by_look: dict[str, set[str]] = {}
    for text, look in zip(texts, found, strict=True):
        by_look.setdefault(look, set()).add(text)
    for alike in (each for each in by_look.values() if len(each) > 1):
        first, last = min(alike), max(alike)
        differs = next(
            (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first)
        )
        for place, text in enumerate(texts):
            if text in alike:
                found[place] = cut(f"{text[:1]}…{text[max(1, differs - 1) :]}", width)
    numbers: dict[str, list[str]] = {}
    for place, (text, look) in enumerate(zip(texts, found, strict=True)):
        same = numbers.setdefault(look, [])
        if text not in same:
            same.append(text)
        mark = f" #{same.index(text) + 1}" if same.index(text) else ""
        found[place] = f"{cut(look, max(1, width - len(mark)))}{mark}" if mark else look
    return found


def left(text: str, width: int) -> str:
    """Text filled up on the right."""
    return text + " " * max(0, width - cells(text))


def right(text: str, width: int) -> str:
    """Text filled up on the left."""
    return " " * max(0, width - cells(text)) + text


def clock(seconds: float) -> str:
    """A time since a start: ``0:39``, ``1:06:28``, ``2d 03:10:00``.

    Examples:
        >>> clock(39), clock(3988), clock(184_200)
        ('0:39', '1:06:28', '2d 03:10:00')
    """
    whole = int(seconds)
    days, rest = divmod(whole, 86_400)
    hours, minutes, last = rest // 3600, rest // 60 % 60, rest % 60
    if days:
        return f"{days}d {hours:02}:{minutes:02}:{last:02}"
    return f"{hours}:{minutes:02}:{last:02}" if hours else f"{minutes}:{last:02}"


def wrapped(parts: Sequence[str], between: str, width: int) -> list[str]:
    """Parts in as few lines as they fit in."""
    lines: list[str] = []
    for part in parts:
        if lines and cells(lines[-1]) + cells(between) + cells(part) <= width:
            lines[-1] += between + part
        else:
            lines.append(part if cells(part) <= width else cut(part, width))
    return lines


def table(
    rows: Sequence[Sequence[Cell]], where: Page, align: str, *, flexible: int | None = 0, spare: Sequence[int] = (1,)
) -> list[Line]:
    """Rows in columns; one of them gives way where all do not fit, and some are left out where that is not enough.

    Args:
        rows: As many cells each as there are columns.
        where: How wide the screen is.
        align: ``<`` or ``>`` for each column.
        flexible: Number of the column that gives way; None for none, as a number that is cut says another number.
        spare: Numbers of the columns that can be left out, the first one first.
    """
    widths = [max((cells(row[place].text) for row in rows), default=0) for place in range(len(align))]
    over = 0
    for place in (None, *spare):
        if place is not None:
            widths[place] = 0
        over = sum(widths) + len(GAP) * (sum(map(bool, widths)) - 1) - where.width
        if over <= 0 or (flexible is not None and widths[flexible] - over >= LEAST):
            break
    if over > 0 and flexible is not None:
        widths[flexible] = max(1, widths[flexible] - over)
    shorten = cut_middle if flexible == 0 else cut
    texts = [] if flexible is None else cut_distinctly([row[flexible].text for row in rows], widths[flexible], shorten)
    found: list[Line] = []
    for number, row in enumerate(rows):
        line: list[Cell] = []
        for place in (place for place, width in enumerate(widths) if width):
            text = texts[number] if place == flexible else row[place].text
            filled = (left if align[place] == "<" else right)(text, widths[place])
            line += [*([Cell(GAP)] if line else []), Cell(filled, row[place].style)]
        found.append(tuple(line))
    return found
