"""Options of the test run, on how many cores it runs, on how many examples its properties are tried, and of which cases."""

from __future__ import annotations

import os
from typing import Any, Final

import pytest
import stores
from budget import first_cases, is_quick, load_profile

collect_ignore = ["faulty.py"]
"""Runs in a process of its own, beside a library that makes system calls fail."""

WHOLE: Final = pytest.StashKey[bool]()
"""Whether nothing was named that is to be run."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> stores.Bucket:
    """A bucket of one's own, which the environment names the server of."""
    found = stores.bucket()
    stores.environment(monkeypatch, found.port)
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the profile before the first property is imported; in each worker, too."""
    load_profile(quick="not slow" in config.option.markexpr)
    # No test can see whether a disk has what a process wrote: those that ask when it is told to have it count the calls.
    os.fsync = os.fstat  # type: ignore[assignment]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave all but the first case of each test out of the quick run, unless it is called by its name."""
    if is_quick() and (config.stash.get(WHOLE, False) or getattr(config, "workerinput", {}).get("whole", False)):
        kept, left_out = first_cases(items)
        items[:] = kept
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite on all cores, if `-n` says nothing else; tests that are named run in this process.

    One process more than there are cores, as each waits a third of its time for processes of its own; the quick run
    starts none, and loading what there is takes a process three seconds.
    """
    if hasattr(config, "workerinput"):  # which is named the folders
        return
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    config.stash[WHOLE] = whole
    if whole and getattr(config.option, "numprocesses", 0) is None:
        more = 0 if "not slow" in config.option.markexpr else 1
        config.option.numprocesses, config.option.dist = (os.cpu_count() or 1) + more, "worksteal"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker whether anything was named."""
    node.workerinput["whole"] = node.config.stash[WHOLE]
