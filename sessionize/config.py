"""What was asked (`Config`) and what it means for this log (`Plan`). Frozen, keyword-only, no I/O.

The kernel sees a `Plan` and never a `Config`; nothing here knows Polars, so `--help` stays fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from sessionize import schema
from sessionize.errors import UsageError
from sessionize.fields import check_fields
from sessionize.format_names import INPUT_FORMATS, OUTPUT_FORMATS, TABLE_FORMATS, InputFormat, OutputFormat
from sessionize.instants import in_zone
from sessionize.job import BATCH_NAME, DEFAULT_LATENESS, Nightly, Output
from sessionize.locations import location
from sessionize.own import Own, check_own
from sessionize.preset import Preset
from sessionize.rules import DEFAULT_ACTIVE_GAP, DEFAULT_TIMEOUT, MICROSECOND, Burst, Rules
from sessionize.values import dataclass

__all__ = [
    "BATCH_NAME", "DEFAULT_ACTIVE_GAP", "DEFAULT_LATENESS", "DEFAULT_TIMEOUT", "INPUT_FORMATS", "MICROSECOND", "OUTPUT_FORMATS", "TABLE_FORMATS",
    "AmountStyle", "Burst", "Config", "InputFormat", "IpHandling", "Nightly", "Output", "OutputFormat", "Own", "Plan", "Rules",
    "TimeFormat", "TimeKind",
]  # fmt: skip

IpHandling = Literal["full", "truncate", "drop"]
TimeKind = Literal[
    "datetime", "text", "s", "ms", "us", "ns", "windows", "webkit", "dotnet", "apple", "excel", "pattern", "several"
]
AmountStyle = Literal["plain", "point", "comma"]
OFF = ("none",)
"""What is typed for a role that no column is to play."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What was asked for, checked for form only; nothing here is known to fit the log yet.

    Attributes:
        inputs: Paths, globs, directories or ``-``, as typed.
        columns: Role → the log's column that plays it, or several that are an id together.
        properties: Columns carried into the session's properties.
        traits: Columns carried into the session's traits.
        dimensions: Name of a column of the metrics → column or reference of the log whose first non-null value it is.
        metrics: Name of a column of the metrics → SQL aggregate over the session's events.
        goals: Name of an outcome → SQL condition over the log's own columns that holds for events by which it is reached.
        where: SQL expression over the log's own columns; None keeps every row.
        input_format: Given format; None finds it from content, then name.
        delimiter: Delimiter of a CSV; None finds it among ``, ; tab |``.
        csv_columns: Names of a CSV that has no header line.
        quote: Around fields of a CSV, in place of ``"``; empty where a quote is a character like any other.
        skip_lines: Lines at the start of each text file that are no header and no rows.
        comment: What lines of a text file begin with that are none of the log's.
        multiline: Whether a quoted field of a CSV may hold line breaks.
        verify: Whether the checksums of Parquet files' pages are checked before any is read.
        time_format: ``iso``, ``s``, ``ms``, ``us``, ``ns``, ``windows``, ``webkit``, ``dotnet``, ``apple``, ``excel`` or a strptime pattern, or several of these, tried
            in this order; None finds it.
        nulls: Texts that mean null, in every column.
        timezone: IANA zone of naive timestamps, weekdays and days.
        rules: Rules by which sessions end.
        optional_splits: Roles among the names that split, and passive event types, which the log may lack, as another
            system's rules name them.
        page_views: Event types that are page views; None for the built-in ones.
        conversions: Event types that are conversions; None for the built-in ones, or for none where there are goals.
        until: Watermark of a one-shot run; None takes the newest event time.
        memory_limit: Bytes of peak memory to stay under; None for 80 % of the machine's.
        on_bad_row: Whether a row that cannot become an event is kept apart, or ends the run.
        preset: A known layout: columns and readings for what is not given here. Its options are the caller's to apply.
        recognise: Whether a known layout is looked for in the log, where no preset is given.
        layout: Preset and form that were found in the log; None where none was looked for or found.
        given: Options, by name, that a preset found in the log leaves as they are; also those that are not the default.
        typed: Options, by name, that were typed, or given to a call: an earlier run's output is refused where it was made
            otherwise. What a configuration file says may be for other logs.
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
    dimensions: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    goals: Mapping[str, str] = field(default_factory=dict)
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
    typed: frozenset[str] = field(default=frozenset(), compare=False)
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
        check_own(self.dimensions, self.metrics, self.goals)
        inputs = tuple(location(text, "INPUT", is_input=True) for text in self.inputs)
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
        conversions: Event types that are conversions, beside the goals; None for the built-in ones in any spelling.
        properties: Columns carried into the session's properties.
        traits: Columns carried into the session's traits.
        guarded: Those properties that nobody asked for as properties: an answer groups by them, or looks into them. Ids
            and addresses in them are made private as those of roles are.
        own: Columns of the metrics that the user adds, in order.
        addresses: The log's columns that hold addresses, be they a role's or not.
        where: SQL expression over the log's own columns that keeps a row.
        until: Fixed watermark; None takes the newest event time.
        preset: Name of the layout that was asked for or found.
        layout: The layout's name and form, where it was found in the log.
        page_path: Whether a page is cut to its path.
        channels: Whether a session gets its channel by GA4's rules; never where the log has a column for it.
        own_hosts: Hosts whose referrers are no source.
        only_figured: Whether of the metrics only those are wanted of which the summary's figures are made.
        agents: Whether user agents are looked into: the log has them, and the extra is there.
        devices: Whether they are looked into for devices, systems and apps, which only Session records have, or for bots.
        exclude_bots: Whether events of known bots are left out.
        ip: What becomes of addresses.
        hash_key: Secret with which ids are hashed.
        nulls: Texts that mean null, in every column.
        amounts: How amounts are written: with a decimal point, the same with commas between thousands, or with a
            decimal comma.
        amounts_found: Whether one of them can mean this only, or the nights before have it so.
        off: Roles that a column has the name of, but not the values.
        notes: What was found about the columns that the one who runs it should know.
        time_hint: Options that would read times of the first rows that are not read; empty where all are, or none would.
        time_more: What else to know of such times.
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
    guarded: tuple[str, ...] = ()
    own: tuple[Own, ...] = ()
    addresses: tuple[str, ...] = ()
    where: str | None = None
    until: datetime | None = None
    preset: str | None = None
    layout: str | None = None
    page_path: bool = False
    channels: bool = False
    own_hosts: tuple[str, ...] = ()
    only_figured: bool = False
    agents: bool = False
    devices: bool = True
    exclude_bots: bool = False
    ip: IpHandling = "full"
    hash_key: bytes | None = field(default=None, repr=False)
    nulls: tuple[str, ...] = ()
    amounts: AmountStyle = "plain"
    amounts_found: bool = False
    off: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    time_hint: str = ""
    time_more: str = ""

    @property
    def derived_splits(self) -> tuple[str, ...]:
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
