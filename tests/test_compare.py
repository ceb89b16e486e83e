"""`sessionize compare`: one log by several definitions, each as a run by it would have it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import examples
from console import SAMPLE, sessionize
from engine import plan_of, raw_frame, rows_of
from hypothesis import given
from hypothesis import strategies as st
from nights import IN_MEMORY, in_files
from oracle import Event, OracleRules
from strategies import logs, roles, rules

from sessionize import definitions
from sessionize.cli import app
from sessionize.cli.rules import no_rules, rules_of
from sessionize.compare import SOURCE_ID, Candidate, compare
from sessionize.compare.measure import Measures
from sessionize.compare.side import Side, cut_together
from sessionize.config import Config, Rules
from sessionize.engine.tally import Tally
from sessionize.kernel import sessionize as sessionize_events

LOG = """session_id,user_id,time
s1,u,2024-05-30 10:00:00
s1,u,2024-05-30 10:10:00
s2,u,2024-05-30 10:20:00
s2,u,2024-05-30 11:00:00
s3,v,2024-05-30 12:00:00
s3,v,2024-05-30 12:01:00
s4,,2024-05-30 12:00:00
"""
"""By profile and half an hour: u's first three events, then one; v's two; those of s4, who is nobody."""


def told(*args: str, cwd: Path) -> dict[str, dict[str, Any]]:
    """What `compare --json` says of each definition."""
    done = sessionize("compare", *args, "--json", cwd=cwd)
    assert done.code == 0, done.err
    return {row["name"]: row for row in json.loads(done.out)["definitions"]}


@pytest.mark.parametrize("name", definitions.names())
def test_each_definition_s_words_are_conditions_over_the_metrics(name: str) -> None:
    app.load_all()
    definition = definitions.load(name)
    Measures(definition)
    rules_of(definition)
    assert definition.title
    assert definition.lacks
    assert bool(definition.source) == bool(definition.read)


@pytest.mark.slow
def test_every_column_is_the_run_with_those_rules_row_for_row(tmp_path: Path) -> None:
    found = told(str(SAMPLE / "events.csv"), "-o", "all", "--format", "csv", cwd=tmp_path)
    assert set(found) == {"ours", *definitions.names()}
    for name in found:
        rules = () if name == "ours" else ("--rules", name)
        done = sessionize("run", SAMPLE / "events.csv", "-o", "one", "--format", "csv", *rules, "--json", cwd=tmp_path)
        assert (tmp_path / "all" / f"metrics-{name}.csv").read_bytes() == (
            tmp_path / "one" / "metrics.csv"
        ).read_bytes()
        counts = json.loads(done.out)["counts"]
        assert (found[name]["sessions"], found[name]["profiles"]) == (counts["sessions"], counts["profiles"])


def test_the_figures_are_those_of_the_rows(tmp_path: Path) -> None:
    found = told(
        str(SAMPLE / "events.csv"), "--as", "ga4", "--as", "adobe", "--as", "posthog", "-o", "all", cwd=tmp_path
    )
    bounced = {
        "ga4": ~((pl.col("duration_s") > 10) | (pl.col("conversions") > 0) | (pl.col("page_views") >= 2)),
        "adobe": pl.col("page_views") == 1,
        "posthog": (pl.col("page_views") < 2) & (pl.col("duration_s") < 10),
    }
    for name, bounce in bounced.items():
        metrics = pl.read_parquet(tmp_path / "all" / f"metrics-{name}.parquet")
        length = pl.col("duration_s")
        expected = metrics.select(
            length.mean(), median=length.median(), bounce=bounce.mean(), rate=pl.col("converted").mean()
        )
        row = found[name]
        figures = ("duration_s_mean", "duration_s_median", "bounce_rate", "conversion_rate")
        assert tuple(row[each] for each in figures) == pytest.approx(expected.row(0))
        assert row["sessions"] == metrics.height
        assert row["difference"] == metrics.height - found["ga4"]["sessions"]


def test_a_system_without_a_word_for_a_bounce_has_no_rate_of_it(tmp_path: Path) -> None:
    found = told(str(SAMPLE / "events.csv"), "--as", "hotjar", cwd=tmp_path)
    assert (found["hotjar"]["bounce_rate"], found["hotjar"]["engagement_rate"]) == (None, None)


def test_the_first_one_s_sessions_are_equal_split_merged_or_moved(tmp_path: Path) -> None:
    """By the hour of the day nothing differs for v; of u's sessions the others take what they like."""
    minutes = {"same": (0, 5), "cut": (0, 20, 40), "joined": (0, 40), "shifted": (0, 20, 60, 80)}
    rows = [f"{who},2024-05-30 {10 + m // 60}:{m % 60:02}:00" for who, times in minutes.items() for m in times]
    (tmp_path / "log.csv").write_text("user_id,time\n" + "\n".join(rows) + "\n")
    (tmp_path / "short.toml").write_text('[rules]\ntimeout = "15m"\n')
    (tmp_path / "long.toml").write_text('[rules]\ntimeout = "45m"\n')
    (tmp_path / "grid.toml").write_text('[rules]\ntimeout = "none"\nmax-duration = "60m"\n')
    found = told(
        "log.csv", "--as", "ours", "--as", "short.toml", "--as", "long.toml", "--as", "grid.toml", cwd=tmp_path
    )
    fates = {name: tuple(row[each] for each in ("equal", "split", "merged", "moved")) for name, row in found.items()}
    assert found["ours"]["sessions"] == 6
    assert fates == {"ours": (6, 0, 0, 0), "short": (3, 3, 0, 0), "long": (2, 0, 4, 0), "grid": (2, 0, 3, 1)}


