"""A signal at any moment ends the program with 130 or 143 and without a traceback, also while it is being loaded."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from budget import quick_first
from console import SAMPLE

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
SLOW = """
import sys, time
from importlib.machinery import PathFinder

class Slow(PathFinder):
    '''Stops for a while in the midst of loading one module.'''

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != {module!r}:
            return None
        spec = PathFinder.find_spec(name, path, target)
        load = spec.loader.exec_module
        def slowly(module):
            print("loading", flush=True)
            for _ in range(3000):  # in steps: what comes just before a long sleep would be seen only after it
                time.sleep(0.01)
            load(module)
        spec.loader.exec_module = slowly
        return spec

sys.meta_path.insert(0, Slow)
from sessionize.__main__ import main
main()
"""


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Exit code as a shell tells it, and what stood on stderr."""
    _, err = process.communicate(timeout=20)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode, err.decode()


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize(
    "module",
    quick_first(
        ["sessionize.output.publish", "sessionize.cli.main", "sessionize.cli.view", "sessionize.scratch", "polars"]
    ),
)
def test_a_signal_while_a_module_is_half_loaded_ends_the_program_as_at_any_other_moment(
    tmp_path: Path, module: str, number: signal.Signals
) -> None:
    command = [sys.executable, "-c", SLOW.format(module=module), "run", str(SAMPLE / "events.csv"), "-o", "out"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(number)
        assert ended(process) == (CODES[number], "")  # within 20 s of the 30 that the module takes
    assert not list(tmp_path.glob("out/*.*"))


def test_a_run_that_a_signal_ends_is_told_of_in_its_files(tmp_path: Path) -> None:
    typed = ["run", str(SAMPLE / "events.csv"), "-o", "out", "--metrics-file", "z.prom", "--summary-file", "z.md"]
    command = [sys.executable, "-c", SLOW.format(module="sessionize.output.commit"), *typed]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (143, "")
    assert "sessionize_exit_code 143\n" in (tmp_path / "z.prom").read_text()
    assert (tmp_path / "z.md").read_text() == "# sessionize: ended by a signal, exit code 143\n"
    assert not [*tmp_path.glob(".sessionize*")]


@pytest.mark.slow
def test_a_signal_does_not_wait_for_a_reader_that_reads_no_more(tmp_path: Path) -> None:
    read, write = os.pipe()
    command = [sys.executable, "-m", "sessionize", "run", str(SAMPLE / "events.csv"), "-o", "-", "-q"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE) as process:
        os.close(write)
        assert os.read(read, 1)  # it has begun to write, more than a pipe holds
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (143, "")
    os.close(read)


@pytest.mark.slow
def test_signals_at_random_moments_end_with_130_or_143_or_the_run_is_done(tmp_path: Path) -> None:
    chance = random.Random(13)  # noqa: S311 - moments, no secrets
    seen: dict[int, int] = {}
    for turn in range(int(os.environ.get("SIGNALS", "12"))):
        number = chance.choice([*CODES])
        folder = tmp_path / str(turn)
        command = [sys.executable, "-m", "sessionize", "run", str(SAMPLE / "events.csv"), "-o", str(folder), "-q"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(chance.uniform(0, 1.2))
            process.send_signal(number)
            code, err = ended(process)
        # What comes while the interpreter starts is its own to answer: SIGINT is then a fatal error, or a traceback.
        starting = bool(err) and not folder.exists() and "/sessionize/cli/" not in err
        assert code in (0, CODES[number]) or (starting and code == 1), (turn, code, err)
        assert not err or starting or err.startswith("Exception ignored"), (turn, code, err)
        seen[code] = seen.get(code, 0) + 1
    assert seen.keys() >= {130, 143}
