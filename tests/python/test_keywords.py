"""Keywords are the command line's options, in its texts or in Python's types; what is wrong with one is said in Python."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from console import SAMPLE

import sessionize
from sessionize.cli.options import OPTIONS
from sessionize.python.keywords import KEYWORDS, EnrichedOptions, Request, keywords_of
from sessionize.python.words import in_python

LOG = pl.read_parquet(SAMPLE / "events.parquet")
CALLS: dict[str, Callable[..., Any]] = {
    "run": sessionize.sessionize,
    "summary": sessionize.summary,
    "funnel": sessionize.funnel,
    "paths": sessionize.paths,
    "timeout": sessionize.timeout,
    "compare": sessionize.compare,
    "check": sessionize.check,
}
SCREEN = {"config", "quiet", "verbose", "no_progress", "no_color", "debug"}
"""Options that are about a screen or a file; a call has its own `config`."""


@pytest.mark.parametrize("command", CALLS)
def test_every_option_of_a_log_is_a_keyword_with_a_type_and_a_line_in_the_help(command: str) -> None:
    rows = {row.name for row in OPTIONS if not row.commands or command in row.commands} - SCREEN
    assert set(keywords_of(command)) == rows
    assert set(get_type_hints(KEYWORDS.get(command, EnrichedOptions))) == rows
    call = CALLS[command]
    assert rows <= set(inspect.signature(call).parameters)
    assert all(f"\n    {name}: " in (call.__doc__ or "") for name in rows)
    in_a_shell = r"sessionize compare --explain all"
    assert not re.search(r"(?<!\w)--\w", (call.__doc__ or "").replace(in_a_shell, ""))


def _config(**keywords: Any) -> Any:
    return Request(LOG, "run", None, keywords).config


SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a duration": ({"timeout": "45m"}, {"timeout": timedelta(minutes=45)}),
    "a duration to the microsecond": ({"active_gap": "1us"}, {"active_gap": timedelta(microseconds=1)}),
    "no timeout": ({"timeout": "none"}, {"timeout": None}),
    "no longest session": ({"max_duration": "none"}, {"max_duration": None}),
    "a size": ({"memory_limit": "2GB"}, {"memory_limit": 2_000_000_000}),
    "a zone": ({"timezone": "Europe/Berlin"}, {"timezone": ZoneInfo("Europe/Berlin")}),
    "UTC": ({"timezone": "UTC"}, {"timezone": UTC}),
    "UTC as a zone": ({"timezone": "UTC"}, {"timezone": ZoneInfo("UTC")}),
    "a time": (
        {"until": "2024-05-31T02:00:00Z"},
        {"until": datetime(2024, 5, 31, 4, tzinfo=timezone(timedelta(hours=2)))},
    ),
    "a time without a zone": (
        {"until": "2024-05-31T00:00:00+02:00"},
        {"until": datetime(2024, 5, 31), "timezone": "Europe/Berlin"},  # noqa: DTZ001 - that is the case
    ),
    "a date": ({"until": "2024-05-31T00:00:00Z"}, {"until": date(2024, 5, 31)}),
    "one column": ({"session_id": "ip"}, {"session_id": ["ip"]}),
    "a role of a dict": ({"map": "channel=country"}, {"map": {"channel": "country"}}),
    "columns of one's own": (
        {"metric": "n=count(*)", "dimension": ["url", "app=page"], "goal": "g=url = '/x'"},
        {"metric": {"n": "count(*)"}, "dimension": {"url": "url", "app": "page"}, "goal": {"g": "url = '/x'"}},
    ),
    "several names": ({"conversion": ["a", "b"]}, {"conversion": ("a", "b")}),
    "names of columns": ({"columns": "a,b"}, {"columns": ["a", "b"]}),
    "the rules": ({"timeout": "1h"}, {"rules": sessionize.Rules(timeout=timedelta(hours=1))}),
    "None is what is not said": ({}, {"where": None, "session_id": None, "preset": None, "max_events": None}),
}


@pytest.mark.parametrize("name", SAME)
def test_a_text_and_pythons_own_type_say_the_same_of(name: str) -> None:
    written, typed = (_config(**keywords) for keywords in SAME[name])
    for field in ("rules", "until", "memory_limit", "columns", "conversions", "csv_columns", "where", "preset"):
        assert getattr(written, field) == getattr(typed, field)
    assert name == "a time without a zone" or written.timezone == typed.timezone


def test_names_of_columns_may_have_commas() -> None:
    assert _config(columns=["a,b", "c"]).csv_columns == ("a,b", "c")


def test_a_key_may_be_in_memory(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"0123456789abcdef")
    by_file, by_bytes = (
        sessionize.sessionize(LOG, hash_ids=key).metrics for key in (tmp_path / "key", b"0123456789abcdef")
    )
    assert by_file.equals(by_bytes)
    assert not set(by_file["profile_id"]) & set(LOG["user_id"].drop_nulls())


def test_a_file_of_options_is_taken_only_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sessionize.toml").write_text('timeout = "1m"\n')
    monkeypatch.chdir(tmp_path)
    assert sessionize.sessionize(LOG).counts.sessions == 658
    assert sessionize.sessionize(LOG, config="sessionize.toml").counts.sessions > 1000
    assert sessionize.sessionize(LOG, config=tmp_path / "sessionize.toml", timeout="30m").counts.sessions == 658


def test_a_preset_and_another_systems_rules_are_keywords() -> None:
    assert sessionize.sessionize(LOG, rules="umami").counts.sessions > sessionize.sessionize(LOG).counts.sessions
    with pytest.raises(sessionize.UsageError, match="this log is not of the layout ga4"):
        sessionize.sessionize(LOG, preset="ga4")


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "a misspelt keyword": ({"timeot": "45m"}, "sessionize() takes no keyword 'timeot'", "did you mean timeout?"),
    "an unlike keyword": ({"xyz": 1}, "sessionize() takes no keyword 'xyz'", "it takes preset, session_id"),
    "a duration without unit": (
        {"timeout": 45}, "timeout '45' says no unit", 'did you mean timeout="45m", or timeout="45s"?',
    ),
    "no duration": ({"timeout": "soon"}, "timeout 'soon' is no duration", 'for example timeout="30m", 45s, 1h30m, 2d'),
    "a list for a duration": ({"timeout": ["1h"]}, "timeout is a duration, such as \"45m\" or timedelta(minutes=45), not ['1h']", ""),
    "a negative duration": ({"timeout": timedelta(-1)}, "timeout cannot be negative", 'for example timeout="30m"'),
    "no time between events": ({"timeout": "0s"}, "timeout=\"0s\" would make a session of every moment", "timeout=None switches"),
    "a flag as text": ({"exclude_bots": "yes"}, "exclude_bots is True or False, not 'yes' (str)", ""),
    "a number as text": ({"max_events": "10"}, "max_events is a whole number, not '10' (str)", ""),
    "a flag for a number": ({"max_events": True}, "max_events is a whole number, not True (bool)", ""),
    "too few events": ({"max_events": 0}, "invalid value 0 for max_events (at least 1)", "for example max_events=10000"),
    "a number for a column": ({"session_id": 3}, "session_id is a text or a list of texts, not 3 (int)", ""),
    "no such choice": (
        {"on_bad_row": "x"}, "invalid value 'x' for on_bad_row (choose from reject, fail)", "",
    ),
    "nearly a choice": ({"input_format": "jsonl"}, "invalid value 'jsonl' for input_format", "did you mean ndjson?"),
    "a column that is not there": ({"timestamp": "tim"}, "timestamp: the log has no column 'tim'", "did you mean 'timestamp'?"),
    "no such role": ({"map": {"chanel": "x"}}, "map 'chanel=x': no such role: chanel", 'did you mean map={"channel": "x"}?'),
    "a bad condition": ({"where": "foo = 1"}, "where: unable to find column", "an expression over event_id"),
    "no such zone": ({"timezone": "Berlin"}, "no such time zone: Berlin", 'timezone="Europe/Berlin"'),
    "too little memory": ({"memory_limit": 5}, "memory_limit", "a limit is held from 512MB on"),
    "a time that is none": ({"until": "soon"}, "until 'soon' is no time", 'for example until="2024-05-31T00:00:00Z"'),
    "no key": ({"hash_ids": b"short"}, "hash_ids is no key of at least 16 bytes", "secrets.token_bytes(32) makes one"),
    "a Config and keywords": (
        {"config": sessionize.Config(), "timeout": "1h"},
        "a Config and keywords (timeout) cannot both say what is asked", "dataclasses.replace",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_pythons_words(name: str) -> None:
    keywords, message, hint = WRONG[name]
    with pytest.raises(sessionize.UsageError) as raised:
        sessionize.sessionize(LOG, **keywords)
    assert raised.value.message.startswith(message)
    assert hint in (raised.value.hint or "")
    assert "--" not in f"{raised.value.message} {raised.value.hint}"
    if hint:
        assert raised.value.__notes__ == [f"hint: {raised.value.hint}"]


@pytest.mark.slow
def test_a_hint_is_right_if_it_is_typed() -> None:
    """The hint of each is taken as it stands, into a call, and the call then works."""
    two = LOG.select("timestamp", "event_type", user_id="user_id", visitor_id="user_id")
    with pytest.raises(sessionize.UsageError) as raised:
        sessionize.sessionize(two)
    offers = [each for each in re.findall(r'\w+="\w+"', raised.value.hint or "") if "COLUMN" not in each]
    assert offers
    for offer in offers:
        assert eval(f"sessionize.sessionize(two, {offer})", {"sessionize": sessionize, "two": two}).counts.sessions  # noqa: S307

    dates = LOG.select("user_id", timestamp=pl.col("timestamp").dt.strftime("%d/%m/%Y %H:%M:%S"))
    (offer,) = re.findall(r'time_format="[^"]+"', sessionize.sessionize(dates).notes[-1])
    assert eval(f"sessionize.sessionize(dates, {offer})", {"sessionize": sessionize, "dates": dates}).counts.sessions  # noqa: S307


def test_a_bad_row_ends_the_call_where_that_is_asked_for() -> None:
    with pytest.raises(sessionize.InputError) as raised:
        sessionize.sessionize(LOG, on_bad_row="fail")
    assert 'on_bad_row="reject" keeps such rows apart and goes on' in (raised.value.hint or "")


def test_too_many_rejected_rows_are_an_error_where_a_limit_is_asked_for() -> None:
    assert sessionize.sessionize(LOG, max_rejected=2).counts.rejected == 2
    for most in (1, "0.01%"):
        with pytest.raises(sessionize.SessionizeError, match=f"2 of 2943 rows rejected, over max_rejected.*{most}"):
            sessionize.sessionize(LOG, max_rejected=most)


TOLD = {
    "--session-id COLUMN or --profile-id COLUMN says which column has the ids": (
        'session_id="COLUMN" or profile_id="COLUMN" says which column has the ids'
    ),
    "--time-format s|ms|us|ns takes them as numbers": 'time_format="s", "ms", "us" or "ns" takes them as numbers',
    "--delimiter, --columns or --multiline say how": "delimiter, columns or multiline=True say how",
    "did you mean --profile-id uuid?": 'did you mean profile_id="uuid"?',
    "--session-id device --session-id visit": 'session_id=["device", "visit"]',
    "--columns 'a,b' names them in all files": 'columns=["a", "b"] names them in all files',
    "curl -fsSL http://a | sessionize run - -o DIR; --timeout 1h": (
        'curl -fsSL http://a | sessionize run - -o DIR; timeout="1h"'
    ),
    "over --max-rejected 5%": 'over max_rejected="5%"',
    "--multiline reads quoted fields": "multiline=True reads quoted fields",
}


@pytest.mark.parametrize("text", TOLD)
def test_options_in_a_sentence_are_keywords(text: str) -> None:
    assert in_python(text, frozenset({"multiline"})) == TOLD[text]


BESIDE: dict[str, tuple[dict[str, Any], sessionize.Rules]] = {
    "a timeout": ({"timeout": "10m"}, sessionize.Rules(timeout=timedelta(minutes=10))),
    "no timeout": ({"timeout": None}, sessionize.Rules(timeout=None)),
    "a longest session": (
        {"max_duration": "10m"}, sessionize.Rules(timeout=timedelta(minutes=5), max_duration=timedelta(minutes=10)),
    ),
    "the most events": ({"max_events": 2}, sessionize.Rules(timeout=timedelta(minutes=5), max_events=2)),
    "an event that ends": (
        {"end_event": ["purchase"]}, sessionize.Rules(timeout=timedelta(minutes=5), end_events=("purchase",)),
    ),
    "midnight": ({"split_at_midnight": True}, sessionize.Rules(timeout=timedelta(minutes=5), split_at_midnight=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", BESIDE)
def test_a_rule_typed_beside_rules_beats_them(name: str) -> None:
    beside, meant = BESIDE[name]
    found = sessionize.sessionize(LOG, rules=sessionize.Rules(timeout=timedelta(minutes=5)), **beside)
    alone = sessionize.sessionize(LOG, rules=meant)
    assert found.metrics.equals(alone.metrics)
    assert not found.metrics.equals(
        sessionize.sessionize(LOG, rules=sessionize.Rules(timeout=timedelta(minutes=5))).metrics
    )
