"""What was asked (`Config`) and what it means for this log (`Plan`). Frozen, keyword-only, no I/O.

The kernel sees a `Plan` and never a `Config`; nothing here knows Polars, so `--help` stays fast.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, get_args

from sessionize import schema
from sessionize.errors import UsageError
from sessionize.fields import check_fields
from sessionize.instants import in_zone
from sessionize.locations import local_path
from sessionize.preset import Preset

InputFormat = Literal["csv", "parquet", "ndjson"]
OutputFormat = Literal["parquet", "json", "ndjson", "csv", "es-bulk"]
INPUT_FORMATS: Final[tuple[InputFormat, ...]] = get_args(InputFormat)
OUTPUT_FORMATS: Final[tuple[OutputFormat, ...]] = get_args(OutputFormat)
TABLE_FORMATS: Final[tuple[OutputFormat, ...]] = ("parquet", "json", "ndjson", "csv")
"""Formats of any table; an index takes Session records alone."""
IpHandling = Literal["full", "truncate", "drop"]
TimeKind = Literal["datetime", "text", "s", "ms", "us", "ns", "excel", "pattern", "several"]
AmountStyle = Literal["plain", "point", "comma"]
OFF = ("none",)
"""What is typed for a role that no column is to play."""

MICROSECOND = timedelta(microseconds=1)
DEFAULT_TIMEOUT = timedelta(minutes=30)
DEFAULT_LATENESS = timedelta(minutes=30)
DEFAULT_ACTIVE_GAP = timedelta(minutes=5)
BATCH_NAME = re.compile(r"[\w.:+-]+")
LONGEST_BATCH = 200
"""Bytes of a batch's name: no file system takes more than 255 for that of a folder, and its prefixes count too."""