def test_the_log_s_own_ids_are_compared_by_profile_with_the_published_measures(tmp_path: Path) -> None:
    """True: 3 of u, of v and of nobody in all 4; ours: u's first three events and the last one, v's two, s4's one.

    Of the 4 true sessions s1, s3 and s4 lie whole in one of ours, s3 and s4 are one of ours, which are 4. Between u's
    four events the truth cuts once, after the second, ours once, after the third.
    """
    (tmp_path / "log.csv").write_text(LOG)
    found = told("log.csv", "--as", "source-id", "--as", "ours", cwd=tmp_path)
    names = ("complete_reconstruction", "identical_recall", "identical_precision", "boundary_f1")
    assert tuple(found["ours"][each] for each in names) == (0.75, 0.5, 0.5, 0.0)
    assert tuple(found["source-id"][each] for each in (*names, "adjusted_rand")) == (1, 1, 1, 1, 1)
    # 21 pairs of 7 events; together by the truth 3, by ours 4, by both 2.
    assert found["ours"]["adjusted_rand"] == pytest.approx((2 - 3 * 4 / 21) / ((3 + 4) / 2 - 3 * 4 / 21))
    assert (found["source-id"]["sessions"], found["ours"]["sessions"]) == (4, 4)


def test_what_is_undefined_is_null(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("".join(LOG.splitlines(keepends=True)[:2]))
    found = told("log.csv", "--as", "source-id", "--as", "ours", cwd=tmp_path)
    assert (found["ours"]["boundary_f1"], found["ours"]["adjusted_rand"]) == (None, None)
    assert found["ours"]["identical_recall"] == 1


def test_without_profiles_the_log_s_own_ids_are_the_run_without_rules(tmp_path: Path) -> None:
    log = "session_id,time\na,2024-05-30 10:00:00\na,2024-05-30 11:00:00\nb,2024-05-30 10:00:00\n"
    (tmp_path / "log.csv").write_text(log)
    found = told("log.csv", "--as", "source-id", "--as", "ours", "-o", "all", "--format", "csv", cwd=tmp_path)
    assert (found["source-id"]["sessions"], found["ours"]["sessions"]) == (2, 3)
    sessionize("run", "log.csv", "-o", "one", "--format", "csv", "--timeout", "none", cwd=tmp_path)
    assert (tmp_path / "all/metrics-source-id.csv").read_bytes() == (tmp_path / "one/metrics.csv").read_bytes()


@pytest.mark.slow
def test_any_number_of_partitions_gives_the_same(tmp_path: Path) -> None:
    app.load_all()
    candidate = [Candidate(SOURCE_ID, no_rules()), Candidate("ours", Rules())]
    for name in ("matomo", "adobe", "umami"):
        definition = definitions.load(name)
        rules, optional = rules_of(definition)
        candidate.append(Candidate(name, rules, definition, optional))
    config = Config(inputs=(str(SAMPLE / "events.csv"),))
    whole = compare(config, candidate, limits=IN_MEMORY)
    parts = compare(config, candidate, limits=in_files(tmp_path, partitions=(3, 3)))
    assert [row._replace(figures={}) for row in parts.rows] == [row._replace(figures={}) for row in whole.rows]
    for part, row in zip(parts.rows, whole.rows, strict=True):
        assert part.figures == pytest.approx(row.figures, nan_ok=True)


def test_the_log_is_read_once_so_that_it_may_be_piped(tmp_path: Path) -> None:
    done = sessionize("compare", "-", "--as", "ga4", "--as", "umami", "--csv", cwd=tmp_path, stdin=LOG.encode())
    rows = list(csv.DictReader(done.out.splitlines()))
    assert [(row["name"], row["sessions"]) for row in rows] == [("ga4", "5"), ("umami", "5")]


def test_the_rules_in_force_are_ours(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    found = told("log.csv", "--as", "ours", "--timeout", "none", cwd=tmp_path)
    assert found["ours"]["sessions"] == 4


def test_the_screen_shows_a_table_and_what_it_does_not_model(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    done = sessionize("compare", "log.csv", "--as", "ga4", "--as", "umami", cwd=tmp_path)
    head, first, second = done.out.splitlines()
    assert head.split()[:2] == ["sessions", "difference"]
    assert max(map(len, done.out.splitlines())) <= 80
    assert first.split()[:3] == ["ga4", "5", "+0"]
    assert second.split()[:3] == ["umami", "5", "+0"]
    assert "this explains the rules only" in done.err


def test_a_definition_is_explained(tmp_path: Path) -> None:
    done = sessionize("compare", "--explain", "matomo", cwd=tmp_path)
    assert "faq_36" in done.out
    assert "split-at-midnight = true" in done.out
    every = sessionize("compare", "--explain", "all", cwd=tmp_path)
    assert [line.split()[0] for line in every.out.splitlines()] == definitions.names()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("log.csv", "--as", "ga4", "--as", "ga4"), "a definition is named twice"),
        (("log.csv", "--as", "gaa4"), "invalid value 'gaa4' for --as"),
        (("log.csv", "--as", "source-id", "--session-id", "nobody"), "the log has no column 'nobody'"),
        (("users.csv", "--as", "source-id"), "--as source-id: the log has no session id"),
        (("log.csv", "--json", "--csv"), "--json and --csv would both print on stdout"),
        (("--as", "ga4"), "no input"),
    ],
)
def test_what_cannot_be_compared_is_refused(args: tuple[str, ...], words: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "users.csv").write_text("user_id,time\nu,2024-05-30 10:00:00\n")
    done = sessionize("compare", *args, cwd=tmp_path)
    assert words in done.err
    assert done.code == 2


