"""What `sessionize timeout` says of silences: the timeouts of its table, the plateau, and all of it as data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sessionize.summary import mixture
from sessionize.summary.silences import SECOND, Row, Silences

TIMEOUTS_S: Final = (60, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200)
FLAT: Final = 0.01
"""A plateau: the number of sessions changes by less."""


def timeouts_with(in_force_us: int | None) -> list[int | None]:
    """The timeouts of the table in ascending order, no timeout last, in microseconds.

    Args:
        in_force_us: The one in force; None for no timeout.
    """
    usual = {seconds * SECOND for seconds in TIMEOUTS_S}
    if in_force_us is None:
        return [*sorted(usual), None]
    return [*sorted(usual | {in_force_us})]


def plateau(rows: Sequence[Row]) -> dict[str, float] | None:
    """The longest run of timeouts over which the number of sessions changes by under 1 %; None where there is none.

    Args:
        rows: In ascending order of their timeouts.
    """
    limited = [row for row in rows if row.timeout_us is not None and row.sessions]
    runs = [
        (high - low, limited[high].timeout_us / limited[low].timeout_us, low, high)  # type: ignore[operator]
        for low in range(len(limited))
        for high in range(low + 1, len(limited))
        if limited[low].sessions - limited[high].sessions < FLAT * limited[low].sessions and limited[low].timeout_us
    ]
    if not runs:
        return None
    _, _, low, high = max(runs)
    return {"from_s": _seconds(limited[low].timeout_us), "to_s": _seconds(limited[high].timeout_us)}


def _seconds(microseconds: int | None) -> float:
    return (microseconds or 0) / SECOND


def table_data(rows: Iterable[Row], in_force_us: int | None) -> list[dict[str, Any]]:
    """The rows with the names that scripts rely on.

    Args:
        rows: In ascending order of their timeouts.
        in_force_us: The timeout in force, in microseconds; None for no timeout.
    """
    found: list[dict[str, Any]] = []
    before: Row | None = None
    for row in rows:
        found.append(
            {
                "timeout_s": None if row.timeout_us is None else row.timeout_us / SECOND,
                "in_force": row.timeout_us == in_force_us,
                "sessions": row.sessions,
                "change": row.sessions / before.sessions - 1 if before and before.sessions else None,
                "bounce_rate": row.bounced / row.sessions if row.sessions else None,
                "duration_s": {
                    "mean": row.total_us / row.sessions / SECOND if row.sessions else None,
                    "median": None if row.median_us is None else row.median_us / SECOND,
                },
            }
        )
        before = row
    return found


def answer(silences: Silences, rows: Sequence[Row], in_force_us: int | None) -> dict[str, Any]:
    """What `sessionize timeout` says, as data with fixed names.

    Args:
        silences: Silences of the whole log.
        rows: In ascending order of their timeouts.
        in_force_us: The timeout in force, in microseconds; None for no timeout.
    """
    fit = silences.fit()
    why = "there are no silences" if fit is None else mixture.doubt(fit, silences.positive, silences.days)
    in_force_s = None if in_force_us is None else in_force_us / SECOND
    return {
        "table": table_data(rows, in_force_us),
        "plateau": plateau(rows),
        "fit": None if fit is None or why is not None else mixture.as_data(fit, in_force_s),
        "why_no_fit": why,
        "share_15m_2h": silences.share_that_matters,
        "silences": {
            "all": silences.positive + silences.zeros,
            "zero": silences.zeros,
            "octaves": silences.octaves(),
        },
        "in_force_s": in_force_s,
        "one_minute": silences.one_minute,
    }
