"""Thousands of dirty files: every line is an event, a rejected row or a duplicate, and nothing but our own errors comes out."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import every, turns
from letters import expected

from sessionize import schema
from sessionize.config import Config
from sessionize.engine.pipeline import sessionize_log
from sessionize.errors import SessionizeError
from sessionize.kernel import normalise
from sessionize.limits import Limits
from sessionize.opening import NoLog
from sessionize.plan import resolve
from sessionize.read import Log, Rows, open_log

NAMES = ("session_id", "user_id", "timestamp", "event_id", "page")
FILES, TOGETHER = 10_000 // every(8), 400
LIMITS = Limits.of()
VALUES = {
    "session_id": ["", " ", "s1", "s2", "007", "=1+1", "é"],
    "user_id": ["", "u1", "u2", "\t"],
    "timestamp": ["2024-05-30T12:00:00Z", "2024-05-30 12:00:00", "2024-05-30T12:00:00+02:00", "1717070400", "", "x",
                  "0001-01-01T00:00:00+05:00", "2024-02-30", "9" * 25, "2024-05-30T24:00:00Z", "2016-12-31T23:59:60Z"],
    "event_id": ["", "1", "1", "2"],
    "page": ["/", "/a b", "/x?y=1", "", "\u202e"],
}  # fmt: skip
DIRT = [b'"', b'""', b",", b";", b"\t", b"|", b"\0", b"\xff", b"\xc3", b"\r", b"\n", b"\x01", b"\x02", b"\\", b"'", b" ",
        b"\xe2\x80\xa8", b"\x85", b"\x1a", b"\n\n", b'"\n"']  # fmt: skip


def dirty_line(chance: random.Random, delimiter: str) -> bytes:
    row = [chance.choice(VALUES[name]) for name in NAMES]
    if chance.random() < 0.2:
        row = [f'"{field}"' for field in row]
    if chance.random() < 0.1:
        row = row[: chance.randrange(5)] if chance.random() < 0.5 else [*row, *chance.choices(["", "more"], k=2)]
    line = bytearray(delimiter.join(row).encode())
    while chance.random() < 0.3:
        at = chance.randrange(len(line) + 1)
        line[at : at + chance.randrange(2)] = chance.choice(DIRT)
    return bytes(line)


def dirty_file(chance: random.Random) -> tuple[bytes, str]:
    """A file with a whole header and lines that may be anything, and its delimiter."""
    delimiter = chance.choice(",;\t|")
    end = chance.choice([b"\n", b"\n", b"\r\n"])
    lines = [delimiter.join(NAMES).encode(), *(dirty_line(chance, delimiter) for _ in range(chance.randrange(9)))]
    return end.join(lines) + chance.choice([end, end, end, b""]), delimiter


def between(chance: random.Random, content: bytes) -> tuple[bytes, int, set[int]]:
    """The content with lines above its header and remarks among its rows: how many above, and the remarks' numbers."""
    above = [dirty_line(chance, ",") for _ in range(chance.randrange(3))]
    above = [line.replace(b"\n", b" ").replace(b"\r", b" ") for line in above]
    found: list[bytes] = [*above]
    remarks: set[int] = set()
    for line in content.split(b"\n"):
        if len(found) > len(above) and chance.random() < 0.2:
            found.append(b"%% " + dirty_line(chance, ",").replace(b"\n", b""))
            remarks.add(len(found))
        found.append(line)
    return b"\n".join(found), len(above), remarks


def test_skipped_lines_and_remarks_move_no_number(tmp_path: Path) -> None:
    chance = random.Random(23)  # noqa: S311
    for place in range(turns(TOGETHER)):
        content, delimiter = dirty_file(chance)
        framed, above, remarks = between(chance, content)
        path = tmp_path / f"{place}.csv"
        path.write_bytes(framed)
        log = open_log(Config(inputs=(str(path),), skip_lines=above, comment="%%", delimiter=delimiter))
        free = iter(number for number in range(above + 1, len(framed)) if number not in remarks)
        moved = dict(zip(range(1, content.count(b"\n") + 2), free, strict=False))
        wanted = [(moved[number], fault) for number, fault, _ in expected(content, delimiter, len(NAMES))]
        assert read_all(log).select(schema.ROW, schema.FAULT).rows() == wanted


def test_another_quote_reads_what_the_usual_one_does(tmp_path: Path) -> None:
    chance = random.Random(29)  # noqa: S311
    swap = bytes.maketrans(b"\"'", b"'\"")
    for place in range(turns(TOGETHER)):
        content, delimiter = dirty_file(chance)
        plain, other = tmp_path / f"{place}.csv", tmp_path / f"{place}-other.csv"
        plain.write_bytes(content)
        other.write_bytes(content.translate(swap))
        options: dict[str, Any] = {"delimiter": delimiter, "multiline": chance.random() < 0.3}
        usual = read_all(open_log(Config(inputs=(str(plain),), quote='"', **options)))
        found = read_all(open_log(Config(inputs=(str(other),), quote="'", **options)))
        swapped = [[text and text.translate({34: 39, 39: 34}) for text in row] for row in found.select(NAMES).rows()]
        assert swapped == [list(row) for row in usual.select(NAMES).rows()]
        assert found.select(schema.ROW, schema.FAULT).rows() == usual.select(schema.ROW, schema.FAULT).rows()


