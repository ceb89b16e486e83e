"""What a run finds is not its own to delete: only what an earlier manifest lists is replaced, and no input ever."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import every, quick_first
from console import SAMPLE

from sessionize.checks.formats import FORMATS
from sessionize.cli.main import _run
from sessionize.config import Config, Nightly, Output
from sessionize.errors import UsageError
from sessionize.locations import local_path, location, shown_uri
from sessionize.nightly.store import Store
from sessionize.output.ownership import MANIFEST, OURS, earlier_outputs, refuse_foreign, remove_run
from sessionize.output.publish import LOCK, Publisher
from sessionize.read.files import identities
from sessionize.scratch import PREFIX

ROWS = "time,user_id\n2024-05-01T09:00:00,ann\n2024-05-01T09:10:00,bob\n"
Typed = Callable[..., tuple[int, str]]


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


def tree(place: Path) -> dict[str, bytes | str]:
    """Every file and link, locks aside."""
    paths = [path for path in place.rglob("*") if path.name not in {"lock", LOCK}]
    found: dict[str, bytes | str] = {str(path): str(path.readlink()) for path in paths if path.is_symlink()}
    return found | {str(path): path.read_bytes() for path in paths if path.is_file() and not path.is_symlink()}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def failing(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


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


def _hard_link(of: Path, to: Path) -> None:
    to.hardlink_to(of)


def _soft_link(of: Path, to: Path) -> None:
    to.symlink_to(of)


@pytest.mark.parametrize("link", [_hard_link, _soft_link])
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
        _soft_link(here / "log.csv", here / "soft.csv")
        _hard_link(here / "log.csv", here / "hard.csv")
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


# --- check --------------------------------------------------------------------------------------


def test_findings_never_fall_on_what_is_read_or_on_somebody_elses_file(here: Path, typed: Typed) -> None:
    assert typed("run", "log.csv", "-o", "out")[0] == 0
    assert typed("check", "log.csv", "--output-format", "json", "--output-file", "last.json", "--exit-zero")[0] == 0
    (here / "rules.toml").write_text("")
    (here / "notes.txt").write_text("mine")
    _hard_link(here / "log.csv", here / "hard.csv")
    _soft_link(here / "log.csv", here / "soft.csv")
    before = tree(here)
    files = ("log.csv", "hard.csv", "soft.csv", "notes.txt", "last.json", "rules.toml", "out/manifest.json", "out",
             "out/metrics.parquet")  # fmt: skip
    for file in files:
        for log in ("log.csv", "out"):
            code, said = typed(
                "check", log, "--baseline", "last.json", "--config", "rules.toml", "--output-file", file, "--exit-zero"
            )
            assert (code, tree(here) == before) == (2, True), (file, log, said)


@pytest.mark.slow
@pytest.mark.parametrize("log", ["log.csv", "bad.csv", "empty.csv"])
def test_findings_replace_findings_of_any_format(here: Path, typed: Typed, log: str) -> None:
    (here / "bad.csv").write_text(ROWS + "2024-05-01,\n" * 300)
    (here / "empty.csv").write_text("time,user_id\n")
    for form in [*FORMATS][:: every(2)]:
        assert typed("check", log, "--output-format", form, "--output-file", "findings", "--exit-zero")[0] == 0
        for other in ("json", form):
            code, said = typed("check", log, "--output-format", other, "--output-file", "findings", "--exit-zero")
            assert code == 0, (form, other, said)
    assert names(here) == {"log.csv", "bad.csv", "empty.csv", "findings"}


def test_findings_go_through_links_and_into_devices(here: Path, typed: Typed) -> None:
    (here / "there").mkdir()
    (here / "findings").symlink_to(here / "there" / "findings")
    (here / "null").symlink_to("/dev/null")
    for _ in range(2):
        for name in ("findings", "null"):
            assert typed("check", "log.csv", "--output-file", name, "--exit-zero")[0] == 0
    assert (here / "findings").is_symlink()
    assert (here / "null").is_symlink()
    assert (here / "there" / "findings").is_file()
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_init_writes_over_no_log(here: Path, typed: Typed) -> None:
    for name in ("log.csv", "./log.csv"):
        assert typed("check", "log.csv", "--init", "--force", "--config", name)[0] == 2
    assert (here / "log.csv").read_text() == ROWS


# --- nights -------------------------------------------------------------------------------------


def night(typed: Typed, *more: object, batch: str = "2024-05-01", log: str = "log.csv") -> tuple[int, str]:
    return typed("run", log, "-o", "out", "--state", "state", "--batch", batch, *more)


def test_a_nights_folder_that_is_not_ours_is_exit_2_and_the_state_stays_as_it_was(here: Path, typed: Typed) -> None:
    (here / "out").mkdir()
    (here / "away").mkdir()
    place = here / "out" / "batch=2024-05-01"
    for what in ("a link", "a file", "a folder"):
        if what == "a link":
            place.symlink_to(here / "away")
        elif what == "a file":
            place.write_text("mine")
        else:
            place.mkdir()
            (place / "metrics.parquet").write_text("mine")
        before = tree(here)
        for _ in range(2):
            assert night(typed)[0] == 2
            assert tree(here) == before
        shutil.rmtree(place) if what == "a folder" else place.unlink()
    assert night(typed)[0] == 0


def test_a_redo_replaces_no_folder_into_which_somebody_put_a_file(here: Path, typed: Typed) -> None:
    (here / "next.csv").write_text(ROWS.replace("05-01", "05-02"))
    assert night(typed)[0] == 0
    assert night(typed, batch="2024-05-02", log="next.csv")[0] == 0
    for batch in ("2024-05-01", "2024-05-02"):
        notes = here / "out" / f"batch={batch}" / "notes.txt"
        notes.write_text("mine")
        before = tree(here)
        code, said = night(typed, "--redo")
        assert (code, f"batch={batch}/notes.txt is not of an earlier run" in said) == (2, True)
        assert tree(here) == before
        notes.unlink()
    assert night(typed, "--redo")[0] == 0
    assert not (here / "out" / "batch=2024-05-02").exists()


def test_a_redo_reads_nothing_of_what_it_replaces(here: Path, typed: Typed) -> None:
    assert night(typed, "--events")[0] == 0
    before = tree(here)
    code, said = night(typed, "--redo", log="out/batch=2024-05-01/events.parquet")
    assert (code, "is an input" in said) == (2, True)
    assert tree(here) == before
    (carried,) = (here / "state").glob("carry-*")
    code, said = night(typed, log=f"state/{carried.name}", batch="2024-05-02")
    assert (code, "is an input" in said) == (2, True)
    assert tree(here) == before


def test_planted_folders_and_links_of_hidden_names_are_left_alone(here: Path, typed: Typed) -> None:
    assert night(typed)[0] == 0
    owner = json.loads((here / "state" / "state.json").read_text())["owner"]
    (here / "precious").mkdir()
    (here / "precious" / "file").write_text("mine")
    for name in (".staging-{}-batch=2024-05-02", ".old-{}-batch=2024-05-02", ".old-{}-batch=2024-05-01"):
        (here / "out" / name.format(owner)).symlink_to(here / "precious")
        folder = here / "out" / f"{name.format(owner)}-folder"
        folder.mkdir()
        (folder / "file").write_text("mine")
    for name in ("carry-1.parquet", "carry-9-0123456789ab.parquet", ".mine.partial", f".x.{os.getpid()}.partial"):
        (here / "state" / name).write_text("mine")
    before = tree(here)
    (here / "next.csv").write_text(ROWS.replace("05-01", "05-02"))
    assert night(typed, batch="2024-05-02", log="next.csv")[0] == 0
    assert night(typed, "--redo")[0] == 0
    after = tree(here)
    planted = {name: content for name, content in before.items() if content == b"mine" or "precious" in str(content)}
    assert len(planted) == 11
    assert planted.items() <= after.items()


def test_a_folder_that_appears_before_the_commit_stops_the_night(
    here: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert night(typed)[0] == 0
    before = tree(here / "state")
    stage = Store.stage

    def late(self: Any, output: Path, owner: str, final: str) -> Any:
        (here / "out" / final).mkdir()
        (here / "out" / final / "file").write_text("mine")
        return stage(self, output, owner, final)

    monkeypatch.setattr(Store, "stage", late)
    (here / "next.csv").write_text(ROWS.replace("05-01", "05-02"))
    assert night(typed, batch="2024-05-02", log="next.csv")[0] == 2
    assert tree(here / "state") == before
    assert (here / "out" / "batch=2024-05-02" / "file").read_text() == "mine"
    assert names(here / "out") == {LOCK, "batch=2024-05-01", "batch=2024-05-02"}


def test_a_folder_that_appears_after_the_commit_stays_and_the_next_run_says_what_to_move(
    here: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert night(typed)[0] == 0
    (here / "next.csv").write_text(ROWS.replace("05-01", "05-02"))
    place = here / "out" / "batch=2024-05-02"
    with monkeypatch.context() as patch:
        patch.setattr("sessionize.nightly.store.publish", failing)
        code, said = night(typed, batch="2024-05-02", log="next.csv")
        assert (code, "the next run with this --state puts the rest in place" in said) == (4, True)
        assert "try again" not in said
    place.symlink_to(here)
    for _ in range(2):
        code, said = night(typed, batch="2024-05-02", log="next.csv")
        assert (code, "move it away" in said) == (2, True)
        with pytest.raises(
            UsageError, match=r"is committed, but not all of it is in its place: .* is no folder"
        ) as caught:
            Store(here / "state").__enter__()
        assert str(caught.value.hint).startswith("move it away: the next run")
        assert place.is_symlink()
    place.unlink()
    assert night(typed, batch="2024-05-02", log="next.csv")[0] == 0
    assert (place / MANIFEST).is_file()


def test_a_batch_is_as_long_as_the_name_of_a_folder_may_be_in_bytes(here: Path, typed: Typed) -> None:
    code, said = night(typed, batch="ä" * 200)
    assert (code, "longer than 200 bytes" in said) == (2, True)
    assert not (here / "state").exists()
    assert night(typed, batch="ä" * 100)[0] == 0
    assert (here / "out" / f"batch={'ä' * 100}" / MANIFEST).is_file()
    with pytest.raises(UsageError, match="200 bytes"):
        Nightly(state="state", batch="x" * 201)


def test_a_folder_of_a_run_goes_with_what_its_manifest_lists_and_stays_if_there_is_more(
    here: Path, typed: Typed
) -> None:
    assert typed("run", "log.csv", "-o", "out")[0] == 0
    (here / "out" / LOCK).unlink()
    (here / "out" / "notes.txt").write_text("mine")
    remove_run(here / "out")
    assert names(here / "out") == {"notes.txt"}
    (here / "out" / "notes.txt").unlink()
    remove_run(here / "out")
    assert not (here / "out").exists()


# --- schemes ------------------------------------------------------------------------------------


URIS = ("s3://bucket/x?a=b", "S3://k:s@bucket/x", "abfss://x", "https://a.org/x.csv", "az://b/x", "s3a://b/x",
        "hdfs://n/x", "ftp://a/x", "s3:/bucket/x", "dbfs:/x", "x+y.z-1://a", " hf://b/x", "file://host/x", "file://x")  # fmt: skip


@pytest.mark.parametrize("uri", URIS)
def test_a_scheme_that_is_not_handled_is_exit_2_everywhere_and_makes_no_folder(
    here: Path, typed: Typed, uri: str
) -> None:
    for command in (
        ["run", uri, "-o", "out"], ["run", "log.csv", "-o", uri], ["check", uri], ["state", uri],
        ["run", "log.csv", "-o", "out", "--state", uri, "--batch", "x"],
        ["check", "log.csv", "--output-file", uri, "--exit-zero"], ["check", "log.csv", "--baseline", uri],
        ["check", "log.csv", "--init", "--config", uri],
    ):  # fmt: skip
        code, said = typed(*command)
        assert (code, shown_uri(uri.strip()) in said) == (2, True), (command, said)
    assert names(here) == {"log.csv"}


def test_a_message_says_what_to_type_in_place_of_a_uri() -> None:
    for uri, hint in (
        ("https://a.org/x.csv?y=1&z=2", "curl -fsSL 'https://a.org/x.csv?y=1&z=2' | sessionize run - -o DIR"),
        ("s3a://b/x.csv", "type s3://b/x.csv"),
        ("gs://b/*.csv", "copy it here first: gcloud storage cp 'gs://b/*.csv' ."),
    ):
        with pytest.raises(UsageError) as caught:
            local_path(uri, "INPUT", is_input=True)
        assert caught.value.hint == hint


def test_a_file_uri_is_a_path(here: Path, typed: Typed) -> None:
    (here / "a log.csv").write_text(ROWS)
    folder = here.as_uri()
    for name in (f"{folder}/a%20log.csv", f"file:{here}/a%20log.csv", f"file://localhost{here}/a log.csv"):
        assert typed("run", name, "-o", f"{folder}/out", "--state", f"{folder}/state", "--batch", "x")[0] == 0
    assert typed("check", f"{folder}/lo*.csv", "--output-file", f"{folder}/x.json", "--exit-zero")[0] == 0
    assert names(here) == {"a log.csv", "log.csv", "out", "state", "x.json"}
    manifest = json.loads((here / "out" / "batch=x" / MANIFEST).read_text())
    assert [each["path"] for each in manifest["inputs"]] == [str(here / "a log.csv")]


@pytest.mark.parametrize("text", ["log.csv", "./s3://x", "a:b", "C:/x", "x:/y", "/s3://x", "day=1:2/x"])
def test_any_other_name_is_a_path(text: str) -> None:
    assert local_path(text, "INPUT") == location(text, "INPUT") == text


# --- who may read it ----------------------------------------------------------------------------


def test_states_and_temporary_files_are_for_their_owner_alone_and_outputs_by_the_umask(
    here: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, int] = {}
    commit = Publisher.commit

    def look(*_: object) -> None:
        for path in here.rglob("*"):
            seen[str(path.relative_to(here))] = stat.S_IMODE(path.lstat().st_mode)

    def looking(self: Publisher, **more: Any) -> None:
        self.path("late.ndjson")
        self.scratch()
        look()
        commit(self, **more)

    monkeypatch.setattr(Publisher, "commit", looking)
    mask = os.umask(0o027)
    try:
        assert typed("run", "log.csv", "-o", "out")[0] == 0
        assert seen[f"out/.late.ndjson.{os.getpid()}.partial"] == 0o600
        assert seen[f"out/.scratch.{os.getpid()}.partial"] == 0o700
        assert night(typed)[0] == 0
    finally:
        os.umask(mask)
    look()
    assert {name: mode for name, mode in seen.items() if name.startswith("state")} == {
        name: 0o700 if name == "state" else 0o600 for name in seen if name.startswith("state")
    }
    assert sum(name.startswith("state/") for name in seen) == 3
    for name in ("out/metrics.parquet", f"out/{MANIFEST}", "out/batch=2024-05-01/metrics.parquet"):
        assert seen[name] == 0o640
    assert seen["out/batch=2024-05-01"] == 0o750


def test_identities_are_of_files_and_of_the_folders_that_were_typed(here: Path) -> None:
    status = [(path.stat().st_dev, path.stat().st_ino) for path in (here, here / "log.csv")]
    assert identities([str(here), "nowhere.csv"], Config()) == {status[0]: str(here), status[1]: str(here / "log.csv")}
    assert identities(["*.nowhere", "log.csv"], Config()) == {status[1]: "log.csv"}
    assert identities(["nowhere.csv"], Config()) == {}


def test_refused_is_what_exists_and_is_not_listed_with_its_size(here: Path) -> None:
    refuse_foreign(here, ["nothing", "log.csv"], {"log.csv": len(ROWS)})
    for listed in ({}, {"log.csv": len(ROWS) - 1}):
        with pytest.raises(UsageError):
            refuse_foreign(here, ["nothing", "log.csv"], listed)
    assert Output(directory="file:///x").directory == "/x"


@pytest.mark.parametrize(
    "planted", ['[1, [], {"log.csv": 75}]', '[1, ["manifest.json"], {"log.csv": 75}]', '[1, [], {"metrics.csv": 4}]']
)
def test_a_list_that_no_run_wrote_takes_no_file_away(here: Path, typed: Typed, planted: str) -> None:
    (here / "metrics.csv").write_text("mine")
    (here / ".sessionize.commit").write_text(planted)
    before = tree(here)
    code, said = typed("run", "log.csv", "-o", ".")
    assert (code, ".sessionize.commit is damaged" in said) == (4, True)
    assert tree(here) == before


@pytest.mark.slow
@pytest.mark.parametrize("command", [["run", "-o", "-"], ["run", "-o", "out", "--json"], ["check"]], ids=" ".join)
def test_nothing_is_printed_into_a_log_that_is_read(here: Path, command: list[str]) -> None:
    with (here / "log.csv").open("ab") as log:
        call = [sys.executable, "-m", "sessionize", command[0], "log.csv", *command[1:]]
        done = subprocess.run(call, cwd=here, stdout=log, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, b"stdout leads into the input log.csv" in done.stderr) == (2, True)
    assert (here / "log.csv").read_text() == ROWS
