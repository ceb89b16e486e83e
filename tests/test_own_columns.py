"""Columns that a user adds to the metrics: dimensions, metrics in SQL and goals, however the log comes and is cut."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from console import MANUAL, SAMPLE, sessionize
from jsonschema import Draft202012Validator
from nights import in_files

from sessionize.api import sessionize as of_frame
from sessionize.compare import Candidate, compare
from sessionize.config import Config, Output, Rules
from sessionize.errors import UsageError
from sessionize.one_shot import run

LOG = """user_id,time,kind,tokens,plan,url
a,2024-05-30 10:00:00,view,5,,/x
a,2024-05-30 10:01:00,scroll,7,pro,/y
a,2024-05-30 10:01:00,scroll,,free,/z
a,2024-05-30 23:59:00,signup,,free,/z
a,2024-05-31 00:01:00,scroll,2,,/x
b,2024-05-30 10:01:00,scroll,1.5, ,/y
"""
ASKED = (
    "--event-type", "kind", "--page", "url", "--dimension", "plan", "--dimension", "first_url=url ?? 'none'",
    "--metric", "scrolls=count(*) FILTER (WHERE event_type = 'scroll')", "--metric", "tokens_all=sum(tokens)",
    "--metric", "second=nth(url, 2)", "--metric", "most=max(tokens)", "--metric", "pages=count(DISTINCT url)",
    "--goal", "signup=event_type = 'signup'", "--goal", "deep=url = '/z' AND kind <> 'signup'",
)  # fmt: skip
NAMES = ("plan", "first_url", "scrolls", "tokens_all", "second", "most", "pages", "signup", "deep")
EXPECTED = [
    ("a", 3, "pro", "/x", 2, 12.0, "/y", 7.0, 3, False, True, 1, True, 60.0),
    ("b", 1, None, "/y", 1, 1.5, None, 1.5, 1, False, False, 0, False, None),
    ("a", 2, "free", "/z", 1, 2.0, "/x", 2.0, 2, True, False, 1, True, 0.0),
]
SHOWN = ("profile_id", "events", *NAMES, "conversions", "converted", "first_conversion_s")


def as_form(form: str, folder: Path, text: str = LOG, name: str = "log") -> Path:
    """The log in a format; the tokens are numbers where it has such."""
    path = folder / f"{name}.{form}"
    frame = pl.read_csv(text.encode(), infer_schema=False)
    if form == "csv":
        path.write_text(text)
    elif form == "parquet":
        frame.with_columns(pl.col("tokens").cast(pl.Float64)).write_parquet(path)
    else:
        frame.with_columns(pl.col("tokens").cast(pl.Float64)).write_ndjson(path)
    return path


def done(*args: object, cwd: Path) -> None:
    found = sessionize(*args, cwd=cwd)
    assert found.code == 0, found.err


def rows_of(metrics: pl.DataFrame) -> list[tuple[Any, ...]]:
    return metrics.sort("start", "session_id").select(SHOWN).rows()


@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_each_session_has_the_columns_that_were_asked_for(form: str, tmp_path: Path) -> None:
    done("run", as_form(form, tmp_path), "-o", "out", *ASKED, cwd=tmp_path)
    found = pl.read_parquet(tmp_path / "out/metrics.parquet")
    assert rows_of(found) == EXPECTED
    assert found.columns[-len(NAMES) :] == list(NAMES)


def test_any_number_of_partitions_gives_the_same(tmp_path: Path) -> None:
    config = Config(
        inputs=(str(as_form("csv", tmp_path)),), columns={"event_type": "kind", "page": "url"},
        dimensions={"plan": "plan", "first_url": "url ?? 'none'"},
        metrics={
            "scrolls": "count(*) FILTER (WHERE event_type = 'scroll')", "tokens_all": "sum(tokens)", "second": "nth(url, 2)",
            "most": "max(CAST(tokens AS DOUBLE))", "pages": "count(DISTINCT url)",
        },
        goals={"signup": "event_type = 'signup'", "deep": "url = '/z' AND kind <> 'signup'"},
    )  # fmt: skip
    run(config, Output(directory=str(tmp_path / "out"), events=True), limits=in_files(tmp_path))
    assert rows_of(pl.read_parquet(tmp_path / "out/metrics.parquet")) == EXPECTED
    events = pl.read_parquet(tmp_path / "out/events.parquet")
    assert events.group_by("session_id", maintain_order=True).agg(pl.col("plan").first())["plan"].to_list() == [
        "pro", None, "free",
    ]  # fmt: skip
    assert events.filter("goal.deep")["page"].to_list() == ["/z"]
    assert not [name for name in events.columns if name.startswith(("use.", "own."))]


def test_the_python_call_has_them_too() -> None:
    frame = pl.read_csv(LOG.encode(), infer_schema=False)
    config = Config(
        columns={"event_type": "kind"},
        dimensions={"plan": "plan"},
        metrics={"n": "count(*)"},
        goals={"x": "url = '/x'"},
    )
    found = of_frame(frame, config)
    assert found.metrics.select("plan", "n", "x").rows() == [("pro", 3, True), (None, 1, False), ("free", 2, True)]
    assert found.events.filter(position=2)["plan"].to_list() == ["pro", "free"]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_nights_give_what_one_run_gives(form: str, tmp_path: Path) -> None:
    head, *lines = LOG.splitlines()
    for day in ("2024-05-30", "2024-05-31"):
        text = "\n".join([head, *(line for line in lines if day in line)]) + "\n"
        path = as_form(form, tmp_path, text, day)
        done("run", path, "-o", "out", "--state", "state", "--batch", day, *ASKED, cwd=tmp_path)
    done("run", "-o", "out", "--state", "state", "--batch", "end", "--flush", *ASKED, cwd=tmp_path)
    found = pl.concat(pl.read_parquet(each) for each in sorted((tmp_path / "out").glob("*/metrics.parquet")))
    assert rows_of(found) == EXPECTED


def test_a_flush_takes_them_from_the_state_and_other_ones_are_refused(tmp_path: Path) -> None:
    as_form("csv", tmp_path)
    nights = ("-o", "out", "--state", "state", "--batch")
    done("run", "log.csv", *nights, "1", *ASKED, cwd=tmp_path)
    other = sessionize("run", "log.csv", *nights, "2", *ASKED[:-2], cwd=tmp_path)
    assert (other.code, "goals" in other.err) == (2, True)
    flushed = sessionize("run", *nights, "2", "--flush", "--metric", "more=count(*)", cwd=tmp_path)
    assert (flushed.code, "metrics" in flushed.err) == (2, True)
    done("run", *nights, "2", "--flush", cwd=tmp_path)
    found = pl.concat(pl.read_parquet(each) for each in (tmp_path / "out").glob("*/metrics.parquet"))
    assert rows_of(found) == EXPECTED


def test_a_night_of_whole_numbers_behind_one_of_others_has_the_same_type(tmp_path: Path) -> None:
    for batch, tokens in (("1", 1.5), ("2", 2)):
        row = {"user_id": "a", "time": f"2024-05-1{batch} 10:00:00", "tokens": tokens}
        (tmp_path / f"{batch}.ndjson").write_text(json.dumps(row) + "\n")
        args = ("-o", "out", "--state", "state", "--batch", batch, "--metric", "n=sum(tokens)", "--flush")
        done("run", f"{batch}.ndjson", *(args if batch == "2" else args[:-1]), cwd=tmp_path)
    found = pl.concat(pl.read_parquet(each) for each in sorted((tmp_path / "out").glob("*/metrics.parquet")))
    assert found["n"].to_list() == [1.5, 2.0]


@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "parquet"])
def test_an_earlier_run_is_grouped_by_them(form: str, tmp_path: Path) -> None:
    done("run", as_form("csv", tmp_path), "-o", "out", "--format", form, *ASKED, cwd=tmp_path)
    for source in (("out",), ("log.csv", *ASKED)):
        found = json.loads(sessionize("summary", *source, "--by", "plan", "--json", cwd=tmp_path).out)
        assert {each["name"]: each["sessions"] for each in found["groups"]} == {"pro": 1, "free": 1, None: 1}
        assert [(each["name"], each["sessions"]) for each in found["goals"]] == [("signup", 1), ("deep", 1)]
        chosen = sessionize(
            "summary", *source, "--session-where", "tokens_all > 1.9 AND signup", "--json", cwd=tmp_path
        )
        assert json.loads(chosen.out)["sessions"] == 1


def test_the_schema_of_a_run_has_their_types(tmp_path: Path) -> None:
    done("run", as_form("csv", tmp_path), "-o", "out", "--format", "ndjson", "--events", *ASKED, cwd=tmp_path)
    for kind in ("metrics", "events"):
        schema = json.loads(sessionize("schema", kind, "out", cwd=tmp_path).out)
        check = Draft202012Validator(schema)
        for line in (tmp_path / f"out/{kind}.ndjson").read_text().splitlines():
            check.validate(json.loads(line))
    metrics = json.loads(sessionize("schema", "metrics", "out", cwd=tmp_path).out)["properties"]
    assert [metrics[name]["type"] for name in NAMES] == [
        ["string", "null"], ["string", "null"], ["integer", "null"], ["number", "null"], ["string", "null"],
        ["number", "null"], ["integer", "null"], "boolean", "boolean",
    ]  # fmt: skip
    rules = json.loads((tmp_path / "out/manifest.json").read_text())["rules"]
    assert rules["metrics"]["tokens_all"] == {"sql": "sum(tokens)", "type": "number"}
    assert rules["dimensions"]["first_url"] == {"of": "url ?? 'none'", "type": "string"}
    assert rules["goals"]["signup"] == "event_type = 'signup'"


def test_a_file_may_ask_for_them(tmp_path: Path) -> None:
    as_form("csv", tmp_path)
    (tmp_path / "sessionize.toml").write_text(
        'dimension = ["plan"]\nmetric = ["n=count(*)"]\ngoal = ["x=url = \'/x\'"]\n'
    )
    done("run", "log.csv", "-o", "out", cwd=tmp_path)
    found = pl.read_parquet(tmp_path / "out/metrics.parquet")
    assert found.select("plan", "n", "x").rows() == [("pro", 3, True), (None, 1, False), ("free", 2, True)]


def test_checks_see_them(tmp_path: Path) -> None:
    as_form("csv", tmp_path)
    (tmp_path / "sessionize.toml").write_text(
        '[[check.custom]]\nname = "tokens"\nsql = "SELECT sum(tokens_all) FROM sessions"\nerror = "..15"\n'
    )
    found = sessionize("check", "log.csv", *ASKED, "--json", "--exit-zero", cwd=tmp_path)
    assert '"tokens"' in found.out, found.err
    assert "15.5" in found.out


def test_compare_writes_them_and_counts_goals(tmp_path: Path) -> None:
    path = as_form("csv", tmp_path)
    config = Config(inputs=(str(path),), goals={"x": "url = '/x'"}, metrics={"n": "count(*)"})
    asked = [Candidate("ours", Rules()), Candidate("none", Rules(timeout=None))]
    lean = compare(config, asked)
    assert [row.figures["conversion_rate"] for row in lean.rows] == [2 / 3, 1 / 2]
    compare(config, asked, output=tmp_path / "all")
    assert pl.read_parquet(tmp_path / "all/metrics-none.parquet").select("n", "x").rows() == [(5, True), (1, False)]


def test_goals_are_in_place_of_the_usual_conversions_and_beside_those_that_were_named(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "user_id,time,event_type,value\na,2024-05-30 10:00:00,purchase,3\na,2024-05-30 10:01:00,signup,4\n"
    )
    goal = ("--goal", "signup=event_type = 'signup'")
    cases: dict[tuple[str, ...], tuple[int, float]] = {
        (): (1, 3), goal: (1, 4), (*goal, "--conversion", "purchase"): (2, 7),
    }  # fmt: skip
    for args, expected in cases.items():
        done("run", "log.csv", "-o", "out", *args, cwd=tmp_path)
        assert pl.read_parquet(tmp_path / "out/metrics.parquet").select("conversions", "value").row(0) == expected


def test_a_goal_is_a_step_of_a_funnel_and_shown_as_a_conversion(tmp_path: Path) -> None:
    as_form("csv", tmp_path)
    found = sessionize("funnel", "log.csv", *ASKED, "--step", "view", "--step", "deep", "--json", cwd=tmp_path)
    assert [step["sessions"] for step in json.loads(found.out)["steps"]] == [1, 1]
    shown = sessionize("show", "log.csv", *ASKED, "--session-where", "signup", cwd=tmp_path)
    assert shown.out.count("● conversion") == 1


def test_the_model_s_matrix_of_the_readme_is_one_command(tmp_path: Path) -> None:
    (command,) = re.findall(r"^sessionize (run .* -o matrix .*)$", MANUAL["rules"], re.MULTILINE)
    done(*shlex.split(command.replace("sample_data", str(SAMPLE))), cwd=tmp_path)
    found = pl.read_parquet(tmp_path / "matrix/metrics.parquet")
    assert found.columns[-4:] == ["land", "cart_adds", "second_page", "bought"]
    assert found["bought"].equals(found["converted"].rename("bought"))
    lines = (SAMPLE / "events.csv").read_text(encoding="utf-8", errors="replace").splitlines()
    assert found["cart_adds"].sum() == len({line for line in lines if ",add-to-cart," in line})
    assert (
        found.filter(pl.col("page_views") == pl.col("events"))
        .filter(pl.col("events") == 2)
        .select((pl.col("second_page") == pl.col("exit_page")).all())
        .item()
    )


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_ids_and_addresses_in_them_are_private(form: str, tmp_path: Path) -> None:
    text = "user_id,time,client_ip\nzoe77,2024-05-30 10:00:00,203.0.113.77\nzoe77,2024-05-30 10:01:00,203.0.113.99\n"
    frame = pl.read_csv(text.encode())
    path = tmp_path / f"log.{form}"
    getattr(frame, f"write_{form}")(path)
    (tmp_path / "key").write_text("k" * 32)
    private = ("--hash-ids", "key", "--ip", "truncate")
    asked = (
        "--dimension",
        "who=user_id",
        "--metric",
        "net=last(client_ip)",
        "--metric",
        "nets=count(DISTINCT client_ip)",
    )
    done("run", path, "-o", "out", "--state", "state", "--batch", "1", *private, *asked, cwd=tmp_path)
    done("run", "-o", "out", "--state", "state", "--batch", "2", "--flush", "--hash-ids", "key", cwd=tmp_path)
    left = [
        each.read_bytes() for folder in ("state", "out") for each in (tmp_path / folder).rglob("*") if each.is_file()
    ]
    assert not [each for each in left if b"zoe77" in each or b"203.0.113.77" in each or b"203.0.113.99" in each]
    found = pl.read_parquet(tmp_path / "out/batch=2/metrics.parquet")
    assert found.select("net", "nets").rows() == [("203.0.113.0", 1)]
    assert found["who"].equals(found["profile_id"].rename("who"))
    refused = sessionize("run", path, "-o", "x", "--ip", "drop", "--dimension", "net=client_ip", cwd=tmp_path)
    assert (refused.code, "--ip drop leaves no address" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--metric", "n=sum(tokens) OVER ()"), "OVER makes it a window function"),
        (("--metric", "n=lag(url)"), "lag makes it a window function"),
        (("--metric", "n=(SELECT 1)"), "SELECT makes it a query of its own"),
        (("--metric", "n=read_csv('x')"), "read_csv is a table function"),
        (("--metric", "n=url"), "a value for each event, not one for the session"),
        (("--metric", "n=sum(tokns)"), "did you mean 'tokens'?"),
        (("--metric", "n=sum(kind)"), "TRY_CAST(kind AS DOUBLE)"),
        (("--metric", "n=nth(url)"), "for example nth(page, 2)"),
        (("--metric", "count(*)"), "is no NAME=SQL"),
        (("--metric", "bounced=count(*)"), "the name is taken"),
        (("--metric", "n=count(*)", "--metric", "n=sum(tokens)"), "the name is taken"),
        (("--dimension", "plan", "--goal", "plan=url = '/x'"), "the name is taken, by --dimension"),
        (("--dimension", "page=url"), "the name is taken"),
        (("--dimension", "utm_campaign"), "the metrics have 'utm_campaign' without being asked"),
        (("--dimension", "first=entry_page"), "the metrics have 'entry_page' without being asked"),
        (("--dimension", "plna"), "did you mean 'plan'?"),
        (("--goal", "g=count(*) > 1"), "looks at more than one row"),
        (("--goal", "g=kind"), "is no condition"),
        (("--goal", "=kind"), "is no NAME=SQL"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_type(args: tuple[str, ...], words: str, tmp_path: Path) -> None:
    as_form("csv", tmp_path)
    found = sessionize("run", "log.csv", "-o", "out", *args, cwd=tmp_path)
    assert (found.code, words in found.err) == (2, True), found.err


def test_a_value_that_is_no_number_further_down_ends_the_run(tmp_path: Path) -> None:
    lines = [f"u,2024-05-30 10:00:00,{'x' if n == 2_500 else n}" for n in range(2_600)]
    (tmp_path / "log.csv").write_text("user_id,time,tokens\n" + "\n".join(lines) + "\n")
    found = sessionize("run", "log.csv", "-o", "out", "--metric", "n=sum(tokens)", cwd=tmp_path)
    assert (found.code, "TRY_CAST" in found.err) == (2, True)
    done("run", "log.csv", "-o", "out", "--metric", "n=count(TRY_CAST(tokens AS DOUBLE))", cwd=tmp_path)
    assert pl.read_parquet(tmp_path / "out/metrics.parquet")["n"].to_list() == [2_599]


def test_a_configuration_with_a_name_that_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be the name of a column"):
        Config(metrics={"split.x": "count(*)"})
    with pytest.raises(UsageError, match="nothing to take"):
        Config(goals={"x": " "})


def test_a_goal_that_no_event_reaches_is_said_of_nights_until_one_has(tmp_path: Path) -> None:
    as_form("csv", tmp_path)
    goal = ("--goal", "far=url = '/nowhere'", "--goal", "near=url = '/x'")
    found = sessionize("run", "log.csv", "-o", "out", "-q", *goal, cwd=tmp_path)
    assert [line.split(None, 1)[1] for line in found.err.splitlines()] == ["--goal far: no event of the log is so"]
    nights = ("-o", "nights", "--state", "state", "-q", *goal, "--batch")
    done("run", "log.csv", *nights, "1", cwd=tmp_path)
    (tmp_path / "2.csv").write_text(LOG.splitlines()[0] + "\nc,2024-06-01 10:00:00,view,1,,/nowhere\n")
    second = sessionize("run", "2.csv", *nights, "2", cwd=tmp_path)
    assert "--goal" not in second.err


@pytest.mark.parametrize("beside", [[], ["--metric", "s=sum(n)"]])
def test_the_most_of_numbers_that_are_texts_is_a_number_whatever_else_is_asked(
    beside: list[str], tmp_path: Path
) -> None:
    rows = "a,2024-05-30T10:00:00Z,5,01234\na,2024-05-30T10:01:00Z,3000,90210\na,2024-05-30T10:02:00Z,,\n"
    (tmp_path / "log.csv").write_text(f"session_id,timestamp,n,zip\n{rows}")
    typed = ["--metric", "most=max(n)", "--metric", "least=min( n )", "--metric", "code=max(zip)", *beside]
    said = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "-q", *typed, cwd=tmp_path)
    found = json.loads(said.out)
    assert (found["most"], found["least"], found["code"]) == (3000.0, 5.0, "90210")


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_a_goal_sees_a_blank_text_as_null_as_metrics_and_steps_do(form: str, tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"session_id": ["a", "b", "c"], "timestamp": ["2024-05-27T00:00:00Z"] * 3, "coupon": ["AT", " ", ""]}
    )
    getattr(rows, f"write_{form}")(tmp_path / f"log.{form}")
    asked = (
        "--goal",
        "g=coupon IS NOT NULL",
        "--metric",
        "n=count(coupon)",
        "--dimension",
        "kept=coupon",
        "--property",
        "coupon",
    )
    done = sessionize("run", f"log.{form}", "-o", "-", "--no-sessions", *asked, cwd=tmp_path)
    found = [json.loads(line) for line in done.out.splitlines()]
    told = [(each["source_id"], each["g"], each["converted"], each["n"], each["kept"]) for each in found]
    assert sorted(told) == [("a", True, True, 1, "AT"), ("b", False, False, 0, None), ("c", False, False, 0, None)]
