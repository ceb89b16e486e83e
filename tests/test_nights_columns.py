"""Columns that come and go from night to night: what was asked for once need not be in every night's log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mmdb
import polars as pl
import pytest
from console import sessionize

WANTED = (
    "--property", "campaign", "--trait", "campaign", "--dimension", "plan", "--metric", "s=sum(plan)",
    "--goal", "g=campaign = 'x'", "--split-on", "campaign", "--where", "campaign IS NULL OR campaign <> 'z'",
)  # fmt: skip
"""Of each kind of option that names a column, one."""


def write(rows: dict[str, Any], path: Path) -> None:
    frame = pl.DataFrame(rows)
    getattr(frame, f"write_{path.suffix[1:]}")(path)


def night(path: Path, *options: str) -> tuple[int, str]:
    batch = ["--batch", path.stem, "--state", "st", "-o", "out"]
    said = sessionize("run", str(path), *batch, *options, "-q", cwd=path.parent)
    return said.code, said.err


def of_nights(folder: Path) -> pl.DataFrame:
    sessionize("run", "-o", "out", "--state", "st", "--batch", "end", "--flush", "-q", cwd=folder)
    parts = [pl.read_parquet(path) for path in folder.glob("out/batch=*/metrics.parquet")]
    return pl.concat(parts, how="vertical_relaxed").sort("session_id")


@pytest.mark.parametrize("ending", ["ndjson", "csv", "parquet"])
def test_a_column_that_a_night_lacks_is_null_in_it(ending: str, tmp_path: Path) -> None:
    users = ["u1", "u2"]
    first = {
        "user_id": users,
        "ts": [datetime(2024, 5, 30, 23, 50, tzinfo=UTC)] * 2,
        "campaign": ["x", "y"],
        "plan": [1, 2],
    }
    second = {"user_id": users, "ts": [datetime(2024, 5, 31, 0, 5, tzinfo=UTC)] * 2}
    paths = [tmp_path / f"2024-05-{day}.{ending}" for day in (30, 31)]
    for rows, path in zip((first, second), paths, strict=True):
        write(rows, path)
        assert night(path, *WANTED) == (0, "")
    sessionize("run", *map(str, paths), "-o", "one", *WANTED, "-q", cwd=tmp_path)
    one = pl.read_parquet(tmp_path / "one" / "metrics.parquet").sort("session_id")
    volatile = ("status", "end_reason")
    assert of_nights(tmp_path).drop(volatile).equals(one.drop(volatile))
    assert one["events"].to_list() == [2, 2]


def test_a_column_that_no_night_has_had_is_refused(tmp_path: Path) -> None:
    write({"user_id": ["u1"], "ts": [datetime(2024, 5, 30, tzinfo=UTC)]}, tmp_path / "2024-05-30.csv")
    code, said = night(tmp_path / "2024-05-30.csv", "--property", "campain")
    assert (code, "no column 'campain'" in said) == (2, True)


@pytest.mark.parametrize(("first", "second"), [([1, 2], [1.0, None]), ([1.0, None], [1, 2]), ([1, 2], [None, None])])
def test_whole_numbers_with_a_null_among_them_are_as_good_as_whole_numbers(
    first: list[Any], second: list[Any], tmp_path: Path
) -> None:
    for day, plan in ((30, first), (31, second)):
        rows = {"user_id": ["u1", "u2"], "ts": [datetime(2024, 5, day, tzinfo=UTC)] * 2, "plan": plan}
        write(rows, tmp_path / f"2024-05-{day}.parquet")
        path = tmp_path / f"2024-05-{day}.parquet"
        assert night(path, "--dimension", "plan", "--metric", "m=max(plan)") == (0, "")
    found = of_nights(tmp_path)
    assert found.select("plan", "m").rows() == [
        (number, number) for number in (first[0], second[0], first[1], second[1])
    ]


def test_a_flush_takes_the_words_for_null_from_the_state(tmp_path: Path) -> None:
    (tmp_path / "2024-05-30.csv").write_text("session_id,user_id,event_time\nNULL,u1,2024-05-30 23:55:00\n")
    assert night(tmp_path / "2024-05-30.csv", "--null", "NULL") == (0, "")
    assert of_nights(tmp_path)["session_id"].to_list() == ["p:u1.1717113300000000"]


def test_two_spellings_of_a_day_are_one_batch(tmp_path: Path) -> None:
    for day in (27, 28, 29):
        (tmp_path / f"202405{day}.csv").write_text(f"user_id,timestamp\nu{day},2024-05-{day}T10:00:00Z\n")
    for day in (27, 28):
        assert night(tmp_path / f"202405{day}.csv") == (0, "")
    again = sessionize(
        "run", "2024*.csv", "-o", "out", "--state", "st", "--batch-from-name", "{date}.csv", "-q", cwd=tmp_path
    )
    assert (again.code, again.err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").glob("batch=*")) == [
        "batch=2024-05-29", "batch=20240527", "batch=20240528",
    ]  # fmt: skip
    assert of_nights(tmp_path)["profile_id"].to_list() == ["u27", "u28", "u29"]


def test_a_state_whose_pointer_is_gone_is_damaged_and_not_a_new_one(tmp_path: Path) -> None:
    for day in (27, 28, 29):
        (tmp_path / f"2024-05-{day}.csv").write_text(f"user_id,timestamp\nu{day},2024-05-{day}T23:50:00Z\n")
    for day in (27, 28):
        night(tmp_path / f"2024-05-{day}.csv")
    (tmp_path / "st" / "state.json").unlink()
    before = sorted((tmp_path / "st").iterdir())
    code, said = night(tmp_path / "2024-05-29.csv")
    assert (code, "state.json is gone" in said, sorted((tmp_path / "st").iterdir())) == (4, True, before)


def test_a_night_that_is_made_again_with_its_own_files_has_lost_none(tmp_path: Path) -> None:
    path = tmp_path / "2024-05-27.csv"
    path.write_text("user_id,timestamp\nu,2024-05-27T10:00:00Z\n")
    night(path)
    for output in (tmp_path / "out" / "batch=2024-05-27").iterdir():
        output.unlink()
    (tmp_path / "out" / "batch=2024-05-27").rmdir()
    assert night(path) == (0, "")


@pytest.mark.parametrize("name", ["referrer", "value", "utm_campaign", "channel", "ip"])
def test_a_column_named_as_a_role_that_a_night_lacks_is_null_in_it(name: str, tmp_path: Path) -> None:
    rows = {"user_id": ["a"], "event_type": ["x"], "page": ["/p"]}
    write({**rows, "timestamp": ["2024-05-30T12:00:00Z"], name: ["1"]}, tmp_path / "2024-05-30.parquet")
    write({**rows, "timestamp": ["2024-05-31T12:00:00Z"]}, tmp_path / "2024-05-31.parquet")
    typed = ["--dimension", f"d={name}", "--metric", f"m=last({name})", "--where", f"{name} IS NULL OR {name} = '1'"]
    for day in (30, 31):
        assert night(tmp_path / f"2024-05-{day}.parquet", *typed) == (0, "")
    assert of_nights(tmp_path)["d"].cast(pl.Float64).to_list() == [1.0, None]


def test_names_that_occur_are_not_missed_where_there_is_a_goal(tmp_path: Path) -> None:
    rows = {"user_id": ["a"] * 3, "event_type": ["view", "login", "logout"], "page": ["/p"] * 3}
    write({**rows, "timestamp": [f"2024-05-30T12:0{n}:00Z" for n in range(3)]}, tmp_path / "2024-05-30.parquet")
    typed = [
        "--goal",
        "g=event_type = 'login'",
        "--end-event",
        "logout",
        "--conversion",
        "login",
        "--page-view",
        "view",
    ]
    assert night(tmp_path / "2024-05-30.parquet", *typed) == (0, "")
    assert (
        "did you mean 'logout'"
        in night(tmp_path / "2024-05-30.parquet", *typed[:2], "--end-event", "logot", "--redo")[1]
    )


ALL = {
    "timestamp": "2024-05-30T23:50:00Z", "user_id": "a", "event_type": "page_view", "page": "https://my.org/x?utm_source=n",
    "referrer": "https://google.com/", "user_agent": "Googlebot/2.1", "ip": "192.0.2.7", "value": "1.5",
}  # fmt: skip
"""A night's one row with a column for most roles."""


