"""No file vanishes: what a folder or a glob holds is read in a known order, or named with why it is not."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import shlex
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from console import sessionize

from sessionize.config import Config
from sessionize.errors import InputError
from sessionize.read import files, open_log

LINE = '203.0.113.5 - - [30/May/2024:10:00:00 +0000] "GET /a HTTP/1.1" 200 1 "-" "Mozilla/5.0"\n'
CSV = "user_id,event_time,page\nu1,2024-05-30 10:00:00,/a\n"
OBJECT = '{"user_id":"u1","ts":"2024-05-30T10:00:00Z"}\n'


def laid(folder: Path, **contents: Any) -> Path:
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def names(folder: Path, pattern: str = "") -> list[str]:
    found = files.find(Config(inputs=(str(folder / pattern),)))
    return [str(Path(each.file.path).relative_to(folder)) for each in found.sources]


def passed(folder: Path, pattern: str = "") -> dict[str, str]:
    found = files.find(Config(inputs=(str(folder / pattern),)))
    return {each.path.removeprefix(f"{folder}/"): each.why for each in found.passed_over}


ROTATED = [
    "access.log-20240528", "access.log-20240529.gz", "access.log.10.gz", "access.log.2", "access.log.gz.1", "access.log",
]  # fmt: skip


@pytest.mark.parametrize("pattern", ["", "*", "access*"])
def test_a_rotated_log_is_read_from_its_oldest_file_on(tmp_path: Path, pattern: str) -> None:
    laid(tmp_path, **{name: gzip.compress(CSV.encode()) if "gz" in name else CSV for name in reversed(ROTATED)})
    assert names(tmp_path, pattern) == ROTATED
    assert passed(tmp_path, pattern) == {}


@pytest.mark.parametrize(
    "content", [CSV, OBJECT, gzip.compress(CSV.encode()), CSV.replace(",", "\x01")], ids=["csv", "ndjson", "gz", "^A"]
)
def test_files_without_a_logs_ending_are_read_where_their_content_is_one(tmp_path: Path, content: str | bytes) -> None:
    there = ["000000_0", "events", "log.2024-05-30-13", "part-00000", "part-00001.gz", "syslog.1", "syslog"]
    laid(tmp_path, **dict.fromkeys(there, content))
    assert names(tmp_path) == there


def test_parts_of_parquet_without_an_ending_are_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": ["u1"], "ts": ["2024-05-30"]}), tmp_path / "000000_0")
    pq.write_table(pa.table({"user_id": ["u1"], "ts": ["2024-05-30"]}), tmp_path / "000001_0.parquet")
    laid(tmp_path, readme="words, more words\n")
    assert names(tmp_path) == ["000000_0", "000001_0.parquet"]
    assert passed(tmp_path) == {"readme": "no parquet, as the others are"}


def test_what_is_passed_over_in_a_folder_is_named_with_why(tmp_path: Path) -> None:
    laid(tmp_path, **{"a.csv": CSV, "a.csv.md5": "0 a.csv\n", "_SUCCESS": "", ".a.csv.crc": "x", ".b.csv.swp": CSV,
                      "_old.csv": CSV, "a.csv.bz2": b"BZh91AY&SY", "notes.md": "x", "README": "a, b\n", "Makefile": "all:\n",
                      "image": b"\x89PNG\0\0", ".git/config": "x", "b.csv.tmp": CSV, "out/.sessionize.lock": "",
                      "out/m.ndjson": OBJECT, "c.csv": "", "sub/d.csv": CSV})  # fmt: skip
    assert names(tmp_path) == ["a.csv", "sub/d.csv"]
    assert passed(tmp_path) == {
        "a.csv.md5": "a checksum", "_SUCCESS": "a marker", ".a.csv.crc": "a marker", ".b.csv.swp": "hidden",
        "_old.csv": "hidden", "a.csv.bz2": ".bz2 is no log's ending", "notes.md": ".md is no log's ending",
        "README": "a title, no log", "Makefile": "its first line has no separator",
        "image": "binary, and of no kind that is known", ".git/": "hidden", "b.csv.tmp": ".tmp is no log's ending",
        "out/": "output of an earlier run", "c.csv": "empty",
    }  # fmt: skip


def test_a_glob_passes_over_markers_and_checksums_and_says_so(tmp_path: Path) -> None:
    laid(tmp_path, **{"part-00000": CSV, "_SUCCESS": "", "part-00000.sha256": "0\n"})
    assert names(tmp_path, "*") == ["part-00000"]
    assert passed(tmp_path, "*") == {"_SUCCESS": "a marker", "part-00000.sha256": "a checksum"}


def test_a_readme_beside_a_log_is_no_log_and_one_that_is_named_is_read(tmp_path: Path) -> None:
    folder = laid(tmp_path, **{"a.csv": CSV, "README.txt": "about, these, logs", "licence-data.TXT": "yours"})
    assert passed(folder) == dict.fromkeys(("README.txt", "licence-data.TXT"), "a title, no log")
    assert passed(folder, "*") == passed(folder)
    assert names(folder, "README.txt") == ["README.txt"]


def test_what_is_passed_over_is_told_also_quietly_and_stands_in_the_manifest(tmp_path: Path) -> None:
    laid(tmp_path / "logs", **{"a.csv": CSV, "notes.md": "x", "_SUCCESS": ""})
    done = sessionize("run", "logs", "-o", "out", "-q", cwd=tmp_path)
    assert (done.code, done.err) == (0, "  not read  1 passed over: logs/notes.md (.md is no log's ending)\n")
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["passed_over"] == [
        {"path": "logs/_SUCCESS", "why": "a marker"}, {"path": "logs/notes.md", "why": ".md is no log's ending"},
    ]  # fmt: skip
    (tmp_path / "logs" / "notes.md").unlink()
    assert sessionize("run", "logs", "-o", "out", "-q", cwd=tmp_path).err == ""
    said = sessionize("run", "logs", "-o", "out", cwd=tmp_path).err
    assert said.startswith("  not read  1 passed over: logs/_SUCCESS (a marker)\n")


def test_a_night_says_what_it_passed_over_and_so_does_a_check_of_its_output(tmp_path: Path) -> None:
    laid(tmp_path / "logs", **{"00.csv": CSV, "01.csv": ""})
    night = ("--state", "state", "--batch", "2024-05-30")
    done = sessionize("run", "logs", "-o", "out", *night, "-q", cwd=tmp_path)
    assert (done.code, done.err) == (0, "  not read  1 passed over: logs/01.csv (empty)\n")
    checked = sessionize("check", "out/batch=2024-05-30", "--output-format", "concise", cwd=tmp_path)
    assert "unread-files" in checked.out


@pytest.mark.parametrize(
    ("good", "empty"),
    [
        ({"00.csv": CSV}, {"01.csv": b""}),
        ({"00.csv": CSV}, {"01.csv": b"\xef\xbb\xbf\r\n\n"}),
        ({"00.csv": CSV}, {"01.csv.gz": b""}),
        ({"00.csv": CSV}, {"01.csv.gz": gzip.compress(b"")}),
        ({"00.ndjson": OBJECT}, {"01.ndjson": b""}),
        ({"00.json": OBJECT}, {"01.json.gz": gzip.compress(b"\n")}),
        ({"access.log": CSV}, {"access.log.1": b""}),
    ],
)
@pytest.mark.parametrize("pattern", ["", "*"])
def test_an_empty_file_among_others_is_an_hour_without_events_and_alone_an_error(
    tmp_path: Path, good: dict[str, str], empty: dict[str, bytes], pattern: str
) -> None:
    laid(tmp_path, **good, **empty)
    assert open_log(Config(inputs=(str(tmp_path / pattern),))).scan().collect().height == 1
    assert passed(tmp_path, pattern) == dict.fromkeys(empty, "empty")
    for name in good:
        (tmp_path / name).unlink()
    with pytest.raises(InputError, match=r"empty|blank"):
        open_log(Config(inputs=(str(tmp_path / pattern),)))


def test_an_empty_stdin_beside_a_file_is_said_too(tmp_path: Path) -> None:
    laid(tmp_path, **{"a.csv": CSV})
    log = open_log(Config(inputs=(str(tmp_path / "a.csv"), "-")), stdin=io.BytesIO(b""))
    assert [(each.path, each.why) for each in log.passed_over] == [("-", "empty")]


def test_an_empty_parquet_file_is_an_error_also_among_others(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": ["u1"], "ts": ["2024-05-30"]}), tmp_path / "a.parquet")
    laid(tmp_path, **{"b.parquet": b""})
    with pytest.raises(InputError, match=r"b\.parquet: the file is empty"):
        open_log(Config(inputs=(str(tmp_path),)))


@pytest.mark.parametrize(
    ("marker", "kind", "cure"),
    [
        ("_delta_log/00000000000000000000.json", "a Delta table", "scan_delta"),
        (".hoodie/hoodie.properties", "a Hudi table", "format('hudi')"),
        ("metadata/v1.metadata.json", "an Iceberg table", "scan_iceberg"),
    ],
)
@pytest.mark.parametrize("given", ["table", ".", "table/*.parquet", "t*", "table/day=1", "table/day=1/a.parquet"])
def test_a_folder_of_a_table_format_is_refused_with_the_cure(
    tmp_path: Path, marker: str, kind: str, cure: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid(tmp_path / "table", **{marker: "{}\n", "day=1/a.parquet": b"", "a.parquet": b""})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"table: {kind}") as raised:
        open_log(Config(inputs=(given,)))
    assert cure in (raised.value.hint or "")


def test_links_to_folders_and_to_nothing_are_told_by_name(tmp_path: Path) -> None:
    for name in ("logs/a.csv", "elsewhere/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("user_id,ts\nu,2024-05-30\n")
    (tmp_path / "logs" / "today").symlink_to("../elsewhere")
    (tmp_path / "logs" / "linked.csv").symlink_to("../elsewhere/b.csv")
    (tmp_path / "logs" / "gone.csv").symlink_to("../nowhere.csv")
    os.mkfifo(tmp_path / "logs" / "pipe.csv")
    said = sessionize("run", "logs", "-o", "out", "-q", cwd=tmp_path)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [each["path"] for each in manifest["inputs"]] == ["logs/a.csv", "logs/linked.csv"]
    told = {each["path"]: each["why"] for each in manifest["passed_over"]}
    assert told == {
        "logs/today/": "a link to a folder", "logs/gone.csv": "a link that leads nowhere", "logs/pipe.csv": "no file",
    }  # fmt: skip
    assert "not read  3 passed over" in said.err


@pytest.mark.parametrize("asked", ["logs", "logs/**/*.csv", "logs/*/*.csv"])
@pytest.mark.parametrize("command", ["run", "check", "summary"])
def test_a_folder_that_may_not_be_read_is_refused_by_name(
    command: str, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("logs/a.csv", "logs/closed/b.csv", "logs/open/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("user_id,ts\nu,2024-05-30\n")
    access, scan = os.access, os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("closed") and access(path, mode))
    said = sessionize(command, asked, *(["-o", "out"] if command == "run" else []), cwd=tmp_path)
    assert (said.code, said.err.splitlines()[0]) == (3, "error: logs/closed: permission denied")


def test_a_folder_that_is_only_gone_through_need_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid(tmp_path, **{"home/logs/a.csv": CSV, "home/logs/lost+found/b.csv": CSV})
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: access(path, mode) and not (mode & os.R_OK and "logs" not in str(path))
    )
    assert names(tmp_path, "home/logs/*.csv") == ["home/logs/a.csv"]
    with pytest.raises(InputError, match="home: permission denied"):
        names(tmp_path, "home/*/*.csv")
    assert passed(tmp_path, "home/logs") == {"home/logs/lost+found/": "hidden"}


def test_an_output_or_an_earlier_run_that_may_not_be_looked_into_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log.csv").write_text("user_id,ts\nu,2024-05-30\n")
    (tmp_path / "closed").mkdir()
    stat = os.stat

    def denied(path: Any, *args: Any, **more: Any) -> Any:
        if "closed/" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, *args, **more)

    monkeypatch.setattr(os, "stat", denied)
    assert sessionize("summary", "closed", cwd=tmp_path).code == 3
    assert sessionize("check", "log.csv", "--baseline", "closed", cwd=tmp_path).code == 3
    assert sessionize("run", "log.csv", "-o", "closed", cwd=tmp_path).code == 4


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("access_log", '1.2.3.4 - - [30/May/2024:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "M"\n'),
        ("E2K2LNL5N3WR51.2024-05-30-10.a103fd5a.gz", "#Fields: date time x-edge-location c-ip cs-uri-stem\n2024-05-30\t10:00:00\tA\t1.2.3.4\t/a\n"),
        ("1717063200000.1a2bc3d4e5f6.gz", '{"user_id": "u1", "timestamp": "2024-05-30T10:00:00Z"}\n'),
    ],
)  # fmt: skip
def test_a_file_named_as_servers_and_networks_name_theirs_is_read_by_its_content(
    name: str, lines: str, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    packed = gzip.compress(lines.encode()) if name.endswith(".gz") else lines.encode()
    (tmp_path / "logs" / name).write_bytes(packed)
    (tmp_path / "logs" / "2024-05-30.backup2.gz").write_bytes(packed)
    said = sessionize("run", "logs", "-o", "out", cwd=tmp_path)
    assert (said.code, "read  1 rows" in said.err, "backup" in said.err) == (0, True, True)


def test_a_folder_of_other_names_is_read_by_the_glob_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "today.events").write_text("user_id,timestamp\nu1,2024-05-30T10:00:00Z\n")
    said = sessionize("run", "logs/", "-o", "out", cwd=tmp_path)
    assert (said.code, said.err.rstrip().endswith("by a glob: 'logs/*'")) == (3, True)
    assert sessionize("run", "logs/*", "-o", "out", cwd=tmp_path).code == 0


def test_a_folder_of_hidden_files_alone_says_how_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "h").mkdir()
    (tmp_path / "h/.log.csv").write_text("user_id,ts\nu,1717063200\n")
    said = sessionize("run", "h", "-o", "out", cwd=tmp_path)
    assert (said.code, said.err.rpartition(": ")[2]) == (3, "h/.log.csv\n")
    assert sessionize("run", "h/.log.csv", "-o", "out", "-q", cwd=tmp_path).code == 0


def test_fields_apart_by_blanks_between_quotes_are_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text('"user" "time" "page"\n"u1" "2024-05-30 10:00:00" "/a b"\n')
    said = sessionize("run", "r.txt", "-o", "out", cwd=tmp_path)
    assert (said.code, "--delimiter ' ' reads it" in said.err) == (3, True), said.err
    assert sessionize("run", "r.txt", "-o", "out", "-q", "--delimiter", " ", cwd=tmp_path).code == 0


@pytest.mark.parametrize("header", ["User_ID,Event_Time,Page", "userId,eventTime,page", "USER_ID;EVENT_TIME;PAGE"])
def test_files_that_spell_the_same_names_otherwise_are_told_as_that_and_what_is_hinted_reads_all(
    tmp_path: Path, header: str
) -> None:
    between = ";" if ";" in header else ","
    laid(tmp_path / "logs", **{"a.csv": CSV, "b.csv": header + "\nu1,2024-05-30 10:01:00,/b\n".replace(",", between)})
    said = sessionize("run", "logs", "-o", "out", cwd=tmp_path)
    assert (said.code, "'user_id ?? " in said.err) == (2, True), said.err
    options = shlex.split(said.err.partition("did you mean ")[2].partition("? it has")[0])
    assert "1 of 1 profiles, 2 events" in sessionize("run", "logs", "-o", "out", *options, cwd=tmp_path).err
