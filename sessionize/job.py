"""What a run writes, and which batch of a log it is. Frozen, keyword-only, no I/O."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sessionize.errors import UsageError
from sessionize.fields import check_fields
from sessionize.format_names import FLAT_FORMATS, TABLE_FORMATS, OutputFormat
from sessionize.locations import local_path, location
from sessionize.patterns import pattern
from sessionize.values import dataclass

DEFAULT_LATENESS: Final = timedelta(minutes=30)
BATCH_NAME: Final = pattern(r"[\w.:+-]+")
LONGEST_BATCH: Final = 200
"""Bytes of a batch's name: no file system takes more than 255 for that of a folder, and its prefixes count too."""


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
        object.__setattr__(self, "directory", location(self.directory, "--output"))
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
        return self.sessions and self.form not in FLAT_FORMATS and not self.to_stdout


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