EVERY_RULE = """
[rules]
timeout = "20m"
end-event = ["purchase"]
start-event = ["add-to-cart"]
passive = ["page-view"]
max-events = 3
max-duration = "1h"
split-on = ["utm_source"]
split-on-arrival = ["utm_campaign"]
split-at-midnight = true
"""


@pytest.mark.slow
def test_what_is_told_without_texts_is_what_is_told_with_them(tmp_path: Path) -> None:
    """Definitions that are measured together, in one order of the rows, as against each by itself for its file."""
    (tmp_path / "all-rules.toml").write_text(EVERY_RULE)
    (tmp_path / "pings.toml").write_text('[rules]\npassive = ["add-to-cart"]\n')
    names = ("ours", "all-rules.toml", "pings.toml", *definitions.names())
    args = (str(SAMPLE / "events.csv"), *(text for name in names for text in ("--as", name)))
    together, apart = told(*args, cwd=tmp_path), told(*args, "-o", "all", cwd=tmp_path)
    assert list(together) == ["ours", "all-rules", "pings", *definitions.names()]
    for name, row in together.items():
        assert row == pytest.approx(apart[name], nan_ok=True), name


@examples(60)
@given(logs(), st.lists(rules(), min_size=2, max_size=4), roles())
def test_any_rules_cut_together_are_as_each_cuts_by_itself(
    log: list[Event], each: list[OracleRules], role: frozenset[str]
) -> None:
    shared = [replace(one, exact_names=False, timezone="UTC", until_us=None) for one in each]
    shared = [
        replace(one, page_views=OracleRules().page_views, conversions=OracleRules().conversions) for one in shared
    ]
    plans = [plan_of(one, role) for one in shared]
    union = replace(
        shared[0],
        split_on=tuple(dict.fromkeys(name for one in shared for name in (*one.split_on, *one.split_on_arrival))),
        split_on_arrival=(),
    )
    rows = rows_of(raw_frame(log, role, union), plan_of(union, role))
    events = rows.filter(pl.col("reason").is_null())
    sides = [
        Side(candidate=Candidate(str(n), plan.rules), plan=plan, measures=Measures(None))
        for n, plan in enumerate(plans)
    ]
    cut_together(events, sides, 0, None)
    for side in sides:
        alone = sessionize_events(events, side.plan)
        counts = Tally.of(alone, side.plan, 0).counts()
        assert side.tally.counts() == counts
        columns = ["duration_s", "converted", "bounced", "engaged"]
        expected = side.measures.of(alone, side.plan, 0)
        assert pl.concat(side.parts).sort(columns).equals(expected.sort(columns))
