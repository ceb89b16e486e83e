"""Structs with two fields of one name, which Arrow allows: Polars panics over them, or reads one of the two."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, cast

import polars as pl

from sessionize.errors import InputError
from sessionize.read.parquet_ranges import local_copy
from sessionize.read.source import Source
from sessionize.values import NamedTuple


class Twins(NamedTuple):
    """Two fields of one name.

    Attributes:
        column: The column that they lie in, however deep.
        field: Their name.
    """

    column: str
    field: str

    @property
    def said(self) -> str:
        """What is wrong with the column."""
        return f"a struct in it has two fields called {self.field!r}: its column {self.column!r}"


def check_no_twins(source: Source, types: Mapping[str, pl.DataType]) -> None:
    """Refuse a Parquet file in which a struct has two fields of one name.

    Args:
        source: The file.
        types: Types of its columns as Polars tells them: of two such fields, one.

    Raises:
        InputError: With a command that leaves the column out.
    """
    if any(map(_has_structs, types.values())) and (twins := _in_file(source)) is not None:
        raise _refused(source, twins)


def of_types(types: Mapping[str, pl.DataType]) -> Twins | None:
    """The first two such fields among types that Polars has of a frame."""
    found = ((name, _twin([(name, dtype)])) for name, dtype in types.items())
    return next((Twins(name, field) for name, field in found if field is not None), None)


def of_arrow(schema: Any) -> Twins | None:
    """The first two such fields of a schema of Arrow's."""
    found = ((field.name, _arrow_twin(field.type)) for field in schema)
    return next((Twins(name, twin) for name, twin in found if twin is not None), None)


def _inside(dtype: pl.DataType) -> list[tuple[str, pl.DataType]]:
    if isinstance(dtype, pl.Struct):
        return [(field.name, cast("pl.DataType", field.dtype)) for field in dtype.fields]
    return [("", cast("pl.DataType", dtype.inner))] if isinstance(dtype, (pl.List, pl.Array)) else []


def _twin(fields: list[tuple[str, pl.DataType]]) -> str | None:
    names = [name for name, _ in fields]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    return twice or next((twin for _, dtype in fields if (twin := _twin(_inside(dtype))) is not None), None)


def _has_structs(dtype: pl.DataType) -> bool:
    """Whether there may be a struct in it; maps, and what a writer has made up, may hold one."""
    if isinstance(dtype, (pl.List, pl.Array)):
        return _has_structs(cast("pl.DataType", dtype.inner))
    return dtype.is_nested() or isinstance(dtype, pl.BaseExtension)


@lru_cache(maxsize=4096)
def _in_file(source: Source) -> Twins | None:
    import pyarrow as pa  # noqa: PLC0415 - takes a good part of the start, and only this needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    with suppress(pa.ArrowException), local_copy(source) as path:
        return of_arrow(pq.read_schema(path))
    return None  # whoever reads the rows says what is wrong


def _arrow_twin(kind: Any) -> str | None:
    inner = [kind.field(place) for place in range(kind.num_fields)]
    names = [field.name for field in inner]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    return twice or next((twin for field in inner if (twin := _arrow_twin(field.type)) is not None), None)


def _refused(source: Source, twins: Twins) -> InputError:
    path = source.file.path
    without = f"{path.removesuffix('.parquet')}-without.parquet"
    code = (
        f"import pyarrow.parquet as pq; file = pq.ParquetFile({path!r}); "
        f"names = [name for name in file.schema_arrow.names if name != {twins.column!r}]; "
        f"pq.write_table(file.read(names), {without!r})"
    )
    return InputError(f"{path}: {twins.said}", hint=f"leave it out: python -c {shlex.quote(code)}")
