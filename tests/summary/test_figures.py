"""The figures do not depend on how the sessions came."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from sessionize.kernel.metrics import FIGURED
from sessionize.summary.figures import Figures, figures


def test_the_figures_are_the_same_to_the_last_digit_whatever_the_parts() -> None:
    amounts = [0.1, 0.7, 1e9, 0.3, -1e9, 0.2] * 50
    start = pl.Series([datetime(2024, 5, 30, tzinfo=UTC)] * len(amounts), dtype=pl.Datetime("us", "UTC"))
    whole = pl.DataFrame(
        {
            "events": [2] * len(amounts), "page_views": [1] * len(amounts), "duration_s": amounts, "bounced": False,
            "engaged": True, "converted": True, "conversions": 1, "value": amounts, "status": "ended", "bot": False,
            "start": start, "end": start,
        }
    )  # fmt: skip
    assert set(whole.columns) == set(FIGURED)
    parts = [whole[at : at + 7] for at in range(0, whole.height, 7)]
    together = pl.concat(parts)
    assert together.n_chunks() == len(parts)
    gathered = Figures()
    for part in parts:
        gathered.add(part)
    assert figures(whole) == figures(together) == gathered.as_dict()
