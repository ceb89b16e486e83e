"""What the calls give back: in short, in a notebook, and as other libraries' frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from console import SAMPLE
from console import sessionize as command
from polars.testing import assert_frame_equal

import sessionize

PARQUET = SAMPLE / "events.parquet"
LOG = pl.read_parquet(PARQUET)
ANSWERS: dict[str, tuple[Callable[[], sessionize.Table], list[str]]] = {
    "summary": (lambda: sessionize.summary(LOG), []),
    "summary of groups": (
        lambda: sessionize.summary(LOG, by="utm_source", last="2d"), ["--by", "utm_source", "--last", "2d"],
    ),
    "funnel": (
        lambda: sessionize.funnel(LOG, ["page:/", "add-to-cart"], within="1h", strict=True, session_where="events > 2"),
        ["--step", "page:/", "--step", "add-to-cart", "--within", "1h", "--strict", "--session-where", "events > 2"],
    ),
    "paths": (
        lambda: sessionize.paths(LOG, steps=2, from_="add-to-cart", top=3, since="2024-05-28"),
        ["--steps", "2", "--from", "add-to-cart", "--top", "3", "--since", "2024-05-28"],
    ),
    "timeout": (lambda: sessionize.timeout(LOG, timeout="45m"), ["--timeout", "45m"]),
    "compare": (lambda: sessionize.compare(LOG, ["ours", "umami"]), ["--as", "ours", "--as", "umami"]),
}  # fmt: skip
"""Calls, and the options by which their commands say the same."""


@cache
def answered(name: str) -> sessionize.Table:
    return ANSWERS[name][0]()


@pytest.mark.parametrize("name", ANSWERS)
def test_a_call_answers_what_its_command_does(name: str, tmp_path: Path) -> None:
    table, options = answered(name), ANSWERS[name][1]
    done = command(name.split(maxsplit=1)[0], PARQUET, *options, "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    assert json.loads(json.dumps(table.data, default=str)) == json.loads(done.out)
    as_csv = command(name.split(maxsplit=1)[0], PARQUET, *options, "--csv", cwd=tmp_path)
    rows = pl.read_csv(as_csv.out.encode(), infer_schema_length=None)
    if name == "summary":
        rows = rows.filter(~pl.col("figure").is_in(["first", "last"])).with_columns(pl.col("value").cast(pl.Float64))
    assert_frame_equal(table.frame, rows.cast(dict(table.frame.schema)))  # type: ignore[arg-type]


def test_every_list_of_rows_is_a_frame() -> None:
    tables = answered("summary").tables
    assert {"per_day", "per_hour", "lengths", "entry_pages", "exit_pages"} <= set(tables)
    assert tables["per_day"]["sessions"].sum() == 658


def test_an_earlier_run_is_answered_of_too(tmp_path: Path) -> None:
    sessionize.run(sessionize.Config(inputs=(str(PARQUET),)), sessionize.Output(directory=str(tmp_path / "out")))
    assert_frame_equal(sessionize.summary(tmp_path / "out").frame, sessionize.summary(PARQUET).frame)


def test_another_log_is_compared_with(tmp_path: Path) -> None:
    LOG[:1500].write_parquet(tmp_path / "other.parquet")
    table = sessionize.summary(LOG, compare=tmp_path / "other.parquet")
    assert table.data["compare"]["that"]["sessions"] == sessionize.summary(LOG[:1500]).data["sessions"]


@pytest.mark.slow
def test_a_check_says_what_its_command_says(tmp_path: Path) -> None:
    verdict = sessionize.check(LOG, {"rejected": {"error": "0"}})
    assert not verdict.passed
    assert verdict.frame.filter(status="failed")["check"].to_list() == ["rejected"]
    (failed,) = (finding for finding in verdict.findings if finding.check == "rejected")
    assert failed.examples[0].file == "the frame"
    (tmp_path / "sessionize.toml").write_text("[check]\nrejected.error = 0\n")
    done = command("check", PARQUET, "--json", cwd=tmp_path)
    assert done.code == 1
    statuses = {each["check"]: each["status"].replace("_", " ") for each in json.loads(done.out)["checks"]}
    said = dict(verdict.frame.select("check", "status").iter_rows())
    of_files = {"future-timestamps", "missing-days", "unread-files"}  # which look at files' dates and names
    assert {name: status for name, status in said.items() if name not in of_files} == {
        name: status for name, status in statuses.items() if name not in of_files
    }


def test_a_warning_fails_a_check_where_that_is_asked_for() -> None:
    asked = {"rejected": {"warn": "0"}}
    assert sessionize.check(LOG, asked).passed
    assert not sessionize.check(LOG, asked, error_on_warning=True).passed


def test_a_check_of_a_config_gives_the_findings_alone() -> None:
    checked = sessionize.check(sessionize.Config(inputs=(str(PARQUET),)))
    assert checked.passed
    assert type(checked).__name__ == "Checked"


@pytest.mark.slow
def test_what_comes_back_is_short() -> None:
    made = sessionize.sessionize(LOG)
    told = "658 sessions of 88 profiles, 2,938 events, 2 rejected"
    assert repr(made) == f"<sessionize.Frames: {told}; .metrics .sessions .events .rejected .counts>"
    assert told in made._repr_html_()
    assert len(made._repr_html_()) < 20_000
    assert all(len(repr(answered(name))) < 5_000 for name in ANSWERS)


def test_a_log_cannot_write_html_into_a_notebook() -> None:
    bad = "<script>alert(1)</script>"
    log = pl.DataFrame({"user_id": [bad] * 2, "time": ["2024-05-01"] * 2, "event": [bad] * 2, "page": [bad] * 2})
    made = sessionize.sessionize(log)
    shown = (made, sessionize.summary(log, by="page"), sessionize.paths(log), sessionize.funnel(log, [bad]))
    for each in shown:
        html = each._repr_html_()
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_other_libraries_get_their_own_frames() -> None:
    pd = pytest.importorskip("pandas")
    made, table = sessionize.sessionize(LOG), answered("funnel")
    assert_frame_equal(
        pl.from_pandas(made.to_pandas().astype({"bot": object})).select("events", "start"),
        made.metrics.select("events", "start"),
    )
    assert isinstance(table.to_pandas(), pd.DataFrame)
    assert list(made.to_pandas("rejected").columns) == made.rejected.columns
    assert isinstance(made.to_arrow("events"), pa.Table)
    assert made.to_arrow("events").num_rows == made.events.height
    assert table.to_arrow().column_names == table.frame.columns
    assert made.to_polars() is made.metrics
    assert table.to_polars() is table.frame


def test_a_frame_that_there_is_not_is_refused() -> None:
    with pytest.raises(sessionize.UsageError, match=r"no such frame: 'visits' \(choose from metrics, sessions"):
        sessionize.sessionize(LOG).to_pandas("visits")


def test_without_pandas_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(sessionize.UsageError) as raised:
        answered("funnel").to_pandas()
    assert raised.value.hint == "pip install pandas"


CHECK: Any = sessionize.check
FUNNEL: Any = sessionize.funnel
SUMMARY: Any = sessionize.summary
COMPARE: Any = sessionize.compare
WRONG: dict[str, tuple[Any, str, str]] = {
    "a step that never occurs": (lambda: sessionize.funnel(LOG, ["purchas"]), "step 'purchas': no event of the log is that; did you mean 'purchase'?", ""),
    "no steps": (lambda: sessionize.funnel(LOG, []), "a funnel needs steps", "for example step="),
    "no such group": (lambda: sessionize.summary(LOG, by="utm_sorce"), "by 'utm_sorce': neither a column", "utm_source"),
    "too many steps": (lambda: sessionize.paths(LOG, steps=99), "steps=99 is not from 1 to 20", ""),
    "nearly a keyword of its own": (lambda: FUNNEL(LOG, steps=["a"]), "funnel() takes no keyword 'steps'", "did you mean step?"),
    "a frame for a path": (lambda: SUMMARY(LOG, compare=LOG), "compare is a path or a name, not shape: (2_943, 14)", ""),
    "no baseline": (lambda: sessionize.check(LOG, baseline="nowhere"), 'baseline="nowhere"', "name a run's output directory"),
    "both ends and a middle": (lambda: sessionize.paths(LOG, around="a", to="b"), "around goes with neither from_ nor to", ""),
    "no duration": (lambda: sessionize.summary(LOG, last="soon"), "last 'soon' is no duration", 'for example last="30m"'),
    "a bad condition": (lambda: sessionize.summary(LOG, session_where="x > 1"), "session_where", ""),
    "no such definition": (lambda: sessionize.compare(LOG, ["ga5"]), "invalid value 'ga5' for as_ (no such definition)", "did you mean ga4?"),
    "no such check": (lambda: sessionize.check(LOG, {"rejectd": False}), "[check] knows no 'rejectd'", "did you mean 'rejected'?"),
    "no bounds": (lambda: CHECK(LOG, [1]), "settings is no dict", "for example settings="),
    "a misspelt keyword": (lambda: COMPARE(LOG, timeot="1h"), "compare() takes no keyword 'timeot'", "timeout"),
    "a keyword of another call": (lambda: COMPARE(LOG, channels=True), "compare() takes no keyword 'channels'", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_pythons_words(name: str) -> None:
    call, message, hint = WRONG[name]
    with pytest.raises(sessionize.SessionizeError) as raised:
        call()
    assert raised.value.message.startswith(message)
    assert hint in (raised.value.hint or "")
    in_a_shell = "sessionize check --output-format json"
    assert "--" not in f"{raised.value.message} {raised.value.hint}".replace(in_a_shell, "")


METHODS: dict[str, Callable[[Any], sessionize.Table]] = {
    "summary": lambda frame: frame.sessionize.summary(),
    "funnel": lambda frame: frame.sessionize.funnel(["page:/"]),
    "paths": lambda frame: frame.sessionize.paths(top=3),
    "timeout": lambda frame: frame.sessionize.timeout(),
    "compare": lambda frame: frame.sessionize.compare("ga4"),
    "check": lambda frame: frame.sessionize.check(),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", [pl.DataFrame, pl.LazyFrame])
def test_a_frame_of_polars_has_the_calls_as_methods(name: str, kind: type) -> None:
    frame: Any = LOG if kind is pl.DataFrame else LOG.lazy()
    assert METHODS[name](frame).name == name
    assert frame.sessionize(timeout="1h").counts.sessions == sessionize.sessionize(LOG, timeout="1h").counts.sessions
    assert dir(frame.sessionize) == sorted(METHODS)
    with pytest.raises(AttributeError, match=r"frames have no sessionize\.report"):
        frame.sessionize.report()


def test_sessions_are_chosen_by_what_they_contain() -> None:
    bought = sessionize.summary(LOG, containing="purchase").data
    assert bought["sessions"] == sessionize.funnel(LOG, ["purchase"]).data["steps"][0]["sessions"]
    both = sessionize.paths(LOG, containing=["purchase", "page:/"]).data["total"]
    assert 0 < both < bought["sessions"]


def test_the_data_of_a_check_is_what_the_command_prints(tmp_path: Path) -> None:
    found = sessionize.check(SAMPLE / "events.csv")
    done = command("check", SAMPLE / "events.csv", "--output-format", "json", cwd=tmp_path)
    assert json.loads(json.dumps(found.data)) == json.loads(done.out)
    assert found.tables["checks"].height == found.frame.height
