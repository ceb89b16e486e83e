"""The command that comes next after a summary: one that follows from what was asked, and works as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from sessionize.cli.screens import head
from sessionize.kernel.metrics import METRICS
from sessionize.output.read_run import events_names

MANY_BOTS: Final = 0.1
"""A share of sessions from which on bots change what all figures say."""
CHOOSE: Final = ("--session-where", "--containing")
Data = Mapping[str, Any]


def following(data: Data, facts: Data) -> str:
    """The next command, behind ``sessionize``.

    Args:
        data: The data of the answer.
        facts: What the screen says of the answer.
    """
    typed, options = head.typed_inputs(facts), facts.get("options", ())
    if (data["bot_share"] or 0) > MANY_BOTS and not _speaks_of_bots(options, facts):
        by = f" --by {head.quoted(facts['by'])}" if data["groups"] else ""
        return f"summary {typed}{by} --exclude-bots"
    if data["groups"] and (into := _into_group(data, facts, typed)) is not None:
        return into
    if _is_without_events(facts):
        return f"report {typed} -o report.html"
    return f"paths {typed}" if data["groups"] or any(each in CHOOSE for each in options) else f"show {typed} --longest"


def _is_without_events(facts: Data) -> bool:
    """Whether it is the output of an earlier run, and only its sessions are there."""
    outputs = facts["account"].get("outputs")
    return bool(outputs) and not events_names(facts["account"])


def _speaks_of_bots(options: Any, facts: Data) -> bool:
    return bool(facts["account"].get("outputs")) or facts["by"] == "bot" or any("bot" in each for each in options)


def _into_group(data: Data, facts: Data, typed: str) -> str | None:
    """The largest group by itself; None where it cannot be named."""
    by = str(facts["by"])
    name = max(data["groups"], key=lambda group: group["sessions"] if group["name"] is not None else -1)["name"]
    metric = next((metric for metric in METRICS if metric.name == by), None)
    if by == "day":
        if "--since" in typed:
            return None
        day = date.fromisoformat(name)
        until = "" if day == date.max else f" --until {day + timedelta(days=1)}"
        return f"summary {typed} --since {name}{until}"
    if by in ("week", "month", "weekday", "hour"):
        return f"summary {typed} --by day"
    if (
        name is None
        or not str(name).isprintable()
        or "--session-where" in typed
        or (metric is None and not _is_column(by, facts))
    ):
        return None
    text = "'" + str(name).replace("'", "''") + "'"
    if metric is None:
        return (
            None
            if _is_without_events(facts)
            else f"summary {typed} --containing {head.quoted(f'{_name(by)} = {text}')}"
        )
    is_text = str(metric.dtype) == "String"
    condition = f"{_name(by)} = {text if is_text else name}"
    return f"summary {typed} --session-where {head.quoted(condition)}"


def _is_column(by: str, facts: Data) -> bool:
    return by in facts["log_columns"]


def _name(name: str) -> str:
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'
