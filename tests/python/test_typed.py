"""The public names are typed: a strict mypy takes what is right, and what is wrong only with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from console import ROOT

SAMPLE = """
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa

import sessionize


def right(frame: pl.LazyFrame, table: pa.Table) -> pl.DataFrame:
    made = sessionize.sessionize(frame, timeout=timedelta(minutes=45), timestamp="at", timezone=ZoneInfo("UTC"))
    sessionize.sessionize(Path("a.csv"), session_id=["a", "b"], map={"channel": "c"}, memory_limit=10**9)
    sessionize.sessionize([Path("a.csv"), "b.csv"], config=sessionize.Config(timezone="UTC"))
    sessionize.sessionize(table, config="sessionize.toml")
    steps: sessionize.Table = sessionize.funnel(frame, ["a", "b"], within="1h")
    verdict: sessionize.Verdict = sessionize.check(frame, error_on_warning=True)
    sessionize.check(sessionize.Config(inputs=("a.csv",))).findings
    sessionize.summary("a.csv", by="day").tables["per_day"]
    counted: int = made.counts.sessions + len(verdict.findings)
    return made.metrics if counted else steps.to_polars()


def wrong(frame: pl.LazyFrame) -> None:
    sessionize.sessionize(frame, timeot="45m")  # type: ignore[call-arg]
    sessionize.sessionize(frame, timeout=45)  # type: ignore[arg-type]
    sessionize.sessionize(5)  # type: ignore[arg-type]
    sessionize.compare(frame, channels=True)  # type: ignore[call-arg]
    sessionize.Output(directory="out", form="xml")  # type: ignore[arg-type]
"""


@pytest.mark.slow
def test_a_sample_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = pytest.importorskip("mypy.api")
    (tmp_path / "sample.py").write_text(SAMPLE)
    monkeypatch.chdir(ROOT)
    options = ["--strict", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")]
    out, err, code = api.run([*options, str(tmp_path / "sample.py")])
    assert (code, err) == (0, ""), out
