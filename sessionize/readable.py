"""Numbers, shares, lengths of time and days as people read them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sessionize.patterns import pattern

HOST: Final = pattern(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
HIDDEN: Final = ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co")
"""Categories of characters that are not seen, or steer what shows them."""
UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def visible(text: str) -> str:
    r"""Text in one line that steers no terminal: each character that is not seen as its escape, as Python and JSON have it.

    Examples:
        >>> print(visible("a\x1b[31m\n\u202e"))
        a\x1b[31m\x0a\u202e
    """
    return "".join(_escaped(letter) if unicodedata.category(letter) in HIDDEN else letter for letter in text)


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def hosts_cut(names: Iterable[str | None]) -> Callable[[str], str]:
    """What shows a name without its host, where all addresses among some names have the same one.

    An address is what begins with a scheme; where it would read as another name does, it stays whole.

    Examples:
        >>> short = hosts_cut(["https://a.com/x", "https://a.com/", "cart", None])
        >>> short("https://a.com/x"), short("cart")
        ('/x', 'cart')
        >>> short = hosts_cut(["http://a.com/", "https://a.com/", "https://b.com/", "Bot (+http://b.com/)"])
        >>> short("https://a.com/"), short("https://b.com/"), short("Bot (+http://b.com/)")
        ('https://a.com/', 'b.com/', 'Bot (+http://b.com/)')
    """
    different = {name for name in names if name is not None}
    hosts = {match[0] for name in different if (match := HOST.match(name))}

    def without(name: str) -> str:
        if not HOST.match(name):
            return name
        return (HOST.sub("", name, count=1) or "/") if len(hosts) == 1 else name.split("://", 1)[-1]

    looks: dict[str, int] = {}
    for name in different:
        looks[without(name)] = looks.get(without(name), 0) + 1
    return lambda name: without(name) if looks.get(without(name), 0) < 2 else name


def number(value: float | None) -> str:
    """A whole number with commas; a dash for none."""
    return "–" if value is None else f"{value:,.0f}"


def short_number(value: float | None) -> str:
    """A number with one decimal where it has any."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:,.1f}"


def share(value: float | None) -> str:
    """A share in percent; a dash for none."""
    if value is None:
        return "–"
    percent = 100 * value
    digits = 0 if percent >= 99.95 else 1
    if 0 < percent < 0.05:
        return "<0.1 %"
    return f"{percent:.{digits}f} %"


def duration(seconds: float | None) -> str:
    """A time in its two largest units.

    Examples:
        >>> duration(869), duration(3960), duration(45), duration(0.25), duration(90_000)
        ('14 min 29 s', '1 h 6 min', '45 s', '0.25 s', '1 d 1 h')
    """
    if seconds is None:
        return "–"
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.2g} s"
    whole = round(seconds)
    for (size, unit), (less, smaller) in pairwise(UNITS):
        if whole >= size:
            many, rest = divmod(whole, size)
            return f"{many} {unit}" + (f" {rest // less} {smaller}" if rest // less else "")
    return f"{whole} s"


def change(value: float | None) -> str:
    """A change as a share of what was."""
    if value is None:
        return "–"
    if abs(value) < 0.0005:
        return "0 %"
    return f"{100 * value:+.0f} %" if abs(value) >= 0.095 else f"{100 * value:+.1f} %"


def points(value: float | None) -> str:
    """A change of a rate."""
    return "–" if value is None else f"{value:+.1f} pt"


def moment(text: str | datetime | None, timezone: str) -> datetime | None:
    """A time in a zone."""
    if text is None:
        return None
    from zoneinfo import ZoneInfo

    found = datetime.fromisoformat(text) if isinstance(text, str) else text
    try:
        return found.astimezone(ZoneInfo(timezone))
    except OverflowError:  # at the edge of the years 1 to 9999: as it is
        return found


def dates(first: Any, last: Any, timezone: str) -> str:
    """From one day to another, as short as can be.

    Examples:
        >>> dates("2024-01-04T00:00:00Z", "2024-06-29T00:00:00Z", "UTC")
        '4 Jan – 29 Jun 2024'
        >>> dates("2024-01-04T00:00:00Z", "2024-01-04T00:00:21Z", "UTC")
        '4 Jan 2024 00:00:00–00:00:21'
    """
    one, other = moment(first, timezone), moment(last, timezone)
    if one is None or other is None:
        return "no events"
    end = f"{other.day} {other:%b} {other.year:04}"
    if one.replace(second=0, microsecond=0) == other.replace(second=0, microsecond=0):
        return f"{end} {one:%H:%M:%S}" + (f"–{other:%H:%M:%S}" if one.second != other.second else "")
    if one.date() == other.date():
        return f"{end} {one:%H:%M}–{other:%H:%M}"
    if one.year != other.year:
        return f"{one.day} {one:%b} {one.year:04} – {end}"
    return f"{one.day} {one:%b} – {end}" if one.month != other.month else f"{one.day} – {end}"
