"""The same metrics in ClickHouse (chDB), by arrays, its fastest idiom: ``python with_chdb.py LOG METRICS.parquet``."""

from __future__ import annotations

import sys

import chdb

log, out = sys.argv[1:3]
chdb.query(f"""
INSERT INTO FUNCTION file('{out}', Parquet)
SELECT concat(session_id, '.', toString(visit[1].1)) AS id, session_id, profile_id,
       fromUnixTimestamp64Micro(visit[1].1) AS start, fromUnixTimestamp64Micro(visit[-1].1) AS stop,
       (visit[-1].1 - visit[1].1) / 1e6 AS duration_s, length(visit) AS events, events = 1 AS bounce,
       arrayCount(event -> event.4 = 'page-view', visit) AS page_views, length(arrayDistinct(visit.3)) AS distinct_pages,
       visit[1].3 AS entry_page, visit[-1].3 AS exit_page,
       arrayCount(event -> event.4 = 'purchase', visit) AS conversions, conversions > 0 AS converted,
       nullIf(arrayFirst(event -> event.5 != '', visit).5, '') AS utm_source,
       arrayMax(arrayDifference(visit.1)) / 1e6 AS max_gap_s
FROM (
  SELECT session_id, profile_id,
         arrayJoin(arraySplit((event, gap) -> gap > 1800000000, ordered, arrayDifference(ordered.1))) AS visit
  FROM (
    SELECT session_id, any(profile_id) AS profile_id, arraySort(groupArray((
             toInt64(toUnixTimestamp64Micro(assumeNotNull(ts))), _row_number, page_url, event_type, ifNull(utm_source, '')
           ))) AS ordered
    FROM file('{log}', Parquet) GROUP BY session_id
  )
)
SETTINGS schema_inference_make_columns_nullable = 3, session_timezone = 'UTC', engine_file_truncate_on_insert = 1,
         output_format_parquet_compression_method = 'zstd', output_format_parquet_string_as_string = 1
""")