class Burst(NamedTuple):
    """So many events so soon after a session's start that the next one starts another (Adobe).

    Attributes:
        events: Events that a session may have in that time.
        within: Time from the session's start, its end included.
    """

    events: int
    within: timedelta


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Where a session ends (semantics, section 4), in the contract's order.

    Attributes:
        timeout: Longest silence inside a session; None switches the rule off.
        end_events: Event types that end their session after their instant.
        start_events: Event types that start a session at their instant.
        split_on: Columns, roles or fields told by the row whose change from one non-null value to another splits.
        split_on_arrival: Such names whose value, other than the session's last one, splits; also where it had none.
        split_at_midnight: Whether local midnight in the time zone splits.
        max_duration: An event later than session start plus this starts a new one.
        max_events: An instant before which the session has so many events starts a new one.
        burst: Events in a session's first moments after which a new one starts; for definitions of other systems.
        active_gap: A longer silence counts only so much as time present; no boundary, but a matter of silences too.
    """

    timeout: timedelta | None = DEFAULT_TIMEOUT
    end_events: tuple[str, ...] = ()
    start_events: tuple[str, ...] = ()
    split_on: tuple[str, ...] = ()
    split_on_arrival: tuple[str, ...] = ()
    split_at_midnight: bool = False
    max_duration: timedelta | None = None
    max_events: int | None = None
    burst: Burst | None = None
    active_gap: timedelta = DEFAULT_ACTIVE_GAP

    def __post_init__(self) -> None:
        check_fields(self)
        if self.timeout is not None and self.timeout < timedelta(0):
            raise UsageError("--timeout cannot be negative", hint="for example --timeout 30m, or --timeout none")
        if self.max_duration is not None and self.max_duration <= timedelta(0):
            raise UsageError("--max-duration must be longer than zero", hint="for example --max-duration 24h")
        if self.max_events is not None and self.max_events < 1:
            raise UsageError(
                f"invalid value {self.max_events} for --max-events (at least 1)", hint="for example --max-events 10000"
            )
        if self.burst is not None and (self.burst.events < 1 or self.burst.within < timedelta(0)):
            raise UsageError("a burst is one event or more in no negative time", hint="for example 100 events in 100s")
        if self.active_gap < timedelta(0):
            raise UsageError("--active-gap cannot be negative", hint="for example --active-gap 5m")

    @property
    def timeout_us(self) -> int | None:
        """The timeout in whole microseconds."""
        return None if self.timeout is None else self.timeout // MICROSECOND

    @property
    def max_duration_us(self) -> int | None:
        """The longest duration in whole microseconds."""
        return None if self.max_duration is None else self.max_duration // MICROSECOND

    @property
    def split_names(self) -> tuple[str, ...]:
        """All names whose values may split, each once."""
        return tuple(dict.fromkeys((*self.split_on, *self.split_on_arrival)))

    @property
    def has_limits(self) -> bool:
        """Whether a session may become too long or too large, so that the rules begin anew in the midst of others."""
        return not (self.max_duration is None and self.max_events is None and self.burst is None)

    @property
    def none_in_force(self) -> bool:
        """Whether the key alone makes the session."""
        return self == Rules(timeout=None, active_gap=self.active_gap)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What was asked for, checked for form only; nothing here is known to fit the log yet.

    Attributes:
        inputs: Paths, globs, directories or ``-``, as typed.
        columns: Role → the log's column that plays it, or several that are an id together.
        properties: Columns carried into the session's properties.
        traits: Columns carried into the session's traits.
        where: SQL expression over the log's own columns; None keeps every row.
        input_format: Given format; None finds it from content, then name.
        delimiter: Delimiter of a CSV; None finds it among ``, ; tab |``.
        csv_columns: Names of a CSV that has no header line.
        quote: Around fields of a CSV, in place of ``"``; empty where a quote is a character like any other.
        skip_lines: Lines at the start of each text file that are no header and no rows.
        comment: What lines of a text file begin with that are none of the log's.
        multiline: Whether a quoted field of a CSV may hold line breaks.
        verify: Whether the checksums of Parquet files' pages are checked before any is read.
        time_format: ``iso``, ``s``, ``ms``, ``us``, ``ns``, ``excel`` or a strptime pattern, or several of these, tried
            in this order; None finds it.
        nulls: Texts that mean null, in every column.
        timezone: IANA zone of naive timestamps, weekdays and days.
        rules: Rules by which sessions end.
        optional_splits: Roles among the names that split which the log may lack, as another system's rules name them.
        page_views: Event types that are page views; None for the built-in ones.
        conversions: Event types that are conversions; None for the built-in ones.
        until: Watermark of a one-shot run; None takes the newest event time.
        memory_limit: Bytes of peak memory to stay under; None for 80 % of the machine's.
        on_bad_row: Whether a row that cannot become an event is kept apart, or ends the run.
        preset: A known layout: columns and readings for what is not given here. Its options are the caller's to apply.
        recognise: Whether a known layout is looked for in the log, where no preset is given.
        layout: Preset and form that were found in the log; None where none was looked for or found.
        given: Options, by name, that a preset found in the log leaves as they are; also those that are not the default.
        page_path: Whether a page is cut to its path; campaigns in it are found before.
        channels: Whether a session gets its channel by GA4's rules, where the log has no column for it.
        own_hosts: Hosts whose referrers are no source, beside those of the pages themselves.
        exclude_bots: Whether events of known bots are left out.
        ip: What becomes of addresses: cut to their network, or dropped.
        hash_key: Secret with which ids are hashed; None leaves them as they are.
        geo_db: MaxMind database that says where an address is.
        frame: A Polars frame that is the log, in place of inputs; these then only say what it is called.
    """

    inputs: tuple[str, ...] = ()
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    properties: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    where: str | None = None
    input_format: InputFormat | None = None
    delimiter: str | None = None
    csv_columns: tuple[str, ...] | None = None
    quote: str | None = None
    skip_lines: int = 0
    comment: str | None = None
    multiline: bool = False
    verify: bool = False
    time_format: str | tuple[str, ...] | None = None
    nulls: tuple[str, ...] = ()
    timezone: str = "UTC"
    rules: Rules = field(default_factory=Rules)
    optional_splits: frozenset[str] = frozenset()
    page_views: tuple[str, ...] | None = None
    conversions: tuple[str, ...] | None = None
    until: datetime | None = None
    memory_limit: int | None = None
    on_bad_row: Literal["reject", "fail"] = "reject"
    preset: Preset | None = None
    recognise: bool = True
    layout: str | None = None
    given: frozenset[str] = frozenset()
    page_path: bool = False
    channels: bool = False
    own_hosts: tuple[str, ...] = ()
    exclude_bots: bool = False
    ip: IpHandling = "full"
    hash_key: bytes | None = field(default=None, repr=False)
    geo_db: str | None = None
    frame: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_fields(self)
        unknown = [role for role in self.columns if role not in schema.ROLES]
        if unknown:
            raise UsageError(f"no such role: {', '.join(unknown)}", hint=f"roles are {', '.join(schema.ROLES)}")
        inputs = tuple(local_path(text, "INPUT", is_input=True) for text in self.inputs)
        object.__setattr__(self, "inputs", inputs)
        if self.until is not None and self.until.tzinfo is None:
            object.__setattr__(self, "until", in_zone(self.until, self.timezone))

    @property
    def time_formats(self) -> tuple[str, ...]:
        """How times may be written; none where it is to be found."""
        given = self.time_format
        return () if given is None else (given,) if isinstance(given, str) else tuple(given)

    def chosen(self, role: str) -> tuple[str, ...]:
        """The columns chosen for a role; none where they are to be found by name, or the role is switched off."""
        names = self.columns.get(role, ())
        chosen = (names,) if isinstance(names, str) else tuple(names)
        return () if chosen == OFF else chosen

    def is_off(self, role: str) -> bool:
        """Whether no column is to play the role, whatever its name: ``--event-id none``."""
        return self.columns.get(role, ()) in (OFF, *OFF)


