"""The options that commands share, each defined once, with its unit and default."""

from __future__ import annotations

from typing import Annotated, Final

import typer

LOG: Final = "Reading the log"
RULES: Final = "Where a session ends"
MEANING: Final = "What an event means"
PRIVACY: Final = "Privacy"
OUTPUT: Final = "Output"
NIGHTLY: Final = "Nightly batches"
OTHER: Final = "Other"

Inputs = Annotated[
    list[str],
    typer.Argument(
        help="Log files, directories or globs; - for stdin.",
        metavar="INPUT",
        show_default=False,
        rich_help_panel="Input",
    ),
]

InputsOrNone = Annotated[
    list[str] | None,
    typer.Argument(
        help="Log files, directories or globs; - for stdin.",
        metavar="INPUT...",
        show_default=False,
        rich_help_panel="Input",
    ),
]
"""Of a command that may also go without."""


def _option(help_text: str, *names: str, panel: str, metavar: str | None = None) -> object:
    return typer.Option(*names, help=help_text, rich_help_panel=panel, metavar=metavar, show_default=False)


Columns = list[str] | None

Preset = Annotated[str | None, _option(
    "A known layout, such as ga4, or your own TOML file; sessionize presets lists them. [default: none]",
    "--preset", panel=LOG, metavar="NAME|FILE")]  # fmt: skip
SessionId = Annotated[Columns, _option(
    "Column of the session id; twice: the columns together are the id. [default: found by name]",
    "--session-id", panel=LOG, metavar="COL")]  # fmt: skip
ProfileId = Annotated[Columns, _option(
    "Column of the profile (user) id: the key where the session id is blank. [default: found by name]",
    "--profile-id", panel=LOG, metavar="COL")]  # fmt: skip
EventId = Annotated[Columns, _option(
    "Column of the event id; with it, repeated events are dropped. [default: found by name]",
    "--event-id", panel=LOG, metavar="COL")]  # fmt: skip
Timestamp = Annotated[Columns, _option("Column of the time; twice: date, then time of day. [default: found by name]",
                                       "--timestamp", panel=LOG, metavar="COL")]  # fmt: skip
EventType = Annotated[str | None, _option("Column of the event type. [default: found by name]",
                                          "--event-type", panel=LOG, metavar="COL")]  # fmt: skip
Page = Annotated[str | None, _option("Column of the page. [default: found by name]",
                                     "--page", panel=LOG, metavar="COL")]  # fmt: skip
Map = Annotated[Columns, _option("Column of any other role, such as utm_source=src. Repeatable.",
                                 "--map", panel=LOG, metavar="ROLE=COL")]  # fmt: skip
Where = Annotated[str | None, _option(
    "Keep only events that match, over the log's own columns (text, in a CSV). [default: all]",
    "--where", panel=LOG, metavar="SQL")]  # fmt: skip
InputFormat = Annotated[str | None, _option("csv, parquet or ndjson. [default: from content, then name]",
                                            "--input-format", panel=LOG, metavar="FORMAT")]  # fmt: skip
Delimiter = Annotated[str | None, _option("Separator of a CSV, \\t for a tab. [default: found among , ; tab |]",
                                          "--delimiter", panel=LOG, metavar="CHAR")]  # fmt: skip
CsvColumns = Annotated[str | None, _option("Names for a CSV without a header line. [default: its first line]",
                                           "--columns", panel=LOG, metavar="A,B,C")]  # fmt: skip
Multiline = Annotated[bool, _option("Quoted fields of a CSV may hold line breaks. [default: off: a record is a line]",
                                    "--multiline", panel=LOG)]  # fmt: skip
Verify = Annotated[bool, _option(
    "Check the page checksums of Parquet files first; only files written with checksums can be checked. "
    "[default: off]",
    "--verify", panel=LOG)]  # fmt: skip
TimeFormat = Annotated[str | None, _option(
    "How times are written: iso, s, ms, us, ns or a strptime pattern (%L: milliseconds). [default: found]",
    "--time-format", panel=LOG, metavar="FORMAT")]  # fmt: skip
Timezone = Annotated[str, _option("Zone of naive times, of weekdays and days. [default: UTC]",
                                  "--timezone", panel=LOG, metavar="ZONE")]  # fmt: skip
OnBadRow = Annotated[str, _option("reject: keep bad rows apart and go on; fail: write nothing. [default: reject]",
                                  "--on-bad-row", panel=LOG, metavar="reject|fail")]  # fmt: skip
MaxRejected = Annotated[str | None, _option("Exit 1 if more rows are rejected: a number or a share. [default: no limit]",
                                            "--max-rejected", panel=LOG, metavar="N|P%")]  # fmt: skip

Timeout = Annotated[str, _option("Longest silence inside a session, or none. [default: 30m]",
                                 "--timeout", panel=RULES, metavar="DURATION")]  # fmt: skip
MaxDuration = Annotated[str | None, _option("Longest session; 24h is wise where bots are. [default: none]",
                                            "--max-duration", panel=RULES, metavar="DURATION")]  # fmt: skip
EndEvent = Annotated[Columns, _option("Event type that ends its session. Repeatable. [default: none]",
                                      "--end-event", panel=RULES, metavar="NAME")]  # fmt: skip
StartEvent = Annotated[Columns, _option("Event type that starts a session. Repeatable. [default: none]",
                                        "--start-event", panel=RULES, metavar="NAME")]  # fmt: skip
SplitOn = Annotated[Columns, _option("Column whose change starts a session. Repeatable. [default: none]",
                                     "--split-on", panel=RULES, metavar="COL")]  # fmt: skip
