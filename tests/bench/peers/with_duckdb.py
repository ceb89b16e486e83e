"""The same metrics in DuckDB: ``python with_duckdb.py LOG METRICS.parquet``."""

from __future__ import annotations

import sys

import duckdb

log, out = sys.argv[1:3]
connection = duckdb.connect()
if log.endswith(".csv"):
    connection.execute("SET preserve_insertion_order = true")
    rows = f"(SELECT *, row_number() OVER () AS place FROM read_csv('{log}', header = true))"
else:
    connection.execute("SET preserve_insertion_order = false")
    rows = f"(SELECT *, file_row_number AS place FROM read_parquet('{log}', file_row_number = true))"
connection.execute(f"""
COPY (
  WITH ordered AS (
    SELECT *, row_number() OVER by_key AS nth, epoch_us(ts) - lag(epoch_us(ts)) OVER by_key AS gap
    FROM {rows} WINDOW by_key AS (PARTITION BY session_id ORDER BY ts, place)
  ), numbered AS (
    SELECT *, count(*) FILTER (gap > 1800000000) OVER (PARTITION BY session_id ORDER BY nth ROWS UNBOUNDED PRECEDING) AS session
    FROM ordered
  )
  SELECT session_id || '.' || epoch_us(min(ts)) AS id, session_id, arg_min(profile_id, nth) AS profile_id,
         min(ts) AS start, max(ts) AS stop, (epoch_us(max(ts)) - epoch_us(min(ts))) / 1e6 AS duration_s,
         count(*) AS events, count(*) = 1 AS bounce,
         count(*) FILTER (event_type = 'page-view') AS page_views, count(DISTINCT page_url) AS distinct_pages,
         arg_min(page_url, nth) AS entry_page, arg_max(page_url, nth) AS exit_page,
         count(*) FILTER (event_type = 'purchase') AS conversions, bool_or(event_type = 'purchase') AS converted,
         arg_min(utm_source, nth) AS utm_source, coalesce(max(gap) FILTER (gap <= 1800000000), 0) / 1e6 AS max_gap_s
  FROM numbered GROUP BY session_id, session
) TO '{out}' (FORMAT parquet, COMPRESSION zstd)
""")
