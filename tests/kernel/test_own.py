"""The user's own columns of the metrics say what our own say of the same: by any rules, in memory and in files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from budget import examples
from engine import plan_of, raw_frame
from hypothesis import given
from nights import IN_MEMORY, Pieces, in_files
from oracle import Event, OracleRules
from strategies import ALL_ROLES, logs, rules

from sessionize.config import Own
from sessionize.engine.pipeline import sessionize_log
from sessionize.kernel import as_text
from sessionize.kernel.own import metric_columns

SAME = {"d": "channel", "n": "events", "last": "exit_event", "first": "entry_event", "bought": "converted"}
OWN = (
    Own(name="d", kind="dimension", text="channel", uses={"d": "channel"}),
    Own(name="n", kind="metric", text="count(*)", dtype="integer"),
    Own(name="last", kind="metric", text="last(event_type)", uses={"event_type": "event_type"}),
    Own(name="first", kind="metric", text="nth(event_type, 1)", uses={"event_type": "event_type"}),
    Own(name="worth", kind="metric", text="sum(value)", dtype="number", uses={"value": "value"}),
    Own(name="bought", kind="goal", text="event_type = 'purchase'", dtype="boolean", uses={"event_type": "event_type"}),
)


@pytest.mark.slow
@examples(100, 8)
@given(logs(), rules())
def test_own_columns_are_what_the_metrics_say_of_the_same(log: list[Event], rule: OracleRules) -> None:
    plan = replace(plan_of(rule, ALL_ROLES), own=OWN, conversions=None)
    frame = raw_frame(log, ALL_ROLES, rule)
    with TemporaryDirectory() as folder:
        for limits in (IN_MEMORY, in_files(Path(folder))):
            result = sessionize_log(Pieces(frame, limits.rows), plan, limits, assign=True)
            batches = list(result.batches)
            sessions = as_text(pl.concat(batch.sessions.select(metric_columns(plan)) for batch in batches))
            for own, ours in SAME.items():
                assert sessions[own].to_list() == sessions[ours].to_list(), own
            events = pl.concat(batch.events for batch in batches if batch.events is not None)
            sums = events.group_by("session_id").agg(
                worth=pl.when(pl.col("value").count() > 0).then(pl.col("value").sum()), d=pl.col("d").unique()
            )
            told = sessions.select("session_id", "worth", "d").join(sums, on="session_id", suffix="_of_events")
            assert told.height == sessions.height
            assert (told["worth"] - told["worth_of_events"]).fill_null(0).abs().max() in (None, 0.0) or (
                (told["worth"] - told["worth_of_events"]).abs().max() < 1e-6  # type: ignore[operator]
            )
            assert told["d_of_events"].to_list() == [[value] for value in told["d"]]
