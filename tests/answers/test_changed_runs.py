"""An earlier run whose files are not those that its manifest lists is not there, whatever asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from console import sessionize


@pytest.mark.parametrize("form", ["parquet", "ndjson", "json", "csv"])
@pytest.mark.parametrize("command", ["summary", "check", "report", "show --longest"])
def test_a_file_that_was_changed_or_copied_in_part_is_no_output(command: str, form: str, tmp_path: Path) -> None:
    rows = "".join(f"u{number},2024-05-30T10:00:0{number}Z\n" for number in range(9))
    (tmp_path / "log.csv").write_text(f"user_id,timestamp\n{rows}")
    sessionize("run", "log.csv", "-o", "out", "--events", "--format", form, cwd=tmp_path)
    name, *options = command.split()
    assert sessionize(name, "out", *options, cwd=tmp_path).code == 0
    metrics = tmp_path / "out" / f"metrics.{form}"
    content = metrics.read_bytes()
    metrics.write_bytes(content.replace(b"u1", b"u2", 1))  # as many bytes as before
    said = sessionize(name, "out", *options, cwd=tmp_path)
    assert (said.code, f"out/{metrics.name}: not what the manifest beside it lists" in " ".join(said.err.split())) == (
        3,
        True,
    )
    metrics.write_bytes(content[:-20])
    assert sessionize(name, "out", *options, cwd=tmp_path).code == 3
