"""Logs in the shapes that public reports describe, as far as it is their files and lines that are odd."""

from __future__ import annotations

import gzip
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from console import sessionize

SHARED = Path(__file__).parent.parent.parent.parent / "shared"
CASES = SHARED / "cases"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not on this machine"),
]

NGINX = ("--profile-id", "remote_addr", "--timestamp", "time_local", "--page", "request_uri",
         "--time-format", "%d/%b/%Y:%H:%M:%S %z")  # fmt: skip
READ: dict[str, tuple[tuple[str, ...], int, dict[str, int]]] = {
    "007-rotated-folder": (("--preset", "combined"), 4, {}),
    "012-sep-line.csv": ((), 2, {}),
    "013-empty-among": ((), 2, {}),
    "015-backslash-quotes.csv": ((), 3, {}),
    "018-single-quotes.csv": ((), 2, {}),
    "019-nginx-json-x22.log": (NGINX, 2, {}),
    "020-ndjson-commas.ndjson": ((), 3, {}),
    "022-line-ends-mixed.csv": ((), 2, {"malformed_row": 1}),
    "023-ctrl-a.txt": (("--delimiter", "\\x01"), 1, {}),
    "044-header-again.csv": ((), 2, {"bad_timestamp": 1}),
    "045-total-line.csv": ((), 2, {"null_timestamp": 1}),
    "046-trailing-commas.csv": ((), 2, {}),
    "047-bom-in-the-middle.csv": ((), 2, {"bad_timestamp": 1}),
    "P-ZEEK.log": (("--profile-id", "id.orig_h"), 2, {}),
}


def counts(folder: Path, *arguments: object) -> dict[str, Any]:
    done = sessionize("run", *arguments, "-o", "out", "--json", cwd=folder)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)["counts"]
    return found


@pytest.mark.parametrize("case", READ)
def test_every_event_is_read_and_what_is_none_is_told(case: str, tmp_path: Path) -> None:
    options, events, rejected = READ[case]
    for given in places(CASES / case, tmp_path):
        found = counts(tmp_path, given, *options)
        assert (found["events"], found["rejected_by_reason"]) == (events, rejected), given
    night = counts(
        tmp_path, CASES / case, *options, "--state", "state", "--batch", "end", "--flush", "--max-rejected", "100%"
    )
    assert night["events"] == events


def places(case: Path, folder: Path) -> list[Path]:
    """The case, and the same compressed, in a folder, and as a rotated file."""
    if case.is_dir():
        return [case, Path(f"{case}/*")]
    content = case.read_bytes()
    (folder / "logs").mkdir()
    (folder / f"{case.name}.gz").write_bytes(gzip.compress(content))
    shutil.copy(case, folder / "logs" / f"{case.name}.1")
    return [case, folder / f"{case.name}.gz", folder / "logs"]


@pytest.mark.parametrize(
    ("case", "code", "said", "hint"),
    [
        ("002-headerless-part", 3, "part-1.csv: no header line", "--columns user_id,event_time,page"),
        ("004-delta-table", 3, "a Delta table", "scan_delta('{case}')"),
        ("020b-firehose.json", 3, "no line break", "jq -c ."),
    ],
)
@pytest.mark.parametrize("command", [("run", "-o", "out"), ("check",)])
def test_what_cannot_be_read_rightly_is_refused_with_the_cure(
    case: str, code: int, said: str, hint: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    done = sessionize(*command, CASES / case, cwd=tmp_path)
    assert done.code == code
    assert said in done.err
    assert hint.format(case=CASES / case) in done.err
    assert not (tmp_path / "out" / "metrics.parquet").exists()


def test_what_is_hinted_for_a_part_without_a_header_reads_both_events(tmp_path: Path) -> None:
    case = CASES / "002-headerless-part"
    said = sessionize("run", case, "-o", "out", cwd=tmp_path).err
    found = counts(tmp_path, case, *shlex.split(said.partition("hint: ")[2])[:2])
    assert (found["rows_read"], found["events"], found["rejected"]) == (2, 2, 0)


@pytest.mark.parametrize(
    ("log", "sessions"),
    [
        ("datafu_clicks/clicks.csv", 11),
        ("bitcoin_otc/soc-sign-bitcoinotc.csv.gz", 30_476),
        ("similarweb_assignment/input_*.csv.gz", 36_560),
        ("weblog_quarter_hour/weblogdata_sample.csv.gz", 4_566),
    ],
)
def test_what_is_hinted_for_a_log_without_a_header_gives_the_reference_counts(
    log: str, sessions: int, tmp_path: Path
) -> None:
    path = SHARED / "data" / log
    done = sessionize("run", path, "-o", "out", cwd=tmp_path)
    assert done.code == 2
    names = shlex.split(done.err.partition("for example ")[2])
    assert counts(tmp_path, path, *names)["sessions"] == sessions
