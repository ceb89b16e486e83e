"""SQL as people write it to SQL as Polars takes it: names with a dot, texts compared with times, intervals with seconds.

A time is a moment in UTC, and Polars compares it with no text and with no time that has no zone. So a text that stands
beside a column of times, and is one, becomes a moment in the time zone; and what takes a date or an hour out of a time
takes it off a clock of that zone. All else stays to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from sessionize.patterns import pattern
from sessionize.sql_tokens import LEXER
from sessionize.values import NamedTuple

LOOKS_LIKE_TIME: Final = pattern(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:?\d\d.*)?")
TYPED: Final = frozenset({"timestamp", "timestamptz", "datetime", "date"})
"""Words before a text that say it is a time."""
BETWEEN_OPERANDS: Final = frozenset({"between", "and", "in", "not", *TYPED})
RESERVED: Final = frozenset({"end", "user"})
"""Words of SQL that columns are called."""
COMPARES: Final = frozenset("=<>!")
SECONDS_OF: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
SPAN: Final = pattern(r"(\d+(?:\.\d+)?)\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\s*")
TAKE_APART: Final = frozenset({
    "date_part", "day", "dayofweek", "dayofyear", "extract", "hour", "minute", "month", "quarter", "strftime", "week", "weekofyear",
    "year",
})  # fmt: skip
"""Functions that take parts out of a time."""
NO_CLOCK: Final = frozenset({"epoch", "timezone", "timezone_hour", "timezone_minute"})
"""Parts that are the same on every clock, or no part of one."""
ON_CLOCKS: Final = frozenset({"date", "time"})
"""Types that a time is cast to by a clock."""
IN_SECONDS: Final = "_s"
"""Ends the name of a number of seconds."""
Columns = Mapping[str, pl.DataType]


class _Piece(NamedTuple):
    """A piece of SQL, and the column that it names, if it does."""

    kind: str
    text: str
    column: str | None = None


def adapted(text: str, columns: Columns, timezone: str = "UTC", names: Mapping[str, str] | None = None) -> str:
    """The same SQL with names and times as Polars takes them.

    Args:
        text: SQL as it was typed.
        columns: Names and types that it may name.
        timezone: Zone of times that say none.
        names: Other names of columns.

    Examples:
        >>> adapted("start >= '2019-10-01'", {"start": pl.Datetime("us", "UTC")}, "Europe/Vienna")
        "start >= CAST('2019-09-30 22:00:00.000000' AS TIMESTAMPTZ)"
        >>> adapted('property.brand > 3', {"property.brand": pl.String()})
        '"property.brand" > 3'
        >>> adapted("duration_s > interval '10 minutes'", {"duration_s": pl.Float64()})
        'duration_s > 600'
        >>> adapted("day(start)", {"start": pl.Datetime("us", "UTC")}, "Europe/Vienna")
        "day((CAST(start AS TIMESTAMPTZ) AT TIME ZONE 'Europe/Vienna'))"
    """
    if "/*" in text:  # a quote in a comment is none
        return text
    pieces = list(_named(list(_pieces(text)), columns, names or {}))
    found = [piece.text for piece in pieces]
    solid = [place for place, piece in enumerate(pieces) if piece.kind not in ("space", "comment")]
    compared = set[int]()
    for at, place in enumerate(solid):
        beside = _beside(pieces, solid, at) if pieces[place].kind == "text" else None
        column = None if beside is None else pieces[beside].column
        if beside is None or column is None:
            continue
        before = pieces[solid[at - 1]].text.lower() if at else ""
        literal = _literal(pieces[place].text[1:-1], before, column, columns[column], timezone)
        if literal is None:
            continue
        compared.add(beside)
        _replace(found, pieces, solid, at, literal)
        if _zone(columns[column]) not in (None, "UTC"):  # Polars compares no times of two zones
            found[beside] = f"CAST({_quoted(column)} AS TIMESTAMPTZ)"
    for at in _taken_apart(pieces, solid) if timezone != "UTC" else ():
        column = pieces[solid[at]].column
        if column is not None and _zone(columns[column]) is not None and solid[at] not in compared:
            first = solid[_qualified_from(pieces, solid, at)]
            found[first] = f"(CAST({found[first]}"
            found[solid[at]] += f" AS TIMESTAMPTZ) AT TIME ZONE '{timezone}')"
    return "".join(found)


def _taken_apart(pieces: Sequence[_Piece], solid: Sequence[int]) -> set[int]:
    """Where pieces stand of which a date or an hour is taken: in the brackets of a function or a cast, or before ``::``."""
    words = [pieces[place].text.lower() for place in solid]
    found, opened = {at for at in range(len(words)) if _is_cast(words, at + 1)}, list[int]()
    for at, word in enumerate(words):
        if word == "(":
            opened.append(at)
        elif word == ")" and opened and _is_taken_apart(words, first := opened.pop(), at):
            found.update(range(first + 1, at))
    return found


def _is_taken_apart(words: Sequence[str], first: int, last: int) -> bool:
    """Whether a date or an hour is taken of what stands between two brackets."""
    before = words[first - 1] if first else ""
    if before in TAKE_APART:
        return words[first + 1].strip("'") not in NO_CLOCK
    if before in ("cast", "try_cast"):
        return words[last - 2] == "as" and words[last - 1] in ON_CLOCKS
    return _is_cast(words, last + 1)


def _is_cast(words: Sequence[str], at: int) -> bool:
    return list(words[at : at + 2]) == [":", ":"] and not ON_CLOCKS.isdisjoint(words[at + 2 : at + 3])


def _qualified_from(pieces: Sequence[_Piece], solid: Sequence[int], at: int) -> int:
    """Where the name of a column begins, its table's included."""
    while at >= 2 and pieces[solid[at - 1]].text == "." and _is_name(pieces[solid[at - 2]]):
        at -= 2
    return at


