"""The calls: each what the command of its name does, with frames in place of a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Unpack

from sessionize import answers, api
from sessionize.answers import Answer, Ask, FunnelAsk, PathsAsk
from sessionize.cli import answering, parse, settings, view
from sessionize.cli import compare as compare_command
from sessionize.cli import funnel as funnel_command
from sessionize.cli import paths as paths_command
from sessionize.cli import summary as summary_command
from sessionize.compare import compare as cut_by_all
from sessionize.config import Config
from sessionize.python import keywords as k
from sessionize.python import values as v
from sessionize.python.data import Data
from sessionize.python.words import in_python, python_names
from sessionize.results import Frames, Table, rows_frame

Rows = Callable[[Mapping[str, Any]], Iterable[Mapping[str, Any]]]


@k.documented("run")
def sessionize(data: Data, config: Config | v.Path | None = None, **keywords: Unpack[k.RunOptions]) -> Frames:
    """Cut a log into sessions.

    Columns are found by their usual names, as on the command line; nothing is written.

    Args:
        data: A path, a glob, a folder, or a list of paths; or a frame: of Polars, pandas, pyarrow or DuckDB, or any with
            the Arrow stream interface. One row an event; their order matters only among events of one time.
        config: A `Config` in place of keywords, or a TOML file of options; no file is looked for.
        **keywords: The options of ``sessionize run``. Durations are texts or timedeltas, sizes texts or bytes.

    Returns:
        ``metrics`` (a row a session), ``sessions`` (Session records), ``events`` (each with its session), ``rejected``
        (the rows that are no events, with why), ``counts``, ``columns`` and ``notes``.

    Raises:
        UsageError: If a keyword or a column does not fit the log; its hint says what to write.
        InputError: If a file cannot be read, or none of its rows is an event. Of a frame all rows are then among the
            rejected, and ``notes`` says how they would be read.

    Examples:
        >>> import polars as pl
        >>> visits = pl.DataFrame({
        ...     "user_id": ["ann", "ann", "bob"],
        ...     "time": ["2024-05-01 09:00", "2024-05-01 09:40", "2024-05-01 09:50"],
        ... })
        >>> sessionize(visits, timeout="45m").metrics.select("profile_id", "events", "duration_s").rows()
        [('ann', 2, 2400.0), ('bob', 1, 0.0)]
    """
    with python_names():
        request = k.Request(data, "run", config, keywords)
        settings.no_earlier_run(request.config.inputs)
        frame = request.config.frame
        made = api.sessionize(frame, request.config)
        answering.check_rejected({"account": {"counts": asdict(made.counts)}}, request.typed)
    return made._replace(notes=tuple(in_python(note, k.FLAGS) for note in made.notes))


def _which(session_where: str | None, containing: v.Texts, last: Any, since: Any, until: Any) -> dict[str, Any]:
    """Which sessions are meant, as it would have been typed."""
    return {
        "session_where": None if session_where is None else v.text("session_where", session_where),
        "containing": v.texts("containing", containing),
        "last": None if last is None else v.duration("last", last),
        "since": None if since is None else v.moment("since", since),
        "until": None if until is None else v.moment("until", until),
    }


def _table(name: str, found: Answer, rows: Rows, request: k.Request) -> Table:
    answering.check_rejected(found.facts, request.typed)
    counts = found.facts["account"]["counts"]
    said = _notes(counts, (*found.facts.get("choices", ()), *found.facts.get("notes", ())))
    return Table(name, rows_frame(list(rows(found.data))), found.data, counts, said)


def _notes(counts: Mapping[str, Any], notes: Iterable[str]) -> tuple[str, ...]:
    """What the one who asked should know, in Python's words."""
    rejected = view.rejected_text(counts, quiet=False)
    return (*([f"rejected {rejected}"] if rejected else []), *(in_python(note, k.FLAGS) for note in notes))


