"""A small log and all that becomes of it, to the letter; and its Session records made again by a plain loop.

`python -m pytest --update-golden` writes the files anew; their difference then says what a change does to users.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from console import sessionize

GOLDEN = Path(__file__).parent / "golden"
ZONE = "America/New_York"
OPTIONS = ("--property", "plan", "--trait", "city", "--timezone", ZONE, "--events")
UTM = ("source", "medium", "campaign", "term", "content")
NAMES = ("sessions.json", "metrics.json", "events.json", "rejected.ndjson")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs of the log as JSON and as Parquet."""
    folder = tmp_path_factory.mktemp("golden")
    (folder / "log.csv").write_bytes((GOLDEN / "log.csv").read_bytes())
    for form in ("json", "parquet"):
        done = sessionize("run", "log.csv", "-o", form, "--format", form, *OPTIONS, cwd=folder)
        assert done.code == 0, done.err
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_the_log_gives_the_golden_files_to_the_letter(folder: Path, name: str, request: pytest.FixtureRequest) -> None:
    found = (folder / "json" / name).read_text()
    if request.config.getoption("--update-golden"):
        (GOLDEN / name).write_text(found)
    assert found == (GOLDEN / name).read_text()


def first(events: Iterable[dict[str, Any]], name: str) -> Any:
    return next((event[name] for event in events if event[name] is not None), None)


def some(values: dict[str, Any]) -> dict[str, Any]:
    return values if any(value is not None for value in values.values()) else {}


def record(session: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    """The Session record as the contract has it, field by field."""
    start, end = (datetime.fromisoformat(events[place]["timestamp"]) for place in (0, -1))
    with_utm = (event for event in events if any(event[f"utm_{name}"] for name in UTM))
    utm = next(with_utm, {})
    profile, ip = first(events, "profile_id"), first(events, "ip")
    geo = {
        "country": {"name": None, "code": None}, "city": None, "county": None, "postal": None,
        "latitude": None, "longitude": None, "location": None,
    }  # fmt: skip
    return {
        "id": session["session_id"],
        "metadata": {
            "time": {
                "insert": events[0]["timestamp"],
                "create": None,
                "update": events[-1]["timestamp"] if len(events) > 1 else None,
                "timestamp": start.timestamp(),
                "duration": (end - start).days * 86_400 + (end - start).seconds,
                "weekday": (start.astimezone(ZoneInfo(ZONE)).weekday() + 1) % 7,
            },
            "channel": first(events, "channel"),
            "aux": {},
            "status": session["status"],
        },
        "operation": {"new": True, "update": False, "segment": False, "merge": []},
        "profile": None if profile is None else {"id": profile},
        "device": {
            **dict.fromkeys(("name", "brand", "model", "type", "touch", "resolution", "color_depth", "orientation")),
            "ip": ip,
            "geo": geo,
        },
        "os": {"name": None, "version": None},
        "app": dict.fromkeys(("type", "name", "version", "language", "bot", "resolution")),
        "utm": {name: utm.get(f"utm_{name}") for name in UTM},
        "context": some({"ip": ip}),
        "properties": some({"plan": first(events, "property.plan")}),
        "traits": some({"city": first(events, "trait.city")}),
        "aux": some({"source_id": session["source_id"]}),
    }


def test_each_record_is_what_a_plain_loop_makes_of_its_events(folder: Path) -> None:
    sessions, metrics, events = (json.loads((folder / "json" / name).read_text()) for name in NAMES[:3])
    expected = [
        record(session, [event for event in events if event["session_id"] == session["session_id"]])
        for session in metrics
    ]
    assert len(sessions) == 4
    assert sessions == expected


def test_parquet_holds_the_same_records_with_open_objects_as_text(folder: Path) -> None:
    expected = json.loads((folder / "json" / "sessions.json").read_text())
    frame = pl.read_parquet(folder / "parquet" / "sessions.parquet")
    assert frame.columns == list(expected[0])
    for row, found in zip(expected, frame.to_dicts(), strict=True):
        for name in ("context", "properties", "traits", "aux"):
            found[name] = json.loads(found[name])
        found["metadata"]["aux"] = json.loads(found["metadata"]["aux"])
        for name in ("insert", "update"):
            time = found["metadata"]["time"][name]
            found["metadata"]["time"][name] = time and f"{time:%Y-%m-%dT%H:%M:%S.%f}Z"
        assert found == row
