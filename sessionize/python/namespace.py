"""``frame.sessionize(…)``: the calls as methods of Polars' own frames."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import polars as pl

NAME: Final = "sessionize"
CALLS: Final = ("check", "compare", "funnel", "paths", "summary", "timeout")


class Namespace:
    """The calls, with a frame as the log: ``frame.sessionize(timeout="45m")``, ``frame.sessionize.funnel([…])``.

    Args:
        frame: One row an event.
    """

    def __init__(self, frame: pl.LazyFrame | pl.DataFrame) -> None:
        self._frame = frame

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """What `sessionize.sessionize` makes of the frame."""
        import sessionize  # noqa: PLC0415 - Polars may be loaded by what never asks for a session

        return sessionize.sessionize(self._frame, *args, **keywords)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A call of another name with the frame as its log."""
        if name not in CALLS:
            raise AttributeError(f"frames have no sessionize.{name}: there are {', '.join(CALLS)}")
        import sessionize  # noqa: PLC0415

        return functools.partial(getattr(sessionize, name), self._frame)

    def __dir__(self) -> list[str]:
        return list(CALLS)


def register() -> None:
    """Give Polars' frames the namespace, once."""
    for kind, decorate in (
        (pl.LazyFrame, pl.api.register_lazyframe_namespace),
        (pl.DataFrame, pl.api.register_dataframe_namespace),
    ):
        if not hasattr(kind, NAME):
            decorate(NAME)(Namespace)
