"""What a night finds is not its own to delete; findings replace findings alone."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from budget import every
from owning import ROWS, Typed, failing, hard_link, names, night, soft_link, tree

from sessionize.checks.formats import FORMATS
from sessionize.config import Nightly
from sessionize.errors import UsageError
from sessionize.nightly.store import Store
from sessionize.output.ownership import MANIFEST, remove_run
from sessionize.output.publish import LOCK

# --- check --------------------------------------------------------------------------------------


def test_findings_never_fall_on_what_is_read_or_on_somebody_elses_file(here: Path, typed: Typed) -> None:
    assert typed("run", "log.csv", "-o", "out")[0] == 0
    assert typed("check", "log.csv", "--output-format", "json", "--output-file", "last.json", "--exit-zero")[0] == 0
    (here / "rules.toml").write_text("")
    (here / "notes.txt").write_text("mine")
    hard_link(here / "log.csv", here / "hard.csv")
    soft_link(here / "log.csv", here / "soft.csv")
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
