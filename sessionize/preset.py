"""A known log layout, as a TOML file says it: which columns play which role, how the text is laid out, which rules hold.

Plain Python on purpose: the command line reads it for its help without loading Polars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from sessionize import schema
from sessionize.errors import UsageError

LayoutKind = Literal["csv", "unquoted", "w3c", "combined"]
Choice = tuple[str, ...]
"""Columns that play a role together; nearly always one."""
KEYS: Final = ("title", "about", "command", "columns", "options", "layout", "nulls", "decode", "visitor", "where")
VISITOR: Final = "visitor"
"""Name of the column that is made of a preset's ``visitor`` columns."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the lines of a text file are laid out, where it is not a CSV with a header.

    Attributes:
        kind: ``csv``; ``unquoted``: fields between delimiters, a quote is a character; ``w3c``: the same, but the names
            stand in a ``#Fields:`` line; ``combined``: lines of a web server's access log.
        delimiter: Between fields; None finds it.
        names: Of the fields, where no line has them. A file whose first line does hold them is read as a CSV.
    """

    kind: LayoutKind = "csv"
    delimiter: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A known log layout.

    Attributes:
        name: Of the preset, or of the user's file.
        title: The system and the kind of export, in a line.
        about: How the log comes to be, and its traps.
        command: The command to run.
        columns: Role → the columns that may play it, the best first; an empty list: none does, whatever its name.
        options: Options of the command line that the layout implies, by name.
        layout: Of a text file.
        nulls: Column, or ``*`` for all → texts that mean null.
        decode: Columns whose text is percent-encoded.
        visitor: Columns of which a column ``visitor`` is made: a digest of their values.
        where: SQL expression that keeps a row, beside any the user gives.
    """

    name: str
    title: str
    about: str = ""
    command: str = ""
    columns: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)
    nulls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    decode: tuple[str, ...] = ()
    visitor: tuple[str, ...] = ()
    where: str | None = None


def parsed(name: str, table: Mapping[str, Any]) -> Preset:
    """A preset from its TOML table, checked for form.

    Args:
        name: What it is called in messages.
        table: As read.

    Raises:
        UsageError: If a key, a role or a kind of value is not known.
    """
    _refuse_others(name, "", table, KEYS)
    columns = _table(name, table, "columns")
    _refuse_others(name, "columns.", columns, schema.ROLES)
    layout = _table(name, table, "layout")
    _refuse_others(name, "layout.", layout, ("kind", "delimiter", "names"))
    return Preset(
        name=name,
        title=_text(name, table, "title"),
        about=_text(name, table, "about").strip(),
        command=_text(name, table, "command").strip(),
        columns={role: _choices(name, f"columns.{role}", given) for role, given in columns.items()},
        options=_table(name, table, "options"),
        layout=_layout(name, layout),
        nulls={
            column: _texts(name, f"nulls.{column}", given) for column, given in _table(name, table, "nulls").items()
        },
        decode=_texts(name, "decode", table.get("decode", [])),
        visitor=_texts(name, "visitor", table.get("visitor", [])),
        where=_text(name, table, "where") or None,
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
    return tuple(_texts(name, key, each) for each in found)


def _layout(name: str, table: Mapping[str, Any]) -> Layout:
    kind = _text(name, table, "kind") or "csv"
    if kind not in get_args(LayoutKind):
        raise UsageError(
            f"preset {name}: layout.kind {kind!r} is none of {', '.join(get_args(LayoutKind))}",
        )
    delimiter = _text(name, table, "delimiter") or None
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n'):
        raise UsageError(f"preset {name}: layout.delimiter {delimiter!r} is not one character")
    return Layout(
        kind=kind,  # type: ignore[arg-type]  # checked above
        delimiter=delimiter,
        names=_texts(name, "layout.names", table.get("names", [])),
    )
