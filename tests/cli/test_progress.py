"""What is told while a command works."""

from __future__ import annotations

from pathlib import Path

import pytest
from console import SAMPLE, sessionize

from sessionize.cli import progress
from sessionize.cli.progress import Stages


def test_it_is_told_how_much_of_a_log_is_read_and_how_long_the_rest_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 10.0, 18.0, 20.0, 20.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(times))
    shown: list[str] = []
    said: list[str] = []
    stages = Stages(shown.append, said.append)
    stages("reading")
    stages.read(0.5, 1_600_000, 402_000_000)
    stages("writing")
    assert shown == ["reading …", "reading  201 MB of 402 MB  50%  1.6 M rows  0:08 left", "writing …"]
    assert said[0].split("  peak")[0].split() == ["reading", "10.0", "s", "1.6", "M", "rows", "20", "MB/s"]


def test_verbose_says_what_each_stage_took_and_how_long_it_was_in_all(tmp_path: Path) -> None:
    done = sessionize("summary", SAMPLE / "events.csv", "-v", cwd=tmp_path)
    lines = done.err.splitlines()
    assert [line.split("  ")[0] or line.strip().split("  ")[0] for line in lines][-1] == "took"
    (reading,) = (line for line in lines if "reading" in line)
    assert "2,947 rows" in reading
    assert "MB/s" in reading
    assert all("peak" in line for line in lines[:-1])


def test_without_a_terminal_nothing_is_told(tmp_path: Path) -> None:
    assert sessionize("summary", SAMPLE / "events.csv", cwd=tmp_path).err == ""
