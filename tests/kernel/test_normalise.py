"""What every row goes through, whatever file it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sessionize import Config, Rules, schema
from sessionize import sessionize as sessions_of
from sessionize.config import Output
from sessionize.one_shot import run

START = "2024-05-30T10:00:00Z"
MARKED = len(".1717063200000000")


def _lengths(ids: list[str | None], column: str = "session_id", **options: Any) -> tuple[list[int], dict[str, int]]:
    """Lengths in bytes of the ids that come out, and the reasons of what does not."""
    log = pl.LazyFrame({column: ids, "timestamp": [START] * len(ids)}, schema_overrides={column: pl.String})
    found = sessions_of(log, Config(**options))
    return sorted(len(each.encode()) for each in found.metrics["session_id"]), dict(found.counts.rejected_by_reason)


def test_a_session_id_may_have_512_bytes_and_no_more() -> None:
    longest = 512 - MARKED
    assert _lengths(["a" * longest, "b" * (longest + 1), "c"]) == ([18, 512], {"id_too_long": 1})
    assert _lengths(["é" * 248, "é" * 247, "x"]) == ([18, 511], {"id_too_long": 1})


@pytest.mark.parametrize("column", ["session_id", "profile_id"])
def test_the_mark_of_a_key_counts(column: str) -> None:
    longest = 512 - MARKED - 2
    mark = "s:" if column == "session_id" else ""
    ids: list[str | None] = [mark + "a" * (longest - len(mark)), mark + "b" * (longest + 1 - len(mark))]
    assert _lengths(ids, column) == ([512], {"id_too_long": 1})


def test_with_no_rule_the_key_alone_is_the_id() -> None:
    assert _lengths(["a" * 512, "b" * 513], rules=Rules(timeout=None)) == ([512], {"id_too_long": 1})


def test_columns_together_are_one_id_with_what_is_escaped() -> None:
    log = pl.LazyFrame({"a": ["|" * 100, "|" * 100], "b": ["x" * 294, "x" * 295], "timestamp": [START] * 2})
    found = sessions_of(log, Config(columns={"session_id": ("a", "b")}))
    assert [len(each) for each in found.metrics["session_id"]] == [512]
    assert found.rejected["reason"].to_list() == ["id_too_long"]


def test_a_digest_is_never_too_long() -> None:
    assert _lengths(["a" * 5_000], hash_key=b"k" * 16) == ([32 + MARKED], {})


def test_a_long_session_id_does_not_hide_behind_a_short_profile() -> None:
    log = pl.LazyFrame({"session_id": ["a" * 600, None], "profile_id": ["ann", "b" * 600], "timestamp": [START] * 2})
    found = sessions_of(log, Config())
    assert found.rejected["reason"].to_list() == ["id_too_long", "id_too_long"]
    assert dict(found.counts.rejected_by_reason) == {"id_too_long": 2}


@pytest.mark.parametrize("column", ["session_id", "profile_id"])
def test_a_row_without_an_id_beside_a_long_one_has_no_key(column: str) -> None:
    assert _lengths(["a" * 600, None, " ", "b"], column)[1] == {"id_too_long": 1, "no_session_key": 2}


def test_an_earlier_reason_stays() -> None:
    log = pl.LazyFrame({"session_id": ["a" * 600, "b" * 600, "c" * 600], "timestamp": ["", "never", START]})
    found = sessions_of(log, Config())
    assert found.rejected["reason"].to_list() == ["null_timestamp", "bad_timestamp", "id_too_long"]


def _write(folder: Path, form: str, rows: list[dict[str, str]]) -> Path:
    path = folder / f"log.{form}"
    if form == "ndjson":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    elif form == "csv":
        path.write_text(
            "".join(f"{','.join(line)}\n" for line in [list(rows[0]), *(list(row.values()) for row in rows)])
        )
    else:
        frame = pl.DataFrame(rows)
        kinds = frame if form == "parquet" else frame.with_columns(pl.col("plan").cast(pl.Categorical))
        path = folder / f"log-{form}.parquet"
        kinds.write_parquet(path)
    return path


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "codes"])
def test_blank_texts_are_null_in_properties_and_traits_in_every_format(form: str, tmp_path: Path) -> None:
    common = {"session_id": "s", "timestamp": START}
    rows = [{**common, "plan": blank, "city": blank, "page": blank} for blank in ("", " \t ")]
    rows.append({**common, "plan": "free", "city": "Kiel", "page": "/"})
    config = Config(inputs=(str(_write(tmp_path, form, rows)),), properties=("plan",), traits=("city",))
    run(config, Output(directory=str(tmp_path / "out"), form="ndjson", events=True))
    record = json.loads((tmp_path / "out" / "sessions.ndjson").read_text())
    assert (record["properties"], record["traits"]) == ({"plan": "free"}, {"city": "Kiel"})
    events = pl.read_ndjson(tmp_path / "out" / "events.ndjson")
    assert events.select("property.plan", "trait.city", "page").rows() == [
        (None,) * 3,
        (None,) * 3,
        ("free", "Kiel", "/"),
    ]


def test_where_sees_blank_texts_as_they_stand(tmp_path: Path) -> None:
    rows = [{"session_id": each, "timestamp": START, "plan": each.strip("abc")} for each in ("a", "b ", "c-")]
    config = Config(inputs=(str(_write(tmp_path, "ndjson", rows)),), properties=("plan",), where="plan = ' '")
    done = run(config, Output(directory=str(tmp_path / "out")))
    assert (done.counts.events, done.counts.rows_read) == (1, 1)


def test_the_reason_is_in_the_schemas_list() -> None:
    assert "id_too_long" in schema.REASONS
