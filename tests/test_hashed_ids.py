"""With ``--hash-ids`` no id of the log is left in any byte that a run writes, shows or keeps."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import quick_first
from console import sessionize

from sessionize import Config, Rules, run
from sessionize.config import Nightly, Output
from sessionize.errors import InputError
from sessionize.kernel.privacy import digest
from sessionize.limits import Limits
from sessionize.nightly.job import run_night

KEY = b"0123456789abcdef"
IDS = [f"{kind}-SECRET-{number}" for kind in ("sess", "prof", "evnt", "fold") for number in range(9)]
HOUR = "2024-05-{day}T{hour:02d}:{minute:02d}:00Z"
ROWS = {"csv": ".csv", "ndjson": ".ndjson", "parquet": ".parquet"}


def _rows(day: int) -> list[dict[str, str | None]]:
    """Sessions that are over, and open, and early; rows without a key and without a time."""
    rows: list[dict[str, str | None]] = []
    for number in range(9):
        hour, minute = (23, 40 + number) if number % 2 else (number, 0)
        time = HOUR.format(day=day, hour=hour, minute=minute)
        session = f"sess-SECRET-{number}" if number % 3 else None
        rows.append(
            {
                "session_id": session,
                "event_id": f"evnt-SECRET-{number}",
                "timestamp": time,
                "prof": f"prof-SECRET-{number}",
            }
        )
    early = {**rows[0], "timestamp": HOUR.format(day=day + 1, hour=3, minute=0)}
    late = {**rows[1], "timestamp": HOUR.format(day=day - 2, hour=3, minute=0)}
    return [*rows, rows[2], early, late, {**rows[4], "timestamp": "never"}, {**rows[5], "timestamp": None}]


def _log(folder: Path, form: str, day: int) -> str:
    """A log in folders that are named for a profile, another id, and a day."""
    for number in range(2):
        name = f"day=2024-05-{day}/user_id=fold-SECRET-{number}/prof=prof-SECRET-{number}"
        place = folder / f"night-{day}" / name
        place.mkdir(parents=True)
        frame = pl.DataFrame(_rows(day)).drop("prof")
        path = place / f"part{ROWS[form]}"
        getattr(frame, f"write_{form}")(path)
    return str(folder / f"night-{day}")


def _config(source: str, **more: Any) -> Config:
    rules = Rules(split_on=("user_id", "prof"))
    return Config(inputs=(source,), hash_key=KEY, columns={"profile_id": "prof"}, rules=rules, **more)


def _found(data: bytes) -> list[str]:
    return [each for each in IDS if each.encode() in data]


def _check(folder: Path) -> int:
    """Assert that no byte below a folder has an id, Parquet's pages unpacked; how many files there were."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        assert not _found(str(path).encode()), path
        data = path.read_bytes()
        if path.suffix == ".parquet":
            data += repr(pl.read_parquet(path).to_dicts()).encode()
        assert not _found(data), path
    return len(files)


@pytest.fixture
def spilled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Whatever goes into temporary files is looked at; how many there were."""
    written = []
    write = pl.DataFrame.write_ipc

    def watched(frame: pl.DataFrame, path: Any, **options: Any) -> Any:
        write(frame, path, **options)
        content = path.getvalue() if isinstance(path, io.BytesIO) else Path(path).read_bytes()
        data = content + repr(pl.read_ipc(io.BytesIO(content)).to_dicts()).encode()
        assert not _found(data), path
        written.append(frame.height)

    monkeypatch.setattr(pl.DataFrame, "write_ipc", watched)
    return written


@pytest.fixture(params=["in memory", "in files"])
def limits(request: pytest.FixtureRequest, spilled: list[int]) -> Iterator[Limits]:
    """Keys' rows come together in memory or through files; in the end it is checked that they did."""
    in_files = request.param == "in files"
    yield replace(Limits.of(), event_bytes=0, partitions=(2, 2)) if in_files else Limits.of()
    assert bool(spilled) == in_files


