"""What is typed nearly right: understood where it can only mean one thing, else asked back for with what to type."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from console import SAMPLE, sessionize

from sessionize.cli import parse, settings
from sessionize.config import Config
from sessionize.errors import InputError, UsageError
from sessionize.plan import resolve
from sessionize.read import open_log

LOG = str(SAMPLE / "events.csv")
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.mark.parametrize("text", ["30m", "30min", "30 min", "30mins", "30 minutes", "PT30M", "0h30m", "1800s", "30M"])
def test_half_an_hour_may_be_written_as_people_write_it(text: str) -> None:
    assert parse.duration(text, "--timeout") == HALF_AN_HOUR


@pytest.mark.parametrize(
    ("text", "seconds"), [("P1DT2H", 93_600), ("1h 30m", 5400), ("2 days", 172_800), ("1.5h", 5400), ("1w", 604_800)]
)
def test_a_duration_may_have_several_parts(text: str, seconds: int) -> None:
    assert parse.duration(text, "--timeout") == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "m30", "30x", "P", "PT", "30m-", "3O m", "thirty"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration"):
        parse.duration(text, "--timeout")


def test_a_number_alone_is_asked_back_for() -> None:
    with pytest.raises(UsageError, match="--timeout '30' says no unit") as error:
        parse.duration("30", "--timeout")
    assert error.value.hint == "did you mean --timeout 30m, or --timeout 30s?"


@pytest.mark.parametrize(
    ("zone", "meant"),
    [
        ("Europe/Wien", "Europe/Vienna"),
        ("Europe/Viena", "Europe/Vienna"),
        ("Vienna", "Europe/Vienna"),
        ("PST", "America/Los_Angeles"),
    ],
)
def test_a_zone_that_there_is_not_is_told_with_the_one_that_is_meant(zone: str, meant: str) -> None:
    config = Config(inputs=(LOG,), timezone=zone)
    log = open_log(config)
    with pytest.raises(UsageError, match=f"no such time zone: {zone}") as error:
        resolve(config, log.schema, log.sample)
    assert f"--timezone {meant}" in str(error.value.hint)


def test_a_choice_by_another_name_is_asked_back_for() -> None:
    with pytest.raises(UsageError) as error:
        settings.one_of("jsonl", ("parquet", "json", "ndjson", "csv"), "--format")
    assert error.value.message == "invalid value 'jsonl' for --format (choose from parquet, json, ndjson, csv)"
    assert error.value.hint == "did you mean ndjson?"


TYPED = {
    ("--map", "utm_sorce=src"): "did you mean --map utm_source=src?",
    ("--config", "run.toml"): "there is no table [run]",
    ("--config", "number.toml"): "number.toml: timeout '45' says no unit",
}


@pytest.mark.parametrize(("typed", "said"), TYPED.items())
def test_what_cannot_be_meant_is_exit_2_and_says_what_to_type(
    tmp_path: Path, typed: tuple[str, ...], said: str
) -> None:
    (tmp_path / "run.toml").write_text('[run]\ntimeout = "45m"\n')
    (tmp_path / "number.toml").write_text("timeout = 45\n")
    done = sessionize("run", LOG, "-o", "out", *typed, cwd=tmp_path)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "out").exists()


def test_an_earlier_run_is_no_log(tmp_path: Path) -> None:
    assert sessionize("run", LOG, "-o", "out", "-q", cwd=tmp_path).code == 0
    done = sessionize("run", "out", "-o", "again", cwd=tmp_path)
    assert (done.code, "sessionize summary out" in done.err) == (2, True)
    assert sessionize("summary", "out", cwd=tmp_path).code == 0


def test_an_address_of_the_web_is_told_how_to_be_read() -> None:
    with pytest.raises(UsageError, match="nothing is fetched") as error:
        settings._inputs(["https://example.org/log.csv"])
    assert error.value.hint == "curl -sS https://example.org/log.csv | sessionize -"


def test_a_glob_without_match_says_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "day-1.csv").write_text("a\n")
    with pytest.raises(InputError, match="no file matches") as error:
        open_log(Config(inputs=(f"{tmp_path}/night-*.csv",)))
    assert error.value.hint == f"{tmp_path} has day-1.csv"


def test_an_empty_stdin_is_called_so(tmp_path: Path) -> None:
    assert sessionize("-", cwd=tmp_path, stdin=b"").err.splitlines()[0] == "error: stdin is empty"
