"""What the README and the manual say is so."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from console import DOCUMENTS, MANUAL, README, SAMPLE, sessionize

from sessionize import errors
from sessionize.checks import OPTIONS, settings_of
from sessionize.cli.app import COMMANDS

OF_OTHERS = {"--archives", "--data-binary", "--spec"}
"""Options of other programs that the documents name."""
SHOWN = re.findall(r"```console\n\$ sessionize (.*?)\n(.*?)```", DOCUMENTS, re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_command_prints_what_is_shown(tmp_path: Path, command: str, shown: str) -> None:
    shutil.copytree(SAMPLE, tmp_path / "sample_data")
    done = sessionize(*shlex.split(command), cwd=tmp_path)
    assert done.code == 0
    assert (done.out + done.err).splitlines() == shown.splitlines()


def test_there_are_ten_questions_each_with_its_command_and_its_answer() -> None:
    asked = README.split("## Ten questions")[1].split("\n## ")[0]
    named = re.findall(r"^\| (.*\?) \| `sessionize (.*)` \|$", asked, re.MULTILINE)
    shown = re.findall(r"^\*\*(.*\?)\*\*\n\n```console\n\$ sessionize (.*)$", MANUAL["questions"], re.MULTILINE)
    assert len(named) == 10
    assert named == shown


def test_the_picture_is_of_the_first_screen() -> None:
    make = runpy.run_path(str(SAMPLE / "make_picture.py"))
    assert (SAMPLE / "summary.svg").read_text() == make["picture"]()


def test_the_comparison_prints_what_is_shown(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "sample_data")
    (shown,) = re.findall(r"```sh\nsessionize (compare .*?)\n```\n\n```\n(.*?)```", DOCUMENTS, re.DOTALL)
    done = sessionize(*shown[0].split(), cwd=tmp_path)
    assert done.out == shown[1]


@pytest.mark.slow
@pytest.mark.parametrize("document", [README, MANUAL["python"]], ids=["readme", "manual"])
def test_the_python_examples_run(tmp_path: Path, document: str) -> None:
    shutil.copytree(SAMPLE, tmp_path / "sample_data")
    (code,) = (text for text in re.findall(r"```python\n(.*?)```", document, re.DOTALL) if "import sessionize" in text)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize("error", [each for each in vars(errors).values() if isinstance(each, type)])
def test_every_exit_code_is_explained(error: type) -> None:
    assert f"| {getattr(error, 'exit_code', 70)} |" in MANUAL["exit-codes"]


def test_every_option_that_the_readme_names_exists(tmp_path: Path) -> None:
    helped = "".join(sessionize(command, "--help", cwd=tmp_path).out for command in COMMANDS)
    helped += sessionize("--help", cwd=tmp_path).out
    named = set(re.findall(r"`?(--[a-z][a-z-]+)", DOCUMENTS.replace(README, README.split("## For developers")[0])))
    assert {option for option in named if option not in helped} == OF_OTHERS


@pytest.mark.slow
def test_what_ci_systems_are_told_to_run_passes(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "sample_data")
    told = re.findall(r"(?:run|entry): sessionize (check [^>\n]*)", DOCUMENTS)
    assert len(told) == 3
    for command in told:
        assert sessionize(*command.split(), cwd=tmp_path).code == 0


def test_the_configuration_of_checks_that_is_shown_is_one(tmp_path: Path) -> None:
    config, of_days = (text for text in re.findall(r"```toml\n(.*?)```", DOCUMENTS, re.DOTALL) if "[check]" in text)
    assert set(settings_of(tomllib.loads(of_days)["check"], OPTIONS).days.rules) == {"weekdays"}
    (tmp_path / "sessionize.toml").write_text(config)
    done = sessionize("check", SAMPLE / "events.csv", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "purchases without a value" in done.out
