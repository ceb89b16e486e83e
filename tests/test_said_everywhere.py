"""What was lost or not looked at is said by every command that reads a log, and holds for the nights after it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import polars as pl
import pytest
from console import sessionize

from sessionize import UsageError, compare, funnel, paths, summary, timeout

ROW = "u1,2024-05-30 10:00:00,/a\n"
HEADER = "user_id,event_time,page\n"


@pytest.mark.parametrize(
    "command", ["run -o out", "summary", "timeout", "paths", "show --longest", "check", "compare --as ours"]
)
def test_what_is_passed_over_is_named_by_each_command(command: str, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for name in ("a.csv", "b.csv.bak"):
        (tmp_path / "logs" / name).write_text(HEADER + ROW)
    name, *options = command.split()
    said = sessionize(name, "logs", *options, cwd=tmp_path)
    assert "logs/b.csv.bak" in said.out + said.err


def test_compare_says_what_was_rejected_and_holds_it_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER + ROW + "u1,5/30/2024 7:44 AM,/a\n")
    said = sessionize("compare", "log.csv", "--as", "ours", "--as", "ga4", cwd=tmp_path)
    assert (said.code, "1 rows (50.00%): 1 bad_timestamp" in said.err) == (0, True)
    held = sessionize("compare", "log.csv", "--as", "ours", "--as", "ga4", "--max-rejected", "5%", "-q", cwd=tmp_path)
    assert (held.code, "1 of 2 rows rejected, over --max-rejected 5%" in held.err) == (1, True)


ASKED = ("summary", "show --longest", "funnel --step cart", "paths", "timeout", "compare --as ours --as ga4")


@pytest.mark.parametrize("command", ASKED)
def test_rejected_rows_are_said_beside_an_answer_for_programs_and_many_of_them_also_under_quiet(
    command: str, tmp_path: Path
) -> None:
    rows = f"{HEADER.strip()},event_type\n" + "u1,2024-05-30 10:00:00,/a,cart\n" * 3
    (tmp_path / "log.csv").write_text(rows + ",2024-05-30 10:00:00,/a,cart\n")
    (tmp_path / "good.csv").write_text(rows)
    name, *options = command.split()
    for form in ("--json", "--csv"):
        said = sessionize(name, "log.csv", *options, form, "-q", cwd=tmp_path)
        assert (said.code, said.err) == (0, "  rejected  1 rows (25.00%): 1 no_session_key\n")
        assert "rejected" not in sessionize(name, "good.csv", *options, form, "-q", cwd=tmp_path).err


@pytest.mark.parametrize("command", ASKED)
def test_names_and_goals_that_never_occur_are_said_by_each_command(command: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(f"{HEADER.strip()},event_type\nu1,2024-05-30 10:00:00,/a,cart\n")
    name, *options = command.split()
    for option in ("--conversion", "--page-view", "--end-event", "--start-event", "--passive"):
        said = sessionize(name, "log.csv", *options, option, "carrt", "-q", cwd=tmp_path)
        assert f"{option} carrt: no event has this type; did you mean 'cart'?" in said.err
        assert "no event has" not in sessionize(name, "log.csv", *options, option, "cart", "-q", cwd=tmp_path).err
    said = sessionize(name, "log.csv", *options, "--goal", "x=event_type='buy'", "-q", cwd=tmp_path)
    assert "--goal x: no event of the log is so" in said.err
    assert (
        "no event" not in sessionize(name, "log.csv", *options, "--goal", "x=event_type='cart'", "-q", cwd=tmp_path).err
    )


def test_a_table_of_python_has_the_counts_and_what_is_to_be_known() -> None:
    times = ["2024-05-30 10:00:00", "2024-05-30 10:01:00"]
    log = pl.DataFrame({"user_id": ["a", None], "time": times, "event_type": ["cart", "cart"]})
    tables = (
        summary(log, page_view=["carrt"]),
        funnel(log, ["cart"], page_view=["carrt"]),
        paths(log, page_view=["carrt"]),
        timeout(log, page_view=["carrt"]),
        compare(log, ["ours", "ga4"], page_view=["carrt"]),
    )
    for table in tables:
        assert (table.counts["rows_read"], table.counts["rejected"]) == (2, 1)
        assert table.notes[0] == "rejected 1 rows (50.00%): 1 no_session_key"
        assert table.notes[1] == "page_view=\"carrt\": no event has this type; did you mean 'cart'?"


@pytest.mark.parametrize("typed", [["report", "log.csv", "-o", "new/"], ["check", "log.csv", "--output-file", "new/"]])
def test_a_file_is_not_written_under_the_name_of_a_folder(typed: list[str], tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER + ROW)
    said = sessionize(*typed, cwd=tmp_path)
    assert (said.code, "new/ is a folder" in said.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


def test_passive_events_of_the_night_before_break_no_limit_of_a_night_without_rows(tmp_path: Path) -> None:
    rows = {"30": "u1,2024-05-30T10:00:00Z,click\nu1,2024-05-30T23:50:00Z,push\n", "31": ""}
    for day, text in rows.items():
        (tmp_path / "log.csv").write_text(f"user_id,timestamp,event_type\n{text}")
        options = ["--passive", "push", "--max-rejected", "100%", "-q"]
        said = sessionize(
            "run", "log.csv", "-o", "out", "--state", "st", "--batch", f"2024-05-{day}", *options, cwd=tmp_path
        )
        assert said.code == 0, said.err


def test_the_decimal_point_that_a_night_has_shown_holds_for_the_next_ones(tmp_path: Path) -> None:
    """As in one run over all of them: what then cannot be read is counted, not taken for another amount."""
    nights = {"2024-05-30": ["12.50"], "2024-05-31": ["12,50", "1.234"]}
    for day, amounts in nights.items():
        text = "".join(f"u{n};{day} 10:00:00;purchase;{amount}\n" for n, amount in enumerate(amounts))
        (tmp_path / f"{day}.csv").write_text(f"user_id;event_time;event;value\n{text}")
        sessionize("run", f"{day}.csv", "-o", "out", "--state", "st", "--batch", day, cwd=tmp_path)
    sessionize("run", "-o", "out", "--state", "st", "--batch", "end", "--flush", cwd=tmp_path)
    sessionize("run", *(f"{day}.csv" for day in nights), "-o", "one", cwd=tmp_path)
    found = [
        pl.read_parquet(tmp_path / path).sort("session_id")["value"].to_list()
        for path in ("out/batch=*/metrics.parquet", "one/metrics.parquet")
    ]
    assert found[0] == found[1] == [12.5, 0.0, 1.234]
    counts = [
        json.loads(path.read_text())["counts"]["bad_values"] for path in tmp_path.glob("out/batch=*/manifest.json")
    ]
    assert sum(counts) == 1


def test_a_night_says_that_the_ones_before_were_read_with_other_marks(tmp_path: Path) -> None:
    for day, amount in {"2024-05-30": "1.234", "2024-05-31": "12,50"}.items():
        (tmp_path / "log.csv").write_text(f"user_id;event_time;event;value\nu;{day} 10:00:00;purchase;{amount}\n")
        said = sessionize("run", "log.csv", "-o", "out", "--state", "st", "--batch", day, "-q", cwd=tmp_path)
        assert (said.code, "theirs were read with a decimal point" in said.err) == (0, day == "2024-05-31")


def test_hints_can_be_typed_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "-x.csv").write_text(HEADER + ROW)
    said = sessionize("summary", "--", "-x.csv", cwd=tmp_path)
    following = said.out.rpartition("next: sessionize ")[2].split()
    assert sessionize(*following, cwd=tmp_path).code == 0
    taken = sessionize("run", "./-x.csv", "--metric", "n=count(*)", "--dimension", "n=page", "-o", "out", cwd=tmp_path)
    assert "--metric 'my_n=count(*)'" in taken.err


@pytest.mark.parametrize(
    ("row", "session"),
    [
        ({"attributes": [{"key": "session.id", "value": {"stringValue": "s"}}]}, "attributes['session.id']"),
        ({"attributes": [{"key": "n", "value": 1}, {"key": "session.id", "value": "s"}]}, "attributes['session.id']"),
        ({"resource": {"attributes": [{"key": "session.id", "value": "s"}]}}, "resource.attributes['session.id']"),
        ({"a": {"attributes": {"session.id": "s"}}}, "a.attributes['session.id']"),
    ],
)
def test_attributes_with_a_key_and_a_value_each_are_no_rows_and_the_id_among_them_is_proposed(
    row: dict[str, object], session: str, tmp_path: Path
) -> None:
    (tmp_path / "log.ndjson").write_text(json.dumps(row | {"ts": "2024-05-30T10:00:00Z"}) + "\n")
    said = sessionize("run", "log.ndjson", "-o", "out", cwd=tmp_path)
    assert "its rows may be in" not in said.err
    assert f'did you mean --session-id "{session}"?' in said.err
    taken = sessionize("run", "log.ndjson", "-o", "out", "--session-id", session, cwd=tmp_path)
    assert taken.code == 0, taken.err
    with pytest.raises(UsageError, match="no column looks like") as told:
        summary(str(tmp_path / "log.ndjson"))
    assert f'did you mean session_id="{session}"?' in "".join(told.value.__notes__)


def test_rows_inside_one_object_are_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "log.ndjson").write_text('{"events":[{"session_id":"a","timestamp":"2024-05-30T10:00:00Z"}],"n":1}\n')
    said = sessionize("run", "log.ndjson", "-o", "out", cwd=tmp_path)
    assert (said.code, "its rows may be in 'events': jq -c '.events[] as $row" in " ".join(said.err.split())) == (
        2,
        True,
    )


@pytest.mark.parametrize("name", ["log.csv", "log.log", "log"])
def test_a_file_of_nothing_but_nul_bytes_is_damaged(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(bytes(5_000))
    said = sessionize("run", name, "-o", "out", cwd=tmp_path)
    assert (said.code, said.err.splitlines()[0]) == (3, f"error: {name}: nothing but NUL bytes: damaged")


def test_a_batch_named_for_a_day_without_dashes_has_the_guards_of_one(tmp_path: Path) -> None:
    for day in ("28", "30"):
        (tmp_path / f"{day}.csv").write_text(f"user_id,timestamp\nu,2024-05-{day}T10:00:00Z\n")
    first = sessionize("run", "28.csv", "-o", "out", "--state", "st", "--batch", "20240528", cwd=tmp_path)
    assert (first.code, sessionize("state", "st", "--json", cwd=tmp_path).out.count("2024-05-29T00:00:00")) == (0, 1)
    missing = sessionize("run", "30.csv", "-o", "out", "--state", "st", "--batch", "20240530", cwd=tmp_path)
    assert (missing.code, "2024-05-29" in missing.err) == (3, True)


@pytest.mark.parametrize("command", ["run -o out", "summary", "timeout", "paths", "compare", "check"])
def test_a_log_without_an_event_is_refused_with_its_first_row(command: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,timestamp\n,2024-05-30T10:00:00Z\n,2024-05-30T10:00:01Z\n")
    name, *options = command.split()
    said = sessionize(name, "log.csv", *options, cwd=tmp_path)
    assert (said.code, "row 2, no_session_key, reads ',2024-05-30T10:00:00Z'" in " ".join(said.err.split())) == (
        3,
        True,
    )


@pytest.mark.parametrize(
    "command", ["run -o out", "run -o out --state st --batch 2024-05-30", "summary", "paths", "timeout", "check",
                "compare --as ours --as ga4"],
)  # fmt: skip
def test_a_second_header_of_another_order_is_never_read_under_the_first(command: str, tmp_path: Path) -> None:
    first, second = HEADER + ROW, "event_time,page,user_id\n2024-05-30 10:01:00,/b,u1\n"
    (tmp_path / "log.csv").write_text(first + second + first)
    name, *options = command.split()
    said = sessionize(name, "log.csv", *options, cwd=tmp_path)
    assert (said.code, "log.csv, row 3: another header" in said.err) == (3, True)
    assert "csplit -f part- log.csv 3 5\n" in said.err
    for number, text in enumerate((first, second, first)):
        (tmp_path / f"part-0{number}").write_text(text)
    said = sessionize("run", *(f"part-0{number}" for number in range(3)), "-o", "-", "--no-sessions", cwd=tmp_path)
    assert (said.code, json.loads(said.out.splitlines()[0])["events"]) == (0, 3)


def test_a_second_header_of_the_same_order_or_a_row_of_the_same_values_is_only_a_rejected_row(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text((HEADER + ROW) * 2)
    assert sessionize("run", "log.csv", "-o", "out", cwd=tmp_path).code == 0
    (tmp_path / "bare.csv").write_text("u1,/a,2024-05-30 10:00:00\n/a,u1,now\n")
    said = sessionize("run", "bare.csv", "--columns", "user_id,page,event_time", "-o", "out", cwd=tmp_path)
    assert (said.code, "1 bad_timestamp" in said.err + said.out) == (0, True)


@pytest.mark.parametrize("options", ["", "--by page", "--by day", "--session-where events>0", "--by utm_source"])
def test_the_next_command_for_an_earlier_run_needs_no_events_where_it_has_none(options: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,event_time,utm_source\nu1,2024-05-30 10:00:00,a\n")
    sessionize("run", "log.csv", "-o", "out", "-q", cwd=tmp_path)
    shown = options.replace("page", "entry_page").split()
    said = sessionize("summary", "out", *shown, cwd=tmp_path)
    following = shlex.split(said.out.rpartition("next: sessionize ")[2])
    assert (said.code, sessionize(*following, cwd=tmp_path).code) == (0, 0)


def test_fields_between_blanks_or_double_colons_are_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("user item start\nu1 3 1716797618\nu1 4 1716797718\n")
    assert "--delimiter ' '" in sessionize("run", "log.txt", "-o", "out", cwd=tmp_path).err
    assert sessionize("run", "log.txt", "-o", "out", "--delimiter", " ", "--timestamp", "start", cwd=tmp_path).code == 0
    (tmp_path / "log.txt").write_text("user::item::time\nu1::3::1716797618\nu1::4::1716797718\n")
    assert "sed 's/::/\\t/g' FILE" in sessionize("run", "log.txt", "-o", "out", cwd=tmp_path).err


@pytest.mark.parametrize(("value", "options"), [("45439,479375", ["--time-format", "excel"]), ("1716809410,250", [])])
def test_times_as_numbers_may_have_a_decimal_comma(value: str, options: list[str], tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(f"user_id;event_time\nu1;{value}\n")
    said = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "-q", *options, cwd=tmp_path)
    assert json.loads(said.out)["start"].startswith("2024-05-27T11:30")
