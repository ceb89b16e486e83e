"""Every way to name a log, and every kind of file it may be."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import zipfile
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError, SessionizeError
from sessionize.limits import USUAL_TEXTS, TextLimits
from sessionize.read import Log, open_log

TEXT = b"id,ts\na,1\nb,2\n"


def log(*inputs: Path | str, texts: TextLimits = USUAL_TEXTS, **more: object) -> Log:
    return open_log(Config(inputs=tuple(map(str, inputs)), **more), texts=texts)  # type: ignore[arg-type]


def ids(found: Log) -> list[str]:
    return found.scan().select("id").collect(engine="streaming").to_series().to_list()


def packed(text: bytes, kind: str) -> bytes:
    if kind == "gz":
        return gzip.compress(text[:9]) + gzip.compress(text[9:])  # two members, as log rotation makes
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(text)
    found: bytes = sink.getvalue().to_pybytes()
    return found


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("name", ["log.csv.{}", "log.csv", "log"])
def test_compressed_files_are_read_whatever_their_name(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / name.format(kind)
    path.write_bytes(packed(TEXT, kind))
    assert ids(log(path)) == ["a", "b"]


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_compressed_file_cut_short_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"log.csv.{kind}"
    path.write_bytes(packed(TEXT * 1000, kind)[:-9])
    with pytest.raises(InputError, match="log"):
        ids(log(path))


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_compressed_file_cut_anywhere_is_named_and_never_read_as_whole(tmp_path: Path, kind: str) -> None:
    text = b"id,ts\n" + os.urandom(200).hex().encode() + b",1\n"
    path, content = tmp_path / "log.csv", gzip.compress(text) if kind == "gz" else packed(text, kind)
    for length in range(4, len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="log"):
            ids(log(path))


@pytest.mark.parametrize("at", [20, 40, 60, -6])
def test_a_compressed_file_with_a_wrong_bit_is_named(tmp_path: Path, at: int) -> None:
    content = bytearray(gzip.compress(b"id,ts\n" + b"".join(b"%d,1\n" % (n * n) for n in range(5000))))
    content[at] ^= 0xFF
    (tmp_path / "log.csv.gz").write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        ids(log(tmp_path / "log.csv.gz"))


def test_lines_may_end_in_carriage_returns_alone(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(b"id,ts\ra,1\r\rb\rc,3\r")
    found = log(tmp_path / "log.csv")
    rows = found.scan().select(schema.ROW, schema.FAULT, "id").collect()
    assert rows.rows() == [(2, None, "a"), (4, "malformed_row", None), (5, None, "c")]
    assert found.raw(rows.select(pl.lit(0, pl.UInt32).alias(schema.FILE), schema.ROW))["raw"].to_list() == [
        "a,1", "b", "c,3",
    ]  # fmt: skip


def test_a_file_name_that_is_no_utf8_is_shown_with_escapes(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"log\xff.csv")
    path.write_bytes(TEXT)
    found = log(path)
    assert found.files[0].path == f"{tmp_path}/log\\xff.csv"
    assert ids(found) == ["a", "b"]


def test_a_folder_is_read_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("2.csv", "1.csv", "sub/0.csv", ".hidden.csv", "_tmp/x.csv", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"id,ts\n{name},1\n")
    assert ids(log(tmp_path)) == ["1.csv", "2.csv", "sub/0.csv"]
    assert ids(log(tmp_path / "*.csv")) == ["1.csv", "2.csv"]
    assert ids(log(tmp_path / "2.csv", tmp_path / "1.csv")) == ["2.csv", "1.csv"]


def test_hive_folders_are_columns(tmp_path: Path) -> None:
    for day in ("2024-05-01", "2024-05-02"):
        folder = tmp_path / f"day={day}"
        folder.mkdir()
        (folder / "a.csv").write_bytes(TEXT)
        pl.read_csv(TEXT).write_parquet(folder / "a.parquet")
    for kind in ("csv", "parquet"):
        found = log(tmp_path / f"*/*.{kind}").scan().select(schema.FILE, "day").collect()
        assert found.rows() == [(0, "2024-05-01")] * 2 + [(1, "2024-05-02")] * 2


def test_stdin_is_read_more_than_once() -> None:
    for content, kind in ((TEXT, "csv"), (packed(TEXT, "gz"), "csv"), (b'{"id":"a","ts":1}\n{"id":"b"}\n', "ndjson")):
        found = open_log(Config(inputs=("-",)), stdin=io.BytesIO(content))
        assert (found.files[0].path, found.files[0].format) == ("-", kind)
        assert ids(found) == ids(found) == ["a", "b"]


def test_ndjson_keeps_digits_and_tells_bad_lines(tmp_path: Path) -> None:
    (tmp_path / "log.ndjson").write_bytes(
        b'{"id": "a", "n": 12345678901234567890123, "f": 1.10, "o": {"p": [1, "x"]}}\n'
        b"\n"
        b"[1]\n"
        b'{"id": "b"\n'
        b'{"id": "\xff"}\n'
        b'{"id": "c", "n": null, "o": true}\n'
    )
    rows = log(tmp_path / "log.ndjson").scan().select(schema.ROW, schema.FAULT, "id", "n", "f", "o").collect().rows()
    assert rows[0][:5] == (1, None, "a", "12345678901234567890123", "1.10")
    assert json.loads(rows[0][5]) == {"p": [1, "x"]}
    assert [row[:3] for row in rows[1:]] == [
        (3, "malformed_row", None), (4, "malformed_row", None), (5, "bad_encoding", None), (6, None, "c"),
    ]  # fmt: skip
    assert rows[4][5] == "true"


def test_parquet_files_that_drift_are_one_log(tmp_path: Path) -> None:
    moment = datetime(2024, 5, 30)  # noqa: DTZ001
    one = pl.DataFrame(
        {"id": [1], "ts": pl.Series([moment], dtype=pl.Datetime("ms"))}, schema_overrides={"id": pl.Int32}
    )
    two = pl.DataFrame({"more": ["x"], "ts": pl.Series([moment], dtype=pl.Datetime("us")), "id": [2]})
    one.write_parquet(tmp_path / "1.parquet")
    two.write_parquet(tmp_path / "2.parquet")
    found = log(tmp_path / "1.parquet", tmp_path / "2.parquet").scan().collect()
    assert found.select(schema.FILE, schema.ROW, "id", "more").rows() == [(0, 1, 1, None), (1, 1, 2, "x")]


def test_parquet_files_that_do_not_fit_together_say_so(tmp_path: Path) -> None:
    pl.DataFrame({"id": [[1]]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"id": [{"a": 1}]}).write_parquet(tmp_path / "2.parquet")
    with pytest.raises(InputError, match=r"'id' is List.* in .*1\.parquet, but Struct.* in .*2\.parquet"):
        log(tmp_path / "*.parquet")


def in_tar(text: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("log.csv")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return file.getvalue()


def in_zip(text: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("log.csv", text)
    return file.getvalue()


BAD = {
    "a zip": ("a.csv", in_zip(TEXT), "zip", "unzip -p"),
    "bzip2": ("a.csv.bz2", bz2.compress(TEXT), "bzip2", "bzcat"),
    "xz": ("a.csv", lzma.compress(TEXT), "xz", "xzcat"),
    "lzma": ("a.csv", lzma.compress(TEXT, lzma.FORMAT_ALONE), "lzma", "xzcat --format=lzma"),
    "7-Zip": ("a.csv", b"7z\xbc\xaf\x27\x1c", "7-Zip", "7z x"),
    "a tar in gzip": ("a.csv.tar.gz", gzip.compress(in_tar(TEXT)), "tar", "tar -xOf"),
    "brotli": ("a.csv.br", b"\x0b\x02\x80", "Brotli", "brotli -dc"),
    "UTF-16": ("a.csv", TEXT.decode().encode("utf-16"), "UTF-16", "iconv -f UTF-16 "),
    "UTF-16 without its mark": ("a.csv", TEXT.decode().encode("utf-16-be"), "UTF-16", "iconv -f UTF-16BE"),
    "UTF-16 in gzip": ("a.csv", gzip.compress(TEXT.decode().encode("utf-16-le")), "UTF-16", "iconv -f UTF-16LE"),
    "UTF-32": ("a.csv", TEXT.decode().encode("utf-32"), "UTF-32", "iconv -f UTF-32"),
    "a web page": ("a.csv", b"\n<!DOCTYPE html><title>Sign in</title>", "HTML", "logging in"),
    "a JSON array": ("a.json", b'\xef\xbb\xbf[\n{"id": 1}]', "JSON array", "jq -c '.[]'"),
    "a JSON array of another name": ("a.csv", b'[{"id": 1}]', "JSON array", "jq -c '.[]'"),
    "a JSON array without objects": ("a.csv", b"[ ]\n", "JSON array", "jq -c '.[]'"),
    "JSON over lines behind an empty array": ("a.csv", b'[]\n{\n  "id": 1\n}\n', "several lines", "jq -c ."),
    "JSON over lines": ("a.json", b'{\r\n  "id": 1\r\n}\r\n', "several lines", "jq -c ."),
    "an empty file": ("a.csv", b"", "empty", "full disk"),
    "blank lines": ("a.csv", b"\n\n\n", "blank", ""),
    "commas": ("a.csv", b"," * 100_000, "0 columns", "header"),
    "too many columns": ("a.csv", b"a," * 10_001, "10,001 columns", "header"),
    "a Parquet file in name only": ("a.parquet", b"id,ts\n", "not a Parquet", "cut short"),
    "a Parquet file cut short": ("a.parquet", b"PAR1abcdefgh", "cut short", "again"),
    "a damaged Parquet footer": ("a.parquet", b"PAR1xxxxxxxxxxxxxxxx\x08\x00\x00\x00PAR1", "damaged", "again"),
    "something binary": ("a", b"\x7fELF\x00\x00", "binary", "CSV"),
}


@pytest.mark.parametrize(("name", "content", "said", "cure"), BAD.values(), ids=BAD.keys())
def test_what_is_no_log_is_named_with_what_it_is_and_what_to_do(
    tmp_path: Path, name: str, content: bytes, said: str, cure: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said) as error:
        log(tmp_path / name)
    assert name in error.value.message
    assert cure in str(error.value.hint or "")


@pytest.mark.parametrize("content", [TEXT.decode().encode("utf-16"), bz2.compress(TEXT), b"id,ts\n"])
def test_a_given_format_does_not_beat_the_bytes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError):
        log(tmp_path / "a", input_format="parquet")
    with pytest.raises(InputError) if content != b"id,ts\n" else nullcontext():
        log(tmp_path / "a", input_format="csv")


@pytest.mark.parametrize("name", ["ORCID", "BZh9", "ARROW1", "PARTY", "objects"])
def test_a_header_that_looks_like_a_mark_is_a_header(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(f"{name},ts\n1,2\n")
    assert list(log(tmp_path / "a.csv").schema) == [name, "ts"]


def test_objects_are_ndjson_whatever_the_name(tmp_path: Path) -> None:
    for name in ("a.csv", "a.log", "a"):
        (tmp_path / name).write_bytes(b'\n{"id": "a"}\n{"id": "b"}\n')
        assert ids(log(tmp_path / name)) == ["a", "b"]


@pytest.mark.parametrize("empty", ["[]\n", "[ ]\r\n\n[]\n"])
@pytest.mark.parametrize("name", ["a.csv", "a.ndjson", "a"])
def test_objects_behind_empty_arrays_are_ndjson_whatever_the_name(tmp_path: Path, name: str, empty: str) -> None:
    (tmp_path / name).write_bytes(empty.encode() + b'{"id": "a"}\n{"id": "b"}\n')
    assert ids(log(tmp_path / name)) == ["a", "b"]


@pytest.mark.parametrize("empty", ["[]", "[]\n", "[\n]\n", " [ ]\r\n[]\n"])
def test_an_empty_array_beside_objects_is_an_empty_file(tmp_path: Path, empty: str) -> None:
    (tmp_path / "a.json").write_bytes(b'{"id": "a"}\n')
    (tmp_path / "b.json").write_bytes(empty.encode())
    found = log(tmp_path)
    assert (ids(found), [each.why for each in found.passed_over]) == (["a"], ["empty"])
    (tmp_path / "a.json").write_bytes(b'[{"id": "a"}]')
    with pytest.raises(InputError, match=r"a\.json: this is one JSON array"):
        log(tmp_path)


def test_a_header_of_brackets_is_a_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("[]\n1\n")
    assert list(log(tmp_path / "a.csv").schema) == ["[]"]


def test_what_is_not_there_is_named_with_what_is(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_bytes(TEXT)
    (tmp_path / "empty").mkdir()
    for path, said in (("event.csv", "no such file"), ("*.parquet", "no file matches"), ("empty", "no log")):
        with pytest.raises(InputError, match=said):
            log(tmp_path / path)
    with pytest.raises(InputError) as error:
        log(tmp_path / "event.csv")
    assert "events.csv" in str(error.value.hint)


def test_two_formats_are_two_logs(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT)
    pl.read_csv(TEXT).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(SessionizeError, match=r"csv .* and parquet"):
        log(tmp_path)


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    limits = TextLimits(line_bytes=1000, block_bytes=100)
    (tmp_path / "a.csv").write_bytes(b"id,ts\n" + b"x" * 5000)
    with pytest.raises(InputError, match="line 2"):
        ids(log(tmp_path / "a.csv", texts=limits))


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_what_unpacks_to_far_more_than_any_log_is_refused(tmp_path: Path, kind: str) -> None:
    limits = TextLimits(unpacked=(100_000, 50), block_bytes=10_000)
    (tmp_path / "a.csv").write_bytes(packed(TEXT + b"a,1\n" * 50_000, kind))
    with pytest.raises(InputError, match="50 times"):
        ids(log(tmp_path / "a.csv", texts=limits))
    assert len(ids(log(tmp_path / "a.csv", texts=replace(limits, unpacked=(1_000_000, 50))))) == 50_002


def test_a_block_of_very_many_lines_comes_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\nid,ts\n\n\n\n\na,1\n\nb\nc,3\n")
    found = log(tmp_path / "a.csv", texts=TextLimits(block_lines=3))
    rows = found.scan().select(schema.ROW, schema.FAULT, "id").collect().rows()
    assert rows == [(7, None, "a"), (9, "malformed_row", None), (10, None, "c")]


def test_the_raw_content_of_rows_can_be_had_again(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,ts\n\na,\xff\nb,2\n")
    pl.read_csv(TEXT).write_parquet(tmp_path / "a.parquet")
    rows = pl.DataFrame({schema.FILE: [0], schema.ROW: [3]}, schema={schema.FILE: pl.UInt32, schema.ROW: pl.UInt32})
    assert log(tmp_path / "a.csv").raw(rows)["raw"].to_list() == ["a,\\xff"]
    second = rows.with_columns(pl.lit(2, pl.UInt32).alias(schema.ROW))
    assert log(tmp_path / "a.parquet").raw(second)["raw"].to_list() == ['{"id": "b", "ts": 2}']
