"""Frames to files, in one of four formats. What appears under which name, and when, is `publish`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from sessionize.config import OutputFormat
from sessionize.kernel.record import json_records, json_rows, records

ROW_GROUP: Final = 262_144
"""Rows of a Parquet row group: fixed, so that the same rows give the same bytes however they came together."""
COMPRESSION_LEVEL: Final = 1
"""Of zstd: a third less time than the default for files 6 % larger."""


FORMULA: Final = r"^[=+\-@\t\r]"
"""What a spreadsheet takes for the beginning of a formula."""
UNSEEN: Final = (
    *range(0x7F, 0xA0),
    0x061C,
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
)
"""Characters that steer a terminal or turn its text around, and that JSON lets stand as they are."""
ESCAPES: Final = {chr(code): f"\\u{code:04x}" for code in UNSEEN}


def write_rows(frame: pl.DataFrame, path: Path, form: OutputFormat, *, safe_csv: bool = False) -> None:
    """Write a flat frame: metrics or events.

    Args:
        frame: The rows.
        path: Of the file.
        form: Of the file.
        safe_csv: Whether texts that a spreadsheet would take for a formula begin with an apostrophe in a CSV.
    """
    if form == "parquet":
        _write_parquet(frame, path)
    elif form == "csv":
        frame = frame.with_columns(_no_formula(pl.col(pl.String))) if safe_csv else frame
        frame.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
    else:
        write_json(json_rows(frame), path, form)


def _no_formula(texts: pl.Expr) -> pl.Expr:
    return pl.when(texts.str.contains(FORMULA)).then("'" + texts).otherwise(texts).name.keep()


def seen(lines: pl.Series) -> pl.Series:
    """JSON text of the same meaning that no terminal obeys, whatever the log holds."""
    return lines.str.replace_many(ESCAPES) if lines.str.contains(f"[{''.join(ESCAPES)}]").any() else lines


def write_records(sessions: pl.DataFrame, timezone: str, path: Path, form: OutputFormat) -> None:
    """Write stamped wide rows as Session records."""
    if form == "parquet":
        _write_parquet(records(sessions, timezone), path)
    else:
        write_json(json_records(sessions, timezone), path, form)


def _write_parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.rechunk().write_parquet(
        path, compression="zstd", compression_level=COMPRESSION_LEVEL, row_group_size=ROW_GROUP
    )


def write_json(lines: pl.Series, path: Path, form: OutputFormat) -> None:
    """Write JSON objects, one a line; ``json`` is one array of them."""
    with path.open("wb") as out:
        separator = b",\n" if form == "json" else b"\n"
        if form == "json":
            out.write(b"[\n")
        for start in range(0, len(lines), ROW_GROUP):
            piece = seen(lines.slice(start, ROW_GROUP))
            out.write(separator if start else b"")
            out.write(separator.join(line.encode() for line in piece))
        if form == "json":
            out.write(b"\n]\n")
        elif len(lines):
            out.write(b"\n")
