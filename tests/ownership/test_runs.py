"""What a run finds is not its own to delete: only what an earlier manifest lists is replaced, and no input ever."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import quick_first
from console import SAMPLE
from owning import ROWS, Typed, failing, hard_link, names, soft_link, tree

from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.output.ownership import MANIFEST, OURS, earlier_outputs
from sessionize.output.publish import LOCK, Publisher
from sessionize.scratch import PREFIX

# --- names prove nothing ------------------------------------------------------------------------


@pytest.mark.parametrize("name", quick_first(["events.csv", *OURS]))
def test_a_log_beside_the_outputs_stays_whatever_it_is_called(here: Path, typed: Typed, name: str) -> None:
    shutil.copyfile(SAMPLE / "events.csv", here / name)
    content = (here / name).read_bytes()
    for command in (["run", name, "-o", ".", "--input-format", "csv"], ["run", name, "-o", ".", "--max-rejected", "0"]):
        assert typed(*command)[0] in {0, 1, 2, 3}
        assert (here / name).read_bytes() == content


@pytest.mark.parametrize("form", ["parquet", "json", "ndjson", "csv"])
@pytest.mark.parametrize("name", ["sessions", "metrics", "events"])
def test_a_file_that_no_run_made_is_never_replaced_or_withdrawn(here: Path, typed: Typed, name: str, form: str) -> None:
    (here / "out").mkdir()
    file = here / "out" / f"{name}.{form}"
    file.write_text("mine")
    before = tree(here)
    falls_on_it = not (name == "sessions" and form == "csv")
    code, said = typed("run", "log.csv", "-o", "out", "--events", "--format", form)
    assert code == (2 if falls_on_it else 0)
    assert not falls_on_it or (f"out/{file.name} is not of an earlier run" in said and tree(here) == before)
    other = "json" if form == "parquet" else "parquet"
    assert typed("run", "log.csv", "-o", "out", "--events", "--format", other)[0] == 0
    assert typed("run", "log.csv", "-o", "out", "--format", other)[0] == 0
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "null", '{"name": "a web page"}', '{"schema_version": 1, "outputs": []}', "\xff", "[" * 100_000],
)
def test_a_manifest_of_something_else_is_not_ours(here: Path, typed: Typed, content: str) -> None:
    (here / "out").mkdir()
    (here / "out" / MANIFEST).write_text(content, encoding="latin-1")
    before = tree(here)
    assert earlier_outputs(here / "out") == {}
    code, said = typed("run", "log.csv", "-o", "out")
    assert (code, f"out/{MANIFEST} is not of an earlier run: no manifest of a run lists it" in said) == (2, True)
    assert tree(here) == before


def test_an_output_that_was_changed_since_is_no_longer_ours(here: Path, typed: Typed) -> None:
    assert typed("run", "log.csv", "-o", "out", "--format", "csv")[0] == 0
    (here / "out" / "metrics.csv").write_text("my notes")
    before = tree(here)
    assert typed("run", "log.csv", "-o", "out", "--format", "csv")[0] == 2
    assert tree(here) == before
    assert typed("run", "log.csv", "-o", "out")[0] == 0
    assert (here / "out" / "metrics.csv").read_text() == "my notes"


def test_what_a_manifest_lists_under_a_name_that_no_run_writes_is_not_believed(here: Path, typed: Typed) -> None:
    assert typed("run", "log.csv", "-o", "out")[0] == 0
    (here / "out" / "notes.txt").write_text("mine")
    manifest = json.loads((here / "out" / MANIFEST).read_text())
    for path in ("notes.txt", "../log.csv", str(here / "log.csv"), "", None, 3):
        manifest["outputs"].append({"path": path, "bytes": 4, "rows": 1, "sha256": ""})
    manifest["outputs"] += ["x", None, {}, [], {"path": []}]
    (here / "out" / MANIFEST).write_text(json.dumps(manifest))
    assert set(earlier_outputs(here / "out")) == {"sessions.parquet", "metrics.parquet", MANIFEST}
    assert typed("run", "log.csv", "-o", "out", "--format", "csv")[0] == 0
    assert (here / "out" / "notes.txt").read_text() == "mine"
    assert (here / "log.csv").read_text() == ROWS


def test_an_earlier_run_is_replaced_and_what_this_one_does_not_write_withdrawn(here: Path, typed: Typed) -> None:
    for form in ("parquet", "json", "csv", "ndjson"):
        assert typed("run", "log.csv", "-o", "out", "--format", form, "--events")[0] == 0
        names = {"metrics", "events"} | ({"sessions"} if form != "csv" else set())
        assert {path.name for path in (here / "out").iterdir()} == {MANIFEST, LOCK, *(f"{n}.{form}" for n in names)}


@pytest.mark.parametrize("what", ["a link", "a folder", "a pipe"])
def test_what_is_no_file_under_an_outputs_name_is_refused(here: Path, typed: Typed, what: str) -> None:
    (here / "out").mkdir()
    place = here / "out" / "metrics.parquet"
    if what == "a link":
        place.symlink_to(here / "log.csv")
    elif what == "a folder":
        place.mkdir()
    else:
        os.mkfifo(place)
    assert typed("run", "log.csv", "-o", "out")[0] == 2
    assert os.path.lexists(place)
    assert (here / "log.csv").read_text() == ROWS


def test_a_file_that_appears_while_a_run_is_at_work_is_found_before_anything_is_moved(
    here: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert typed("run", "log.csv", "-o", "out", "--format", "csv")[0] == 0
    commit = Publisher.commit

    def late(self: Publisher, **more: Any) -> None:
        (here / "out" / "sessions.parquet").write_text("mine")
        commit(self, **more)

    monkeypatch.setattr(Publisher, "commit", late)
    code, said = typed("run", "log.csv", "-o", "out")
    assert (code, "out/sessions.parquet is not of an earlier run" in said) == (2, True)
    assert {path.name for path in (here / "out").iterdir()} == {MANIFEST, LOCK, "metrics.csv", "sessions.parquet"}


def test_a_file_that_appears_after_a_commit_was_cut_short_is_not_replaced_by_its_completion(
    here: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert typed("run", "log.csv", "-o", "out", "--format", "csv")[0] == 0
    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "_place", failing)
        patch.setattr(Publisher, "_put_back", failing)
        assert typed("run", "log.csv", "-o", "out")[0] == 4
    (here / "out" / "metrics.parquet").write_text("mine")
    (here / "out" / "metrics.csv").write_text("mine, too")
    for _ in range(2):
        code, said = typed("run", "log.csv", "-o", "out")
        assert (code, "while the earlier run's files were being put in place" in said) == (2, True)
    (here / "out" / "metrics.parquet").rename(here / "away")
    assert typed("run", "log.csv", "-o", "out")[0] == 0
    assert (here / "out" / "metrics.csv").read_text() == "mine, too"
    assert pl.read_parquet(here / "out" / "metrics.parquet").height == 2


@pytest.mark.parametrize("name", [".metrics.parquet.{pid}.partial", ".scratch.{pid}.partial"])
def test_a_planted_link_where_a_temporary_file_goes_is_not_followed(here: Path, typed: Typed, name: str) -> None:
    (here / "out").mkdir()
    (here / "precious").write_text("mine")
    (here / "out" / name.format(pid=os.getpid())).symlink_to(here / "precious")
    assert typed("run", "log.csv", "-o", "out")[0] in {0, 4}
    assert (here / "precious").read_text() == "mine"


@pytest.mark.parametrize(("folder", "lock"), [("out", LOCK), ("state", "lock")])
def test_a_lock_of_something_else_is_not_written_over(here: Path, typed: Typed, folder: str, lock: str) -> None:
    (here / folder).mkdir()
    (here / folder / lock).write_text("4711\n")
    code, said = typed("run", "log.csv", "-o", "out", "--state", "state", "--batch", "x")
    assert (code, "is not the lock of a run" in said) == (2, True)
    assert (here / folder / lock).read_text() == "4711\n"
    assert not (here / "out" / "batch=x").exists()


def test_a_folder_in_tmpdir_that_only_looks_like_ours_is_not_swept(
    here: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessionize.scratch._HOME", [])
    monkeypatch.setattr("tempfile.tempdir", str(here))
    state = here / f"{PREFIX}state"
    assert typed("run", "log.csv", "-o", "out", "--state", state, "--batch", "x")[0] == 0
    before = tree(state)
    assert typed("run", "log.csv", "-o", "-", "--memory-limit", "1GB")[0] == 0
    assert typed("check", "log.csv")[0] in {0, 1}
    assert tree(state) == before


# --- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("link", [hard_link, soft_link])
def test_an_output_of_an_earlier_run_that_is_read_is_not_replaced(
    here: Path, typed: Typed, link: Callable[[Path, Path], None]
) -> None:
    assert typed("run", "log.csv", "-o", "out", "--events")[0] == 0
    link(here / "out" / "events.parquet", here / "linked.parquet")
    before = tree(here)
    for name in ("out/events.parquet", "linked.parquet", "out/../linked.parquet", "out/ev*.parquet", "link*"):
        for form in ("parquet", "csv"):
            code, said = typed("run", name, "-o", "out", "--events", "--format", form)
            assert (code, "is an input" in said) == (2, True), said
    assert tree(here) == before


def test_an_output_folder_that_is_read_as_a_folder_is_refused(here: Path, typed: Typed) -> None:
    (here / "d").mkdir()
    shutil.copyfile(here / "log.csv", here / "d" / "events.csv")
    for inputs, output in ((["d"], "d"), (["d/"], "./d"), (["."], "."), (["log.csv", "d"], "d")):
        assert typed("run", *inputs, "-o", output)[0] == 2
    assert names(here / "d") == {"events.csv"}


def test_a_file_named_as_the_output_folder_is_exit_2_and_stays(here: Path, typed: Typed) -> None:
    for output in ("log.csv", "log.csv/out", "./log.csv"):
        assert typed("run", "log.csv", "-o", output)[0] == 2
        assert typed("run", "log.csv", "-o", "out", "--state", output, "--batch", "x")[0] == 2
    assert tree(here) == {str(here / "log.csv"): ROWS.encode()}


def test_a_missing_input_leaves_no_folder(here: Path, typed: Typed) -> None:
    assert typed("run", "nowhere.csv", "-o", "out")[0] == 3
    assert typed("run", "", "-o", "out")[0] == 2
    assert tree(here) == {str(here / "log.csv"): ROWS.encode()}
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    "inputs",
    [
        ["log.csv", "./log.csv"], ["log.csv", "log.csv"], ["log.csv", "soft.csv"], ["log.csv", "hard.csv"],
        ["*.csv", "log.csv"], ["l*.csv", "l*.csv"], ["."], ["*.csv"], ["log.csv", "."], ["soft.csv", "hard.csv"],
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("command", [["run", "-o", "out"], ["check"], ["run", "-o", "-"]], ids=" ".join)
def test_one_file_under_two_names_is_refused_with_both(
    here: Path, typed: Typed, inputs: list[str], command: list[str]
) -> None:
    if not {"log.csv", "l*.csv"}.issuperset(inputs) or len(inputs) == 1:
        soft_link(here / "log.csv", here / "soft.csv")
        hard_link(here / "log.csv", here / "hard.csv")
    code, said = typed(*command, *inputs)
    assert code == 2
    assert "one input is given twice: " in said
    assert not (here / "out").exists()


def test_an_empty_input_is_exit_2_in_every_command(here: Path, typed: Typed) -> None:
    for command in (["run", "-o", "out"], ["check"]):
        for inputs in ([""], ["log.csv", ""]):
            code, said = typed(*command, *inputs)
            assert (code, "INPUT is empty" in said) == (2, True)
    assert not (here / "out").exists()
    with pytest.raises(UsageError, match="INPUT is empty"):
        Config(inputs=("",))
