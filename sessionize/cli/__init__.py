"""The command line: `app`, its commands in help order, and `main`, the one place that prints errors and exits."""

from __future__ import annotations

from sessionize.cli.main import main

__all__ = ["main"]
