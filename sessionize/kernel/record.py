"""The Session record: Tracardi's Session object, as session.schema.json has it. A selection of the wide row.

The record is one nested table of fields. It is read twice: as structs for Parquet, as text for JSON, where the open
objects, JSON text in Parquet, are objects.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from sessionize import schema
from sessionize.kernel.describe import seconds
from sessionize.kernel.dictionaries import as_text
from sessionize.kernel.texts import time_text
from sessionize.values import NamedTuple

SECONDS_OF_INDEX: Final = 1 << 31
"""An index' integers end before this: in January 2038."""
LONGEST_TERM: Final = 32_000
"""Bytes of a text, with some room for its name: Lucene refuses a document with a term of more than 32,766."""
JSON_TIME: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
NAIVE_TIME: Final = JSON_TIME.removesuffix("Z")
KNOWN_TIMES: Final = ("start", "end", "timestamp")
"""Columns of times that lie in the years 1 to 9999; those that a log's columns became may be anything."""


class Open(NamedTuple):
    """An object that takes any keys, as JSON text."""

    text: pl.Expr


class Maybe(NamedTuple):
    """An object that is null where the claim does not hold."""

    claim: pl.Expr
    fields: Fields


Fields = dict[str, "pl.Expr | Open | Maybe | Fields"]
EMPTY: Final = Open(pl.lit("{}", dtype=pl.Enum(["{}"])))