SplitAtMidnight = Annotated[bool, _option("Start a session at midnight in the zone. [default: off]",
                                          "--split-at-midnight", panel=RULES)]  # fmt: skip
Until = Annotated[str | None, _option("Time up to which the log, or the batch, is complete. [default: its newest event]",
                                      "--until", panel=RULES, metavar="TIME")]  # fmt: skip

PageView = Annotated[Columns, _option(
    "Event type that is a page view. Repeatable. [default: page-view, pageview, page, $pageview in any spelling]",
    "--page-view", panel=MEANING, metavar="NAME")]  # fmt: skip
Conversion = Annotated[Columns, _option(
    "Event type that is a conversion. Repeatable. [default: purchase, order-completed, conversion, "
    "checkout-completed in any spelling]",
    "--conversion", panel=MEANING, metavar="NAME")]  # fmt: skip
Property = Annotated[Columns, _option("Column carried into the session's properties. Repeatable.",
                                      "--property", panel=MEANING, metavar="COL")]  # fmt: skip
Trait = Annotated[Columns, _option("Column carried into the session's traits. Repeatable.",
                                   "--trait", panel=MEANING, metavar="COL")]  # fmt: skip

PagePath = Annotated[bool, _option("Cut pages to their path: no host, query string or fragment. [default: as they are]",
                                   "--page-path", panel=MEANING)]  # fmt: skip
Channels = Annotated[bool, _option(
    "Find each session's channel by GA4's rules, where no column has it. [default: off]",
    "--channels", panel=MEANING)]  # fmt: skip
OwnHost = Annotated[Columns, _option(
    "Host whose referrers are no source. Repeatable. [default: the hosts of the pages]",
    "--own-host", panel=MEANING, metavar="HOST")]  # fmt: skip
ExcludeBots = Annotated[bool, _option("Leave events of known bots out, by user agent. [default: off]",
                                      "--exclude-bots", panel=MEANING)]  # fmt: skip
GeoDb = Annotated[str | None, _option("MaxMind database that says where an address is. [default: none]",
                                      "--geo-db", panel=MEANING, metavar="FILE")]  # fmt: skip

HashIds = Annotated[str | None, _option(
    "File with a secret key, or env:VARIABLE: hash session, profile and event ids with it. [default: as they are]",
    "--hash-ids", panel=PRIVACY, metavar="KEY_FILE")]  # fmt: skip
Ip = Annotated[str, _option("full; truncate: to /24 and /48; drop. [default: full]",
                            "--ip", panel=PRIVACY, metavar="full|truncate|drop")]  # fmt: skip

OutputDir = Annotated[str, typer.Option("--output", "-o", help="Directory to write into; - writes the metrics as NDJSON to stdout.",
                                        rich_help_panel=OUTPUT, metavar="DIR", show_default=False)]  # fmt: skip
Format = Annotated[str, _option("parquet, json, ndjson, or csv (metrics and events only). [default: parquet]",
                                "--format", panel=OUTPUT, metavar="FORMAT")]  # fmt: skip
Events = Annotated[
    bool, _option("Write every event too, with its session and its place in it.", "--events", panel=OUTPUT)
]
NoSessions = Annotated[bool, _option("Leave the Session records out: metrics only.", "--no-sessions", panel=OUTPUT)]
SafeCsv = Annotated[bool, _option(
    "Put ' before texts in a CSV that begin with = + - @ tab or CR, which spreadsheets run. [default: off: ids keep "
    "their bytes]",
    "--safe-csv", panel=OUTPUT)]  # fmt: skip
Json = Annotated[bool, _option("Print the manifest on stdout.", "--json", panel=OUTPUT)]

State = Annotated[str | None, _option(
    "Directory that keeps what is open from one batch to the next. [default: none, the log is whole]",
    "--state", panel=NIGHTLY, metavar="DIR")]  # fmt: skip
Batch = Annotated[str | None, _option(
    "Name of the batch; output lies in batch=NAME. A date ends at the next midnight in the zone.",
    "--batch", panel=NIGHTLY, metavar="NAME")]  # fmt: skip
AllowedLateness = Annotated[str | None, _option("How late an event may come. [default: 30m]",
                                                "--allowed-lateness", panel=NIGHTLY, metavar="DURATION")]  # fmt: skip
Redo = Annotated[bool, _option("Run a batch again; those after it must be run again too. [default: off]",
                               "--redo", panel=NIGHTLY)]  # fmt: skip
Flush = Annotated[bool, _option("Emit what is open as it stands, for good; needs no INPUT. [default: off]",
                                "--flush", panel=NIGHTLY)]  # fmt: skip

MemoryLimit = Annotated[str | None, _option(
    "Peak memory to stay under, such as 2GB or 512MiB. [default: 80 % of the machine's]",
    "--memory-limit", panel=OTHER, metavar="SIZE")]  # fmt: skip
ConfigFile = Annotated[str | None, _option(
    "TOML with options by name. [default: sessionize.toml or [tool.sessionize] in pyproject.toml, found upwards]",
    "--config", panel=OTHER, metavar="FILE")]  # fmt: skip
Quiet = Annotated[bool, _option("Say nothing but errors.", "--quiet", "-q", panel=OTHER)]
Verbose = Annotated[bool, _option("Say each stage as it begins.", "--verbose", "-v", panel=OTHER)]
NoProgress = Annotated[bool, _option("Show no progress on a terminal.", "--no-progress", panel=OTHER)]
NoColor = Annotated[bool, _option("Use no colours.", "--no-color", panel=OTHER)]
Debug = Annotated[bool, _option("Show the traceback of an unforeseen error.", "--debug", panel=OTHER)]