@k.documented("summary")
def summary(
    data: Data, *, by: str | None = None, compare: v.Path | None = None, session_where: str | None = None, containing: v.Texts = (),
    last: v.Duration | None = None, since: v.Moment | None = None, until: v.Moment | None = None,
    config: Config | v.Path | None = None, **keywords: Unpack[k.EnrichedOptions],
) -> Table:  # fmt: skip
    """Totals, rates, lengths, entries and exits of a log's sessions; or a row a group.

    Args:
        data: A log, a frame, or the output directory of an earlier run.
        by: What sessions are grouped by: a column of the log, a metric, day, week, month, weekday, hour, or SQL over the
            metrics.
        compare: Another log or run to compare with, or ``"week"``: the last seven days with the seven before.
        session_where: Only sessions that match, SQL over the metrics.
        containing: Only sessions with such an event each: event types, pages or SQL over the events.
        last: Only sessions that start so long before the newest event.
        since: Only sessions that start at this time or later.
        until: Only sessions that start before this time.
        config: A `Config` in place of keywords, or a TOML file of options.
        **keywords: The options that say how a log is read and where sessions end.

    Returns:
        ``frame``: a group a row, else a figure a row; ``tables``: days, hours, lengths, entry and exit pages; ``data``.
    """
    with python_names():
        own = _which(session_where, containing, last, since, until)
        by = None if by is None else v.text("by", by)
        other = None if compare is None else v.path("compare", compare)
        request = k.Request(data, "summary", config, keywords, by=by, compare=other, **own)
        ask = Ask(selection=answering.selection(request.typed), by=by, compare=other)
        return _table("summary", answers.summary(request.config, ask), _figures, request)