@dataclass(frozen=True, kw_only=True)
class TimeFormat:
    """How the log writes its times.

    Attributes:
        kind: ``datetime`` for a typed column, ``text`` for ISO 8601, a unit for epoch numbers, ``excel`` for days since
            1899-12-30, ``pattern`` for a strptime pattern, ``several`` for more than one of these.
        pattern: The pattern; empty for any other kind.
        formats: Formats of ``several``: tried in this order; the first that reads a value counts.
        guessed: Whether a unit was found by the size of modern times: a time before 1990 or after 2100 is then one of
            another unit, or stands for none, and is out of range.
    """

    kind: TimeKind
    pattern: str = ""
    guessed: bool = False
    formats: tuple[TimeFormat, ...] = ()

    @property
    def name(self) -> str:
        """What to type for it; of several, of each."""
        return (
            ", ".join(each.name for each in self.formats)
            or self.pattern
            or ("iso" if self.kind == "text" else self.kind)
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the configuration means for one log; all that the kernel may know beside the rows.

    Attributes:
        columns: Role → the log's columns that play it, in the log's own names; only roles the log has.
        time: How times are written.
        timezone: IANA zone of naive timestamps, weekdays and days.
        rules: Rules by which sessions end.
        splits: Name that splits → the log's columns it stands for, where it is a role; none where the row tells it
            beside its columns. A name that is not here is a column.
        page_views: Event types that are page views; None for the built-in ones in any spelling.
        conversions: Event types that are conversions; None for the built-in ones in any spelling.
        properties: Columns carried into the session's properties.
        traits: Columns carried into the session's traits.
        where: SQL expression over the log's own columns that keeps a row.
        until: Fixed watermark; None takes the newest event time.
        preset: Name of the layout that was asked for or found.
        layout: The layout's name and form, where it was found in the log.
        page_path: Whether a page is cut to its path.
        channels: Whether a session gets its channel by GA4's rules; never where the log has a column for it.
        own_hosts: Hosts whose referrers are no source.
        agents: Whether user agents are looked into: the log has them, and the extra is there.
        exclude_bots: Whether events of known bots are left out.
        ip: What becomes of addresses.
        hash_key: Secret with which ids are hashed.
        nulls: Texts that mean null, in every column.
        amounts: How amounts are written: with a decimal point, the same with commas between thousands, or with a
            decimal comma.
        off: Roles that a column has the name of, but not the values.
        notes: What was found about the columns that the one who runs it should know.
        time_hint: Options that would read times of the first rows that are not read; empty where all are, or none would.
    """

    columns: Mapping[str, tuple[str, ...]]
    time: TimeFormat
    timezone: str = "UTC"
    rules: Rules = field(default_factory=Rules)
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    page_views: tuple[str, ...] | None = None
    conversions: tuple[str, ...] | None = None
    properties: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    where: str | None = None
    until: datetime | None = None
    preset: str | None = None
    layout: str | None = None
    page_path: bool = False
    channels: bool = False
    own_hosts: tuple[str, ...] = ()
    agents: bool = False
    exclude_bots: bool = False
    ip: IpHandling = "full"
    hash_key: bytes | None = field(default=None, repr=False)
    nulls: tuple[str, ...] = ()
    amounts: AmountStyle = "plain"
    off: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    time_hint: str = ""

    @property
    def told_splits(self) -> tuple[str, ...]:
        """Names that split and that the row tells beside its columns: a campaign in the page, a channel."""
        return tuple(name for name, columns in self.splits.items() if not columns)

    @property
    def utm_in_page(self) -> bool:
        """Whether campaigns are looked for in the pages: where the log has no column of them."""
        return schema.PAGE in self.columns and not any(name in self.columns for name in schema.UTM)

    @property
    def private(self) -> bool:
        """Whether what stands in the log may not leave the house as it is."""
        return self.hash_key is not None or self.ip != "full"


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a run writes, and where.

    Attributes:
        directory: Directory of the outputs; ``-`` writes the metrics as NDJSON to stdout and nothing else.
        form: Format of sessions, metrics and events; CSV leaves the nested session records out, and with ``es-bulk``
            metrics and events are NDJSON.
        sessions: Whether Session records are written.
        events: Whether every event is written, with its session and its place in it.
        safe_csv: Whether texts that a spreadsheet would take for a formula begin with an apostrophe in a CSV.
    """

    directory: str
    form: OutputFormat = "parquet"
    sessions: bool = True
    events: bool = False
    safe_csv: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "directory", local_path(self.directory, "--output"))
        if self.form not in TABLE_FORMATS and not self.sessions:
            raise UsageError(
                f"--format {self.form} is of Session records, which --no-sessions leaves out",
                hint="--no-sessions --format ndjson",
            )

    @property
    def to_stdout(self) -> bool:
        """Whether the metrics go to stdout in place of files."""
        return self.directory == "-"

    @property
    def table_form(self) -> OutputFormat:
        """Format of metrics and events."""
        return self.form if self.form in TABLE_FORMATS else "ndjson"

    @property
    def records(self) -> bool:
        """Whether Session records are written: nested, so never as CSV."""
        return self.sessions and self.form != "csv" and not self.to_stdout


