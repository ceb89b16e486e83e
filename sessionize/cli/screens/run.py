"""What is told of a run on the terminal: what was read, which columns and rules were taken, the main figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sessionize import schema
from sessionize.cli.view import bytes_text, plain, say, time, wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from sessionize.one_shot import Run

MOST_TYPES: Final = 10
"""Event types that are listed."""
WHAT: Final = {"--page-view": "page view", "--conversion": "conversion"}
RULES: Final = {
    "end_events": "ended by", "start_events": "started by", "split_on": "split on",
    "split_on_arrival": "split on arrival of", "max_events": "max events", "passive": "passive", "split_at_midnight": "split at midnight",
    "page_views": "page views", "conversions": "conversions", "dimensions": "dimensions", "metrics": "metrics",
    "goals": "goals", "where": "where", "preset": "preset",
    "page_path": "pages as paths", "channels": "channels", "own_hosts": "own hosts", "exclude_bots": "without bots",
    "ip": "ip", "hash_ids": "ids hashed",
}  # fmt: skip
"""Rules of the manifest, in words; the timeout and the longest duration aside."""


def layout_text(layout: str) -> str:
    """What to say of a layout that was found in the log."""
    return f"{layout} (found); --preset none switches it off"


def after_run(run: Run, config_file: Path | None, *, color: bool) -> None:
    """What was read, which columns and rules were taken, the main figures, where it lies."""
    for label, text in _lines(run, config_file):
        say(label, wrapped(plain(text), 12), color=color)


def decided(config_file: Path | None, rules: Mapping[str, Any]) -> str:
    """Which configuration file was found, and which rules were in force, as lines."""
    return "".join(f"{label}  {plain(text)}\n" for label, text in _decided(config_file, rules))


def _decided(config_file: Path | None, rules: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if config_file is not None:
        yield "config", str(config_file)
    yield "rules", ", ".join(_rules(rules))


def _rules(rules: Mapping[str, Any]) -> Iterator[str]:
    """The rules that hold, in words; of the others only the timeout, as there is one unless it was switched off."""
    timeout, longest = rules["timeout_s"], rules["max_duration_s"]
    yield "no timeout" if timeout is None else f"timeout {time(timeout)}"
    if longest is not None:
        yield f"max duration {time(longest)}"
    if rules["burst"] is not None:
        events, within = rules["burst"]
        yield f"at most {events:,} events in the first {time(within)}"
    for name, words in RULES.items():
        value = rules.get(name)
        if value is True:
            yield words
        elif value and value != "full":
            yield f"{words} {' | '.join(map(str, value)) if isinstance(value, (list, dict)) else value}"


def _lines(run: Run, config_file: Path | None) -> Iterator[tuple[str, str]]:
    manifest, shown = run.manifest, run.figures
    inputs, counts = manifest["inputs"], manifest["counts"]
    size = sum(file["bytes"] for file in inputs)
    name = inputs[0]["path"] if len(inputs) == 1 else f"{len(inputs)} files"
    left_out = f"; {counts['left_out']:,} left out by {_condition(manifest['rules'])}" if counts["left_out"] else ""
    yield "read", f"{counts['rows_read']:,} rows from {name} ({bytes_text(size)}){left_out}"
    if manifest["layout"] is not None:
        yield "layout", layout_text(manifest["layout"])
    columns = manifest["columns"]
    yield "columns", ", ".join(_chosen(role, of) for role, of in columns.items())
    written, timezone = manifest["rules"]["time_format"], manifest["rules"]["timezone"]
    formats = counts["time_formats"]
    yield "times", _times_of_several(formats, timezone) if formats else _times(written, timezone)
    yield from _decided(config_file, manifest["rules"])
    yield "sessions", _sessions(counts)
    if counts["sessions"]:
        yield from _of_sessions(run)
    if shown["bot_share"] is not None or counts["bots"]:
        yield "bots", _bots(counts, shown)
    if counts["bad_values"]:
        yield "amounts", f"{counts['bad_values']:,} could not be read as numbers"
    if manifest["outputs"]:
        from sessionize.cli.clusters import written

        yield "wrote", ", ".join(f"{name} ({bytes_text(size)})" for name, size in written(manifest["outputs"]).items())


def _of_sessions(run: Run) -> Iterator[tuple[str, str]]:
    counts, shown = run.manifest["counts"], run.figures
    lengths = (
        f"median {time(shown['duration_s_median'])}, mean {time(shown['duration_s_mean'])}, "
        f"longest {time(shown['duration_s_max'])}"
    )
    yield "length", f"{lengths}; {shown['events_per_session_mean']:.1f} events a session"
    rates = f"bounce {shown['bounce_rate']:.1%}, engaged {shown['engagement_rate']:.1%}"
    columns = run.manifest["columns"]
    no_views = not shown["page_views_per_session_mean"] and schema.PAGE in columns and bool(run.event_types)
    views = ", page views none: no event type is one" if no_views else ""
    yield "rates", f"{rates}, conversion {_conversion(counts, shown, run.event_types)}{views}"
    asked = ["--page-view"] if no_views else []
    asked += [] if counts["conversions"] else ["--conversion"]
    if asked and run.event_types:
        yield "types", _types(run.event_types, asked)


def _condition(rules: Mapping[str, Any]) -> str:
    return "--where" if rules["preset"] is None else f"--where or preset {rules['preset']}"


def _conversion(counts: Mapping[str, int], shown: Mapping[str, Any], types: Mapping[str, int]) -> str:
    """The rate; none where no event type is a conversion, which is no rate of 0."""
    return f"{shown['conversion_rate']:.1%}" if counts["conversions"] or not types else "none: no event type is one"


def _types(types: Mapping[str, int], asked: Sequence[str]) -> str:
    listed = ", ".join(f"{name} {number:,}" for name, number in list(types.items())[:MOST_TYPES])
    more = f", … ({len(types):,} in all)" if len(types) > MOST_TYPES else ""
    return f"{listed}{more}; {' and '.join(f'{each} NAME says which is a {WHAT[each]}' for each in asked)}"


def _times(written: str, timezone: str) -> str:
    units = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
    others = {
        "windows": "100 ns since 1601, as Windows counts", "webkit": "microseconds since 1601, as WebKit counts",
        "dotnet": "ticks of .NET, 100 ns since the year 1", "apple": "seconds since 2001, as Apple counts",
    }  # fmt: skip
    if written == "excel":
        return f"days since 1899-12-30, in {timezone}"
    known = others.get(written) or (f"{units[written]} since 1970" if written in units else None)
    return known or f"{written}, naive ones in {timezone}"


def _times_of_several(formats: Mapping[str, int], timezone: str) -> str:
    read = ", ".join(f"{number:,} as {name}" for name, number in formats.items())
    return f"{read}; naive ones in {timezone}"


def _chosen(role: str, column: str | list[str]) -> str:
    name = column if isinstance(column, str) else " + ".join(column)
    return role if name == role else f"{role} = {name}"


def _sessions(counts: Mapping[str, int]) -> str:
    parts = [
        f"{counts['sessions']:,} of {counts['profiles']:,} profiles"
        if counts["profiles"]
        else f"{counts['sessions']:,}"
    ]
    parts.append(f"{counts['events']:,} events")
    if counts["duplicates"]:
        parts.append(f"{counts['duplicates']:,} duplicates left out")
    if counts["active_sessions"]:
        parts.append(f"{counts['active_sessions']:,} still active")
    return ", ".join(parts)


def _bots(counts: Mapping[str, int], shown: Mapping[str, Any]) -> str:
    if counts["bots"]:
        return f"{counts['bots']:,} events of known bots left out"
    return f"{shown['bot_share']:.1%} of the sessions are of known bots"
