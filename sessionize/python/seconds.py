"""Times in whole seconds, as pandas and Arrow may have them: Polars counts milliseconds, of which far years have too many.

It would multiply them all the same, so that a time half a billion years away may come out as one of today.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import polars as pl

from sessionize.read.plain_types import is_known_zone

FARTHEST: Final = 2**63 // 1000 - 1
"""Seconds of which 64 bits hold the milliseconds."""


def of_arrow(data: Any) -> pl.DataFrame:
    """A frame of another library by Arrow; times that are too far away are as far away as can be."""
    arrow = sys.modules.get("pyarrow")
    schema = getattr(data, "schema", None)
    if arrow is None or not isinstance(schema, arrow.Schema):
        return pl.DataFrame(data)
    kinds = [each.type for each in schema]
    zones = {place: kind.tz for place, kind in enumerate(kinds) if arrow.types.is_timestamp(kind) and kind.unit == "s"}
    if not zones:
        return pl.DataFrame(data)
    fields = [field.with_type(arrow.int64()) if at in zones else field for at, field in enumerate(schema)]
    return _in_milliseconds(pl.DataFrame(data.cast(arrow.schema(fields))), zones)


def of_pandas(data: Any) -> pl.DataFrame:
    """A frame of pandas, the same way."""
    frame: pl.DataFrame = pl.from_pandas(data)
    for place, kind in enumerate(data.dtypes):
        if str(kind).startswith("datetime64[s"):
            zone = getattr(kind, "tz", None)
            there, seconds = (frame.to_series(place).is_not_null(), data.iloc[:, place].astype("int64").to_numpy())
            whole = pl.when(there).then(pl.Series(seconds)).alias(frame.columns[place])
            frame = _in_milliseconds(frame.with_columns(whole), {place: None if zone is None else str(zone)})
    return frame


def _in_milliseconds(frame: pl.DataFrame, zones: dict[int, str | None]) -> pl.DataFrame:
    """The frame with columns of seconds, by their places, as times of the zones."""
    kinds = {
        at: pl.Datetime("ms", zone if zone is None or is_known_zone(zone) else "UTC") for at, zone in zones.items()
    }
    names = frame.columns
    return frame.with_columns(
        (pl.col(names[at]).clip(-FARTHEST, FARTHEST) * 1000).cast(kind).alias(names[at]) for at, kind in kinds.items()
    )