@dataclass(frozen=True, kw_only=True)
class Nightly:
    """One batch of a log that comes in batches.

    Attributes:
        state: Directory of what is kept between the nights.
        batch: Name of the batch. A date such as 2024-05-30 ends at the next midnight in the time zone, if no end is given.
        lateness: How late an event may come and still be in time.
        redo: Whether it is run again even with the same inputs.
        flush: Whether what is open is emitted as it stands; nothing may follow.
        allow_gap: Whether a batch that is named for a date may follow one that is not of the day before.
        given: Parameters that were typed or stand in a configuration file. A flush without a log takes the state's
            own options; one that was given, be it the default, must be as it was.
    """

    state: str
    batch: str
    lateness: timedelta = DEFAULT_LATENESS
    redo: bool = False
    flush: bool = False
    allow_gap: bool = False
    given: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_fields(self)
        if not BATCH_NAME.fullmatch(self.batch):
            raise UsageError(
                f"--batch {self.batch!r} cannot be the name of a folder",
                hint="letters, digits and . _ : + - only, for example --batch 2024-05-30",
            )
        if len(self.batch.encode()) > LONGEST_BATCH:
            raise UsageError(
                f"--batch is longer than {LONGEST_BATCH} bytes: it is the name of a folder",
                hint="for example --batch 2024-05-30",
            )
        object.__setattr__(self, "state", local_path(self.state, "--state"))
        if self.lateness < timedelta(0):
            raise UsageError("--allowed-lateness cannot be negative", hint="for example --allowed-lateness 30m")

    @property
    def folder(self) -> str:
        """Of its output."""
        return f"batch={self.batch}"