@pytest.mark.parametrize("form", ROWS)
def test_a_run_leaves_no_id(form: str, tmp_path: Path, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = _log(Path("logs"), form, 30)
    done = run(_config(source), Output(directory="out", form="ndjson", events=True), limits=limits)
    assert done.counts.rejected == 4
    assert _check(tmp_path / "out") >= 4
    paths = [each["path"] for each in done.manifest["inputs"]]
    assert paths[0] == (
        f"logs/night-30/day=2024-05-30/user_id={digest('fold-SECRET-0', KEY)}/"
        f"prof={digest('prof-SECRET-0', KEY)}/part{ROWS[form]}"
    )
    metrics = pl.read_ndjson("out/metrics.ndjson")
    assert digest("prof-SECRET-0", KEY) in metrics["profile_id"]


@pytest.mark.parametrize("form", quick_first(ROWS))
def test_nights_leave_no_id(form: str, tmp_path: Path, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notes = ""
    for day in (29, 30):
        source, name = _log(Path("logs"), form, day), f"2024-05-{day}"
        for _ in range(2):  # the second time there is nothing to do: the files are recognised
            found = run_night(
                _config(source), Output(directory="out", events=True), Nightly(state="state", batch=name), limits=limits
            )
            notes += f"{found.notes}{found.manifest}"
    assert notes.count("nothing to do") == 2
    counts = json.loads(Path("out/batch=2024-05-30/manifest.json").read_text())["counts"]
    assert min(counts[name] for name in ("late", "early", "carried_in", "rejected")) > 0
    assert _check(tmp_path / "out") + _check(tmp_path / "state") > 8
    assert not _found(notes.encode())


def test_the_same_id_by_column_or_by_folder_has_the_same_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Path("logs/user_id=B%20B")
    place.mkdir(parents=True)
    (place / "1.csv").write_text("timestamp,event_id\n2024-05-30T10:00:00Z,e\n")
    done = run(Config(inputs=("logs",), hash_key=KEY), Output(directory="out", form="ndjson", events=True))
    assert done.manifest["inputs"][0]["path"] == f"logs/user_id={digest('B B', KEY)}/1.csv"
    event = pl.read_ndjson("out/events.ndjson")
    assert event.select("profile_id", "event_id").row(0) == (digest("B B", KEY), digest("e", KEY))


BROKEN: dict[str, tuple[str, bytes]] = {
    "an empty file": ("1.csv", b""),
    "a zip archive": ("1.csv", b"PK\x03\x04"),
    "a gzip file cut short": ("1.csv.gz", b"\x1f\x8b\x08\x00"),
    "a Parquet file cut short": ("1.parquet", b"PAR1"),
    "a Parquet file with a damaged footer": ("1.parquet", b"PAR1" + b"x" * 40 + b"\x10\0\0\0PAR1"),
    "a header that is no UTF-8": ("1.csv", b"caf\xe9,b\n1,2\n"),
    "a column twice": ("1.csv", b"a,a\n1,2\n"),
    "no object": ("1.ndjson", b"[1]\n"),
    "not found": ("", b""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_message_about_a_file_shows_the_id_in_its_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file, data = BROKEN[name]
    place = Path("logs/user_id=fold-SECRET-1/x")
    place.mkdir(parents=True)
    if file:
        (place / file).write_bytes(data)
    for typed in (
        f"{place}/{file}" if file else f"{place}/2.csv",
        "logs",
        str(place),
        f"{place}/*",
        "logs/user_id=fold-SECRET-2",
    ):
        with pytest.raises(InputError) as refused:
            run(Config(inputs=(typed,), hash_key=KEY), Output(directory="out"))
        assert not _found(f"{refused.value} {refused.value.hint}".encode()), typed


@pytest.mark.slow
def test_the_screen_shows_no_id(tmp_path: Path) -> None:
    _log(tmp_path / "logs", "csv", 30)
    (tmp_path / "key").write_bytes(KEY)
    source = "logs/night-30/day=2024-05-30/user_id=fold-SECRET-0"
    common = [source, "-o", "out", "--hash-ids", "key", "--profile-id", "prof"]
    for options in (["--json"], ["--verbose"], ["--on-bad-row", "fail"], ["--state", "state", "--batch", "2024-05-30"]):
        done = sessionize("run", *common, *options, cwd=tmp_path)
        assert done.code in (0, 1, 3), done.err
        assert done.err
        assert not _found((done.out + done.err).encode())
