"""Options of the test run."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


collect_ignore = ["faulty.py"]
"""Runs in a process of its own, beside a library that makes system calls fail."""
