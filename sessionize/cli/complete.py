"""What TAB offers as the value of an option: choices, zones, presets, and the columns and event types of the log at hand."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from sessionize.format_names import INPUT_FORMATS, OUTPUT_FORMATS
from sessionize.patterns import pattern

CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "format": OUTPUT_FORMATS,
    "input_format": INPUT_FORMATS,
    "output_format": ("full", "concise", "json", "junit", "sarif", "github", "gitlab", "markdown"),
    "on_bad_row": ("reject", "fail"),
    "ip": ("full", "truncate", "drop"),
    "timeout": ("15m", "30m", "45m", "1h", "none"),
    "time_format": ("iso", "s", "ms", "us", "ns"),
    "delimiter": (",", ";", "\\t", "|"),
    "compare": ("week",),
    "report_format": ("html", "markdown"),
}
COLUMNS: Final = (
    "session_id", "profile_id", "event_id", "timestamp", "event_type", "page", "property", "trait", "split_on", "dimension",
    "by",
)  # fmt: skip
EVENTS: Final = ("end_event", "start_event", "page_view", "conversion", "passive", "step", "begin", "end", "around")
PLAIN: Final = pattern(r"[\w@%+=:,./-]+")
"""What no shell takes for anything else."""
SMALL: Final = 1 << 28
"""Bytes of a log that is looked into."""


def completing() -> bool:
    """Whether a shell asks what could be typed, not for work to be done."""
    return "_SESSIONIZE_COMPLETE" in os.environ


def completer(name: str) -> Callable[..., list[str]] | None:
    """What offers values of an option; None where there is nothing to offer, or nobody asks.

    Typer looks into the signature of each, which takes a start longer than all that is typed.

    Args:
        name: Name of the option.
    """
    if not completing() or not (name in CHOICES or name in COLUMNS or name in EVENTS or name in ("preset", "timezone")):
        return None

    def offered(incomplete: str) -> list[str]:
        try:
            found = [value for value in _values(name) if value.startswith(incomplete)]
            return [typed for value in found if (typed := _typed(value, ours=name in CHOICES))]
        except Exception:  # noqa: BLE001 - a shell that asks must never be answered with an error
            return []

    return offered


def _typed(value: str, *, ours: bool) -> str | None:
    """A value as it stands on a command line; None where it cannot: what a log holds may be a command.

    bash takes it as it is; what other shells do with one of a log is their matter, and not tried.
    """
    if PLAIN.fullmatch(value):
        return value
    if os.environ.get("_SESSIONIZE_COMPLETE", "").endswith("bash"):
        return shlex.quote(value) if value.isprintable() else None
    return value if ours else None


def _values(name: str) -> Iterable[str]:
    if name in CHOICES:
        return CHOICES[name]
    if name == "timezone":
        from zoneinfo import available_timezones

        return sorted(available_timezones())
    if name == "preset":
        from sessionize.presets import names

        return names()
    found = _of_log(_inputs(), event_types=name in EVENTS)
    if name == "by":
        from sessionize.kernel.metrics import METRIC_NAMES
        from sessionize.summary.selection import OF_START

        return [*found, *METRIC_NAMES, *OF_START]
    return found


def _inputs() -> tuple[str, ...]:
    """The files among what was typed so far: an option without its value is not parsed, nor what is before it."""
    typed = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    return tuple(word for word in shlex.split(typed)[1:] if Path(word).is_file())


def _of_log(inputs: tuple[str, ...], *, event_types: bool) -> list[str]:
    """Columns, or event types of the first rows, of a log that is small."""
    if not inputs or not all(Path(each).is_file() and Path(each).stat().st_size < SMALL for each in inputs):
        return []
    from sessionize import schema
    from sessionize.config import Config
    from sessionize.plan import resolve
    from sessionize.read import open_log

    config = Config(inputs=inputs)
    log = open_log(config)
    if not event_types:
        return list(log.schema)
    import polars as pl

    kinds = resolve(config, log.schema, log.sample).columns.get(schema.EVENT_TYPE)
    return sorted(log.sample(pl.col(kinds[0])).drop_nulls().unique().cast(pl.String)) if kinds else []
