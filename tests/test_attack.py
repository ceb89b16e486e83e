"""What a hostile log can do: nothing to the terminal, the spreadsheet, or any file beside the output."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from console import Outcome, sessionize

EVIL = "\x1b[31m\x1b]52;c;QUFB\x07[red][link=x]\x9b2J\u202e\u2066\u200f\x7f\x85\u2028!"
"""Colours, the clipboard, rich's markup, C1 controls, marks that turn text around."""
COMMA = ("--delimiter", ",")
SHOWN = "[red][link=x]"
TIME = "2024-05-30T12:00:00Z"
UNSAFE = {*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F),
          *range(0x2066, 0x206A)} - {0x0A}  # fmt: skip


def unsafe(text: str) -> set[int]:
    return {ord(letter) for letter in text} & UNSAFE


def write_csv(folder: Path) -> Path:
    path = folder / f"log{EVIL}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["session_id", f"time{EVIL}", "event_type", f"page{EVIL}"])
        out.writerow([f"s{EVIL}", TIME, f"view{EVIL}", f"/{EVIL}"])
        out.writerow([f"s{EVIL}", f"not a time {EVIL}", "", ""])
        out.writerow([f"cut{EVIL}"])
    return path


def write_ndjson(folder: Path) -> Path:
    path = folder / f"log{EVIL}.ndjson"
    row = {"session_id": EVIL, f"time{EVIL}": TIME, "event_type": EVIL, f"page{EVIL}\n": EVIL}
    path.write_text(f"{json.dumps(row, ensure_ascii=False)}\nbroken {EVIL}\n", encoding="utf-8")
    return path


def write_parquet(folder: Path) -> Path:
    path = folder / f"log{EVIL}\n.parquet"
    row = {"session_id": [EVIL], f"time{EVIL}": [TIME], "event_type": [EVIL], f"page{EVIL}\n": [EVIL]}
    pl.DataFrame(row).write_parquet(path)
    return path


WRITERS = {"csv": write_csv, "ndjson": write_ndjson, "parquet": write_parquet}


def told(done: Outcome) -> None:
    """Nothing of what was printed steers a terminal, and markup is shown as it stands."""
    assert unsafe(done.err) == set()
    assert unsafe(done.out) == set()
    assert SHOWN in done.err + done.out


@pytest.mark.parametrize("kind", WRITERS)
def test_nothing_from_the_log_reaches_the_terminal_raw(tmp_path: Path, kind: str) -> None:
    log = WRITERS[kind](tmp_path)
    names = ("--timestamp", f"time{EVIL}", "--map", f"page=page{EVIL}" + ("" if kind == "csv" else "\n"), *COMMA)
    done = sessionize("run", log.name, "-o", "out", "--json", *names, cwd=tmp_path)
    assert done.code == 0, done.err
    told(done)
    # A line break in a name makes no line of its own.
    assert len(done.err.splitlines()) == {"parquet": 9, "ndjson": 10, "csv": 11}[kind]
    for written in (tmp_path / "out").glob("*json"):
        assert unsafe(written.read_text(encoding="utf-8")) == set()
    entry = pl.read_parquet(tmp_path / "out" / "metrics.parquet")["entry_page"].item()
    assert entry == (f"/{EVIL}" if kind == "csv" else EVIL)
    (line,) = sessionize("run", log.name, "-o", "-", "-q", *names, cwd=tmp_path).out.split("\n")[:-1]
    assert unsafe(line) == set()
    assert json.loads(line)["entry_page"] == entry
    told(
        sessionize("run", log.name, "-o", "out", *COMMA, cwd=tmp_path)
    )  # the time is not found: the columns are listed
    told(sessionize("run", f"nowhere{EVIL}", "-o", "out", cwd=tmp_path))


def test_what_a_bad_row_says_is_shown_as_it_stands(tmp_path: Path) -> None:
    log = write_csv(tmp_path)
    done = sessionize(
        "run", log.name, "-o", "out", "--timestamp", f"time{EVIL}", "--on-bad-row", "fail", *COMMA, cwd=tmp_path
    )
    assert done.code == 3
    told(done)


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "=1,2", "'=1", "a=1", "1"]


