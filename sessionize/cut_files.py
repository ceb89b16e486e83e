"""A text file that was cut in the middle of its last line: a night waits for the whole of it, and no check passes it."""

from __future__ import annotations

import shlex
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.errors import InputError
from sessionize.opening import Source as AnyLog
from sessionize.read.source import Source

CHUNK: Final = 1 << 20
LINE_ENDS: Final = (b"\n", b"\r")
ADDED: Final = {None: "echo >>", "gz": "echo | gzip >>", "zst": "echo | zstd >>"}
"""What puts an end to a last line, in front of the file's name."""
STDIN: Final = "-"
CUT: Final = ("malformed_row", "bad_encoding")
"""What the rest of a line is, where it is no whole row."""


def refuse_cut(log: AnyLog, rejected: pl.DataFrame, more: str = "") -> None:
    """Refuse a log of which a file ends in a line that has no end, and is no whole row.

    Args:
        log: The log that was read.
        rejected: FILE, ROW and REASON of its rows that are no events.
        more: What else to say.

    Raises:
        InputError: If a file is cut.
    """
    if not log.sources or not rejected.height or log.files[0].format == "parquet":
        return
    odd = rejected.filter(pl.col(schema.REASON).cast(pl.String).is_in(CUT))
    last = odd.group_by(schema.FILE, maintain_order=True).agg(pl.col(schema.ROW).max())
    for ordinal, row in last.select(schema.FILE, schema.ROW).iter_rows():
        rest = _unended(log.sources[ordinal])
        place = last.filter(pl.col(schema.FILE) == ordinal)
        if rest is not None and str(log.raw(place)["raw"].item()).endswith(rest):
            path = log.files[ordinal].path
            raise InputError(
                f"{path}: cut short: its last line, row {row}, has no end and is no whole row{more}",
                hint=_ended_by(path, log.sources[ordinal].packed),
            )


def _ended_by(path: str, packed: str | None) -> str:
    """What to type; nothing mends what was piped in."""
    if path == STDIN:
        return "pipe all of it in; if that was all of it, end its last line: (cat FILE; echo) | sessionize run - ..."
    return f"fetch the file again; if that is all of it, end its last line: {ADDED[packed]} {shlex.quote(path)}"


def _unended(source: Source) -> str | None:
    """A file's last line, if it has no end, some of its last bytes where it is long; None if it has one."""
    rest = b""
    with source.open() as file:
        while chunk := file.read(CHUNK):
            rest = (rest + chunk)[-CHUNK:]
    if not rest or rest.endswith(LINE_ENDS):
        return None
    return rest.replace(b"\r", b"\n").rpartition(b"\n")[2].decode("utf-8", "backslashreplace")