def pair(folder: Path, ending: str, first: dict[str, str], second: dict[str, str]) -> list[Path]:
    """Two nights' files of one row each, the second ten minutes after midnight."""
    paths = [folder / f"2024-05-{day}.{ending}" for day in (30, 31)]
    for path, row in zip(paths, (first, {**second, "timestamp": "2024-05-31T00:10:00Z"}), strict=True):
        write({name: [value] for name, value in row.items()}, path)
    return paths


def assert_as_one_run(paths: list[Path], *options: str) -> pl.DataFrame:
    """Each night is exit 0, and all of them together are what one run gives; its metrics."""
    folder = paths[0].parent
    for path in paths:
        assert night(path, *options) == (0, "")
    sessionize("run", "-o", "out", "--state", "st", "--batch", "end", "--flush", "-q", cwd=folder)
    sessionize("run", *map(str, paths), "-o", "one", *options, "-q", "--until", "2024-06-02", cwd=folder)
    for name in ("metrics", "sessions"):
        parts = [pl.read_parquet(path) for path in sorted(folder.glob(f"out/batch=*/{name}.parquet"))]
        nights = pl.concat([part for part in parts if part.height], how="vertical_relaxed").sort(pl.first())
        one = pl.read_parquet(folder / "one" / f"{name}.parquet").sort(pl.first())
        assert nights.select(one.columns).to_dicts() == one.to_dicts()
    return pl.read_parquet(folder / "one" / "metrics.parquet")


