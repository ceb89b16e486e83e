"""The manual's table of what a log may look like is true, line by line."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from console import MANUAL

import sessionize
from sessionize.config import Output
from sessionize.errors import SessionizeError
from sessionize.limits import Limits, TextLimits

TABLE: Final = MANUAL["formats"].partition("## What a log may look like")[2].partition("\n\n**")[0]
ROW: Final = b"u1,2024-05-30 10:00:00,/a\n"
HEAD: Final = b"user_id,ts,page\n"
CSV: Final = HEAD + ROW
OBJECT: Final = b'{"user_id":"u1","ts":"2024-05-30 10:00:00"}'
NOON: Final = datetime(2024, 5, 30, 12, tzinfo=UTC)


class Case(NamedTuple):
    """A log, and what must come of it: events, reasons of what is rejected, or an exit code and what is said."""

    files: dict[str, bytes]
    events: int = 0
    rejected: tuple[str, ...] = ()
    code: int = 0
    said: str = ""
    config: Mapping[str, Any] = {}


def read(content: bytes, events: int = 1, name: str = "a.csv", **config: Any) -> Case:
    return Case({name: content}, events, config=config)


def bad(content: bytes, reason: str, name: str = "a.csv") -> Case:
    return Case({name: content}, 1, (reason,))


def refused(said: str, code: int = 3, **files: bytes) -> Case:
    return Case({name.replace("_", "."): content for name, content in files.items()}, code=code, said=said)


def parquet(**columns: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


ONE: Final = parquet(user_id=["u1"], ts=[NOON], n=pa.array([1], pa.int64()))
CASES: Final[dict[str, list[Case]]] = {
    "a byte order mark": [
        read(b"\xef\xbb\xbf" + CSV), read(CSV.replace(b"\n", b"\r\n")), read(CSV.replace(b"\n", b"\r")),
        read(b"\n" + HEAD + b"\n" + ROW), read(gzip.compress(HEAD) + gzip.compress(ROW)),
        read(pa.compress(CSV, "zstd", asbytes=True)),
    ],
    "`sep=;` or a title": [
        read(b"sep=;\n" + CSV.replace(b",", b";")), read(b"Our events\n" + CSV), read(b"# ours\n" + CSV),
        read(b"'user_id','ts'\n'u1','2024-05-30'\n"), read(CSV.replace(b",", b"\x01"), name="a.txt"),
    ],
    '`\\"` for a quote': [read(HEAD + b'u1,2024-05-30,"/a?\\"b\\",c"\n')],
    "NDJSON with commas": [
        read(OBJECT + b",\n" + OBJECT + b",\n", 2), read(b"[\n" + OBJECT + b",\n" + OBJECT + b"\n]\n", 2),
        read(OBJECT + b"\n" + OBJECT + OBJECT + b"\n", 3), read(OBJECT.replace(b"u1", b"u\\x221") + b"\n"),
    ],
    "Zeek's own TSV": [read(b"#separator \\x09\n#fields\tts\tuser_id\n1717063200.5\tu1\n", name="http.log")],
    "remarks among the rows": [
        read(HEAD + b"# ,,\n" + ROW, comment="#"), read(b",,\n,,\n,,\n" + CSV, skip_lines=3),
        read(HEAD + b'u1,2024-05-30,"/a\n', quote=""),
    ],
    "no header line": [
        refused("--columns user_id,timestamp,page", 2, a_csv=ROW), refused("--columns user_id,ts,page", a_csv=CSV, b_csv=ROW),
    ],
    "a file of no bytes": [Case({"a.csv": CSV, "b.csv": b""}, 1), Case({"a.csv": CSV, "b.csv": b"\n\n"}, 1)],
    "a line that is ragged": [
        bad(CSV + b"u1,2024\n", "malformed_row"), bad(CSV + b'"u1"x,2024-05-30,/a\n', "malformed_row"),
        bad(CSV + b'"u1,2024-05-30,/a\n', "malformed_row"), bad(OBJECT + b"\n[1]\n", "malformed_row", "a.ndjson"),
    ],
    "a line with a byte": [
        bad(CSV + b"u\xff,2024-05-30,/a\n", "bad_encoding"), bad(CSV + b"u\0,2024-05-30,/a\n", "bad_encoding"),
        bad(OBJECT + b"\n" + OBJECT.replace(b"u1", b"\\ud800") + b"\n", "bad_encoding", "a.ndjson"),
    ],
    "a header that is no UTF-8": [
        refused("iconv -f LATIN1", a_csv=CSV.replace(b"page", b"p\xe4ge")),
        refused("a.csv | sessionize run - --columns user_id,ts,ts_2", a_csv=CSV.replace(b"page", b"ts")),
        refused("tail -n +3", a_csv=b"sep=,\n" + CSV.replace(b"page", b"ts")),
    ],
    "zip, bzip2, xz": [
        refused("unzip -p", a_csv=b"PK\x03\x04xx"), refused("bzcat", a_csv=b"BZh91AY&SYxx"), refused("xzcat", a_csv=b"\xfd7zXZxx"),
        refused("lz4cat", a_csv=b"\x04\x22\x4d\x18xx"), refused("7z x", a_csv=b"7z\xbc\xaf\x27\x1cxx"),
        refused("tar -xOf", a_csv=b"a".ljust(257, b"\0") + b"ustar\0"), refused("iconv -f UTF-16", a_csv=CSV.decode().encode("utf-16")),
        refused("jq -c '.[]'", a_json=b"[" + OBJECT + b"]\n"), refused("a page of HTML", a_csv=b"<html></html>"),
    ],
    "cut short or damaged": [
        refused("a.csv.gz: damaged or cut short", a_csv_gz=gzip.compress(CSV * 999)[:-20], b_csv=CSV),
        refused("a.parquet: cut short", a_parquet=ONE[:-4], b_parquet=ONE),
    ],
    "a folder, or a file": [
        Case({"_delta_log/0.json": b"{}", "a.parquet": ONE}, code=3, said="scan_delta"),
        Case({".hoodie/h": b"", "a.parquet": ONE}, code=3, said="format('hudi')"),
        Case({"metadata/1.metadata.json": b"{}", "data/a.parquet": ONE}, code=3, said="scan_iceberg"),
    ],
    "a line over 64 MiB": [refused("line 3: longer", a_csv=CSV + b"x" * 3000), refused("unpacks to more", a_csv_gz=gzip.compress(CSV * 999))],
    "NDJSON: a key twice": [
        read(OBJECT[:-1] + b',"ts":"no time"}\n', name="a.ndjson"),
        bad(OBJECT + b"\n" + OBJECT.replace(b"{", b'{"ts":"no time",') + b"\n", "bad_timestamp", "a.ndjson"),
    ],
    "NDJSON: a key that": [read((OBJECT + b"\n") * 1001 + OBJECT[:-1] + b',"late_key":"x"}\n', 1002, "a.ndjson", properties=("late_key",))],
    "Parquet: columns missing": [
        Case({"a.parquet": ONE, "b.parquet": parquet(ts=[NOON], n=pa.array([2], pa.int8()), user_id=["u1"], more=[1])}, 2),
        Case({"a.parquet": ONE, "b.parquet": parquet(ts=pa.array([NOON], pa.timestamp("ns", "Asia/Tokyo")), user_id=["u1"])}, 2),
    ],
    "Parquet: a column that is a number": [Case({"a.parquet": ONE, "b.parquet": parquet(user_id=["u1"], ts=[NOON], n=["x"])}, 2)],
    "Parquet: a time": [
        refused("a time and a number", a_parquet=ONE, b_parquet=parquet(user_id=["u1"], ts=[1717063200])),
        refused("times with a zone", a_parquet=ONE, b_parquet=parquet(user_id=["u1"], ts=[NOON.replace(tzinfo=None)])),
    ],
}  # fmt: skip
NUMBERED: Final = [(start, place) for start, cases in CASES.items() for place in range(len(cases))]


def test_every_line_of_the_table_has_a_case() -> None:
    starts = re.findall(r"^\| (.*?) \|", TABLE, re.MULTILINE)[2:]
    assert [next((start for start in CASES if line.startswith(start)), None) for line in starts] == list(CASES)


@pytest.mark.parametrize(("start", "place"), NUMBERED)
def test_what_the_table_says_is_so(start: str, place: int, tmp_path: Path) -> None:
    case = CASES[start][place]
    small = TextLimits(line_bytes=1000, block_bytes=1000, unpacked=(10_000, 2))
    limits = replace(Limits.of(), texts=small) if start == "a line over 64 MiB" else None
    for name, content in case.files.items():
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    run: Callable[[], Any] = lambda: sessionize.run(  # noqa: E731
        sessionize.Config(inputs=(str(tmp_path / "logs"),), **case.config),
        Output(directory=str(tmp_path / "out")),
        limits=limits,
    )
    if case.code:
        with pytest.raises(SessionizeError) as raised:
            run()
        assert raised.value.exit_code == case.code
        assert case.said in f"{raised.value} {raised.value.hint}"
        assert not (tmp_path / "out" / "manifest.json").exists()
        return
    counts = run().counts
    assert counts.events == case.events
    assert counts.rejected_by_reason == dict.fromkeys(case.rejected, 1)
    kept = tmp_path / "out" / "rejected.ndjson"
    assert [json.loads(line)["reason"] for line in (kept.read_text().splitlines() if kept.exists() else ())] == [
        *case.rejected
    ]
