"""What is installed: the wheel and the source distribution, built, and run where nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest
from cli.test_demo import next_commands
from console import ROOT, SAMPLE

pytestmark = pytest.mark.slow


def built(source: Path, target: Path, *kinds: str) -> list[Path]:
    """Build distributions by the project's own build system, without a network."""
    pytest.importorskip("hatchling", reason="pip install 'sessionize[dev]'")
    flags = [flag for kind in kinds for flag in ("-t", kind)]
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(target), *flags], cwd=source, check=True)
    return sorted(target.iterdir())


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel, and the source distribution, of this checkout."""
    wheel, source = sorted(
        built(ROOT, tmp_path_factory.mktemp("dist"), "sdist", "wheel"), key=lambda path: path.suffix != ".whl"
    )
    return wheel, source


def contents(wheel: Path) -> dict[str, bytes]:
    """Every file of a wheel."""
    with ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_the_wheel_of_the_source_distribution_is_that_of_the_checkout(
    distributions: tuple[Path, Path], tmp_path: Path
) -> None:
    wheel, source = distributions
    with tarfile.open(source) as file:
        file.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    (again,) = built(unpacked, tmp_path / "dist", "wheel")
    assert contents(again) == contents(wheel)


def test_the_wheel_holds_the_package_the_sample_and_nothing_else(distributions: tuple[Path, Path]) -> None:
    found = contents(distributions[0])
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "sessionize"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        files = {name for name in found if not name.startswith("sessionize-")}
        assert files == {*listed.stdout.split(), "sessionize/sample.csv"}
    assert found["sessionize/sample.csv"] == (SAMPLE / "events.csv").read_bytes()
    assert "sessionize/py.typed" in found
    (metadata,) = (text for name, text in found.items() if name.endswith("METADATA"))
    assert message_from_bytes(metadata)["Name"] == "sessionize"
    assert b"[console_scripts]\nsessionize = sessionize.__main__:main" in next(
        text for name, text in found.items() if name.endswith("entry_points.txt")
    )


def test_an_editable_installation_starts_without_compiling(tmp_path: Path) -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="pip install 'sessionize[dev]'")
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".git", "__pycache__", "tests"))
    for hook in wheel.WheelBuilder(str(checkout)).get_build_hooks(str(tmp_path)).values():
        hook.initialize("editable", {})
    told = subprocess.run(
        [sys.executable, "-B", "-v", "-c", "import sessionize.config"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"matches {checkout}/sessionize/config.py" in told.stderr
    assert f"code object from '{checkout}" not in told.stderr


def test_what_is_installed_runs_in_an_empty_folder(distributions: tuple[Path, Path], tmp_path: Path) -> None:
    installed, folder = tmp_path / "installed", tmp_path / "empty"
    folder.mkdir()
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-index",
        "--no-deps",
        "--target",
        str(installed),
        str(distributions[0]),
    ]
    if subprocess.run([*pip, "--quiet", "--disable-pip-version-check"], check=False, cwd=folder).returncode:
        pytest.skip("there is no pip here")
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert Path(run("-c", "import sessionize; print(sessionize.__file__)").strip()).is_relative_to(installed)
    out = run(str(installed / "bin" / "sessionize"), "demo")
    for command in next_commands(out):
        run("-m", "sessionize", *command)
    assert (folder / "demo" / "out" / "sessions.parquet").is_file()
    assert run("-c", "import sessionize; print(sessionize.sessionize('demo/events.csv').counts.sessions)") == "658\n"
