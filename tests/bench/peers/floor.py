"""No work at all: decode what is needed, write what is finished. ``python floor.py LOG FINISHED.parquet OUT.parquet``."""

from __future__ import annotations

import sys

import polars as pl

log, finished, out = sys.argv[1:4]
pl.scan_parquet(log).collect(engine="streaming")
pl.read_parquet(finished).write_parquet(out, compression="zstd")
