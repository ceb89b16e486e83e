"""Thirty nights of one log: time, memory and size of the state, night by night. They should be flat.

python tests/bench/nights.py [--events 1000000] [--nights 30]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

FIRST = date(2024, 5, 1)
DAY_US = 86_400_000_000


def write_night(path: Path, day: date, events: int, seed: int) -> None:
    """Visits of three views or so, over the whole day and a little past midnight, in the order of their times."""
    chance = np.random.default_rng(seed)
    visits = events // 3
    start = (datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1e6) + chance.uniform(0, DAY_US, visits)
    times = np.repeat(start, 3) + np.tile([0, 60e6, 240e6], visits) * chance.uniform(0.1, 3, visits * 3)
    users = np.repeat(chance.integers(0, events, visits), 3)
    frame = pl.DataFrame({"time": times.astype("i8"), "user": users, "page": chance.integers(0, 500, visits * 3)})
    frame.select(
        pl.col("time").cast(pl.Datetime("us", "UTC")).alias("timestamp"),
        pl.format("user-{}", "user").alias("user_id"),
        pl.format("/page/{}", "page").alias("page"),
        event_type=pl.lit("page_view"),
    ).sort("timestamp").write_parquet(path)


def main(events: int, nights: int) -> None:
    """Run the nights, one process each, and print a line a night."""
    print("night        seconds  state MB  carried  peak MB so far")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for number in range(nights):
            day = FIRST + timedelta(days=number)
            log = place / f"{day}.parquet"
            write_night(log, day, events, number)
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "sessionize", "run", log, "-o", place / "out", "--state", place / "state",
                 "--batch", str(day), "-q"], check=True,
            )  # fmt: skip
            took = time.perf_counter() - began
            size = sum(path.stat().st_size for path in (place / "state").iterdir()) / 1e6
            newest = max((place / "state").glob("carry-*.parquet"), key=lambda path: path.stat().st_mtime)
            carried = pl.scan_parquet(newest).select(pl.len()).collect().item()
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
            print(f"{day}  {took:9.2f}  {size:8.2f}  {carried:7,}  {peak:8,.0f}", flush=True)
            log.unlink()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--events", type=int, default=1_000_000, help="of a night (default: %(default)s)")
    asked.add_argument("--nights", type=int, default=30, help="how many (default: %(default)s)")
    main(**vars(asked.parse_args()))
