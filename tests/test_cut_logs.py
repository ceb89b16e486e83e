"""A night's log that was cut in the middle of its last line, in each way that one can come."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from console import sessionize

CSV = "time,user_id,page\n" + "2024-05-01T12:00:00,a,/a\n" * 30 + '2024-05-01T12:30:00,b,"/b'
LINE = '{"time": "2024-05-01T12:00:00", "user_id": "a", "page": "/a"}\n'
NDJSON = LINE * 30 + LINE[:40]


def zstd(text: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(text)
    return bytes(sink.getvalue())


PACKED: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd}


@pytest.mark.parametrize("pack", PACKED)
@pytest.mark.parametrize("text", [CSV, NDJSON], ids=["csv", "ndjson"])
@pytest.mark.parametrize("by_stdin", [False, True], ids=["file", "stdin"])
def test_a_log_that_is_cut_in_its_last_line_is_exit_3_and_one_with_its_end_is_not(
    text: str, pack: str, tmp_path: Path, *, by_stdin: bool
) -> None:
    name = f"log.{'csv' if text is CSV else 'ndjson'}{pack}"

    def night(content: str) -> tuple[int, str]:
        log = PACKED[pack](content.encode())
        (tmp_path / name).write_bytes(log)
        done = sessionize(
            "run", "-" if by_stdin else name, "-o", "out", "--state", "state", "--batch", "2024-05-01", "-q",
            "--max-rejected", "100%", cwd=tmp_path, stdin=log if by_stdin else None,
        )  # fmt: skip
        return done.code, done.err

    code, said = night(text)
    assert (code, "cut short: its last line, row " in said) == (3, True), said
    assert not list((tmp_path / "out").glob("batch=*"))
    if by_stdin:
        assert "echo >>" not in said  # there is no file to append to
        assert "pipe all of it in" in said
    assert night(text.rpartition("\n")[0] + "\n")[0] == 0


@pytest.mark.parametrize("text", [CSV, NDJSON], ids=["csv", "ndjson"])
@pytest.mark.parametrize("option", ["--check", "--check-first"])
def test_a_run_with_checks_refuses_what_check_refuses(text: str, option: str, tmp_path: Path) -> None:
    name = "log.csv" if text is CSV else "log.ndjson"
    (tmp_path / name).write_text(text)
    alone = sessionize("check", name, "-q", cwd=tmp_path)
    done = sessionize("run", name, "-o", "out", option, "-q", "--report", "markdown=a.md", cwd=tmp_path)
    assert (alone.code, done.code) == (3, 3), done.err
    assert "cut short: its last line, row " in done.err
    assert "nothing was written" in done.err
    assert "cut short" in (tmp_path / "a.md").read_text()
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert sessionize("run", name, "-o", "out", "-q", cwd=tmp_path).code == 0  # without checks it is a rejected row
