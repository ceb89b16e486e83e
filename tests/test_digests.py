"""A fixed set of runs, and a digest of everything they write: what is only rearranged changes none of them.

`python -m pytest tests/test_digests.py --update-golden` writes the digests anew; which of them differ then says which
outputs a change reaches. Text files count byte by byte, Parquet by its types and rows, as its bytes are Polars' own.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import quick_first
from console import SAMPLE
from nights import in_files

from sessionize import Config, Nightly, Output, Rules, run, run_night
from sessionize.limits import Limits

DIGESTS = Path(__file__).parent / "golden" / "digests.json"
CONFIG = Config(
    rules=Rules(end_events=("logout",), split_on=("utm_campaign",), split_at_midnight=True),
    timezone="America/New_York", properties=("country",), traits=("ip",),
)  # fmt: skip
SPILLED = in_files(Path("the output directory has its own"), rows=500, session_rows=300, file_rows=100, slice_rows=200)


def as_csv(folder: Path) -> Path:
    path = folder / "events.csv"
    path.write_bytes((SAMPLE / "events.csv").read_bytes())
    return path


def as_gzip(folder: Path) -> Path:
    path = folder / "events.csv.gz"
    path.write_bytes(gzip.compress((SAMPLE / "events.csv").read_bytes(), mtime=0))
    return path


def as_ndjson(folder: Path) -> Path:
    path = folder / "events.ndjson"
    times = pl.col(pl.Datetime).dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    pl.read_parquet(SAMPLE / "events.parquet").with_columns(times).write_ndjson(path)
    return path


def as_parquet(folder: Path) -> Path:
    path = folder / "events.parquet"
    path.write_bytes((SAMPLE / "events.parquet").read_bytes())
    return path


def as_folders(folder: Path) -> Path:
    """The sample by the minute of its events, in folders as Hive has them."""
    log = pl.read_parquet(SAMPLE / "events.parquet").with_columns(part=pl.int_range(pl.len()) * 3 // pl.len())
    for (part,), rows in log.group_by("part", maintain_order=True):
        (folder / "log" / f"part={part}").mkdir(parents=True)
        rows.drop("part").write_parquet(folder / "log" / f"part={part}" / "events.parquet", row_group_size=400)
    return folder / "log"


INPUTS = {"csv": as_csv, "csv.gz": as_gzip, "ndjson": as_ndjson, "parquet": as_parquet, "folders": as_folders}


def one_shot(folder: Path, log: Path, form: Any, limits: Limits | None = None) -> None:
    config = replace(CONFIG, inputs=(str(log),))
    run(config, Output(directory=str(folder / "out"), form=form, events=True), limits=limits)


def nights(folder: Path, log: Path, form: Any, limits: Limits | None = None) -> None:
    """A third of the rows each night, the last one too late, and a night without a log in the end."""
    header, *lines = log.read_bytes().splitlines(keepends=True)
    output = Output(directory=str(folder / "out"), form=form, events=True)
    night = partial(Nightly, state=str(folder / "state"))
    for number in (0, 2, 1):
        part = folder / f"{number}.csv"
        part.write_bytes(header + b"".join(lines[number * len(lines) // 3 : (number + 1) * len(lines) // 3]))
        run_night(replace(CONFIG, inputs=(str(part),)), output, night(batch=f"night-{number}"), limits=limits)
    run_night(CONFIG, output, night(batch="end", flush=True), limits=limits)


FORMATS = ("parquet", "ndjson", "json", "csv")
RUNS: dict[str, tuple[str, Callable[..., None], dict[str, Any]]] = {
    **{f"{name} in memory": (name, one_shot, {"form": "ndjson"}) for name in INPUTS},
    **{f"{name} in files": (name, one_shot, {"form": "ndjson", "limits": SPILLED}) for name in INPUTS},
    **{f"csv to {form}": ("csv", one_shot, {"form": form}) for form in FORMATS},
    "nights in memory": ("csv", nights, {"form": "ndjson"}),
    "nights in files": ("csv", nights, {"form": "ndjson", "limits": SPILLED}),
    "nights to parquet": ("csv", nights, {"form": "parquet"}),
}


def digests(out: Path) -> dict[str, str]:
    """Name of each file that holds rows → digest of it."""
    files = (path for path in sorted(out.rglob("*.*")) if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(out)): digest(path) for path in files if path.name != "manifest.json"}


def digest(path: Path) -> str:
    content: Iterable[bytes] = [path.read_bytes()]
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path, hive_partitioning=False)
        content = [repr(frame.schema).encode(), frame.write_json().encode()]
    elif path.stem in ("rejected", "late"):  # they name files that lie elsewhere each time
        rows = (json.loads(line) for line in path.read_text().splitlines())
        content = [json.dumps({**row, "file": Path(row["file"]).name}).encode() for row in rows]
    return hashlib.sha256(b"\n".join(content)).hexdigest()[:16]


@pytest.mark.parametrize("name", quick_first(RUNS))
def test_a_run_writes_what_it_has_always_written(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    source, way, options = RUNS[name]
    way(tmp_path, INPUTS[source](tmp_path), **options)
    found = digests(tmp_path / "out")
    known = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    if request.config.getoption("--update-golden"):
        known = {each: found if each == name else known.get(each, {}) for each in RUNS}
        DIGESTS.write_text(json.dumps(known, indent=1) + "\n")
    assert found == known[name]


def test_how_a_log_is_held_does_not_show_in_what_is_written() -> None:
    known = json.loads(DIGESTS.read_text())
    assert list(known) == list(RUNS)
    for name in [*INPUTS, "nights"]:
        assert known[f"{name} in files"] == known[f"{name} in memory"]
    assert {name.rsplit(".", 1)[-1] for found in known.values() for name in found} == {*FORMATS}
