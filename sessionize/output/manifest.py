"""What a run read, decided and wrote, and the proof that not a row is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sessionize.config import Plan, Rules
from sessionize.errors import AccountingError

SCHEMA_VERSION: Final = 1
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Rows and sessions, counted where they pass. They add up: of parts, of nights.

    ``rows_read + carried_in = events + rejected + duplicates + late + early + carried_out``

    Events of bots that were to be left out are, as those that ``--where`` leaves out, not among the rows read.
    """

    rows_read: int = 0
    events: int = 0
    rejected: int = 0
    rejected_by_reason: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    late: int = 0
    early: int = 0
    carried_in: int = 0
    carried_out: int = 0
    sessions: int = 0
    active_sessions: int = 0
    profiles: int = 0
    conversions: int = 0
    bots: int = 0

    def check(self) -> None:
        """Raise AccountingError unless each row read is accounted for, once."""
        read = self.rows_read + self.carried_in
        told = self.events + self.rejected + self.duplicates + self.late + self.early + self.carried_out
        if read != told or self.rejected != sum(self.rejected_by_reason.values()):
            raise AccountingError(
                f"rows do not add up: {read} in, {told} accounted for ({asdict(self)}); nothing was written"
            )


def manifest(
    *, version: str, inputs: list[dict[str, Any]], plan: Plan, counts: Counts, watermark: int | None
) -> dict[str, Any]:
    """The manifest but for its outputs: the same for the same run, so no clock, host or user in it.

    Args:
        version: Of this package.
        inputs: What is needed to recognise each file.
        plan: What was decided.
        counts: Checked.
        watermark: Microseconds since 1970, UTC; None for a log without events.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "version": version,
        "inputs": inputs,
        "columns": {role: names[0] if len(names) == 1 else list(names) for role, names in plan.columns.items()},
        "rules": _rules(plan),
        "counts": asdict(counts),
        "watermark": None if watermark is None else iso(watermark),
        "outputs": [],
    }


def iso(microseconds: int) -> str:
    """An instant as ISO 8601 with Z."""
    moment = EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def microseconds(moment: datetime) -> int:
    """Microseconds from 1970 to an aware time."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _rules(plan: Plan) -> dict[str, Any]:
    rules: Rules = plan.rules
    time = plan.time
    return {
        "timeout_s": None if rules.timeout is None else rules.timeout.total_seconds(),
        "end_events": list(rules.end_events),
        "start_events": list(rules.start_events),
        "split_on": list(rules.split_on),
        "split_at_midnight": rules.split_at_midnight,
        "max_duration_s": None if rules.max_duration is None else rules.max_duration.total_seconds(),
        "timezone": plan.timezone,
        "time_format": time.pattern or time.kind,
        "page_views": None if plan.page_views is None else list(plan.page_views),
        "conversions": None if plan.conversions is None else list(plan.conversions),
        "properties": list(plan.properties),
        "traits": list(plan.traits),
        "where": plan.where,
        "preset": plan.preset,
        "page_path": plan.page_path,
        "channels": plan.channels,
        "own_hosts": list(plan.own_hosts),
        "exclude_bots": plan.exclude_bots,
        "ip": plan.ip,
        "hash_ids": plan.hash_key is not None,
    }
