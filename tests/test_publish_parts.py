"""Outputs that are folders of parts: ours where the manifest lists each, and gone with the run that they are of."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionize.errors import UsageError
from sessionize.output.ownership import is_ours, parts_there, refuse_output
from sessionize.output.publish import Publisher


def test_a_folder_of_parts_goes_with_its_last_part_and_stays_with_a_strangers_file(tmp_path: Path) -> None:
    sizes = {"metrics/part-00000.parquet": 1, "sessions/part-00000.parquet": 1}
    for name in (*sizes, "sessions/mine.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with Publisher(tmp_path) as output:
        output.path("manifest.json").write_bytes(b"{}")
        output.seal("manifest.json")
        output.commit(earlier=sizes)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.name.startswith(".")}
    assert left == {"manifest.json", "sessions", "sessions/mine.txt"}


def test_a_file_that_another_process_wrote_is_published_as_one_of_its_own(tmp_path: Path) -> None:
    with Publisher(tmp_path / "out") as output:
        made = output.scratch() / "of a task"
        made.write_bytes(b"rows")
        output.adopt("metrics/part-00000.parquet", made, 4, "digest")
        output.path("manifest.json").write_bytes(b"{}")
        output.seal("manifest.json")
        assert not (tmp_path / "out" / "metrics").exists()
        output.commit()
    part = tmp_path / "out" / "metrics" / "part-00000.parquet"
    assert part.read_bytes() == b"rows"
    assert part.stat().st_mode == (tmp_path / "out" / "manifest.json").stat().st_mode


@pytest.mark.parametrize("name", ["metrics/mine.parquet", "metrics/part-00000.parquet", "metrics"])
def test_what_no_manifest_lists_in_a_folder_of_parts_is_refused_before_anything_is_read(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match="not of an earlier run"):
        refuse_output(tmp_path, parts_there(tmp_path), {})


@pytest.mark.parametrize(
    "name", ["../part-00000.parquet", "metrics/../part-00000.parquet", "metrics/part-1.parquet", "etc/part-00000.csv"]
)
def test_a_manifest_is_not_believed_where_it_lists_what_no_run_writes(tmp_path: Path, name: str) -> None:
    assert not is_ours(name)
    with Publisher(tmp_path) as output, pytest.raises(ValueError, match="not the name"):
        output.path(name)