@pytest.mark.parametrize("ending", ["ndjson", "csv", "parquet"])
@pytest.mark.parametrize("lacking", [name for name in ALL if name not in {"timestamp", "user_id"}])
def test_a_column_that_a_later_night_lacks_is_not_lost_for_what_was_carried_into_it(
    ending: str, lacking: str, tmp_path: Path
) -> None:
    rest = {name: value for name, value in ALL.items() if name != lacking}
    assert_as_one_run(pair(tmp_path, ending, ALL, rest), "--channels")


def test_campaigns_stay_out_of_the_pages_of_a_night_without_the_column_that_has_them(tmp_path: Path) -> None:
    first = {"timestamp": "2024-05-30T10:00:00Z", "user_id": "a", "page": "/x", "utm_source": "n"}
    second = {"timestamp": "", "user_id": "a", "page": "/?utm_source=other"}
    found = assert_as_one_run(pair(tmp_path, "csv", first, second), "--property", "utm_source")
    assert found["utm_source"].to_list() == ["n", None]


@pytest.mark.parametrize(
    "options",
    [
        ("--split-on", "utm_campaign"), ("--split-on-arrival", "utm_campaign"), ("--split-on", "channel", "--channels"),
        ("--exclude-bots",), ("--ip", "truncate"),
    ],
)  # fmt: skip
def test_a_rule_goes_by_what_the_nights_before_had_a_column_for(options: tuple[str, ...], tmp_path: Path) -> None:
    first = {**ALL, "page": "/x?utm_campaign=n"}
    second = {name: ALL[name] for name in ("timestamp", "user_id", "event_type")}
    assert_as_one_run(pair(tmp_path, "csv", first, second), *options)


def test_an_address_that_a_night_lacks_is_nowhere(tmp_path: Path) -> None:
    geo = mmdb.write(tmp_path / "geo.mmdb", {"192.0.2.0/24": {"country": {"iso_code": "AT"}}})
    second = {name: value for name, value in ALL.items() if name != "ip"}
    assert_as_one_run(pair(tmp_path, "csv", ALL, second), "--geo-db", str(geo))


@pytest.mark.parametrize("ending", ["ndjson", "parquet"])
def test_what_lies_deeper_in_a_column_that_a_night_lacks_is_null_in_it(ending: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"2024-05-{day}.{ending}" for day in (30, 31)]
    rows = {"user_id": ["a"], "page": ["/x"]}
    context = [{"user_agent": "Googlebot/2.1", "plan": "x"}]
    write({**rows, "timestamp": ["2024-05-30T23:50:00Z"], "context": context}, paths[0])
    write({**rows, "timestamp": ["2024-05-31T00:10:00Z"]}, paths[1])
    found = assert_as_one_run(paths, "--property", "context.plan", "--dimension", "plan=context.plan")
    assert found.select("bot", "plan").rows() == [(True, "x")]


