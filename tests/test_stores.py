"""A log in an object store gives what the same log in a folder gives, in every form in which it may be named."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import stores
from console import SAMPLE, sessionize
from polars.testing import assert_frame_equal
from pyarrow import fs

from sessionize import Config, Output, run
from sessionize.read import open_log
from sessionize.stores import Ranges, StorePath, connect, matches, path_of, walk
from sessionize.stores.content import FIRST, read_from, stamp_of

ROWS = b"time,user_id\n2024-05-01T09:00:00,ann\n2024-05-01T09:10:00,bob\n"
NDJSON = b'{"time": "2024-05-01T09:00:00Z", "user_id": "ann"}\n{"time": "2024-05-01T09:10:00Z", "user_id": "bob"}\n'


def parquet(rows: int = 3000, group: int = 400) -> bytes:
    """A log with texts, numbers, a nested column, a column with a dot, bytes, and times with a zone."""
    at = [datetime(2024, 5, 1, tzinfo=UTC).replace(minute=n % 60, hour=n // 60 % 24) for n in range(rows)]
    frame = pl.DataFrame({
        "time": at,
        "user_id": [f"u{n % 41}" for n in range(rows)],
        "page": [f"/p{n % 7}" for n in range(rows)],
        "amount": [n / 4 if n % 5 else None for n in range(rows)],
        "device": [{"kind": "phone" if n % 2 else None, "width": n} for n in range(rows)],
        "device.kind": ["x"] * rows,
        "agent": [b"bytes"] * rows,
        "tags": [["a", str(n)] for n in range(rows)],
    })  # fmt: skip
    out = BytesIO()
    pq.write_table(
        frame.to_arrow(), out, row_group_size=group, write_page_index=True, write_page_checksum=True, compression="zstd"
    )
    return out.getvalue()


def outputs(folder: Path) -> dict[str, bytes]:
    """Sessions, metrics and events; other files name the inputs."""
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def same(tmp_path: Path, here: Path | str, there: str, *options: str) -> None:
    """See that a log gives the same bytes from a folder and from a store."""
    for place, name in ((here, "here"), (there, "there")):
        done = sessionize("run", place, "-o", name, "-q", "--events", *options, cwd=tmp_path)
        assert done.code == 0, done.err
    assert outputs(tmp_path / "here") == outputs(tmp_path / "there")


def test_the_sample_gives_the_same_bytes_from_a_store(tmp_path: Path, bucket: stores.Bucket) -> None:
    sample = (SAMPLE / "events.csv").read_bytes()
    assert len(sample) > 2 * FIRST
    same(tmp_path, SAMPLE / "events.csv", bucket.put("logs/events.csv", sample))
    manifest = json.loads((tmp_path / "there" / "manifest.json").read_text())
    assert [(each["path"], each["bytes"]) for each in manifest["inputs"]] == [
        (f"{bucket}/logs/events.csv", len(sample))
    ]
    assert stores.SECRET not in json.dumps(manifest)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_log_is_unpacked_as_it_comes(tmp_path: Path, bucket: stores.Bucket, ending: str) -> None:
    sample = (SAMPLE / "events.csv").read_bytes()
    packed = gzip.compress(sample) if ending == ".gz" else pa.compress(sample, "zstd", asbytes=True)
    (tmp_path / f"e.csv{ending}").write_bytes(packed)
    same(tmp_path, tmp_path / f"e.csv{ending}", bucket.put(f"e.csv{ending}", packed))


def test_ndjson_is_read_from_a_store(tmp_path: Path, bucket: stores.Bucket) -> None:
    (tmp_path / "e.ndjson").write_bytes(NDJSON)
    same(tmp_path, tmp_path / "e.ndjson", bucket.put("e.ndjson", NDJSON))


@pytest.mark.parametrize("options", [(), ("--where", "amount > 300"), ("--property", "device.kind"), ("--verify",)])
def test_parquet_gives_the_same_bytes_from_a_store(
    tmp_path: Path, bucket: stores.Bucket, options: tuple[str, ...]
) -> None:
    (tmp_path / "e.parquet").write_bytes(parquet())
    same(tmp_path, tmp_path / "e.parquet", bucket.put("e.parquet", parquet()), *options)


def test_parquet_has_the_types_and_rows_of_the_file_whatever_is_selected(tmp_path: Path, bucket: stores.Bucket) -> None:
    (tmp_path / "e.parquet").write_bytes(parquet())
    here = open_log(Config(inputs=(str(tmp_path / "e.parquet"),)))
    there = open_log(Config(inputs=(bucket.put("e.parquet", parquet()),)))
    assert here.schema == there.schema
    queries: list[Callable[[pl.LazyFrame], pl.LazyFrame]] = [
        lambda rows: rows,
        lambda rows: rows.select(pl.len()),
        lambda rows: rows.select("device.kind", "tags").slice(777, 900),
        lambda rows: rows.filter(pl.col("amount") > 700).select("device"),
        lambda rows: rows.select("page").head(3),
    ]
    for query in queries:
        assert_frame_equal(query(here.scan()).collect(), query(there.scan()).collect())


@pytest.mark.slow
def test_of_parquet_only_the_columns_that_are_needed_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, wide = stores.bucket(), 300_000
    frame = pl.DataFrame({"time": range(1_714_554_000, 1_714_554_000 + wide), "user_id": ["u"] * wide})
    noise = pl.DataFrame({"noise": [os.urandom(30) for _ in range(wide)]})
    frame.hstack(noise).write_parquet(tmp_path / "e.parquet", row_group_size=60_000)
    bucket.put("e.parquet", (tmp_path / "e.parquet").read_bytes())
    ranges: list[int] = []
    whole, read = (tmp_path / "e.parquet").stat().st_size, Ranges.read

    def counted(self: Ranges, start: int, length: int) -> bytes:
        ranges.append(length)
        return read(self, start, length)

    monkeypatch.setattr(Ranges, "read", counted)
    stores.environment(monkeypatch, bucket.port)
    assert sessionize("run", f"{bucket}/e.parquet", "-o", "out", "-q", cwd=tmp_path).code == 0
    assert sum(ranges) < whole / 4  # one whole group is looked into, to find which column is what


def test_folders_prefixes_globs_and_hive_columns_are_as_on_disk(tmp_path: Path, bucket: stores.Bucket) -> None:
    there = {
        "logs/day=2024-05-01/a.csv": ROWS, "logs/day=2024-05-02/shop=a%2Fb/b c.csv": ROWS.replace(b"ann", b"eve"),
        "logs/day=2024-05-02/_SUCCESS": b"", "logs/day=2024-05-03/empty.csv": b"", "logs/.hidden/x.csv": ROWS,
        "logs/README": b"words", "logs/old/manifest.json": b"{}",
    }  # fmt: skip
    for key, content in there.items():
        bucket.put(key, content)
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content)
    (tmp_path / "logs/old/manifest.json").unlink()
    bucket.delete("logs/old/manifest.json")
    for name in ("logs", "logs/", "logs/day=*/*.csv", "logs/**/*.csv", "logs/day=2024-05-0[12]", "logs/day=2024-05-0?/*.csv",
                 "logs/day=2024-05-02/shop=a%2Fb/b c.csv"):  # fmt: skip
        here = open_log(Config(inputs=(str(tmp_path / name),)))
        log = open_log(Config(inputs=(f"{bucket}/{name}",)))
        assert [file.path for file in log.files] == [
            f"{bucket}/{Path(file.path).relative_to(tmp_path)}" for file in here.files
        ], name
        assert {(each.path.removeprefix(f"{bucket}/"), each.why) for each in log.passed_over} == {
            (each.path.removeprefix(f"{tmp_path}/"), each.why) for each in here.passed_over
        }, name
        assert_frame_equal(here.scan().collect(), log.scan().collect())


def test_a_glob_in_a_store_matches_what_it_does_on_disk(tmp_path: Path, bucket: stores.Bucket) -> None:
    for key in ("a/b/c.csv", "a/b/d/e.csv", "a/.b/c.csv", "a/b.csv", "a/b/[x].csv", "a/b/-.csv", "z.csv"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"x")
        bucket.put(key, b"x")
    for pattern in ("*", "a/*", "a/**/*.csv", "**/*.csv", "a/b/[[]x].csv", "a/b/[!a].csv", "a/b/?.csv", "a/.*/*", "a/*/d", "*/b*",
                    "a/b/[a-c].csv", "nowhere/*", "a/**/e.csv"):  # fmt: skip
        here = sorted(str(path.relative_to(tmp_path)) for path in map(Path, map(str, matches(f"{tmp_path}/{pattern}"))))
        assert sorted(path.key for path in matches(f"{bucket}/{pattern}")) == here, pattern  # type: ignore[union-attr]
    assert {str(folder): set(names) for folder, _, names in walk(path_of(f"{bucket}/a/b"))} == {
        f"{bucket}/a/b": {"c.csv", "[x].csv", "-.csv"}, f"{bucket}/a/b/d": {"e.csv"},
    }  # fmt: skip


def test_one_object_under_two_names_is_refused_and_two_objects_are_not(tmp_path: Path, bucket: stores.Bucket) -> None:
    one, two = bucket.put("a/1.csv", ROWS), bucket.put("a/2.csv", ROWS.replace(b"ann", b"eve"))
    assert sessionize("run", one, two, "-o", "out", "-q", cwd=tmp_path).code == 0
    done = sessionize("run", one, f"{bucket}/a/", "-o", "again", cwd=tmp_path)
    assert (done.code, "given twice" in done.err) == (2, True)


@pytest.mark.slow
def test_every_command_reads_a_log_and_an_earlier_run_in_a_store(tmp_path: Path, bucket: stores.Bucket) -> None:
    log = bucket.put("logs/events.csv", (SAMPLE / "events.csv").read_bytes())
    where = f"{bucket}/out"
    for arguments, code in (
        ([log], 0), (["summary", f"{bucket}/logs"], 0), (["run", log, "-o", where, "--events", "-q"], 0), (["show", log, "--longest"], 0),
        (["funnel", log, "--step", "page-view", "--step", "add-to-cart"], 0), (["paths", f"{bucket}/logs/*.csv"], 0), (["timeout", log], 0),
        (["compare", log, "--as", "ours", "--as", "ga4"], 0), (["check", log, "--exit-zero"], 0), (["presets", "--check", "ga4", log], 2),
        (["summary", where], 0), (["summary", log, "--compare", where], 0), (["show", where, "--longest"], 0),
        (["check", where, "--exit-zero"], 0), (["check", log, "--baseline", where, "--exit-zero"], 0), (["report", where, "-o", "r.html"], 0), (["run", where, "-o", "x"], 2), (["run", log, "-o", "x", "--dry-run"], 0),
        (["run", log, "-o", "nights", "--state", "state", "--batch", "2024-05-30", "-q", "--max-late", "100%", "--max-early", "100%"], 0),
    ):  # fmt: skip
        done = sessionize(*arguments, cwd=tmp_path)
        assert done.code == code, (arguments, done.err)
        assert done.code or done.out or {"-q", "report"} & {*arguments}, arguments
        assert stores.SECRET not in done.out + done.err
    here = sessionize("summary", SAMPLE / "events.csv", "--json", cwd=tmp_path)
    there = sessionize("summary", where, "--json", cwd=tmp_path)
    assert json.loads(here.out)["sessions"] == json.loads(there.out)["sessions"]


def test_a_night_recognises_a_file_in_a_store_as_the_copy_of_the_one_on_disk(
    tmp_path: Path, bucket: stores.Bucket
) -> None:
    (tmp_path / "2024-05-01.csv").write_bytes(ROWS)
    options = ("-o", "out", "--state", "state", "--batch", "2024-05-01")
    assert sessionize("run", "2024-05-01.csv", *options, cwd=tmp_path).code == 0
    again = sessionize("run", bucket.put("2024-05-01.csv", ROWS), *options, cwd=tmp_path)
    assert (again.code, "nothing to do" in again.err) == (0, True), again.err


def test_the_python_call_reads_and_writes_a_store(bucket: stores.Bucket) -> None:
    log = bucket.put("e.csv", ROWS)
    assert run(Config(inputs=(log,)), Output(directory=f"{bucket}/out")).counts.sessions == 2
    assert pl.read_parquet(bucket.get("out/metrics.parquet")).height == 2


@pytest.mark.slow
def test_an_object_of_many_ranges_is_read_as_a_file_is(tmp_path: Path, bucket: stores.Bucket) -> None:
    content = os.urandom(1 << 20) * 21 + b"end"
    (tmp_path / "whole").write_bytes(content)
    path = StorePath("s3", bucket.name, "whole")
    bucket.put("whole", content)
    for stamp in (None, stamp_of(path)):  # the second time, its first range is known
        with read_from(path, stamp) as there, (tmp_path / "whole").open("rb") as here:
            for step in (3, 70_000, 1, 5 << 20, 9 << 20):
                assert there.read(step) == here.read(step)
            for place, whence in ((-7, os.SEEK_END), (10, os.SEEK_SET), (5, os.SEEK_CUR), (1 << 20, os.SEEK_SET)):
                assert there.seek(place, whence) == here.seek(place, whence)
                assert there.read(100) == here.read(100)
            assert there.read() == here.read()
            assert there.read() == b""


def test_an_object_that_changes_between_two_looks_is_noticed(bucket: stores.Bucket) -> None:
    path = path_of(bucket.put("e.csv", ROWS))
    stamp = stamp_of(path)  # type: ignore[arg-type]
    assert read_from(path, stamp).read() == ROWS  # type: ignore[arg-type]
    bucket.put("e.csv", ROWS.replace(b"ann", b"eve"))
    with pytest.raises(connect.StoreError, match="changed while it was read"):
        read_from(path, (stamp[0], stamp[1] + "x"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content"), [("e.csv", (SAMPLE / "events.csv").read_bytes() * 2), ("e.parquet", parquet())]
)
def test_a_log_that_is_replaced_while_it_is_read_is_exit_3(
    tmp_path: Path, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = stores.bucket()
    bucket.put(name, content)

    def replaced(request: stores.Request) -> str:
        if request.method == "GET" and request.path.endswith(name) and request.number == 2:
            bucket.put(name, content.replace(b"a", b"b"))
        return ""

    with stores.proxy(replaced) as (port, _):
        stores.environment(monkeypatch, port)
        done = sessionize("run", f"{bucket}/{name}", "-o", "out", cwd=tmp_path)
    assert (done.code, f"{bucket}/{name}: it changed while it was read" in done.err) == (3, True), done.err
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.slow
def test_pyarrow_is_loaded_for_a_uri_only(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_bytes(ROWS)
    code = (
        "import sys; from sessionize.cli.main import _run; code = _run(['run', 'e.csv', '-o', 'out', '-q']); "
        "print(code, sorted({name for name in sys.modules if name.startswith('pyarrow') and 'fs' in name}))"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "0 []"


@pytest.fixture
def mocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Have a folder of this machine answer in place of a store; the folder of a bucket."""

    def answer(scheme: str, name: str) -> Path:
        (tmp_path / "store" / name).mkdir(parents=True, exist_ok=True)
        there = fs.SubTreeFileSystem(str(tmp_path / "store"), fs.LocalFileSystem())
        monkeypatch.setitem(connect.MAKERS, scheme, lambda _: there)
        connect._filesystem.cache_clear()
        return tmp_path / "store" / name

    return answer


