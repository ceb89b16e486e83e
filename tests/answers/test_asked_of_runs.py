"""What is asked of a log is not asked of an earlier run's output: it is refused unless the run was made with it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from console import SAMPLE, sessionize

import sessionize as package
from sessionize.config import Config, Rules
from sessionize.errors import UsageError

LOG = """\
session_id,timestamp,event_type,country,n
a,2024-05-30T10:00:00Z,view,AT,5
a,2024-05-30T10:01:00Z,view,DE,3000
b,2024-05-30T11:00:00Z,view,DE,1
"""
OTHERWISE = (
    ("--where", "country = 'DE'"), ("--timeout", "45m"), ("--timeout", "none"), ("--max-duration", "1h"), ("--end-event", "view"),
    ("--start-event", "view"), ("--max-events", "1"), ("--split-on", "country"), ("--split-on-arrival", "country"),
    ("--split-at-midnight",), ("--passive", "view"), ("--active-gap", "1m"), ("--rules", "matomo"), ("--page-view", "view"),
    ("--conversion", "view"), ("--goal", "g=n = '1'"), ("--metric", "m=count(*)"), ("--dimension", "n"), ("--dimension", "country=n"),
    ("--property", "n"), ("--trait", "n"), ("--page-path",), ("--channels",), ("--own-host", "example.org"), ("--exclude-bots",),
    ("--null", "DE"), ("--timezone", "Europe/Vienna"), ("--session-id", "country"), ("--session-id", "none"), ("--profile-id", "n"),
    ("--event-id", "n"), ("--timestamp", "n"), ("--event-type", "country"), ("--page", "country"), ("--map", "value=n"),
    ("--preset", "ga4"), ("--input-format", "parquet"), ("--time-format", "s"), ("--delimiter", ";"), ("--quote", "'"),
    ("--skip-lines", "1"), ("--comment", "#"), ("--columns", "a,b"), ("--multiline",), ("--verify",),
)  # fmt: skip
ALIKE = (
    ("--timeout", "30m"), ("--timeout", "1800s"), ("--session-id", "session_id"), ("--timezone", "UTC"), ("--dimension", "country"),
    ("--dimension", "place=country"), ("--input-format", "csv"), ("--time-format", "iso"), ("--map", "event_type=event_type"),
    ("--max-rejected", "5%"), ("--on-bad-row", "fail"), ("--memory-limit", "1GB"), ("--ip", "full"), ("--profile-id", "none"),
)  # fmt: skip
COMMANDS = ("summary out", "funnel out --step view", "paths out", "show out --longest", "timeout out", "report out",
            "summary out --compare log.csv", "check out")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "log.csv").write_text(LOG)
    own = ("--dimension", "country", "--dimension", "place=country")
    assert sessionize("run", "log.csv", "-o", "out", "--events", *own, "-q", cwd=folder).code == 0
    return folder


@pytest.mark.parametrize("typed", OTHERWISE, ids=" ".join)
def test_an_option_that_the_run_was_not_made_with_is_refused(typed: tuple[str, ...], folder: Path) -> None:
    said = sessionize("summary", "out", *typed, "-q", cwd=folder)
    assert (said.code, f"error: out: {typed[0]} " in said.err, "name the log itself" in said.err) == (2, True, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_is_asked_of_the_output(command: str, folder: Path) -> None:
    said = sessionize(*command.split(), "--where", "country = 'DE'", "-q", cwd=folder)
    assert (said.code, "--session-where" in said.err) == (2, True)


@pytest.mark.parametrize("typed", ALIKE, ids=" ".join)
def test_what_the_run_was_made_with_may_be_typed_again(typed: tuple[str, ...], folder: Path) -> None:
    assert sessionize("summary", "out", *typed, "-q", cwd=folder)[::2] == (0, "")


def test_rules_of_another_system_may_be_typed_again(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    sessionize("run", "log.csv", "-o", "out", "--rules", "matomo", "-q", cwd=tmp_path)
    assert sessionize("summary", "out", "--rules", "matomo", "-q", cwd=tmp_path).code == 0
    assert sessionize("summary", "out", "--rules", "ga4", "-q", cwd=tmp_path).code == 2


def test_a_file_of_options_may_be_for_other_logs(folder: Path) -> None:
    (folder / "c.toml").write_text("timeout = '45m'\nwhere = \"country = 'DE'\"\n")
    assert sessionize("summary", "out", "--config", "c.toml", "-q", cwd=folder).code == 0


def test_nights_are_asked_as_a_run_is(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    night = ("--state", "state", "--batch", "2024-05-30", "--until", "2024-05-31", "--timeout", "1h")
    assert sessionize("run", "log.csv", "-o", "out", *night, "-q", cwd=tmp_path).code == 0
    assert sessionize("summary", "out", "--timeout", "1h", "-q", cwd=tmp_path).code == 0
    assert "--timeout" in sessionize("summary", "out", "--timeout", "30m", "-q", cwd=tmp_path).err


def test_keywords_are_refused_as_options_are(folder: Path) -> None:
    out = str(folder / "out")
    with pytest.raises(UsageError, match=r"out: where is asked of the log"):
        package.summary(out, where="country = 'DE'")
    for rules in (Rules(timeout=timedelta(hours=1)), None):
        with pytest.raises(UsageError, match=r"out: (rules|timeout) is asked of the log"):
            package.paths(out, **({"timeout": None} if rules is None else {"rules": rules}))
    with pytest.raises(UsageError, match=r"out: exclude_bots is asked of the log"):
        package.summary(out, config=Config(exclude_bots=True))
    assert package.summary(out, rules=Rules()).data["sessions"] == 2
    assert package.summary(out, config=Config(delimiter=",")).data["sessions"] == 2


def test_a_log_is_compared_with_a_run_by_the_same_rules_or_it_is_told(folder: Path) -> None:
    said = sessionize("summary", "log.csv", "--where", "country = 'DE'", "--compare", "out", "-q", cwd=folder)
    assert (said.code, "error: out: --where" in said.err) == (2, True)
    sessionize("run", "log.csv", "-o", "other", "--where", "country = 'DE'", "--timeout", "1h", "-q", cwd=folder)
    same = ("--where", "country = 'DE'", "--timeout", "1h")
    assert sessionize("summary", "log.csv", *same, "--compare", "other", "-q", cwd=folder)[::2] == (0, "")
    for command in ("summary", "report"):
        for this, that in (("out", "other"), ("log.csv", "other"), ("other", "log.csv")):
            said = sessionize(command, this, "--compare", that, "-q", cwd=folder)
            told = " ".join(said.err.split())
            assert (said.code, f"{that} and {this} were not made alike" in told) == (0, True)
            assert told.endswith("--timeout, --where")


def test_no_screen_of_a_run_proposes_what_would_be_refused(tmp_path: Path) -> None:
    sessionize("run", SAMPLE / "events.csv", "-o", "out", "--events", "-q", cwd=tmp_path)
    of_log, of_run = (sessionize("timeout", log, cwd=tmp_path).out for log in (SAMPLE / "events.csv", "out"))
    assert "--timeout" in of_log.partition("next:")[2]
    words = of_run.partition("next: sessionize ")[2].split()
    assert words == ["summary", "out"]
    assert sessionize(*words, cwd=tmp_path).code == 0


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nights")
    for day in (30, 31):
        (folder / f"{day}.csv").write_text(LOG.replace("05-30", f"05-{day}").replace("\na", f"\na{day}"))
        night = ("--state", "state", "--batch", f"2024-05-{day}", "--until", f"2024-05-{day}T23:00:00Z")
        sessionize("run", f"{day}.csv", "-o", "out", "--events", *night, "-q", cwd=folder)
    return folder


@pytest.mark.parametrize("command", ["summary --json", "report", "funnel --step view --json", "paths --json",
                                     "show --longest --json", "timeout --json"])  # fmt: skip
def test_nights_are_one_log_however_they_are_named(command: str, nights: Path) -> None:
    name, *options = command.split()
    whole = sessionize(name, "out", *options, cwd=nights)
    assert whole.code == 0, whole.err
    each = ["out/batch=2024-05-30", "out/batch=2024-05-31"]
    for inputs in (["out/batch=*"], each, each[::-1], [*each, each[0]]):
        said = sessionize(name, *inputs, *options, cwd=nights)
        assert said.code == 0, said.err
        if name != "report":  # which is called as its inputs are
            assert said.out == whole.out
    one = sessionize("summary", "out", "--compare", "out/batch=*", "--json", cwd=nights)
    assert '"sessions": 4' in one.out.partition('"that"')[2]


def test_runs_that_were_not_made_alike_are_no_one_log(folder: Path) -> None:
    sessionize("run", "log.csv", "-o", "slow", "--timeout", "2h", "-q", cwd=folder)
    said = sessionize("summary", "out", "slow", cwd=folder)
    assert (said.code, "out and slow were not made alike" in said.err, "--timeout" in said.err) == (2, True, True)


@pytest.mark.parametrize("inputs", [("out", "log.csv"), ("out*",)], ids=" ".join)
def test_a_log_beside_a_run_is_refused_in_words(inputs: tuple[str, ...], folder: Path) -> None:
    (folder / "out.csv").write_text(LOG)
    said = sessionize("summary", *inputs, cwd=folder)
    assert (
        said.code,
        f"out is the output of an earlier run, and {inputs[-1].replace('*', '.csv')} is not" in said.err,
    ) == (2, True)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("named")
    (folder / "log.csv").write_text(
        "user_id,visit_id,time,action,url,plan\nann,1,2024-05-30T10:00:00Z,view,/a,free\nbob,2,2024-05-30T10:01:00Z,buy,/b,paid\n"
    )
    columns = ("--session-id", "visit_id", "--event-type", "action", "--dimension", "tier=plan")
    sessionize("run", "log.csv", "-o", "out", "--events", *columns, "-q", cwd=folder)
    return folder


@pytest.mark.parametrize(
    ("column", "meant"),
    [("user_id", "profile_id"), ("visit_id", "source_id"), ("url", "entry_page"), ("time", "day"), ("plan", "tier"), ("bounce", "bounced")],
)  # fmt: skip
@pytest.mark.parametrize("command", ["summary out", "report out", "funnel out --step view"])
def test_a_group_by_a_column_of_the_log_is_told_what_the_run_calls_it(
    command: str, column: str, meant: str, named: Path
) -> None:
    said = sessionize(*command.split(), "--by", column, cwd=named)
    assert (said.code, f"did you mean {meant!r}? " in " ".join(said.err.split())) == (2, True), said.err
    assert sessionize(*command.split(), "--by", meant, cwd=named).code == 0


@pytest.mark.parametrize("column", ["event_type", "action"])
def test_a_group_by_event_types_is_told_how_they_are_asked_for(column: str, named: Path) -> None:
    said = sessionize("summary", "out", "--by", column, cwd=named)
    assert "did you mean" not in said.err
    assert "--by entry_event" in said.err
    assert "--containing NAME" in said.err
    assert sessionize("summary", "out", "--by", "entry_event", "--containing", "buy", cwd=named).code == 0


STEPS = ("country = 'AT'", "country = 'DE'")


@pytest.mark.parametrize("command", [
    ("funnel", "--step", STEPS[0], "--step", STEPS[1]), ("paths", "--from", STEPS[1]), ("report", "--step", STEPS[0]),
    ("summary", "--containing", STEPS[1]), ("show", "--longest", "--containing", f"event_type = 'view' AND {STEPS[1]}"),
], ids=" ".join)  # fmt: skip
def test_a_step_over_a_dimension_is_not_answered_by_the_sessions_first_value(
    command: tuple[str, ...], folder: Path
) -> None:
    name, *typed = command
    said = sessionize(name, "out", *typed, cwd=folder)
    told = " ".join(said.err.split())
    assert (said.code, "has its session's first 'country', not its own" in told) == (2, True), said
    assert "--property country" in told
    own = ("--dimension", "country", "--property", "country")
    sessionize("run", "log.csv", "-o", "both", "--events", *own, "-q", cwd=folder)
    answers = (
        [sessionize(name, log, *typed, "--json", cwd=folder).out for log in ("log.csv", "both")]
        if name == "funnel"
        else []
    )
    assert answers[:1] == answers[1:]
    assert sessionize(name, "both", *typed, cwd=folder).code == 0


def test_a_dimension_of_another_name_is_the_sessions_everywhere(folder: Path) -> None:
    steps = ("--step", "place = 'AT'", "--step", "place = 'DE'", "--json")
    answers = [
        sessionize("funnel", *log, *steps, cwd=folder).out
        for log in (("log.csv", "--dimension", "place=country"), ("out",))
    ]
    assert answers[0] == answers[1] != ""


def test_an_event_type_of_the_name_of_a_dimension_is_a_step(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG.replace("view", "country"))
    sessionize("run", "log.csv", "-o", "out", "--events", "--dimension", "country", "-q", cwd=tmp_path)
    assert sessionize("funnel", "out", "--step", "country", cwd=tmp_path).code == 0


@pytest.mark.parametrize("form", ["ndjson", "json", "parquet", "csv"])
@pytest.mark.parametrize("quiet", ["27", "28"], ids=["the first night", "a later one"])
def test_a_night_without_a_session_hides_no_column_of_the_others(form: str, quiet: str, tmp_path: Path) -> None:
    for day in ("27", "28", "29"):
        row = f"s{day},2024-05-{day}T10:00:00Z,purchase,2,7\nt{day},2024-05-{day}T10:00:00Z,purchase,3,1\n"
        (tmp_path / f"{day}.csv").write_text(
            "session_id,timestamp,event_type,plan,value\n" + (row if day != quiet else "")
        )
        asked = ("--goal", "purchase=TRY_CAST(value AS DOUBLE) > 5", "--property", "plan", "--dimension", "kind=plan")
        at = ("--state", "state", "--batch", f"2024-05-{day}", "--events", "--format", form)
        done = sessionize("run", f"{day}.csv", "-o", "out", "-q", *at, *asked, cwd=tmp_path)
        assert done.code == 0, done.err
    for command in (
        ("funnel", "out", "--step", "purchase"), ("funnel", "out", "--step", "plan = '2'"),
        ("summary", "out", "--containing", "purchase"), ("summary", "out", "--containing", "plan = '2'"),
    ):  # fmt: skip
        done = sessionize(*command, "--json", cwd=tmp_path)
        told = json.loads(done.out)
        assert (done.code, told["steps"][0]["sessions"] if "steps" in told else told["sessions"]) == (0, 2), done.err
    only = sessionize("funnel", f"out/batch=2024-05-{quiet}", "--step", "purchase", "--json", cwd=tmp_path)
    assert (only.code, json.loads(only.out)["steps"][0]["sessions"]) == (0, 0), only.err