def test_a_layouts_column_that_a_night_lacks_is_null_in_it(tmp_path: Path) -> None:
    first = {"anonymous_id": "a", "event": "x", "context_user_agent": "Googlebot/2.1", "context_page_url": "/x"}
    second = {"anonymous_id": "a", "event": "x", "context_page_url": "/x"}
    first["timestamp"] = "2024-05-30T23:50:00Z"
    assert_as_one_run(pair(tmp_path, "csv", first, second), "--preset", "segment")


def test_a_column_of_another_name_is_not_taken_for_one_that_a_night_lacks(tmp_path: Path) -> None:
    second = {name: value for name, value in ALL.items() if name != "user_agent"} | {"ua": "curl"}
    paths = pair(tmp_path, "csv", ALL, second)
    night(paths[0])
    code, said = night(paths[1])
    assert (code, "user_agent: user_agent → ua" in said) == (2, True)


def test_a_check_still_says_which_column_is_gone(tmp_path: Path) -> None:
    paths = pair(tmp_path, "csv", ALL, {name: value for name, value in ALL.items() if name != "user_agent"})
    (tmp_path / "x.toml").write_text("[check.schema]\n" + "".join(f'{name} = "String"\n' for name in ALL))
    checked = ("--property", "user_agent", "--check", "--config", "x.toml")
    night(paths[0], *checked)
    code, said = night(paths[1], *checked)
    assert (code, "schema" in said) == (1, True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--page", "none"), "page: page → none"),
        (("--event-type", "none"), "event_type: event_type → none"),
        (("--map", "value=none"), "value: value → none"),
        (("--session-id", "user_id"), "session_id: none → user_id"),
        (("--map", "channel=event_type"), "channel: none → event_type"),
        (("--map", "event_type=page"), "event_type: event_type → page"),
    ],
)
def test_columns_that_are_typed_otherwise_than_they_were_found_are_refused(
    typed: tuple[str, str], said: str, tmp_path: Path
) -> None:
    paths = pair(tmp_path, "csv", ALL, ALL)
    assert night(paths[0]) == (0, "")
    code, told = night(paths[1], *typed)
    assert (code, f"not as in the nights before: {said}" in told) == (2, True)


def test_columns_that_are_typed_as_they_were_found_are_the_same(tmp_path: Path) -> None:
    first, second = pair(tmp_path, "csv", {name: ALL[name] for name in ("timestamp", "user_id", "page")}, ALL)
    assert night(first) == (0, "")
    typed = ("--page", "page", "--profile-id", "user_id", "--map", "referrer=referrer", "--map", "channel=none")
    assert night(second, *typed) == (0, "")


def test_none_may_be_typed_for_a_column_that_the_night_lacks(tmp_path: Path) -> None:
    first, second = pair(tmp_path, "csv", ALL, {name: ALL[name] for name in ("timestamp", "user_id")})
    assert night(first) == (0, "")
    assert night(second, "--page", "none") == (0, "")


def test_a_column_that_was_typed_to_play_no_role_plays_none_later(tmp_path: Path) -> None:
    first, second = pair(tmp_path, "csv", ALL, ALL)
    assert night(first, "--page", "none") == (0, "")
    code, told = night(second, "--page", "page")
    assert (code, "page: none → page" in told) == (2, True)
    assert night(second) == (0, "")
    flushed = sessionize(
        "run", "-o", "out", "--state", "st", "--batch", "end", "--flush", "--page", "none", "-q", cwd=tmp_path
    )
    assert (flushed.code, flushed.err) == (0, "")
    assert of_nights(tmp_path)["entry_page"].to_list() == [None]


def test_a_column_of_channels_that_comes_where_they_are_told_can_be_left_aside(tmp_path: Path) -> None:
    first, second = pair(tmp_path, "csv", ALL, {**ALL, "channel": "mine"})
    assert night(first, "--channels") == (0, "")
    code, told = night(second, "--channels")
    assert (code, "hint: --map channel=none leaves the column 'channel'" in told) == (2, True)
    assert night(second, "--channels", "--map", "channel=none") == (0, "")
    flushed = sessionize(
        "run", "-o", "out", "--state", "st", "--batch", "end", "--flush", "--channels", "-q", cwd=tmp_path
    )
    assert (flushed.code, flushed.err) == (0, "")
