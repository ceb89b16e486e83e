"""A call and the process that it is made in: nothing is left of it there, and no panic comes out of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from console import SAMPLE

import sessionize
from sessionize import Config, SessionizeError
from sessionize.zones import SETTING, any_zone

FAR = 2**64 // 1000
"""Seconds whose milliseconds, cut to 64 bits, are those of 1969."""
LEAVES_NOTHING = f"""
import os, polars
before = dict(os.environ)
import sessionize, pyarrow as pa
times = pa.array([1717063200], pa.timestamp("s", "+05:30"))
assert sessionize.sessionize(pa.table({{"user_id": ["a"], "time": times}})).metrics.height == 1
sessionize.summary({str(SAMPLE / "events.csv")!r})
try:
    sessionize.check("no such file")
except sessionize.InputError:
    pass
assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())
"""


def test_a_call_leaves_the_environment_of_the_process_as_it_was() -> None:
    subprocess.run([sys.executable, "-c", LEAVES_NOTHING], check=True)


def test_of_calls_side_by_side_the_last_one_sets_things_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    first, second = threading.Event(), threading.Event()

    def longer() -> None:
        with any_zone():
            second.set()
            first.wait()

    thread = threading.Thread(target=longer)
    with any_zone():
        thread.start()
        second.wait()
    assert SETTING in os.environ
    first.set()
    thread.join()
    assert SETTING not in os.environ
    monkeypatch.setenv(SETTING, "0")
    with any_zone():
        assert os.environ[SETTING] == "0"
    assert os.environ[SETTING] == "0"


def panic(*_: object, **__: object) -> None:
    raise pl.exceptions.PanicException("called `Result::unwrap()` on an `Err` value\n\nmore")


LOG = str(SAMPLE / "events.csv")
CALLS: dict[str, Callable[[], Any]] = {
    "sessionize": lambda: sessionize.sessionize(LOG),
    "of a frame": lambda: sessionize.sessionize(pl.DataFrame({"user_id": ["a"], "time": [1_717_063_200]})),
    "summary": lambda: sessionize.summary(LOG),
    "funnel": lambda: sessionize.funnel(LOG, ["a", "b"]),
    "paths": lambda: sessionize.paths(LOG),
    "timeout": lambda: sessionize.timeout(LOG),
    "compare": lambda: sessionize.compare(LOG),
    "check": lambda: sessionize.check(LOG),
    "check of a configuration": lambda: sessionize.check(Config(inputs=(LOG,))),
    "run": lambda: sessionize.run(Config(inputs=(LOG,)), sessionize.Output(directory="out")),
    "run_night": lambda: sessionize.run_night(
        Config(inputs=(LOG,)), sessionize.Output(directory="out"), sessionize.Nightly(state="state", batch="1")
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_panic_of_polars_is_an_error_of_the_package_in_every_call(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sessionize.engine.ingest.Ingest.events", panic)
    with pytest.raises(SessionizeError, match="unforeseen PanicException: called `Result") as raised:
        CALLS[name]()
    assert "please report it" in str(raised.value.hint)
    assert isinstance(raised.value.__cause__, pl.exceptions.PanicException)
    assert raised.value.exit_code == 70


def test_a_time_in_seconds_that_is_too_far_for_milliseconds_is_out_of_range_however_it_is_given() -> None:
    users, times = ["a", "b", "c", "d"], [1_717_063_200, FAR, -FAR, None]
    naive, zoned = (
        pa.table({"user_id": users, "time": pa.array(times, pa.timestamp("s", zone))}) for zone in (None, "CET")
    )
    numbers = np.array([1_717_063_200, FAR, -FAR, np.iinfo(np.int64).min]).astype("datetime64[s]")
    for given in (
        naive, zoned, pa.RecordBatchReader.from_batches(naive.schema, naive.to_batches()), naive.to_batches()[0],
        pd.DataFrame({"user_id": users, "time": numbers}),
    ):  # fmt: skip
        made = sessionize.sessionize(given)
        assert str(made.metrics["start"].to_list()[0].date()) == "2024-05-30"
        assert made.rejected.select("row", "reason").rows() == [
            (2, "timestamp_out_of_range"), (3, "timestamp_out_of_range"), (4, "null_timestamp"),
        ]  # fmt: skip
