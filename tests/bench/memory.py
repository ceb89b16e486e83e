"""What `--memory-limit` comes to: ``python tests/bench/memory.py [ROW ...] [--least] [--data FOLDER]``.

Each row makes its log, runs it with the limit and, unless told otherwise, without; it says the peak of the whole process
beside the limit, how much longer it took, and whether both wrote the same bytes. Logs are kept for the next time.
"""

from __future__ import annotations

import argparse
import filecmp
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow.parquet as pq

sys.path.append(str(Path(__file__).parent.parent))
from bench.table import Command, Spent, machine, spent

START_US: Final = 1_767_225_600_000_000
HOUR_US: Final = 3_600_000_000
PIECE: Final = 1 << 20
LONG_PIECE: Final = 1 << 13
LENGTH: Final = 2_000
"""Characters of a long page."""
ALLOWED: Final = 1.1
"""Times the limit that a peak may come to."""


class Shape(NamedTuple):
    """A log, and what may be taken for it.

    Attributes:
        limit: As it is typed.
        rows: How many it has.
        make: Gives it, some rows at a time.
        form: Ending of its file.
        options: Of the run, beside the limit.
    """

    limit: str
    rows: int
    make: Callable[[int], Iterator[pl.DataFrame]]
    form: str = "parquet"
    options: tuple[str, ...] = ("--no-sessions",)


