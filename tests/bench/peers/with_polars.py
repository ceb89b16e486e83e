"""The same metrics in Polars as one would write them: ``python with_polars.py LOG METRICS.parquet in-memory|streaming``."""

from __future__ import annotations

import sys

import polars as pl

log, out, engine = sys.argv[1:]
TIMEOUT = pl.duration(minutes=30)
gap, time, page = pl.col("gap"), pl.col("ts"), pl.col("page_url")
(
    pl.scan_parquet(log)
    .sort("session_id", "ts", maintain_order=True)
    .with_columns(gap=time.diff().over("session_id"))
    .with_columns(nth=(gap > TIMEOUT).fill_null(value=False).cum_sum().over("session_id"))
    .with_columns(gap=pl.when(gap <= TIMEOUT).then(gap))
    .group_by("session_id", "nth")
    .agg(
        pl.col("profile_id").first(),
        pl.col("utm_source").drop_nulls().first(),
        start=time.first(),
        stop=time.last(),
        events=pl.len(),
        page_views=(pl.col("event_type") == "page-view").sum(),
        conversions=(pl.col("event_type") == "purchase").sum(),
        distinct_pages=page.n_unique(),
        entry_page=page.first(),
        exit_page=page.last(),
        max_gap_s=gap.max().dt.total_microseconds().fill_null(0) / 1e6,
    )
    .with_columns(
        id=pl.format("{}.{}", "session_id", pl.col("start").dt.timestamp("us")),
        duration_s=(pl.col("stop") - pl.col("start")).dt.total_microseconds() / 1e6,
        bounce=pl.col("events") == 1,
        converted=pl.col("conversions") > 0,
    )
    .drop("nth")
    .collect(engine="streaming" if engine == "streaming" else "in-memory")
    .write_parquet(out, compression="zstd")
)
