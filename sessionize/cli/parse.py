"""What is typed, as values: durations, sizes, limits, times. Each says what it would have taken."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.values import NamedTuple

DURATION: Final = pattern(
    r"(\d+(?:\.\d+)?)\s*(ms|us|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?=[\d\s]|$)\s*"
)
ISO_DURATION: Final = pattern(r"P(?=.)(?:\d+[WD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?")
UNITS: Final = {
    "us": timedelta(microseconds=1), "ms": timedelta(milliseconds=1), "s": timedelta(seconds=1),
    "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1),
}  # fmt: skip
LONGEST: Final = timedelta(days=3_652_059)
"""All years that a time can have."""
IN_DAYS: Final = "--last"
"""The option whose number without a unit is one of days."""
SHORTEST_KEY: Final = 16
MAKE_KEY: Final = "make one, once, and keep it: openssl rand -hex 32 > key"
LEAST_MEMORY: Final = 128_000_000
"""Bytes that interpreter and libraries take, before a row is read."""
SIZE: Final = pattern(r"(?i)(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?")


def duration(text: str, option: str) -> timedelta:
    """A duration such as ``30m``, ``45s``, ``1h30m``; ``30 min`` and ISO 8601's ``PT30M`` are taken too.

    Examples:
        >>> duration("1h30m", "--timeout")
        datetime.timedelta(seconds=5400)
        >>> duration("90 min", "--timeout") == duration("PT1H30M", "--timeout") == duration("1h30m", "--timeout")
        True
    """
    if re.fullmatch(r"\d+(\.\d+)?", text):
        likely = "d" if option == IN_DAYS else "m"
        raise UsageError(
            f"{option} {text[:40]!r} says no unit",
            hint=f"did you mean {option} {text[:40]}{likely}, or {option} {text[:40]}{'h' if likely == 'd' else 's'}?",
        )
    plain = re.sub("[PT]", "", text).lower() if ISO_DURATION.fullmatch(text) else text.strip().lower()
    if not re.fullmatch(f"(?:{DURATION.pattern})+", plain):
        raise UsageError(f"{option} {text[:40]!r} is no duration", hint=f"for example {option} 30m, 45s, 1h30m, 2d")
    total = timedelta()
    try:
        for number, unit in DURATION.findall(plain):
            total += (float(number) if "." in number else int(number)) * UNITS[unit if unit in UNITS else unit[0]]
    except (OverflowError, ValueError):
        total = timedelta.max
    if total > LONGEST:
        raise UsageError(f"{option} {text[:40]!r} is longer than any log", hint=f"for no limit: {option} none")
    return total


def duration_or_none(text: str, option: str) -> timedelta | None:
    """A duration, or None for ``none``."""
    return None if text.lower() == "none" else duration(text, option)


def duration_in_file(text: str, name: str, place: str) -> None:
    """Raise UsageError where an option of a file is no duration; the file is named.

    Args:
        text: Value of the option.
        name: Name of the option.
        place: The file, or what else it stands in.
    """
    try:
        duration_or_none(text, name)
    except UsageError as error:
        unit = f"{text}m" if text.isdigit() else "30m"
        raise UsageError(f"{place}: {error.message}", hint=f'write {name} = "{unit}"') from None


def size(text: str, option: str) -> int:
    """Bytes: ``2GB`` is 2·10⁹, ``512MiB`` is 512·2²⁰.

    Examples:
        >>> size("2GB", "--memory-limit"), size("1KiB", "--memory-limit")
        (2000000000, 1024)
    """
    found = SIZE.fullmatch(text)
    if found is None:
        raise UsageError(f"{option} {text!r} is no size", hint=f"for example {option} 2GB or 512MiB")
    number, prefix, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index(prefix.lower() or " "))


def memory(text: str, option: str) -> int:
    """Bytes that the program can run in.

    Examples:
        >>> memory("512MB", "--memory-limit")
        512000000
    """
    found = size(text, option)
    if found < LEAST_MEMORY:
        meant = f"did you mean {option} {text}GB? " if text.isdigit() and int(text) < 1000 else ""
        raise UsageError(
            f"{option} {text}: the program alone takes {LEAST_MEMORY // 1_000_000} MB",
            hint=f"{meant}a limit is held from 512MB on",
        )
    return found


class Limit(NamedTuple):
    """How much is too much: a number, or a share of the whole."""

    most: float
    is_share: bool

    def broken_by(self, number: int, whole: int) -> bool:
        """Whether the number is over the limit."""
        return number > (self.most * whole if self.is_share else self.most)


def limit(text: str, option: str) -> Limit:
    """A limit such as ``100`` or ``0.5%``."""
    try:
        share = text.endswith("%")
        most = float(text.removesuffix("%"))
    except ValueError:
        most, share = -1.0, False
    if not most >= 0:
        raise UsageError(f"{option} {text!r} is no limit", hint=f"for example {option} 100 or {option} 0.5%")
    return Limit(most / 100 if share else most, share)


def key(source: str) -> bytes:
    """The secret in a file, or in an environment variable: ``env:NAME``. Never on the command line itself."""
    name = source.removeprefix("env:")
    if name != source:
        found = os.environ.get(name, "").encode()
        place = f"the environment variable {name}"
    else:
        try:
            found = Path(source).read_bytes()
        except OSError as error:
            raise UsageError(f"--hash-ids {source}: {(error.strerror or str(error)).lower()}", hint=MAKE_KEY) from None
        place = source
    found = found.strip()
    if len(found) < SHORTEST_KEY:
        raise UsageError(f"--hash-ids: {place} holds no key of at least {SHORTEST_KEY} characters", hint=MAKE_KEY)
    return found


def moment(text: str, timezone: str, option: str) -> datetime:
    """An instant in ISO 8601; a naive one is in the zone."""
    try:
        found = datetime.fromisoformat(text)
        zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, KeyError, OSError, OverflowError):
        raise UsageError(f"{option} {text!r} is no time", hint=f"for example {option} 2024-05-31T00:00:00Z") from None
