"""A column of addresses that splits sessions leaves none of them: not in the outputs, not in the state."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from console import sessionize

ADDRESSES = ("203.0.113.77", "198.51.100.23", "198.51.100.42")
LOG = "user_id,time,{name}\n" + "".join(
    f"u,2024-05-30 23:4{number}:00,{address}\n" for number, address in enumerate(ADDRESSES)
)


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("handling", ["drop", "truncate"])
@pytest.mark.parametrize(
    ("name", "split"), [("ip", "ip"), ("client_ip", "ip"), ("client_ip", "client_ip"), ("net", "net")]
)
@pytest.mark.parametrize("option", ["--split-on", "--split-on-arrival"])
def test_no_address_is_left_by_a_split(
    form: str, handling: str, name: str, split: str, option: str, tmp_path: Path
) -> None:
    frame = pl.read_csv(LOG.format(name=name).encode())
    getattr(frame, f"write_{form}")(tmp_path / f"log.{form}")
    args = (option, split, "--ip", handling, *(("--map", "ip=net") if name == "net" else ()))
    night = ("-o", "out", "--events", "--state", "state", "--batch")
    done = sessionize("run", f"log.{form}", *night, "2024-05-30", *args, cwd=tmp_path)
    assert done.code == 0, done.err
    done = sessionize("run", *night, "2024-05-31", "--flush", cwd=tmp_path)
    assert done.code == 0, done.err
    left = [path for part in ("state", "out") for path in (tmp_path / part).rglob("*") if path.is_file()]
    tables = [pl.read_parquet(path) for path in left if path.suffix == ".parquet"]
    texts = [str(table.to_dicts()) for table in tables] + [path.read_bytes().decode("latin1") for path in left]
    assert not [text for text in texts for address in ADDRESSES if address in text]
    metrics = pl.concat(pl.read_parquet(path) for path in (tmp_path / "out").glob("*/metrics.parquet"))
    assert metrics.sort("start")["events"].to_list() == [1, 2]  # of two networks
