"""Layouts of times that are not ISO 8601: the strptime pattern that reads some texts, to be typed or, if it can mean only one thing, taken.

Tried in three parts: a date, what stands between, a time of day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import polars as pl

from sessionize.config import TimeFormat
from sessionize.kernel.epochs import OUT_OF_RANGE
from sessionize.kernel.time_patterns import compiled
from sessionize.kernel.timestamps import MODERN, instant

TRIED: Final = 200
"""Values that a layout is tried on."""
CERTAIN_DATES: Final = (
    "%Y/%m/%d", "%Y.%m.%d", "%d/%b/%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%a, %d %b %Y", "%A, %d %b %Y",
    "%b %d, %Y", "%B %d, %Y", "%a %b %d %Y", "%Y-%b-%d",
)  # fmt: skip
"""The year first, or the month by its name: these can be read in one way only."""
DATES: Final = (
    "%Y-%m-%d", *CERTAIN_DATES, "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y",
    "%d/%m/%y", "%m/%d/%y", "%d-%b-%y", "%y/%m/%d", "%y-%m-%d",
)  # fmt: skip
BETWEEN: Final = (" ", "T", ":", ", ", " @ ", "-", "_", "  ", " at ", "")
TIMES: Final = (
    "%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S,%f", "%H:%M", "%H:%M:%S:%L", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p",
    "%I:%M%p", "%H%M%S", "%H%M%S.%f", "%H.%M.%S", "%H%M", "%H", "%I:%M:%S.%f %p", "%I.%M.%S.%f %p",
)  # fmt: skip
ZONES: Final = ("", " %z", "%z", " %z %Z", "%z[%Z]", " (%z)", " %z (%Z)")
ENDS: Final = ("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y", "%b %d %H:%M:%S %Y")
"""Layouts whose year stands at the end."""
WRITTEN: Final = ("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%d%H%M%S%f")
"""Dates written as numbers."""
SERIALS: Final = (32_874.0, 73_050.0)
"""Days of a spreadsheet in 1990 to 2100."""


def certain(texts: pl.Series) -> str | None:
    """The layout that all the texts have, if it can be read in one way only.

    An hour alone may be an offset, or no time at all.
    """
    return next((layout for layout in _reading(texts, CERTAIN_DATES) if not layout.endswith("%H")), None)


def proposed(texts: pl.Series) -> list[str]:
    """Layouts that all the texts could have; more than one where day and month could be exchanged."""
    return list(dict.fromkeys(_reading(texts, DATES)))


def of_parts(texts: pl.Series) -> list[str]:
    """Layouts that read the texts between them, where these are of several kinds: one for each kind.

    Of those that read the first text the one that reads most of them: of ``5/6/2024`` and ``5/30/2024`` the month is first.
    """
    left = texts.drop_nulls().unique(maintain_order=True).head(TRIED)
    found: list[str] = []
    while len(left) and len(found) < 10:
        layout = max(proposed(left.head(1)), key=lambda each: _read(left, each).count(), default=None)
        unread = left.slice(1) if layout is None else left.filter(_read(left, layout).is_null())
        found += [] if layout is None else [layout]
        left = unread
    return found


def written_date(numbers: pl.Series) -> str | None:
    """The layout of numbers, as text, that are written dates within 1990 to 2100; ``excel`` for a spreadsheet's days."""
    texts = numbers.drop_nulls().str.strip_chars().unique(maintain_order=True).head(TRIED)
    if not len(texts):
        return None
    whole = texts.str.replace(r"\.0*$", "")
    lengths = whole.str.len_chars()
    if lengths.n_unique() == 1 and whole.str.contains(r"^\d+$").all():
        size = int(lengths[0])
        layout = WRITTEN[-1] if size > 14 else {8: WRITTEN[0], 10: WRITTEN[1], 12: WRITTEN[2], 14: WRITTEN[3]}.get(size)
        if layout is not None and size <= 20 and _all_modern(whole, layout):
            return layout
    days = texts.cast(pl.Float64, strict=False)
    return "excel" if not days.null_count() and days.is_between(*SERIALS).all() else None


def _reading(texts: pl.Series, dates: Sequence[str]) -> Iterator[str]:
    tried = texts.drop_nulls().unique(maintain_order=True).head(TRIED)
    if not len(tried):
        return
    first = str(tried[0]).strip()
    for layout in (*_beginning(first, dates), *ENDS):
        if re.search(compiled(layout), first) and _all_modern(tried, layout):
            yield layout


def _beginning(first: str, dates: Sequence[str]) -> Iterator[str]:
    """Layouts whose date the text begins with."""
    for date in dates:
        start = re.match(compiled(date).pattern.removesuffix(r"\s*$"), first)
        if start is None:
            continue
        rest = first[start.end() :]
        if not rest:
            yield date
        for between, time, zone in product(BETWEEN, TIMES, ZONES):
            if rest.startswith(between):
                yield f"{date}{between}{time}{zone}"


def _read(texts: pl.Series, layout: str) -> pl.Series:
    return instant(texts, TimeFormat(kind="pattern", pattern=layout), "UTC")


def _all_modern(texts: pl.Series, layout: str) -> bool:
    found = _read(texts, layout)
    return not found.null_count() and bool(found.is_between(MODERN[0], MODERN[1]).all()) and OUT_OF_RANGE not in found