def long_rows(rows: int) -> Iterator[pl.DataFrame]:
    """Rows of which each has a page of its own, in hexadecimal digits; five of them are a session."""
    chance = np.random.default_rng(1)
    for start in range(0, rows, LONG_PIECE):
        row = np.arange(start, min(start + LONG_PIECE, rows))
        digits = chance.bytes(len(row) * LENGTH // 2).hex()
        pages = [f"https://example.org/{digits[at : at + LENGTH]}" for at in range(0, len(row) * LENGTH, LENGTH)]
        yield pl.DataFrame(
            {
                "session_id": pl.Series(row // 5).cast(pl.String),
                "timestamp": pl.Series(START_US + row * 1_000_000).cast(pl.Datetime("us")),
                "event_type": pl.repeat("page-view", len(row), eager=True),
                "page_url": pages,
            }
        )


def many_keys(rows: int, *, keys: float = 1.0, hot: float = 0.0, together: int = 1 << 40) -> Iterator[pl.DataFrame]:
    """Events of so many keys an event, a share of them of one key; times go up by some milliseconds an event.

    After so many events together there is an hour without any.
    """
    chance = np.random.default_rng(2)
    for start in range(0, rows, PIECE):
        row = np.arange(start, min(start + PIECE, rows))
        key = chance.integers(0, max(1, int(rows * keys)), len(row))
        key[chance.random(len(row)) < hot] = 0
        yield pl.DataFrame(
            {
                "session_id": pl.select(pl.format("{}-{}", pl.Series(key).hash().cast(pl.String), pl.Series(key))).to_series(),
                "timestamp": pl.Series(START_US + row // together * HOUR_US + row * 90_000 + chance.integers(0, 90_000, len(row))).cast(pl.Datetime("us")),
                "event_type": pl.Series(["page-view", "click", "scroll"]).gather(chance.integers(0, 3, len(row))),
                "page_url": pl.select(pl.format("https://example.org/page-{}", pl.Series(chance.integers(0, 2_000, len(row))))).to_series(),
            }
        )  # fmt: skip


NEARLY_ALL_DIFFER: Final = ("--no-sessions", "--session-id", "session_id")
"""Else a column of which nearly each value differs is not taken for a session id."""
SHAPES: Final = {
    **{f"long rows, {form}": Shape("500MB", 300_000, long_rows, form) for form in ("csv", "ndjson", "parquet")},
    "long rows, all outputs": Shape("500MB", 300_000, long_rows, "csv", options=("--events",)),
    "many sessions": Shape("2GB", 30_000_000, lambda rows: many_keys(rows, keys=7), options=NEARLY_ALL_DIFFER),
    "each its own session": Shape("1GB", 10_000_000, lambda rows: many_keys(rows, keys=20), options=NEARLY_ALL_DIFFER),
    "one key of 90 %": Shape("1GB", 10_000_000, lambda rows: many_keys(rows, keys=0.08, hot=0.9, together=100_000)),
    "one session of 90 %": Shape("1GB", 10_000_000, lambda rows: many_keys(rows, keys=0.08, hot=0.9)),
    "a hundred million": Shape("4GB", 100_000_000, lambda rows: many_keys(rows, keys=0.08), options=NEARLY_ALL_DIFFER),
}


def write(shape: Shape, rows: int, path: Path) -> None:
    """The log, as text or as Parquet with a row group a piece."""
    print(f"making {path.name}", file=sys.stderr)
    begun = path.with_name(f"begun-{path.name}")
    if shape.form == "parquet":
        frames = (frame.to_arrow(compat_level=pl.CompatLevel.oldest()) for frame in shape.make(rows))
        first = next(frames)
        with pq.ParquetWriter(begun, first.schema, compression="zstd") as writer:
            writer.write_table(first)
            for table in frames:
                writer.write_table(table)
    else:
        with begun.open("wb") as file:
            for number, frame in enumerate(shape.make(rows)):
                if shape.form == "csv":
                    frame.write_csv(file, include_header=number == 0)
                else:
                    frame.write_ndjson(file)
    begun.rename(path)


def differing(one: Path, other: Path) -> list[str]:
    """Names of the files of two runs that are not the same, or are in one only; but for the manifests."""
    names = {path.name for folder in (one, other) for path in folder.iterdir()} - {"manifest.json"}
    _, different, missing = filecmp.cmpfiles(one, other, names, shallow=False)
    return sorted([*different, *missing])


def measured(name: str, shape: Shape, asked: argparse.Namespace) -> str:
    """A line of the table."""
    rows = max(1_000, int(shape.rows * asked.share))
    path: Path = asked.data / f"memory-{re.sub(r'[^a-z0-9]+', '-', name)}-{rows}.{shape.form}"
    if not path.exists():
        write(shape, rows, path)
    limited = spent(_run(path, asked.data / "limited", *shape.options, "--memory-limit", shape.limit))
    peak = limited.memory / 1e6
    limit = float(shape.limit[:-2]) * {"MB": 1, "GB": 1_000}[shape.limit[-2:]]
    kept = "kept" if peak <= ALLOWED * limit else "OVER"
    cells = [name, f"{rows:,}", shape.limit, f"{peak:,.0f} MB", kept, f"{limited.wall:.1f} s"]
    cells += [] if asked.least else _beside(limited, spent(_run(path, asked.data / "free", *shape.options)), asked.data)
    for folder in ("limited", "free"):
        shutil.rmtree(asked.data / folder, ignore_errors=True)
    if asked.delete:
        path.unlink()
    return f"| {' | '.join(cells)} |"


def _run(log: Path, out: Path, *options: str) -> Command:
    shutil.rmtree(out, ignore_errors=True)
    return [sys.executable, "-m", "sessionize", "run", str(log), "-o", str(out), "-q", *options]


def _beside(limited: Spent, free: Spent, folder: Path) -> list[str]:
    different = differing(folder / "limited", folder / "free")
    return [
        f"{free.memory / 1e6:,.0f} MB",
        f"{limited.wall / free.wall:.2f}",
        f"{limited.cpu / free.cpu:.2f}",
        f"{', '.join(different)} differ" if different else "the same bytes",
    ]


def main() -> None:
    """Measure the rows that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", nargs="*", help=f"beginnings of names, of these: {'; '.join(SHAPES).replace('%', '%%')}")
    parser.add_argument("--least", action="store_true", help="only with the limit")
    parser.add_argument("--share", type=float, default=1.0, help="of each log's rows (default: 1)")
    parser.add_argument("--delete", action="store_true", help="each log when it has been measured")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(tempfile.gettempdir()) / "sessionize-bench",
        help="where logs are kept (default: %(default)s)",
    )
    asked = parser.parse_args()
    asked.data.mkdir(parents=True, exist_ok=True)
    wanted = {name: shape for name, shape in SHAPES.items() if not asked.row or name.startswith(tuple(asked.row))}
    print(machine())
    print("| log | rows | limit | peak | | seconds | peak without | wall / without | CPU / without | |")
    print(f"|{' --- |' * 10}")
    for name, shape in wanted.items():
        print(measured(name, shape, asked), flush=True)


if __name__ == "__main__":
    main()
