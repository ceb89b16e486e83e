"""Options of the test run, on how many cores it runs, and on how many examples its properties are tried."""

from __future__ import annotations

import os

import pytest
from budget import load_profile

collect_ignore = ["faulty.py"]
"""Runs in a process of its own, beside a library that makes system calls fail."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the profile before the first property is imported; in each worker, too."""
    load_profile(quick="not slow" in config.option.markexpr)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite on all cores, if `-n` says nothing else; tests that are named run in this process.

    One process more than there are cores: each waits a third of its time, for the disk and for processes of its own.
    """
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    worker = hasattr(config, "workerinput")
    if whole and not worker and getattr(config.option, "numprocesses", 0) is None:
        config.option.numprocesses, config.option.dist = (os.cpu_count() or 1) + 1, "worksteal"
