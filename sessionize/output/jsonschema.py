"""The outputs' schemas as JSON Schema, made from the same tables that make the outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from importlib.resources import files
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.engine.result import Counts
from sessionize.kernel.metrics import METRICS
from sessionize.output.manifest import SCHEMA_VERSION
from sessionize.own import Own
from sessionize.summary.daily import COUNT, MEAN, SHARE

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
NULLABLE: Final = frozenset(
    [
        "source_id",
        "profile_id",
        "entry_page",
        "exit_page",
        "entry_event",
        "exit_event",
        "first_conversion_s",
        "value",
        "referrer",
        "channel",
        "bot",
    ]
) | set(schema.UTM)
"""Metrics that may be null, as metrics.md marks them."""


def json_schema(kind: str, own: Iterable[Own] = ()) -> dict[str, Any]:
    """Schema of ``sessions``, ``metrics``, ``events`` (of one record) or of the ``manifest``.

    Args:
        kind: Which of these.
        own: Columns that a run has added to the metrics.
    """
    found = SCHEMAS[kind]()
    if kind == "metrics":
        added = {each.name: _own(each) for each in own}
        found["properties"] |= added
        found["required"] += list(added)
    elif kind == "events":
        found["properties"] |= {each.name: _own(each) for each in own if each.kind == "dimension"}
    return found


def _own(own: Own) -> dict[str, Any]:
    """A column that a run has added."""
    if own.kind == "goal":
        return {"type": "boolean", "description": f"whether the session has an event with {own.text}"}
    meaning = f"first non-null {own.text}" if own.kind == "dimension" else own.text
    if own.dtype == "time":
        return {"type": ["string", "null"], "format": "date-time", "pattern": "Z$", "description": meaning}
    return {"type": [own.dtype, "null"], "description": meaning}


def _sessions() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("sessionize").joinpath("session.schema.json").read_text(encoding="utf-8"))
    return found


def _metrics() -> dict[str, Any]:
    properties = {
        metric.name: {
            **_type(metric.dtype, nullable=metric.name in NULLABLE),
            "description": metric.meaning + (f"; {metric.unit}" if metric.unit else ""),
        }
        for metric in METRICS
    }
    properties["status"]["enum"] = ["active", "ended"]
    return _closed("metrics of one session", properties)


def _events() -> dict[str, Any]:
    text = _type(pl.String, nullable=True)
    roles = {role: text for role in schema.ROLES if role not in (schema.SESSION_ID, schema.TIMESTAMP, schema.VALUE)}
    properties = {
        "session_id": {"type": "string", "description": "id of the session the event is in"},
        "position": {"type": "integer", "minimum": 1, "description": "place in the session, from 1"},
        "source_id": {**text, "description": "the log's own session id"},
        **roles,
        schema.TIMESTAMP: _type(pl.Datetime("us", "UTC"), nullable=False),
        schema.VALUE: _type(pl.Float64, nullable=True),
    }
    found = _closed("one event, roles the log has not are absent", properties)
    prefixes = "|".join(
        prefix.replace(".", "\\.")
        for prefix in (schema.PROPERTY_PREFIX, schema.TRAIT_PREFIX, schema.SPLIT_PREFIX, schema.GOAL_PREFIX)
    )
    return {
        **found,
        "required": ["session_id", "position", schema.TIMESTAMP],
        "patternProperties": {f"^({prefixes})": {}},
    }


def _profile() -> dict[str, Any]:
    """What a day was like: of the runs that measured it."""
    number = {"type": "number"}
    figure = _closed("a figure, and on how many independent things it rests",
                     {COUNT: number, SHARE: number, MEAN: number, "of": number, "deviation": number})  # fmt: skip
    return _closed(
        "what the day was like",
        {
            "day": {"type": ["string", "null"], "format": "date"},
            "columns": {"type": "object", "additionalProperties": {"type": "string"}},
            "figures": {"type": "object", "additionalProperties": {**figure, "required": ["of"]}},
        },
    )


def _manifest() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 0}
    by_reason = {"type": "object", "propertyNames": {"enum": list(schema.REASONS)}, "additionalProperties": number}
    by_format = {"type": "object", "additionalProperties": number}
    kinds = {"rejected_by_reason": by_reason, "time_formats": by_format}
    counts = {each.name: kinds.get(each.name, number) for each in fields(Counts)}
    file = {"path": {"type": "string"}, "bytes": number}
    unread = {"path": {"type": "string"}, "why": {"type": "string"}}
    outputs = {**file, "rows": number, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
    found = _closed(
        "what a run read, decided and wrote",
        {
            "schema_version": {"const": SCHEMA_VERSION},
            "version": {"type": "string"},
            "inputs": {"type": "array", "items": {"type": "object", "properties": file, "required": list(file)}},
            "passed_over": {"type": "array", "items": _closed("a file, or lines of one, that was not read", unread)},
            "columns": {"type": "object", "propertyNames": {"enum": list(schema.ROLES)}},
            "layout": {"type": ["string", "null"]},
            "rules": {"type": "object"},
            "counts": _closed(
                "rows_read + carried_in = events + rejected + duplicates + late + early + carried_out", counts
            ),
            "watermark": _type(pl.Datetime("us", "UTC"), nullable=True),
            "profile": _profile(),
            "notes": {"type": "array", "items": {"type": "string"}},
            "outputs": {"type": "array", "items": _closed("a file", outputs)},
        },
    )
    return {**found, "required": [name for name in found["required"] if name != "profile"]}


def _closed(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _type(dtype: pl.DataType | type[pl.DataType], *, nullable: bool) -> dict[str, Any]:
    if dtype == pl.Boolean:
        name = "boolean"
    elif dtype == pl.UInt32:
        name = "integer"
    else:
        name = "number" if dtype == pl.Float64 else "string"
    found: dict[str, Any] = {"type": [name, "null"] if nullable else name}
    if dtype.is_temporal():
        found |= {"format": "date-time", "pattern": "Z$"}
    return found


SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "sessions": _sessions,
    "metrics": _metrics,
    "events": _events,
    "manifest": _manifest,
}