def records(sessions: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Session records with nested structs; open objects as JSON text.

    Args:
        sessions: Stamped wide rows.
        timezone: IANA zone of the weekday.
    """
    return as_text(coded_records(sessions, timezone))


def coded_records(sessions: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """The same with codes for texts that the sessions have as codes, and for those that are the same in all."""
    prepared = _numbered(sessions).with_columns(times_of_log(sessions))
    return prepared.select(_struct(field).alias(name) for name, field in _record(sessions, timezone).items())


def json_records(sessions: pl.DataFrame, timezone: str) -> pl.Series:
    """Session records as one JSON object a row; times are ISO 8601 with Z.

    Returns:
        A String column, one JSON object a session.
    """
    record = _record(sessions, timezone)
    return _prepared(sessions).with_columns(_json_times(sessions)).select(_json(record)).to_series()


def bulk_records(sessions: pl.DataFrame, timezone: str) -> pl.Series:
    """Session records as Tracardi's index takes them, each with the action line of a bulk request before it.

    The index is strict: it has no ``operation``, which Tracardi does not store either, its timestamp is an integer of 32
    bits, and no text of it may be longer than a term of Lucene.

    Returns:
        A String column, two lines of JSON a session.
    """
    record = _record(sessions, timezone)
    del record["operation"]
    fits = pl.col("timestamp").is_between(-SECONDS_OF_INDEX, SECONDS_OF_INDEX, closed="left")
    seconds_of_index = pl.when(fits).then("timestamp").alias("timestamp")
    prepared = _prepared(sessions).with_columns(_json_times(sessions)).with_columns(seconds_of_index)
    terms = [name for name, dtype in prepared.schema.items() if dtype == pl.String]
    prepared = prepared.with_columns(
        pl.when(pl.col(name).str.len_bytes() <= LONGEST_TERM).then(name).alias(name) for name in terms
    )
    action = pl.struct(pl.struct(pl.col("session_id").alias("_id")).alias("index")).struct.json_encode()
    return prepared.select(pl.concat_str(action, pl.lit("\n"), _json(record))).to_series()


def json_rows(frame: pl.DataFrame) -> pl.Series:
    """The rows of a flat frame as one JSON object each; times are ISO 8601 with Z.

    Returns:
        A String column, one JSON object a row.
    """
    frame = as_text(frame).with_columns(_json_times(frame))
    return frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _json_times(frame: pl.DataFrame) -> list[pl.Expr]:
    there = [name for name in KNOWN_TIMES if name in frame.columns and frame.schema[name].is_temporal()]
    return [*(pl.col(name).dt.strftime(JSON_TIME) for name in there), *times_of_log(frame)]


def times_of_log(frame: pl.DataFrame) -> list[pl.Expr]:
    """The dates and times that the log's own columns have, as ISO 8601: they may lie in any year, and in any zone."""
    there = ((name, dtype) for name, dtype in frame.schema.items() if dtype.is_temporal() and name not in KNOWN_TIMES)
    return [_time_of_log(pl.col(name), dtype) for name, dtype in there]


def _time_of_log(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Date:
        return time_text(column, dtype)
    if not isinstance(dtype, pl.Datetime):
        return column.dt.to_string("iso")
    if dtype.time_zone is None:  # nobody knows in which zone it is
        return time_text(column, dtype, NAIVE_TIME)
    return time_text(column.dt.convert_time_zone("UTC"), dtype, JSON_TIME)


def _prepared(sessions: pl.DataFrame) -> pl.DataFrame:
    """Texts in place of codes; numbers of the times, which JSON's texts of them hide."""
    return as_text(_numbered(sessions))


def _numbered(sessions: pl.DataFrame) -> pl.DataFrame:
    first, last = sessions["start"].to_physical(), sessions["end"].to_physical()
    return sessions.with_columns(
        timestamp=seconds(first), whole_seconds=(last - first) // 1_000_000, local=pl.col("start")
    )


def _record(sessions: pl.DataFrame, timezone: str) -> Fields:
    null = pl.lit(None, dtype=pl.String)
    ip = pl.col(schema.IP) if schema.IP in sessions.columns else null
    device, system, app = (_fields_of(sessions, part) for part in ("device", "os", "app"))
    return {
        "id": pl.col("session_id"),
        "metadata": {
            "time": _time(timezone),
            "channel": pl.col(schema.CHANNEL),
            "aux": EMPTY,
            "status": pl.col("status"),
        },
        "operation": {
            "new": pl.lit(value=True),
            "update": pl.lit(value=False),
            "segment": pl.lit(value=False),
            "merge": pl.lit([], dtype=pl.List(pl.String)),
        },
        "profile": Maybe(pl.col(schema.PROFILE_ID).is_not_null(), {"id": pl.col(schema.PROFILE_ID)}),
        "device": {
            **{name: device.get(name, null) for name in ("name", "brand", "model", "type")},
            "touch": pl.lit(None, dtype=pl.Boolean),
            "ip": ip,
            "resolution": null,
            "geo": _geo(sessions),
            "color_depth": pl.lit(None, dtype=pl.Int32),
            "orientation": null,
        },
        "os": {name: system.get(name, null) for name in ("name", "version")},
        "app": {
            **{name: app.get(name, null) for name in ("type", "name", "version", "language")},
            "bot": pl.col("bot"),
            "resolution": null,
        },
        "utm": {name.removeprefix("utm_"): pl.col(name) for name in schema.UTM},
        "context": _object({"ip": schema.IP} if schema.IP in sessions.columns else {}),
        "properties": _object(_prefixed(sessions, schema.PROPERTY_PREFIX)),
        "traits": _object(_prefixed(sessions, schema.TRAIT_PREFIX)),
        "aux": _object({"source_id": "source_id"}),
    }


def _time(timezone: str) -> Fields:
    several = pl.col("events") > 1
    return {
        "insert": pl.col("start"),
        "create": pl.lit(None, dtype=pl.Datetime("us", "UTC")),
        "update": pl.when(several).then(pl.col("end")),
        "timestamp": pl.col("timestamp"),
        "duration": pl.col("whole_seconds"),
        "weekday": (pl.col("local").dt.convert_time_zone(timezone).dt.weekday() % 7).cast(pl.Int8),
    }


def _fields_of(sessions: pl.DataFrame, part: str) -> dict[str, pl.Expr]:
    """Fields of a part of the record that the sessions have columns for: ``device_name`` is the device's name."""
    prefix = f"{part}_"
    return {name.removeprefix(prefix): pl.col(name) for name in sessions.columns if name.startswith(prefix)}


def _geo(sessions: pl.DataFrame) -> Fields:
    null = pl.lit(None, dtype=pl.String)
    nowhere = pl.lit(None, dtype=pl.Float64)
    geo = _fields_of(sessions, "geo")
    north, east = geo.get("latitude", nowhere), geo.get("longitude", nowhere)
    known = north.is_not_null() & east.is_not_null()
    return {
        "country": {"name": geo.get("country", null), "code": geo.get("country_code", null)},
        **{name: geo.get(name, null) for name in ("city", "county", "postal")},
        "latitude": north,
        "longitude": east,
        "location": pl.when(known).then(pl.concat_list(east, north)),
    }


def _prefixed(sessions: pl.DataFrame, prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): name for name in sessions.columns if name.startswith(prefix)}


def _object(columns: dict[str, str]) -> Open:
    """An open object of columns; keys whose value is null are there, but one with no value at all is empty."""
    if not columns:
        return EMPTY
    some = pl.any_horizontal(pl.col(*columns.values()).is_not_null())
    whole = pl.struct(pl.col(name).alias(key) for key, name in columns.items()).struct.json_encode()
    return Open(pl.when(some).then(whole).otherwise(pl.lit("{}")))


def _struct(field: pl.Expr | Open | Maybe | Fields) -> pl.Expr:
    match field:
        case Open(text):
            return text
        case Maybe(claim, fields):
            return pl.when(claim).then(_struct(fields))
        case dict():
            return pl.struct(_struct(inner).alias(name) for name, inner in field.items())
        case pl.Expr():
            return field


def _json(field: pl.Expr | Open | Maybe | Fields) -> pl.Expr:
    """JSON text of a field; closed objects are encoded whole, as Polars does it fast."""
    match field:
        case Open(text):
            return text
        case Maybe(claim, fields):
            return pl.when(claim).then(_json(fields)).otherwise(pl.lit("null"))
        case dict() if not _has_open(field):
            return _struct(field).struct.json_encode()
        case dict():
            parts = [
                part
                for position, (name, inner) in enumerate(field.items())
                for part in (pl.lit(f'{"," if position else "{"}"{name}":'), _json(inner))
            ]
            return pl.concat_str(*parts, pl.lit("}"))
        case pl.Expr():
            # Polars encodes only structs: take the value out of one.
            return pl.struct(field.alias("v")).struct.json_encode().str.slice(5).str.strip_suffix("}")


def _has_open(fields: Fields) -> bool:
    return any(
        isinstance(field, (Open, Maybe)) or (isinstance(field, dict) and _has_open(field)) for field in fields.values()
    )
