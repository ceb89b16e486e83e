"""Turn an event log into sessions.

The public names; each is loaded when it is first used, so that importing the package, and `sessionize --help`, stay fast.
Nothing else is loaded here: a signal that comes meanwhile finds nobody who minds it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sessionize.api import Frames, sessionize
    from sessionize.checks import check
    from sessionize.config import Config, Nightly, Output, Rules
    from sessionize.errors import SessionizeError
    from sessionize.nightly.job import run_night
    from sessionize.one_shot import run
    from sessionize.version import __version__

__all__ = [
    "Config", "Frames", "Nightly", "Output", "Rules", "SessionizeError", "__version__", "check", "run", "run_night",
    "sessionize",
]  # fmt: skip

_HOMES = {
    "Config": "config", "Output": "config", "Rules": "config", "SessionizeError": "errors",
    "Frames": "api", "sessionize": "api", "run": "one_shot",
    "__version__": "version", "check": "checks", "Nightly": "config", "run_night": "nightly.job",
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