@pytest.mark.parametrize(
    ("uri", "scheme", "inner"),
    [("gs://logs/a", "gs", "logs"), ("abfss://logs@account.dfs.core.windows.net/a", "abfss", "logs")],
)
def test_other_stores_are_asked_through_the_same_filesystem(
    tmp_path: Path, mocked: Callable[[str, str], Path], uri: str, scheme: str, inner: str
) -> None:
    folder = mocked(scheme, inner) / "a" / "day=1"
    folder.mkdir(parents=True)
    (folder / "e.csv").write_bytes(ROWS)
    (folder / "p.csv.gz").write_bytes(gzip.compress(ROWS.replace(b"ann", b"eve")))
    (folder.parents[1] / "a-out").mkdir()  # a store has no need of it
    done = sessionize("run", f"{uri}/**/*", "-o", f"{uri}-out", "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    assert json.loads(done.out)["counts"]["sessions"] == 3
    assert [each["path"] for each in json.loads(done.out)["inputs"]] == [f"{uri}/day=1/e.csv", f"{uri}/day=1/p.csv.gz"]
    assert {path.name for path in (folder.parents[1] / "a-out").iterdir()} == {
        "manifest.json", "metrics.parquet", "sessions.parquet",
    }  # fmt: skip
    assert sessionize("summary", f"{uri}-out", cwd=tmp_path).code == 0
    connect._filesystem.cache_clear()


def test_a_uri_of_azure_names_the_account_and_its_container() -> None:
    connect._filesystem.cache_clear()
    found = connect.filesystem("abfss", "logs@account.dfs.core.windows.net")
    assert found.type_name == "abfs"
    assert path_of("abfss://logs@account.dfs.core.windows.net/a/b.csv").inner == "logs/a/b.csv"  # type: ignore[union-attr]
    assert connect.filesystem("gs", "logs").type_name == "gcs"
