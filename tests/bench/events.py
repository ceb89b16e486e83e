"""Make an event log of any size: ``python events.py 10000000 log.parquet [--csv log.csv] [--ndjson log.ndjson] [--shuffled] [--hot 0.3]``.

About 12 events a session id with a heavy tail, robots among them; silences around the timeout, exactly on it too;
events of one instant; 2,000 pages; campaigns on few events. Times are whole milliseconds. One seed, one log.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq

Ints = npt.NDArray[np.int64]
TIMEOUT = 1_800_000
DAYS = 45
START = 1_767_225_600_000
ROBOTS = 0.05
ROBOT_EVENTS = 40_000
ROW_GROUPS = 8
TYPES = ("page-view", "click", "scroll", "search", "video-play", "form-submit", "add-to-cart", "purchase")
SHARES = (0.54, 0.21, 0.1, 0.04, 0.04, 0.03, 0.03, 0.01)
CAMPAIGNS = ("google", "bing", "facebook", "newsletter", "partner-a", "partner-b", "affiliate", "x")
PAGES = [
    f"https://www.example.org/{('shop', 'blog', 'docs', 'help')[n % 4]}/page-{n * 104_729 % 99_991:05d}"
    for n in range(2_000)
]


def events_per_key(rows: int, hot: float, rng: np.random.Generator) -> Ints:
    """How many events each key has; the first may be a hot one, a few are robots."""
    first = [int(rows * hot)] if hot else []
    size = max(1, min(ROBOT_EVENTS, rows // 20))
    robots = [size] * int(rows * ROBOTS / size)
    left = rows - sum(first) - sum(robots)
    people = np.minimum(1 + rng.pareto(1.3, left) * 4.5, 3_000).astype(np.int64)
    ends = np.cumsum(people)
    people = people[: int(np.searchsorted(ends, left)) + 1]
    people[-1] -= int(people.sum()) - left
    return np.concatenate([np.array([*first, *robots], dtype=np.int64), people])


def times(counts: Ints, rng: np.random.Generator) -> Ints:
    """Milliseconds of each event, key by key."""
    rows = int(counts.sum())
    kind = rng.random(rows)
    gap = np.minimum(rng.exponential(45_000, rows), TIMEOUT - 1).astype(np.int64)
    away = kind < 0.08
    gap[away] = TIMEOUT + 1 + rng.exponential(4 * TIMEOUT, int(away.sum())).astype(np.int64)
    gap[(kind > 0.08) & (kind < 0.09)] = 0
    gap[(kind > 0.09) & (kind < 0.092)] = TIMEOUT
    many = np.repeat(counts > 5_000, counts)
    gap[many] //= 25
    starts = np.cumsum(counts) - counts
    gap[starts] = 0
    since = np.cumsum(gap)
    first = rng.integers(0, DAYS * 86_400_000, len(counts)) - since[starts]
    found: Ints = START + since + np.repeat(first, counts)
    return found


def ids(count: int, rng: np.random.Generator) -> pl.Series:
    """Texts like UUIDs."""
    digits = rng.integers(0, 2**64, (count, 2), dtype=np.uint64)
    texts = [digits[:, half].tobytes().hex() for half in (0, 1)]
    left, right = (pl.Series(text[at : at + 16] for at in range(0, 16 * count, 16)).str for text in texts)
    parts = [left.slice(0, 8), left.slice(8, 4), left.slice(12, 4), right.slice(0, 4), right.slice(4, 12)]
    return pl.select(pl.concat_str(parts, separator="-")).to_series()


def main() -> None:
    """Write the log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("parquet", type=Path)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--ndjson", type=Path)
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--hot", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    counts = events_per_key(asked.rows, asked.hot, rng)
    key = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    time = times(counts, rng)
    # A log is nearly in the order of its times.
    order = rng.permutation(asked.rows) if asked.shuffled else np.argsort(time + rng.integers(0, 3_000, asked.rows))
    write(key[order], time[order], asked, rng)


def write(key: npt.NDArray[np.int32], time: Ints, asked: argparse.Namespace, rng: np.random.Generator) -> None:
    """Some rows at a time, each a row group."""
    keys = int(key.max()) + 1
    sessions, owner = ids(keys, rng), rng.integers(0, keys // 3 + 1, keys)
    profiles, pages, types, campaigns = (
        pl.Series([f"user-{n:08x}" for n in range(keys // 3 + 1)]),
        *map(pl.Series, (PAGES, TYPES, CAMPAIGNS)),
    )
    popular = 1 / np.arange(10, 10 + len(PAGES)) ** 0.9
    step = -(-asked.rows // ROW_GROUPS)
    writer, text = None, asked.csv.open("wb") if asked.csv else None
    lines = asked.ndjson.open("wb") if asked.ndjson else None
    for start in range(0, asked.rows, step):
        part = key[start : start + step]
        campaign = campaigns.gather(rng.integers(0, len(CAMPAIGNS), len(part)))
        frame = pl.DataFrame(
            {
                "session_id": sessions.gather(part),
                "profile_id": profiles.gather(owner[part]),
                "ts": pl.Series(time[start : start + step] * 1_000).cast(pl.Datetime("us")),
                "event_type": types.gather(rng.choice(len(TYPES), len(part), p=SHARES)),
                "page_url": pages.gather(rng.choice(len(PAGES), len(part), p=popular / popular.sum())),
                "utm_source": pl.select(pl.when(pl.Series(rng.random(len(part)) < 0.07)).then(campaign)).to_series(),
            }
        )
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(asked.parquet, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=len(part))
        if text:
            frame.write_csv(text, include_header=start == 0, quote_style="non_numeric")
        if lines:
            frame.write_ndjson(lines)
    assert isinstance(writer, pq.ParquetWriter)
    writer.close()


if __name__ == "__main__":
    main()
