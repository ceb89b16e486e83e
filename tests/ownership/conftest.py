"""A folder and a command line of one's own, for what is whose."""

from __future__ import annotations

from pathlib import Path

import pytest
from owning import ROWS, Typed

from sessionize.cli.main import _run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, with a log."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(ROWS)
    return tmp_path


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    """A command line, in this process: its exit code and what it said."""

    def run(*arguments: object) -> tuple[int, str]:
        code = _run([*map(str, arguments)])
        return code, " ".join(capsys.readouterr().err.split())

    return run
