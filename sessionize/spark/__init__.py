"""The same sessions on a cluster: Spark shuffles, our reader reads, our kernel cuts, our writer writes.

For notebooks: `sessionize`, a DataFrame in, DataFrames out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessionize.spark.frames import SparkFrames, sessionize

__all__ = ["SparkFrames", "sessionize"]


def __getattr__(name: str) -> Any:
    """Load what notebooks use when it is used: tasks import this package, and do without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sessionize.spark import frames

    return getattr(frames, name)
