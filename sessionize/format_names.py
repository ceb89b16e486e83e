"""Names of formats, of logs and of outputs. What a format does stands in `read.formats` and in `output.writers`."""

from __future__ import annotations

from typing import Final, Literal, get_args

InputFormat = Literal["csv", "parquet", "ndjson"]
INPUT_FORMATS: Final[tuple[InputFormat, ...]] = get_args(InputFormat)
OutputFormat = Literal["parquet", "json", "ndjson", "csv", "es-bulk"]
OUTPUT_FORMATS: Final[tuple[OutputFormat, ...]] = get_args(OutputFormat)
TABLE_FORMATS: Final[tuple[OutputFormat, ...]] = tuple(name for name in OUTPUT_FORMATS if name != "es-bulk")
"""Formats of any table; an index takes Session records alone."""
FLAT_FORMATS: Final[tuple[OutputFormat, ...]] = ("csv",)
"""Formats without nested values: they leave the Session records out."""
