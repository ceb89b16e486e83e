"""What machines read of a run: that it failed before it began, when it was, and all that is told as lines of JSON."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from console import sessionize


@pytest.mark.parametrize(
    ("wrong", "left", "code"),
    [
        (("--timeout", "5"), "", 2),
        (("--config", "nix.toml"), "", 2),
        (("--format", "exel"), "", 2),
        ((), "timout = '5m'", 2),
        (("no.csv",), "", 3),
    ],
)
def test_a_run_that_fails_before_it_begins_is_told_of_in_its_files_too(
    tmp_path: Path, wrong: tuple[str, ...], left: str, code: int
) -> None:
    (tmp_path / "log.csv").write_text("user,ts\na,2024-05-01T23:50:00Z\n")
    typed = ("run", "log.csv", "-o", "out", "-q", "--metrics-file", "z.prom", "--summary-file", "z.md")
    assert sessionize(*typed, cwd=tmp_path).code == 0
    assert "sessionize_exit_code 0\n" in (tmp_path / "z.prom").read_text()
    assert (tmp_path / "z.md").read_text().startswith("# sessionize: done\n")
    (tmp_path / "sessionize.toml").write_text(left)
    assert sessionize(*typed, *wrong, "--dry-run", cwd=tmp_path).code == code
    assert "sessionize_exit_code 0\n" in (tmp_path / "z.prom").read_text()
    assert sessionize(*typed, *wrong, cwd=tmp_path).code == code
    assert f"sessionize_exit_code {code}\n" in (tmp_path / "z.prom").read_text()
    assert (tmp_path / "z.md").read_text().startswith(f"# sessionize: failed, exit code {code}\n")
    assert not [*tmp_path.glob(".sessionize*")]


def test_without_an_input_the_files_say_that_it_failed(tmp_path: Path) -> None:
    assert sessionize("run", "-o", "out", "--metrics-file", "z.prom", cwd=tmp_path).code == 2
    assert "sessionize_exit_code 2\n" in (tmp_path / "z.prom").read_text()


def test_a_file_of_somebody_elses_is_not_replaced_by_what_a_failed_run_has_to_tell(tmp_path: Path) -> None:
    (tmp_path / "diary.md").write_text("dear diary\n")
    typed = ("run", "log.csv", "-o", "out", "--timeout", "5", "--summary-file", "diary.md")
    told = sessionize(*typed, cwd=tmp_path)
    assert (told.code, (tmp_path / "diary.md").read_text()) == (2, "dear diary\n")


def test_the_metrics_file_says_when_the_run_was(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,ts\na,2024-05-01T23:50:00Z\n")
    before = time.time()
    assert sessionize("run", "log.csv", "-o", "out", "-q", "--metrics-file", "z.prom", cwd=tmp_path).code == 0
    text = (tmp_path / "z.prom").read_text()
    (moment,) = re.findall(r"^sessionize_last_run_timestamp_seconds (\S+)$", text, re.MULTILINE)
    assert before - 1 <= float(moment) <= time.time() + 1


def test_rejected_rows_and_files_that_are_not_read_are_lines_of_json_also_of_a_quiet_run(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.csv").write_text("user,ts\n" + "a,2024-05-01T23:50:00Z\n" * 3 + ",2024-05-01T23:50:00Z\n")
    (folder / "b.csv").symlink_to("nowhere")
    told = sessionize("run", "logs", "-o", "out", "-q", "--log-format", "json", cwd=tmp_path)
    lines = {line["event"]: line for line in map(json.loads, told.err.splitlines())}
    assert (told.code, {*lines}) == (0, {"rejected", "not_read"})
    assert (lines["rejected"]["level"], lines["rejected"]["rows"]) == ("warning", 1)
    assert lines["rejected"]["rejected_by_reason"] == {"no_session_key": 1}
    assert (lines["not_read"]["path"], lines["not_read"]["why"]) == ("logs/b.csv", "a link that leads nowhere")
    told = sessionize("run", "logs", "-o", "out", "--check", "--log-format", "json", cwd=tmp_path)
    found = [json.loads(line) for line in told.err.splitlines()]
    assert "rejected" in [line["check"] for line in found if line["event"] == "check"]


def test_what_is_wrong_before_a_run_begins_is_a_line_of_json_too(tmp_path: Path) -> None:
    told = sessionize("run", "log.csv", "-o", "o", "--config", "nix.toml", "--log-format", "json", cwd=tmp_path)
    assert (told.code, json.loads(told.err)["event"]) == (2, "failed")
