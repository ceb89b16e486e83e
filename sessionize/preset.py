"""A known log layout, as a TOML file says it: which columns play which role, how the text is laid out, which rules hold.

Plain Python on purpose: the command line reads it for its help without loading Polars.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final, Literal, get_args

from sessionize import schema
from sessionize.errors import UsageError
from sessionize.reference import columns_of, parse
from sessionize.values import dataclass

LayoutKind = Literal["csv", "unquoted", "w3c", "combined", "spaced"]
Choice = tuple[str, ...]
"""References to columns that play a role together; nearly always one."""
KEYS: Final = (
    "title", "about", "documented", "covers", "lacks", "command", "columns", "options", "layout", "nulls", "decode",
    "visitor", "where", "explode", "recognise",
)  # fmt: skip
ANYONES: Final = frozenset(
    {
        "timestamp", "time", "ts", "date", "datetime", "createdat", "event", "eventtype", "eventname", "eventid",
        "type", "name", "title", "id", "url", "uri", "page", "path", "userid", "sessionid",
        "visitorid", "uuid", "uid", "value", "total", "email", "ip", "referrer", "hostname", "before",
        "after", "op",
    }
)  # fmt: skip
"""Names, as `schema.spelling` folds them, that a log of any system may have: no preset's own."""
VISITOR: Final = "visitor"
"""Name of the column that is made of a preset's ``visitor`` columns."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the lines of a text file are laid out, where it is not a CSV with a header.

    Attributes:
        kind: ``csv``; ``unquoted``: fields between delimiters, a quote is a character; ``w3c``: fields whose names
            stand in a ``#Fields:`` line; ``spaced``: fields between single blanks, ``"…"`` and ``[…]`` are one each;
            ``combined``: lines of a web server's access log.
        delimiter: Between fields; None finds it.
        names: Names of the fields, where no line has them. A file whose first line does hold them is read as a CSV.
        least: Fields that a line has at the least; the rest are then null. 0: all of the names.
        escape: Character of an ``unquoted`` file that makes a delimiter behind it part of the field.
        beside: Two texts: the names stand in the file beside that has the second in its name in place of the first.
    """

    kind: LayoutKind = "csv"
    delimiter: str | None = None
    names: tuple[str, ...] = ()
    least: int = 0
    escape: str | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What a log must have to be taken for one of a preset's.

    Attributes:
        form: Which of the layout's forms it is, in a word or two; empty where there is but one.
        columns: References that the log must have; one that goes deeper than a column must find a value in its first rows.
        absent: Columns that it must not have.
        fields: Names that must be among those of the ``#Fields:`` line of a text log.
        lines: Regular expression that nine in ten of a text log's first lines match.
        beside: Two texts: a file beside the log, with the second in its name in place of the first, names ``columns``.
        refused: What to say of such a log in place of reading it.
    """

    form: str = ""
    columns: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    lines: str | None = None
    beside: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A known log layout.

    Attributes:
        name: Name of the preset, or of the user's file.
        title: The system and the kind of export, in a line.
        about: How the log comes to be, and its traps.
        documented: Where the system's maker describes the layout.
        covers: Which exports it reads.
        lacks: Which it does not read.
        command: The command to run.
        columns: Role → the columns that may play it, the best first; an empty list: none does, whatever its name.
        options: Options of the command line that the layout implies, by name.
        layout: Layout of a text file.
        nulls: Column, or ``*`` for all → texts that mean null.
        decode: Columns whose text is percent-encoded.
        visitor: References of which a column ``visitor`` is made: a digest of their values.
        where: SQL expression that keeps a row, beside any the user gives.
        explode: Columns with lists of which each element is a row: each further one stands in the elements of the last.
        recognise: What marks the layout: one of these is enough.
    """

    name: str
    title: str
    about: str = ""
    documented: str = ""
    covers: str = ""
    lacks: str = ""
    command: str = ""
    columns: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)
    nulls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    decode: tuple[str, ...] = ()
    visitor: tuple[str, ...] = ()
    where: str | None = None
    explode: tuple[str, ...] = ()
    recognise: tuple[Mark, ...] = ()

    @property
    def own_columns(self) -> tuple[str, ...]:
        """Names of columns that mark the layout in any of its forms; those that any log may have only if there are no others."""
        marks = [each for mark in self.recognise for each in (*mark.columns, *mark.fields)]
        names = tuple(dict.fromkeys(column.name for each in marks for column in columns_of(parse(each))))
        return tuple(name for name in names if schema.spelling(name) not in ANYONES) or names


