"""skrub's SessionEncoder, which nobody here wrote, puts every row of a real log into the same session as we do."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from test_real_logs import DATA, OPTIONS, SHARED, references

from sessionize.cli.app import application

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine")


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_every_row_is_in_the_session_that_skrub_finds(name: str, tmp_path: Path) -> None:
    skrub = pytest.importorskip("skrub", reason="pip install 'sessionize[oracle]'")  # takes seconds to load
    typed = ["run", str(SHARED.parent / references()[name]["path"]), *OPTIONS[name], "--events"]
    typed += [] if "--event-id" in OPTIONS[name] else ["--event-id", "none"]
    application(typed)([*typed, "-o", str(tmp_path / "out"), "--quiet"], standalone_mode=False)
    events = pl.read_parquet(tmp_path / "out" / "events.parquet")
    keys = [pl.col(column) for column in ("source_id", "profile_id") if column in events.columns]
    rows = events.select("session_id", "timestamp", key=pl.coalesce(keys)).sample(fraction=1, shuffle=True, seed=7)
    encoder = skrub.SessionEncoder(timestamp_col="timestamp", split_by="key", session_gap=1800)
    pairs = encoder.fit_transform(rows).select("session_id", "timestamp_session_id")
    assert len(pairs) == references()[name]["events"]
    different = [pairs.n_unique(subset) for subset in ("session_id", "timestamp_session_id", None)]
    assert different == [references()[name]["sessions"]] * 3
