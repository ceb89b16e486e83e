"""The shares of a log, each read by another process, are the log."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sessionize import Config, schema
from sessionize.errors import InputError
from sessionize.limits import Limits
from sessionize.presets import load
from sessionize.read import open_log

LIMITS = Limits.of()
LINE = '10.0.0.1 - ann [30/May/2024:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8"\n'


def make(folder: Path, kind: str) -> Config:
    """A log of several files of a kind."""
    rows = pl.DataFrame({"user_id": ["ann", "bob", None] * 4, "time": [f"2024-05-30 10:00:{n:02}" for n in range(12)]})
    if kind == "csv":
        rows.write_csv(folder / "1.csv")
        (folder / "2.csv").write_text("time,user_id\nnonsense,ann,7\n2024-05-30 11:00:00,bob\n")
    if kind == "multiline":
        (folder / "1.csv").write_text('time,user_id\n"2024-05-30 11:00:00","bo\nb"\n2024-05-30 11:00:00,bob\n')
        return Config(inputs=(str(folder),), multiline=True)
    if kind == "ndjson":
        (folder / "1.ndjson.gz").write_bytes(gzip.compress(b'{"user_id": 7, "time": 1717063200}\n'))
        (folder / "2.ndjson").write_text('{"time": 1717063201, "user_id": "b", "page": {"url": "/"}}\n{"broken\n')
    if kind == "parquet":
        rows.write_parquet(folder / "1.parquet", row_group_size=5)
        rows.with_columns(user_id=pl.lit(7), more=pl.lit(1.5)).write_parquet(folder / "2.parquet", row_group_size=4)
    if kind == "combined":
        (folder / "1.log").write_text(LINE * 3)
        return Config(inputs=(str(folder),), preset=load("combined"))
    if kind == "nulls":
        rows.write_csv(folder / "1.csv")
        return Config(inputs=(str(folder),), nulls=("bob",))
    return Config(inputs=(str(folder),))


KINDS = ("csv", "multiline", "ndjson", "parquet", "combined", "nulls")


@pytest.mark.parametrize("kind", KINDS)
def test_the_shares_of_a_log_are_its_rows_in_order_wherever_they_are_read(kind: str, tmp_path: Path) -> None:
    log = open_log(make(tmp_path, kind))
    whole = pl.concat([rows.frame.collect() for rows in log.batches(LIMITS)])
    shares = pickle.loads(pickle.dumps(log.shares(5)))  # noqa: S301
    found = [rows.frame.collect() for share in shares for rows in share.part.batches(LIMITS)]
    assert_frame_equal(pl.concat(found), whole)
    assert [(share.ordinal, share.start) for share in shares] == sorted((each.ordinal, each.start) for each in shares)
    places = whole.select(schema.FILE, schema.ROW)
    raw = pl.concat([share.part.raw(rows) for share, rows in zip(shares, found, strict=True)])
    assert_frame_equal(raw, log.raw(places), check_row_order=False)


def test_a_file_of_parquet_is_shared_by_whole_row_groups_of_so_many_rows_or_more(tmp_path: Path) -> None:
    log = open_log(make(tmp_path, "parquet"))
    assert [(share.ordinal, share.start, share.size) for share in log.shares(5)] == [
        (0, 0, 5), (0, 5, 5), (0, 10, 2), (1, 0, 8), (1, 8, 4),
    ]  # fmt: skip
    assert len(log.shares(1000)) == 2


def test_damage_that_shows_as_a_share_is_read_names_its_file(tmp_path: Path) -> None:
    log = open_log(make(tmp_path, "parquet"))
    share = log.shares(1000)[1]
    content = (tmp_path / "2.parquet").read_bytes()
    (tmp_path / "2.parquet").write_bytes(content[:4] + b"\xff" * 200 + content[204:])
    with pytest.raises(InputError, match=r"2\.parquet: damaged"), share.part.reading():
        pl.concat([rows.frame for rows in share.part.batches(LIMITS)]).collect()