def _figures(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Groups, or figures that are numbers: those that are times stand in the data."""
    rows = list(summary_command.rows(data))
    return [row for row in rows if not isinstance(row.get("value"), str)]


@k.documented("funnel")
def funnel(
    data: Data, step: v.Texts = (), *, within: v.Duration | None = None, strict: bool = False, by: str | None = None,
    session_where: str | None = None, containing: v.Texts = (), last: v.Duration | None = None, since: v.Moment | None = None,
    until: v.Moment | None = None, config: Config | v.Path | None = None, **keywords: Unpack[k.EnrichedOptions],
) -> Table:  # fmt: skip
    """How many sessions go from step to step, in order, as ClickHouse's windowFunnel counts.

    Args:
        data: A log, a frame, or the output directory of an earlier run that has events.
        step: The steps: event types, pages (``page:/checkout/*``) or SQL over the events.
        within: Longest time from the first step to the last.
        strict: Whether no other events may lie between.
        by: What sessions are grouped by.
        session_where: Only sessions that match, SQL over the metrics.
        containing: Only sessions with such an event each: event types, pages or SQL over the events.
        last: Only sessions that start so long before the newest event.
        since: Only sessions that start at this time or later.
        until: Only sessions that start before this time.
        config: A `Config` in place of keywords, or a TOML file of options.
        **keywords: The options that say how a log is read and where sessions end.

    Returns:
        ``frame``: a step a row, or a step of a group; ``data``.
    """
    with python_names():
        own = _which(session_where, containing, last, since, until)
        steps = tuple(v.texts("step", step))
        longest = None if within is None else v.duration("within", within)
        request = k.Request(data, "funnel", config, keywords, step=list(steps), within=longest, by=by, **own)
        ask = FunnelAsk(
            selection=answering.selection(request.typed),
            by=None if by is None else v.text("by", by),
            steps=steps,
            within=None if longest is None else parse.duration(longest, "--within"),
            strict=v.flag("strict", strict),
        )
        return _table("funnel", answers.funnel(request.config, ask), funnel_command.rows, request)


@k.documented("paths")
def paths(
    data: Data, *, steps: int = 3, from_: str | None = None, to: str | None = None, around: str | None = None,
    no_fold: bool = False, repeats: bool = False, top: int = 10, session_where: str | None = None, containing: v.Texts = (),
    last: v.Duration | None = None, since: v.Moment | None = None, until: v.Moment | None = None,
    config: Config | v.Path | None = None, **keywords: Unpack[k.EnrichedOptions],
) -> Table:  # fmt: skip
    """The commonest sequences of events.

    Args:
        data: A log, a frame, or the output directory of an earlier run that has events.
        steps: Events of a path.
        from_: What paths begin at: an event type, ``page:PATTERN`` or SQL; by default a session's first event.
        to: What they end at.
        around: What they lie around.
        no_fold: Whether numbers and hex ids in pages are shown, else folded to ``*``.
        repeats: Whether events of one name side by side are shown one by one.
        top: Paths to show; the others are counted together.
        session_where: Only sessions that match, SQL over the metrics.
        containing: Only sessions with such an event each: event types, pages or SQL over the events.
        last: Only sessions that start so long before the newest event.
        since: Only sessions that start at this time or later.
        until: Only sessions that start before this time.
        config: A `Config` in place of keywords, or a TOML file of options.
        **keywords: The options that say how a log is read and where sessions end.

    Returns:
        ``frame``: a path a row, then the others and the total; ``data``.
    """
    with python_names():
        request = k.Request(data, "paths", config, keywords, **_which(session_where, containing, last, since, until))
        ends = {"from_": from_, "to": to, "around": around}
        begin, end, about = (None if value is None else v.text(name, value) for name, value in ends.items())
        ask = PathsAsk(
            selection=answering.selection(request.typed),
            steps=v.number("steps", steps),
            begin=begin,
            end=end,
            around=about,
            fold=not v.flag("no_fold", no_fold),
            repeats=v.flag("repeats", repeats),
            most=v.number("top", top),
        )
        return _table("paths", answers.paths(request.config, ask), paths_command.rows, request)


@k.documented("timeout")
def timeout(data: Data, *, config: Config | v.Path | None = None, **keywords: Unpack[k.EnrichedOptions]) -> Table:
    """The silences in a log, and what each timeout makes of it.

    Args:
        data: A log, a frame, or the output directory of an earlier run that has events.
        config: A `Config` in place of keywords, or a TOML file of options.
        **keywords: The options that say how a log is read and where sessions end; ``timeout`` is the one in force.

    Returns:
        ``frame``: a timeout a row; ``data`` with the silences, the plateau and the fitted cut.
    """
    with python_names():
        request = k.Request(data, "timeout", config, keywords)
        return _table("timeout", answers.timeout(request.config), lambda found: found["table"], request)


@k.documented("compare")
def compare(
    data: Data, as_: v.Texts | None = None, *, config: Config | v.Path | None = None,
    **keywords: Unpack[k.LogOptions],
) -> Table:  # fmt: skip
    """Cut one log by other systems' definitions of a session, side by side.

    Args:
        data: A log or a frame.
        as_: The definitions: names, TOML files, ``"ours"`` (the rules in force) or ``"source-id"`` (the log's own session
            ids); the others are held against the first. By default ours, then all that there are.
        config: A `Config` in place of keywords, or a TOML file of options.
        **keywords: The options that say how a log is read and where sessions end.

    Returns:
        ``frame``: a definition a row.
    """
    with python_names():
        definitions = None if as_ is None else v.texts("as_", as_)
        request = k.Request(data, "compare", config, keywords, definition=definitions)
        settings.no_earlier_run(request.config.inputs)
        found = cut_by_all(request.config, compare_command.candidates_of(request.typed))
        rows = [compare_command.figures_of(row) for row in found.rows]
        key = "profile_id" if found.by_profile else "session_id"
        counts = asdict(found.counts)
        answering.check_rejected({"account": {"counts": counts}}, request.typed)
        said = _notes(counts, (*found.choices, *found.notes))
        return Table("compare", rows_frame(rows), {"key": key, "definitions": rows}, counts, said)
