"""The last section: what became of every row of the log, and which files were not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sessionize.readable import number, share
from sessionize.report.parts import Part, Section, Table
from sessionize.report.words import REASONS

Data = Mapping[str, Any]
MOST_FILES: Final = 20
KINDS: Final = (
    ("events", "events in sessions", "rows that are events"),
    ("duplicates", "duplicates", "rows whose event id was there before"),
    ("late", "late", "rows of a night that was over"),
    ("early", "early", "rows of a night to come"),
    ("rejected", "rejected", "rows that are no events, kept apart with their reason"),
)
BESIDE: Final = (
    (
        "left_out",
        "left out by a condition",
        "rows that --where, or the layout's own condition, leaves out; not counted as read",
    ),
    ("bots", "events of bots", "left out with --exclude-bots; not counted as read"),
    ("bad_values", "amounts that are no numbers", "events without a value for that reason"),
)
"""What is not among the rows read, or is counted among the events."""


def quality(data: Data, facts: Data) -> Section:
    """Rows by what became of them, and files that were passed over.

    Args:
        data: The data of the answer.
        facts: What was read and decided.
    """
    account = facts["account"]
    counts = account["counts"]
    read = counts["rows_read"]
    rows = [("rows read", "", number(read), "100 %" if read else "–")]
    for name, title, meaning in KINDS:
        many = counts.get(name, 0)
        if many or name in ("events", "rejected"):
            rows.append((title, meaning, number(many), share(many / read if read else None)))
    for reason, many in counts.get("rejected_by_reason", {}).items():
        rows.append(
            (
                f"rejected: {reason.replace('_', ' ')}",
                REASONS.get(reason, ""),
                number(many),
                share(many / read if read else None),
            )
        )
    rows += [(title, meaning, number(counts[name]), "") for name, title, meaning in BESIDE if counts.get(name)]
    parts: list[Part] = [
        _said(counts, data),
        Table(caption="What became of the rows", head=("rows", "meaning", "number", "share"), rows=rows, texts=2),
    ]
    if passed := account.get("passed_over", ()):
        parts.append(_passed_over(passed))
    return Section(name="quality", title="Data quality", meaning="Whether the log can be trusted: every row is accounted for.",
                   parts=parts)  # fmt: skip


def _said(counts: Data, data: Data) -> str:
    rejected, read = counts.get("rejected", 0), counts["rows_read"]
    if not read:
        return "The log has no rows."
    said = "No row was rejected." if not rejected else f"{number(rejected)} of {number(read)} rows were rejected."
    if data["bot_share"]:
        said += f" {share(data['bot_share'])} of the sessions are of known bots."
    return said


def _passed_over(files: Any) -> Table:
    rows = [(str(each["path"]), str(each["why"])) for each in files[:MOST_FILES]]
    if len(files) > MOST_FILES:
        rows.append((f"and {len(files) - MOST_FILES:,} more", ""))
    return Table(caption="Files that were found and not read", head=("file", "why"), rows=rows, texts=2)