def stored(path: Path, content: bytes, chance: random.Random) -> None:
    content = chance.choice([b"", b"", b"\xef\xbb\xbf"]) + content
    path.write_bytes(gzip.compress(content, 1) if chance.random() < 0.1 else content)


@pytest.mark.slow
def test_thousands_of_dirty_files_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(20240530)  # noqa: S311
    read = 0
    for batch in range(FILES // TOGETHER):
        folder = tmp_path / str(batch)
        folder.mkdir()
        faults: list[tuple[int, int, str]] = []
        rows: list[tuple[int, int]] = []
        for place in range(TOGETHER):
            content, delimiter = dirty_file(chance)
            stored(folder / f"{place:03}.csv", content, chance)
            lines = expected(content, delimiter, len(NAMES))
            rows += [(place, number) for number, _, _ in lines]
            faults += [(place, number, fault) for number, fault, _ in lines if fault]
        log = open_log(Config(inputs=(str(folder),)))
        raw = read_all(log)
        found = judged(log, raw)
        assert found.select(schema.FILE, schema.ROW).rows() == rows
        told = found.filter(pl.col(schema.REASON).is_in(["malformed_row", "bad_encoding"]))
        assert told.select(schema.FILE, schema.ROW, schema.REASON).rows() == faults
        assert counted(log, raw) == len(rows)
        read += len(rows)
        assert log.raw(told)["raw"].len() == len(faults)
    assert read > 3 * FILES


def read_all(log: Log) -> pl.DataFrame:
    """What the log's batches hold."""
    return pl.concat(batch.frame.collect() for batch in log.batches(LIMITS))


def judged(log: Log, raw: pl.DataFrame) -> pl.DataFrame:
    """Place and reason of each row."""
    plan = resolve(Config(), log.schema, lambda column, _=1000: raw.select(column).to_series())
    rows = normalise(raw.lazy(), log.schema, plan).select(schema.FILE, schema.ROW, schema.REASON)
    return rows.collect(engine="streaming").cast({schema.REASON: pl.String})


class WasRead(NoLog):
    """A log whose rows have been read before."""

    def __init__(self, log: Log, raw: pl.DataFrame) -> None:
        self._log, self._raw = log, raw

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        return self._log.schema

    def batches(self, limits: Limits) -> Iterable[Rows]:  # noqa: ARG002
        return [Rows(self._raw.lazy())]


def counted(log: Log, raw: pl.DataFrame) -> int:
    """Rows read, each once an event, a rejected row or a duplicate."""
    plan = resolve(Config(), log.schema, lambda column, _=1000: raw.select(column).to_series())
    counts = sessionize_log(WasRead(log, raw), plan, LIMITS).counts
    assert counts.rows_read == counts.events + counts.rejected + counts.duplicates
    return counts.rows_read


@pytest.mark.slow
def test_with_records_over_lines_every_line_is_in_one_row(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311
    for batch in range(0, 2, every(2)):
        folder = tmp_path / str(batch)
        folder.mkdir()
        wanted: list[list[bytes]] = []
        for place in range(TOGETHER):
            content, _ = dirty_file(chance)
            (folder / f"{place:03}.csv").write_bytes(content)
            wanted.append([line.removesuffix(b"\r") for line in content.split(b"\n")[1:] if line.removesuffix(b"\r")])
        log = open_log(Config(inputs=(str(folder),), multiline=True))
        raw = read_all(log)
        found = log.raw(judged(log, raw))
        for place, lines in enumerate(wanted):
            rows = found.filter(pl.col(schema.FILE) == place).sort(schema.ROW)["raw"]
            seen = [line for row in rows for line in row.split("\n") if line]
            assert seen == [line.decode("utf-8", "backslashreplace") for line in lines]
        assert counted(log, raw) == found.height


def test_bytes_that_are_no_log_at_all_raise_nothing_but_our_own_errors(tmp_path: Path) -> None:
    chance = random.Random(11)  # noqa: S311
    starts = [b"", b"session_id,timestamp\n", b'{"session_id":"a","timestamp":1}\n', b"\x1f\x8b", b"PAR1", b"\xef\xbb\xbf",
              b"\x28\xb5\x2f\xfd", b'"', b"[{", b"{"]  # fmt: skip
    batches = [*DIRT, b"a", b"1", b"{", b"}", b":", b"[", b'{"session_id":"a","timestamp":1}\n', b"s,2024-05-30\n"]
    refused = 0
    number = turns(150)
    for _ in range(number):
        path = tmp_path / chance.choice(["a", "a.csv", "a.json", "a.parquet", "a.csv.gz"])
        path.write_bytes(chance.choice(starts) + b"".join(chance.choices(batches, k=chance.randrange(12))))
        try:
            log = open_log(Config(inputs=(str(path),), multiline=chance.random() < 0.3))
            raw = log.scan().collect(engine="streaming")
            assert judged(log, raw).height == counted(log, raw) == raw.height
        except SessionizeError:
            refused += 1
    assert 0 < refused < number