def _replace(found: list[str], pieces: Sequence[_Piece], solid: Sequence[int], at: int, literal: str) -> None:
    """Put a literal in the place of a text, and of the words around it that say its type."""
    place, before = solid[at], solid[at - 1] if at else solid[at]
    found[place] = literal
    if pieces[before].text.lower() in (*TYPED, "interval"):
        found[before:place] = [""] * (place - before)
    after = solid[at + 1 : at + 4]
    if [pieces[each].text.lower() for each in after[:2]] == [":", ":"] and pieces[after[-1]].text.lower() in TYPED:
        for each in after:
            found[each] = ""


def names_in(text: str) -> list[str]:
    """What may be names of columns in a text, were it SQL; those with a dot whole, and their parts.

    Examples:
        >>> names_in("params.page = 'x' AND n > 3")
        ['params.page', 'params', 'page', 'AND', 'n']
    """
    pieces, found, at = list(_pieces(text)), list[str](), 0
    while at < len(pieces):
        names = [_bare(pieces[at])] if _is_name(pieces[at]) else []
        while names and at + 2 < len(pieces) and pieces[at + 1].text == "." and _is_name(pieces[at + 2]):
            at += 2
            names.append(_bare(pieces[at]))
        found += [".".join(names), *(names if len(names) > 1 else ())] if names else []
        at += 1
    return found


def _pieces(text: str) -> Iterator[_Piece]:
    at = 0
    while at < len(text):
        found = LEXER.match(text, at)
        assert found is not None  # the kinds cover every character
        at = found.end()
        yield _Piece(str(found.lastgroup), found.group())


def _named(pieces: Sequence[_Piece], columns: Columns, names: Mapping[str, str]) -> Iterator[_Piece]:
    """The pieces, those that are a column together as one; the longest name that there is."""
    at = cases = 0
    while at < len(pieces):
        word, was_inside = pieces[at].text.lower(), cases > 0
        cases += 1 if word == "case" else -1 if word == "end" and was_inside else 0
        most = at
        while most + 2 < len(pieces) and pieces[most + 1].text == "." and _is_name(pieces[most + 2]):
            most += 2
        ends_case = word == "end" and was_inside
        for end in range(most, at - 1, -2) if _is_name(pieces[at]) and not ends_case else ():
            name = ".".join(_bare(piece) for piece in pieces[at : end + 1 : 2])
            column = name if name in columns else names.get(name)
            if column is not None and column in columns and not _is_word_of_sql(pieces, end + 1, word):
                same = end == at and column == name and name.lower() not in RESERVED
                yield _Piece("name", pieces[at].text if same else _quoted(column), column)
                at = end + 1
                break
        else:
            yield pieces[at]
            at += 1


def _is_word_of_sql(pieces: Sequence[_Piece], after: int, word: str) -> bool:
    """Whether a name is a function's, or says that the text behind it is a time."""
    following = [piece for piece in pieces[after : after + 2] if piece.kind != "space"]
    return bool(following) and (following[0].text == "(" or (following[0].kind == "text" and word in TYPED))


def _is_name(piece: _Piece) -> bool:
    return piece.kind in ("word", "quoted")


def _bare(piece: _Piece) -> str:
    return piece.text[1:-1].replace('""', '"') if piece.kind == "quoted" else piece.text


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _beside(pieces: Sequence[_Piece], solid: Sequence[int], at: int) -> int | None:
    """Place of the column that a text is compared with: to its left, also within IN and BETWEEN, else to its right."""
    for step, passed in ((-1, BETWEEN_OPERANDS | {"interval", "-", "+"}), (1, frozenset[str]())):
        here, compares = at + step, False
        while 0 <= here < len(solid):
            piece = pieces[solid[here]]
            word = piece.text.lower()
            if piece.column is not None:
                if compares:
                    return solid[here]
                break
            compares = compares or piece.text in COMPARES or word in ("between", "in")
            if not (piece.text in COMPARES or word in passed or piece.text in ("(", ",") or piece.kind == "text"):
                break
            here += step
    return None


def _literal(text: str, before: str, column: str, dtype: pl.DataType, timezone: str) -> str | None:
    """What stands for a text beside a column; None where that is the text itself."""
    if before == "interval":
        seconds = _seconds(text) if column.endswith(IN_SECONDS) and dtype.is_numeric() else None
        return None if seconds is None else f"{seconds:g}"
    if not LOOKS_LIKE_TIME.fullmatch(text):
        return None
    if not dtype.is_temporal():  # of a text, such as a CSV's, it is a text
        return f"'{text}'" if dtype == pl.String and before in TYPED else None
    try:
        moment = datetime.fromisoformat(text)
        local = UTC if timezone == "UTC" else ZoneInfo(timezone)
        if _zone(dtype) is None:  # a time without a zone is one in the time zone
            written = moment.astimezone(local) if moment.tzinfo else moment
            return f"CAST('{_plain(written)}' AS TIMESTAMP)"
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=local)
        return f"CAST('{_plain(zoned.astimezone(UTC))}' AS TIMESTAMPTZ)"
    except (ValueError, KeyError, OSError, OverflowError):
        return None


def _plain(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _zone(dtype: pl.DataType) -> str | None:
    return dtype.time_zone if isinstance(dtype, pl.Datetime) else None


def _seconds(text: str) -> float | None:
    if not re.fullmatch(f"(?:{SPAN.pattern})+", text.strip().lower()):
        return None
    return sum(float(number) * SECONDS_OF[unit[0]] for number, unit in SPAN.findall(text.strip().lower()))
