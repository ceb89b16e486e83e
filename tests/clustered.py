"""Logs for a cluster, and what a run of it leaves held against what one machine leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
from console import SAMPLE
from polars.testing import assert_frame_equal

from sessionize import Config, Output, Rules, run
from sessionize.presets import load
from sessionize.spark import job

CSV = SAMPLE / "events.csv"


def ties(folder: Path) -> Config:
    """One instant, over files and row groups: only their order says which event is first."""
    rows = [{"user_id": f"u{n % 3}", "time": "2024-05-30T10:00:00Z", "page": f"/{n}"} for n in range(40)]
    pl.DataFrame(rows[:25]).write_parquet(folder / "1.parquet", row_group_size=4)
    pl.DataFrame(rows[25:]).write_parquet(folder / "2.parquet", row_group_size=3)
    return Config(inputs=(str(folder),))


def types(folder: Path) -> Config:
    """Properties of every kind that Parquet has."""
    hours = pl.datetime_range(pl.datetime(2024, 5, 30), pl.datetime(2024, 5, 31), "1h", eager=True, time_zone="UTC")
    frame = pl.DataFrame({"user.id": [f"u{n % 4}" for n in range(25)], "ts": hours}).with_columns(
        small=pl.int_range(25, dtype=pl.UInt8), large=pl.lit(2**64 - 1, pl.UInt64), day=pl.col("ts").dt.date(),
        took=pl.duration(seconds=pl.int_range(25)), at=pl.col("ts").dt.time(), price=pl.lit("1.50").cast(pl.Decimal(9, 2)),
        kind=pl.col("user.id").cast(pl.Categorical), list=pl.concat_list(pl.lit(1), pl.lit(None)),
        deep=pl.struct(a=pl.lit("x"), b=pl.struct(c=pl.col("ts")), d=pl.concat_list(pl.struct(e=pl.lit(1, pl.UInt32)))),
    )  # fmt: skip
    frame.write_parquet(folder / "log.parquet", row_group_size=7)
    carried = ("small", "large", "day", "took", "at", "price", "kind", "list", "deep")
    return Config(inputs=(str(folder),), columns={"profile_id": "user.id"}, properties=carried)


def ndjson(folder: Path) -> Config:
    lines = [
        {"id": n % 5, "time": 1717063200 + 600 * n, "p": {"plan": "a.b", "n": [n]}, "url": f"https://x.org/{n}?utm_source=s{n % 2}",
         "referrer": "https://www.google.com/", "event": "purchase" if n % 4 == 0 else "view", "amount": "1,50 €"}
        for n in range(60)
    ]  # fmt: skip
    (folder / "log.ndjson").write_text("".join(f"{json.dumps(each)}\n" for each in lines) + "{broken\n" + '{"id": 1}\n')
    return Config(
        inputs=(str(folder),), columns={"profile_id": "id", "page": "url", "value": "amount"}, properties=("p.plan", "p"),
        traits=("event",), channels=True, page_path=True, rules=Rules(split_on=("utm_source",)), hash_key=b"k" * 32,
        ip="truncate",
    )  # fmt: skip


def nobody(folder: Path) -> Config:
    (folder / "log.csv").write_text("user_id,time\n")
    return Config(inputs=(str(folder),))


def access(folder: Path) -> Config:
    line = '10.0.0.{} - - [30/May/2024:1{}:00:00 +0000] "GET /{} HTTP/1.1" 200 5 "-" "Mozilla/5.0"\n'
    (folder / "a.log").write_text("".join(line.format(n % 3, n % 10, n) for n in range(30)))
    return Config(inputs=(str(folder),), preset=load("combined"))


def sample(folder: Path) -> Config:  # noqa: ARG001
    return Config(inputs=(str(CSV),), rules=Rules(end_events=("logout",)), properties=("country",), where=None)


def passive(folder: Path) -> Config:
    """Passive events in sessions and in none, among other rejected rows, over row groups and files of text."""
    rows = [
        {"user_id": None if n % 29 == 0 else f"u{n % 5}", "event_type": "ping" if n % 3 else "view",
         "time": 1717063200 + 97 * n * (1 + n % 4)}
        for n in range(120)
    ]  # fmt: skip
    pl.DataFrame(rows).write_parquet(folder / "1.parquet", row_group_size=16)
    return Config(inputs=(str(folder),), rules=Rules(timeout=timedelta(minutes=5), passive=("ping",)))


def passive_text(folder: Path) -> Config:
    lines = [f"{1717063200 + 97 * n * (1 + n % 4)},u{n % 5},{'ping' if n % 3 else 'view'}" for n in range(90)]
    for number in range(3):
        text = "\n".join(["time,user_id,event_type", *lines[number * 30 : number * 30 + 30], "soon,u1,view"])
        (folder / f"{number}.csv").write_text(text + "\n")
    return Config(inputs=(str(folder),), rules=Rules(timeout=timedelta(minutes=5), passive=("ping",)))


def goal(folder: Path) -> Config:
    """A goal that only the last file has an event of."""
    for number in range(3):
        (folder / f"{number}.csv").write_text(
            f"time,user_id,value\n{1717063200 + 97 * number},u{number},{number * 20}\n"
        )
    return Config(inputs=(str(folder),), goals={"big": "CAST(value AS DOUBLE) > 30"})


LOGS = (sample, ties, types, ndjson, nobody, access, passive, passive_text, goal)


def both(config: Config, folder: Path, cluster: Any, **more: Any) -> None:
    """Run a log on one machine and on a cluster, and hold all that they wrote against each other."""
    form = more.pop("form", "parquet")
    output = Output(directory=str(folder / "many"), form=form, events=more.pop("events", False))
    one = run(config, replace(output, directory=str(folder / "one")))
    many = job.run(config, output, cluster, **more)
    if output.events:
        both_events(folder, form)
    for name in ("metrics", "sessions"):
        parts = sorted((folder / "many" / name).iterdir())
        if form == "ndjson":
            assert b"".join(each.read_bytes() for each in parts) == (folder / "one" / f"{name}.ndjson").read_bytes()
            continue
        whole = pl.read_parquet(folder / "one" / f"{name}.parquet")
        assert_frame_equal(pl.concat(pl.read_parquet(each) for each in parts), whole)
    assert {**many.manifest, "outputs": 0} == {**one.manifest, "outputs": 0}
    assert many.figures == one.figures
    rejected = [folder / each / "rejected.ndjson" for each in ("one", "many")]
    assert rejected[0].exists() == rejected[1].exists()
    assert not rejected[0].exists() or rejected[0].read_bytes() == rejected[1].read_bytes()
    there = {str(path.relative_to(folder / "many")) for path in (folder / "many").rglob("*") if path.is_file()}
    assert there == {".sessionize.lock", "manifest.json", *(each["path"] for each in many.manifest["outputs"])}


def both_events(folder: Path, form: str) -> None:
    """Hold the parts of the events against the one file."""
    parts = sorted((folder / "many" / "events").iterdir())
    if form == "ndjson":
        assert b"".join(each.read_bytes() for each in parts) == (folder / "one" / "events.ndjson").read_bytes()
    else:
        whole = pl.read_parquet(folder / "one" / "events.parquet")
        assert_frame_equal(pl.concat(pl.read_parquet(each) for each in parts), whole)
