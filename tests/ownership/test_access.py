"""Where nothing is written: at a scheme that is not handled, and where others could read it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from owning import ROWS, Typed, names, night, tree

from sessionize.config import Config, Output
from sessionize.errors import UsageError
from sessionize.locations import local_path, location, shown_uri
from sessionize.output.ownership import MANIFEST, refuse_foreign
from sessionize.output.publish import Publisher
from sessionize.read.files import identities

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


PRINTING: list[list[str]] = [
    ["run", "-o", "-"], ["run", "-o", "out", "--json"], ["check"], ["summary"], ["show", "--longest"], ["paths"],
    ["funnel", "--step", "a", "--step", "b"], ["timeout", "--json"], ["compare", "--csv"], ["report"],
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
def test_nothing_is_printed_into_a_log_that_is_read(here: Path, command: list[str]) -> None:
    with (here / "log.csv").open("ab") as log:
        call = [sys.executable, "-m", "sessionize", command[0], "log.csv", *command[1:]]
        done = subprocess.run(call, cwd=here, stdout=log, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, b"stdout leads into the input log.csv" in done.stderr) == (2, True)
    assert (here / "log.csv").read_text() == ROWS
