"""What people have, as what the engine takes: paths of files, or a Polars frame."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, Protocol, TypeAlias

import polars as pl

from sessionize.errors import UsageError
from sessionize.python.seconds import of_arrow, of_pandas
from sessionize.read.twins import Twins
from sessionize.read.twins import of_arrow as of_arrow_types


class ArrowStream(Protocol):
    """A frame of any library that hands its rows on by Arrow's C stream interface: pandas, pyarrow, DuckDB and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule with the stream."""


Path: TypeAlias = str | os.PathLike[str]
Data: TypeAlias = Path | Sequence[Path] | pl.LazyFrame | pl.DataFrame | ArrowStream
"""A path, a glob, a folder or several of them; or any frame."""
TAKEN: Final = (
    "a path or several, or a frame: of Polars, pandas, pyarrow or DuckDB, or any with the Arrow stream interface"
)


class Given:
    """What was given: paths, or a frame.

    Args:
        data: As it was given.

    Attributes:
        inputs: Paths as typed; none where it is a frame.
        frame: The frame; None where there are paths.

    Raises:
        UsageError: If it is neither.
    """

    def __init__(self, data: object) -> None:
        self.inputs = _paths(data)
        self.frame = None if self.inputs else _frame(data)


def _paths(data: object) -> tuple[str, ...]:
    if isinstance(data, (str, os.PathLike)):
        return (_text(data),)
    if isinstance(data, (list, tuple)):
        if not data:
            raise UsageError("data is empty", hint=f"it is {TAKEN}")
        if all(isinstance(each, (str, os.PathLike)) for each in data):
            return tuple(map(_text, data))
    return ()


def _text(path: Any) -> str:
    found = os.fspath(path)
    if not isinstance(found, str):
        raise UsageError(f"data is a path of bytes: {found!r}", hint="os.fsdecode(path) makes it a text")
    if not found:
        raise UsageError("data is an empty path", hint="is a variable not set? name a path, for the current folder: .")
    return found


def _frame(data: Any) -> pl.LazyFrame | pl.DataFrame:
    if isinstance(data, (pl.LazyFrame, pl.DataFrame)):
        return data
    has_rows = hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")
    is_column = callable(getattr(data, "to_frame", None))
    if not _is_pandas(data) and (is_column or not has_rows):
        raise UsageError(f"data is no log, but of type {type(data).__name__}", hint=f"it is {TAKEN}{_instead(data)}")
    try:
        return _of_pandas(data) if _is_pandas(data) else of_arrow(data)
    except MemoryError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - a query may fail as its library has it
        raise _unreadable(data, error) from None


def _unreadable(data: object, error: BaseException) -> UsageError:
    kind, first = type(data), next(iter(str(error).strip().splitlines()), type(error).__name__)
    said = f"data, a {kind.__module__}.{kind.__name__}, cannot be read as a frame"
    if (twins := _twins(data)) is not None:
        return UsageError(f"{said}: {twins.said}", hint="leave it out, or rename one of the fields, where it is made")
    if "unique" in first or "duplicate" in first.lower() or "more than one occurrence" in first:
        return UsageError(f"{said}: {first}", hint="give each column a name of its own")
    if (column := _unread(data)) is not None:
        return UsageError(
            f"{said}: its column {column[0]!r} is of type {column[1]}, which is not read",
            hint="leave it out, or make a text of it where the frame is made",
        )
    if isinstance(error, (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError)):
        hint = "are there values of several types in a column? make them of one, such as column.astype(str)"
        return UsageError(f"{said}: {first}", hint=hint)
    return UsageError(f"{said}: {first}")


def _twins(data: Any) -> Twins | None:
    """Fields of one name in a struct of an Arrow table, where it has such."""
    schema = getattr(data, "schema", None)
    with suppress(Exception):
        return of_arrow_types(schema)
    return None


def _unread(data: Any) -> tuple[str, str] | None:
    """Name and type of the first column of a type that Polars does not take; None where the types are not the reason."""
    import pyarrow as pa  # noqa: PLC0415 - takes a good part of the start, and only this needs it

    with suppress(Exception):
        for field in pa.RecordBatchReader.from_stream(data).schema:
            try:
                pl.DataFrame(pa.table({"": pa.nulls(1, field.type)}))
            except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - as it happens, as long as it is this one
                return field.name, str(field.type)
    return None


def _instead(data: object) -> str:
    """How to make a frame of what is nearly one."""
    if isinstance(data, (dict, list, tuple)):
        return "; polars.DataFrame(data) makes a frame of it"
    if callable(getattr(data, "to_frame", None)):
        return "; data.to_frame() makes a frame of it"
    return "; data.to_table() makes a frame of it" if callable(getattr(data, "to_table", None)) else ""


def _is_pandas(data: object) -> bool:
    """Whether it is a pandas frame; pandas itself need not be installed, so it is not asked."""
    return any(
        each.__module__.partition(".")[0] == "pandas" and each.__name__ == "DataFrame" for each in type(data).__mro__
    )


def _of_pandas(data: Any) -> pl.DataFrame:
    """The columns, and the levels of the index that have a name, as columns before them."""
    named = [name for name in data.index.names if name is not None]
    if named:
        left_out = [level for level, name in enumerate(data.index.names) if name is None]
        data = data.reset_index(level=named) if left_out else data.reset_index()
    return of_pandas(data)
