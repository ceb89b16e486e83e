"""What dead runs left is completed or taken away by the next start, and no other file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from publishing import AFTER, BEFORE, NEW, SIZES, earlier_run, hidden, publish, start, visible

from sessionize.errors import OutputError
from sessionize.output.publish import INTENT, LOCK


def test_temporary_files_of_the_dead_run_are_swept_and_no_others(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_bytes(b"sessionize 4711\n")
    for name in (".metrics.parquet.4711.partial", f".{INTENT}.4711.partial", ".a.old.4711.partial"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".scratch.4711.partial").mkdir()
    kept = {".metrics.parquet.partial", ".a.b.partial", ".hidden", ".a.1.partial~", "a.1.partial", ".a.1.partial"}
    for name in kept:
        (tmp_path / name).write_bytes(b"someone's")
    (tmp_path / ".folder.4711.partial").mkdir()
    start(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept | {".folder.4711.partial", LOCK}


def test_a_listed_commit_is_completed_by_the_next_start(tmp_path: Path) -> None:
    directory = earlier_run(tmp_path / "out")
    for name, content in NEW.items():
        (directory / f".{name.replace('/', '~')}.4711.partial").write_bytes(content)
    (directory / INTENT).write_text(json.dumps([4711, list(NEW), SIZES]))
    start(directory)
    assert visible(directory) == AFTER
    assert hidden(directory) == {LOCK}


@pytest.mark.parametrize(
    "intent",
    ["", "[", "1", "[1]", "{}", '["x", [], {}]', '[1, ["../a"], {}]', '[1, [], {"/a": 1}]', "[1, [], [2]]", "[1,2,3]"],
)
def test_a_damaged_list_is_never_followed(tmp_path: Path, intent: str) -> None:
    directory = earlier_run(tmp_path / "out")
    (directory / INTENT).write_text(intent)
    (directory / ".metrics.parquet.1.partial").write_bytes(b"new")
    with pytest.raises(OutputError, match="is damaged") as caught:
        start(directory)
    assert "delete it" in str(caught.value.hint)
    assert visible(directory) == BEFORE
    assert ".metrics.parquet.1.partial" in hidden(directory)
    (directory / INTENT).unlink()
    publish(directory)
    assert visible(directory) == AFTER