def parsed(name: str, table: Mapping[str, Any]) -> Preset:
    """A preset from its TOML table, checked for form.

    Args:
        name: What it is called in messages.
        table: The preset's TOML, as read.

    Raises:
        UsageError: If a key, a role or a kind of value is not known.
    """
    _refuse_others(name, "", table, KEYS)
    columns = _table(name, table, "columns")
    _refuse_others(name, "columns.", columns, schema.ROLES)
    layout = _table(name, table, "layout")
    _refuse_others(name, "layout.", layout, ("kind", "delimiter", "names", "least", "escape", "beside"))
    return Preset(
        name=name,
        title=_text(name, table, "title"),
        about=_text(name, table, "about").strip(),
        documented=_text(name, table, "documented").strip(),
        covers=_text(name, table, "covers").strip(),
        lacks=_text(name, table, "lacks").strip(),
        command=_text(name, table, "command").strip(),
        columns={role: _choices(name, f"columns.{role}", given) for role, given in columns.items()},
        options=_table(name, table, "options"),
        layout=_layout(name, layout),
        nulls={
            column: _texts(name, f"nulls.{column}", given) for column, given in _table(name, table, "nulls").items()
        },
        decode=_texts(name, "decode", table.get("decode", [])),
        visitor=_references(name, "visitor", table.get("visitor", [])),
        where=_text(name, table, "where") or None,
        explode=_texts(name, "explode", table.get("explode", [])),
        recognise=marks(name, table),
    )


def marks(name: str, table: Mapping[str, Any]) -> tuple[Mark, ...]:
    """What marks a layout, from the preset's table: ``[[recognise]]``, once for each of its forms."""
    tables = table.get("recognise", [])
    if not isinstance(tables, list) or not all(isinstance(each, Mapping) for each in tables):
        raise UsageError(f"preset {name}: recognise must be a list of tables", hint="write [[recognise]] above each")
    return tuple(_mark(name, each) for each in tables)


def _mark(name: str, table: Mapping[str, Any]) -> Mark:
    _refuse_others(name, "recognise.", table, ("form", "columns", "absent", "fields", "lines", "beside", "refused"))
    lines = _text(name, table, "lines") or None
    try:
        re.compile(lines or "")
    except re.error as error:
        raise UsageError(f"preset {name}: recognise.lines is no regular expression: {error}") from None
    return Mark(
        form=_text(name, table, "form"),
        columns=_references(name, "recognise.columns", table.get("columns", [])),
        absent=_texts(name, "recognise.absent", table.get("absent", [])),
        fields=_texts(name, "recognise.fields", table.get("fields", [])),
        lines=lines,
        beside=_texts(name, "recognise.beside", table.get("beside", [])),
        refused=_text(name, table, "refused").strip(),
    )


def _refuse_others(name: str, prefix: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    others = [f"{prefix}{key}" for key in table if key not in known]
    if others:
        raise UsageError(f"preset {name}: no such key: {', '.join(others)}", hint=f"there are {', '.join(known)}")


def _table(name: str, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, Mapping):
        raise UsageError(f"preset {name}: {key} must be a table")
    return found


def _text(name: str, table: Mapping[str, Any], key: str) -> str:
    found = table.get(key, "")
    if not isinstance(found, str):
        raise UsageError(f"preset {name}: {key} must be text")
    return found


def _texts(name: str, key: str, given: Any) -> tuple[str, ...]:
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise UsageError(f"preset {name}: {key} must be a list of texts")
    return tuple(found)


def _choices(name: str, key: str, given: Any) -> tuple[Choice, ...]:
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, list):
        raise UsageError(f"preset {name}: {key} must be a list of columns")
    return tuple(_references(name, key, each) for each in found)


def _references(name: str, key: str, given: Any) -> tuple[str, ...]:
    texts = _texts(name, key, given)
    for text in texts:
        try:
            parse(text)
        except UsageError as error:
            raise UsageError(f"preset {name}: {key}: {error.message}", hint=error.hint) from None
    return texts


def _layout(name: str, table: Mapping[str, Any]) -> Layout:
    kind = _text(name, table, "kind") or "csv"
    if kind not in get_args(LayoutKind):
        raise UsageError(
            f"preset {name}: layout.kind {kind!r} is none of {', '.join(get_args(LayoutKind))}",
        )
    delimiter = _text(name, table, "delimiter") or None
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n'):
        raise UsageError(
            f"preset {name}: layout.delimiter {delimiter!r} is not one ASCII character, or ends a line or a text"
        )
    least = table.get("least", 0)
    if isinstance(least, bool) or not isinstance(least, int) or least < 0:
        raise UsageError(f"preset {name}: layout.least {least!r} is not a number of fields")
    beside = _texts(name, "layout.beside", table.get("beside", []))
    if len(beside) not in (0, 2):
        raise UsageError(f"preset {name}: layout.beside takes two texts", hint='["hit_data", "column_headers"]')
    return Layout(
        kind=kind,  # type: ignore[arg-type]  # checked above
        delimiter=delimiter,
        names=_texts(name, "layout.names", table.get("names", [])),
        least=least,
        escape=_text(name, table, "escape") or None,
        beside=beside,
    )
