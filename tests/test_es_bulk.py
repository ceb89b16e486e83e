"""`--format es-bulk`: Session records that Tracardi's index takes, as one request."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import examples
from console import SAMPLE, sessionize
from elastic import LONGEST_ID, refusals
from engine import config_of, raw_frame
from hypothesis import given
from oracle import Event, OracleRules
from strategies import logs, roles, rules

from sessionize import Config, Output, UsageError, run
from sessionize.config import OUTPUT_FORMATS, TABLE_FORMATS

Documents = dict[str, dict[str, Any]]


def documents(path: Path) -> Documents:
    """The documents of a bulk request by their ids: an action and a document in turn, each a line that ends."""
    text = path.read_text()
    assert text.endswith("\n") or not text
    lines = [json.loads(line) for line in text.split("\n")[:-1]]
    actions, found = lines[::2], lines[1::2]
    assert len(actions) == len(found)
    assert all(action == {"index": {"_id": each["id"]}} for action, each in zip(actions, found, strict=True))
    return {each["id"]: each for each in found}


def of(tmp_path: Path, log: object, *options: str) -> Documents:
    done = sessionize("run", log, "-o", "out", "--format", "es-bulk", "-q", *options, cwd=tmp_path)
    assert done.code == 0, done.err
    return documents(tmp_path / "out" / "sessions.es-bulk")


@pytest.mark.slow
def test_each_is_the_record_without_operation(tmp_path: Path) -> None:
    found = of(tmp_path, SAMPLE / "events.csv", "--property", "country", "--trait", "value", "--timezone", "Asia/Tokyo")
    options = ("--property", "country", "--trait", "value", "--timezone", "Asia/Tokyo")
    sessionize("run", SAMPLE / "events.csv", "-o", "as-json", "--format", "ndjson", "-q", *options, cwd=tmp_path)
    records = [json.loads(line) for line in (tmp_path / "as-json" / "sessions.ndjson").read_text().splitlines()]
    assert len(records) == 658
    for record in records:
        del record["operation"]
    assert list(found.values()) == records


def test_the_index_takes_every_document_of_the_sample(tmp_path: Path) -> None:
    found = of(tmp_path, SAMPLE / "events.csv", "--property", "country", "--trait", "value", "--channels")
    assert [reason for each in found.values() for reason in refusals(each)] == []


def test_the_index_refuses_what_it_has_no_field_for() -> None:
    assert list(refusals({"operation": {"new": True}})) == ["operation: strict_dynamic_mapping_exception"]
    assert len(list(refusals({"metadata": {"time": {"timestamp": 2.0**31, "weekday": 128}}}))) == 2


@pytest.mark.slow
@given(logs(), roles(), rules())
@examples(50)
def test_the_index_takes_every_document_of_any_log(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], roles: frozenset[str], rules: OracleRules
) -> None:
    folder = tmp_path_factory.mktemp("log")
    raw_frame(events, roles, rules).write_parquet(folder / "log.parquet")
    carried = tuple(sorted(roles & {"page", "value", "referrer"}))
    config = config_of(rules, roles, inputs=(str(folder / "log.parquet"),), properties=carried, traits=carried)
    try:
        run(config, Output(directory=str(folder / "out"), form="es-bulk"))
    except Exception as error:
        if "is an event" in str(error):
            return
        raise
    for name, each in documents(folder / "out" / "sessions.es-bulk").items():
        assert list(refusals(each)) == []
        assert len(name.encode()) <= LONGEST_ID


def _log(tmp_path: Path, **columns: list[Any]) -> Path:
    pl.DataFrame({"session_id": ["a", "b"], **columns}).write_parquet(tmp_path / "log.parquet")
    return tmp_path / "log.parquet"


def test_a_time_that_the_index_has_no_number_for_stands_as_a_date_alone(tmp_path: Path) -> None:
    times = [datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)]
    first, second = of(tmp_path, _log(tmp_path, timestamp=times)).values()
    assert first["metadata"]["time"]["timestamp"] == 2**31 - 1
    assert second["metadata"]["time"]["timestamp"] is None
    assert second["metadata"]["time"]["insert"] == "2038-01-19T03:14:08.000000Z"
    assert [*refusals(first), *refusals(second)] == []


def test_a_text_that_no_index_takes_is_left_out(tmp_path: Path) -> None:
    long = ["é" * 16_000, "é" * 16_001]
    log = _log(tmp_path, timestamp=["2024-05-01T00:00:00Z"] * 2, note=long, channel=long)
    first, second = of(tmp_path, log, "--property", "note").values()
    assert (first["properties"]["note"], first["metadata"]["channel"]) == (long[0], long[0])
    assert (second["properties"], second["metadata"]["channel"]) == ({}, None)
    assert [*refusals(first), *refusals(second)] == []


@pytest.mark.parametrize(("day", "number"), [("2024-05-05", 0), ("2024-05-06", 1), ("2024-05-11", 6)])
def test_sunday_is_0(tmp_path: Path, day: str, number: int) -> None:
    found = of(tmp_path, _log(tmp_path, timestamp=[f"{day}T12:00:00Z"] * 2))
    assert {each["metadata"]["time"]["weekday"] for each in found.values()} == {number}


@pytest.mark.slow
def test_metrics_and_events_beside_are_ndjson(tmp_path: Path) -> None:
    of(tmp_path, SAMPLE / "events.csv", "--events")
    names = sorted(path.name for path in (tmp_path / "out").glob("[!.]*"))
    assert names == ["events.ndjson", "manifest.json", "metrics.ndjson", "rejected.ndjson", "sessions.es-bulk"]
    listed = {
        each["path"]: each["rows"] for each in json.loads((tmp_path / "out" / "manifest.json").read_text())["outputs"]
    }
    assert (listed["sessions.es-bulk"], listed["metrics.ndjson"], listed["events.ndjson"]) == (658, 658, 2938)
    log, out = (
        sessionize("funnel", each, "--step", "page:/", "--json", cwd=tmp_path)
        for each in (SAMPLE / "events.csv", "out")
    )
    assert log.out == out.out


def test_a_run_in_another_format_takes_them_away(tmp_path: Path) -> None:
    of(tmp_path, SAMPLE / "events.csv")
    assert sessionize("run", SAMPLE / "events.csv", "-o", "out", "-q", cwd=tmp_path).code == 0
    assert not (tmp_path / "out" / "sessions.es-bulk").exists()
    assert not (tmp_path / "out" / "metrics.ndjson").exists()


@pytest.mark.slow
def test_the_nights_together_are_the_documents_of_one_run(tmp_path: Path) -> None:
    rows = pl.read_parquet(SAMPLE / "events.parquet").filter(pl.col("timestamp").is_not_null())
    rows.write_parquet(tmp_path / "whole.parquet")
    whole = of(tmp_path, "whole.parquet")
    night = ("-o", "nights", "--format", "es-bulk", "--state", "state", "-q")
    for (day,), of_day in rows.group_by(pl.col("timestamp").dt.date(), maintain_order=True):
        of_day.write_parquet(tmp_path / f"{day}.parquet")
        done = sessionize("run", f"{day}.parquet", "--batch", day, *night, cwd=tmp_path)
        assert done.code == 0, done.err
    assert sessionize("run", "--flush", "--batch", "end", *night, cwd=tmp_path).code == 0
    found: Documents = {}
    for path in sorted((tmp_path / "nights").glob("batch=*/sessions.es-bulk")):
        found |= documents(path)
    for each in (*found.values(), *whole.values()):
        del each["metadata"]["status"]  # what is open at the newest event has ended by the last night
    assert found == whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("run", "-o", "out", "--format", "es-bulk", "--no-sessions"), "--format es-bulk is of Session records"),
        (("run", "-o", "-", "--format", "es-bulk"), "-o - writes the metrics as NDJSON, nothing else"),
        (("run", "-o", "out", "--format", "esbulk"), "did you mean es-bulk?"),
        (("compare", "-o", "out", "--format", "es-bulk"), "invalid value 'es-bulk' for --format"),
    ],
)
def test_what_cannot_be_in_this_format_is_refused(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    command, *rest = options
    done = sessionize(command, SAMPLE / "events.csv", *rest, cwd=tmp_path)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "out").exists()


def test_in_python_too_it_needs_the_records() -> None:
    with pytest.raises(UsageError):
        Output(directory="out", form="es-bulk", sessions=False)
    assert set(OUTPUT_FORMATS) - set(TABLE_FORMATS) == {"es-bulk"}
    assert Config().inputs == ()