@pytest.mark.parametrize("safe", [False, True])
def test_formulas_in_a_csv_are_text_where_that_is_asked_for(tmp_path: Path, safe: bool) -> None:  # noqa: FBT001
    rows = {"session_id": FORMULAS, "timestamp": [TIME] * len(FORMULAS), "page": FORMULAS}
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    options = ("--format", "csv", "--events", "--timeout", "none", *(["--safe-csv"] if safe else []))
    assert sessionize("run", "log.parquet", "-o", "out", *options, cwd=tmp_path).code == 0
    expected = sorted(f"'{text}" if safe and text[0] in "=+-@\t" else text for text in FORMULAS)
    for name, columns in (("metrics", ("session_id", "entry_page")), ("events", ("session_id", "page"))):
        with (tmp_path / "out" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
        for column in columns:
            assert sorted(row[column] for row in found) == expected
        assert all(row.get("duration_s", "0.0") == "0.0" for row in found)


def test_outputs_stay_in_their_folder_whatever_the_log_says(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "session_id=..%2F..%2Fescaped"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(f"timestamp,page\n{TIME},../../../etc/passwd\n")
    outside = tmp_path / "outside.parquet"
    outside.write_text("untouched")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "metrics.parquet").symlink_to(outside)
    before = {path for path in tmp_path.rglob("*") if "out" not in path.parts[len(tmp_path.parts) :][:1]}
    assert sessionize("run", "in", "-o", "out", cwd=tmp_path).code == 2  # the link is not ours
    assert outside.read_text() == "untouched"
    (tmp_path / "out" / "metrics.parquet").unlink()
    assert sessionize("run", "in", "-o", "out", cwd=tmp_path).code == 0
    after = {path for path in tmp_path.rglob("*") if "out" not in path.parts[len(tmp_path.parts) :][:1]}
    assert after == before
    assert pl.read_parquet(tmp_path / "out" / "metrics.parquet")["source_id"].item() == "../../escaped"


BOMBS = {
    "zeros": (b"session_id,timestamp\n", bytes(1 << 20)),
    "one line": (b"session_id,timestamp\n", b"a" * (1 << 20)),
    "one object": (b'{"session_id":"', b"a" * (1 << 20)),
    "one header": (b"", b"a" * (1 << 20)),
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
@pytest.mark.parametrize(("start", "more"), BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_or_an_endless_line_is_refused_in_little_memory(tmp_path: Path, start: bytes, more: bytes) -> None:
    with gzip.open(tmp_path / "log.csv.gz", "wb", compresslevel=1) as file:
        file.write(start)
        for _ in range(200):
            file.write(more)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, "run", "log.csv.gz", "-o", "out"],
        cwd=tmp_path, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert "longer than 64 MiB" in done.stderr
    assert done.returncode == 3
    assert int(done.stdout) < 600 << 10


PEAK = """
import os, sys
import sessionize.cli.main
way_out, leave = sys.modules["sessionize.cli.main"], os._exit
def told(code):
    print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0], flush=True)
    leave(code)
os._exit = told
way_out.main()
"""
"""Runs the command line and prints the most memory it had, in KiB."""


def test_a_control_character_has_one_spelling_on_the_terminal_in_checks_and_json_has_its_own(tmp_path: Path) -> None:
    user = "a\x1b[1m\x9b\u202e\0'z"
    rows = [{"user_id": user, "timestamp": f"2024-05-30T10:{minute:02d}:00Z"} for minute in range(60)]
    (tmp_path / "log.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    seen, in_json = r"a\x1b[1m\x9b\u202e\x00'z", r"a\u001b[1m\u009b\u202e\u0000'z"
    assert seen in sessionize("show", "log.ndjson", "--longest", cwd=tmp_path).out
    assert in_json in sessionize("show", "log.ndjson", "--longest", "--json", cwd=tmp_path).out
    for form in ("full", "concise", "github", "markdown"):
        assert seen in sessionize("check", "log.ndjson", "--output-format", form, cwd=tmp_path).out
    for form in ("json", "sarif", "gitlab"):
        found = sessionize("check", "log.ndjson", "--output-format", form, cwd=tmp_path).out
        assert any(seen in text for text in _texts(json.loads(found)))
    assert sessionize("run", "log.ndjson", "-o", "out", "--format", "ndjson", "-q", cwd=tmp_path).code == 0
    assert in_json in (tmp_path / "out" / "metrics.ndjson").read_text()


def _texts(found: object) -> list[str]:
    if isinstance(found, str):
        return [found]
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [text for each in inner for text in _texts(each)]
