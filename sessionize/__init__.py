"""Turn an event log into sessions.

    import sessionize

    made = sessionize.sessionize("events.csv", timeout="45m")
    made.metrics

A log is a path, a glob, or any frame: of Polars, pandas, pyarrow or DuckDB. `sessionize`, `summary`, `funnel`, `paths`,
`timeout`, `compare` and `check` take the command line's options as keywords; a frame of Polars has them as methods:
``frame.sessionize(timeout="45m")``. `run` and `run_night` write files, as the command does.
"""

# Each name is loaded when it is first used, so that importing the package, and `sessionize --help`, stay fast. Nothing
# else is loaded here: a signal that comes meanwhile finds nobody who minds it.

from __future__ import annotations

import sys

from sessionize._importing import Package, when_polars_is_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sessionize.config import Config, Nightly, Output, Rules
    from sessionize.errors import InputError, SessionizeError, UsageError
    from sessionize.python.calls import compare, funnel, paths, sessionize, summary, timeout
    from sessionize.python.checking import Verdict, check
    from sessionize.python.jobs import run, run_night
    from sessionize.results import Frames, Table
    from sessionize.version import __version__

__all__ = [
    "Config", "Frames", "InputError", "Nightly", "Output", "Rules", "SessionizeError", "Table", "UsageError", "Verdict",
    "__version__", "check", "compare", "funnel", "paths", "run", "run_night", "sessionize", "summary", "timeout",
]  # fmt: skip

_HOMES = {
    "Config": "config", "Nightly": "config", "Output": "config", "Rules": "config", "InputError": "errors",
    "SessionizeError": "errors", "UsageError": "errors", "Frames": "results", "Table": "results", "Verdict": "python.checking", "check": "python.checking",
    "run": "python.jobs", "run_night": "python.jobs", "__version__": "version",
    **dict.fromkeys(("compare", "funnel", "paths", "sessionize", "summary", "timeout"), "python.calls"),
}  # fmt: skip


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sessionize' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"sessionize.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


sys.modules[__name__].__class__ = Package
when_polars_is_there()
