"""No line vanishes: titles, headers and rows are told apart, and a row is never taken for a header."""

from __future__ import annotations

import gzip
import io
import re
import shlex
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sessionize import schema
from sessionize.cli.text_layout import character
from sessionize.config import Config
from sessionize.errors import InputError, UsageError
from sessionize.limits import Limits, TextLimits
from sessionize.presets import load
from sessionize.read import Log, open_log

HEADER = "user_id,event_time,page"
ROWS = ["u1,2024-05-30 10:00:00,/a", "u2,2024-05-30 10:05:00,/b"]
VALUES = [("u1", "2024-05-30 10:00:00", "/a"), ("u2", "2024-05-30 10:05:00", "/b")]


def opened(path: Path, content: str | bytes, block: int = 1 << 20, **more: Any) -> Log:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_log(Config(inputs=(str(path),), **more), texts=TextLimits(block_bytes=block))


def rows(log: Log, *more: str) -> list[tuple[Any, ...]]:
    """The values of every row, and the columns of its place that are asked for."""
    names = [*log.schema, *more]
    return log.scan().select(names).collect(engine="streaming").rows()


def text(*parts: str, end: str = "\n") -> str:
    return end.join(parts) + end


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("before", "config"),
    [
        (["sep=,"], {}),
        (['"sep=,"'], {}),
        (["SEP=,", ""], {}),
        (["Events of our shop"], {}),
        (["Events of our shop", "", "made on 30 May 2024"], {}),
        (["# Events, of our shop", "# 2024"], {}),
        ([",,", ",,"], {}),
        (["Events of our shop,,", "made on 30 May 2024,,", ",,"], {}),
        (["anything, at all", "u9,2024-05-30 09:00:00,/x"], {"skip_lines": 2}),
        (["-- made, by hand, today"], {"comment": "--"}),
        (["-- made, by hand, today", "", "-- again"], {"comment": "--"}),
    ],
)
def test_what_stands_above_the_header_is_no_row_and_the_rows_keep_their_numbers(
    tmp_path: Path, before: list[str], config: dict[str, Any], end: str
) -> None:
    for block in (1 << 20, 7):
        content = "\ufeff" + text(*before, HEADER, *ROWS, "u3,ragged", end=end)
        log = opened(tmp_path / "a.csv", content, block, **config)
        assert list(log.schema) == HEADER.split(",")
        found = rows(log, schema.ROW, schema.FAULT)
        first = len(before) + 2
        assert found == [
            (*VALUES[0], first, None), (*VALUES[1], first + 1, None), (None, None, None, first + 2, "malformed_row"),
        ]  # fmt: skip
        bad = log.scan().filter(schema_fault()).collect()
        assert log.raw(bad)["raw"].to_list() == ["u3,ragged"]


def schema_fault() -> pl.Expr:
    return pl.col(schema.FAULT).is_not_null()


def test_a_title_that_is_passed_over_is_told(tmp_path: Path) -> None:
    log = opened(tmp_path / "a.csv", text("Events", "of 2024", HEADER, *ROWS))
    assert [each.why for each in log.passed_over] == ["lines 1 to 2, a title above the header"]
    assert opened(tmp_path / "a.csv", text("sep=,", HEADER, *ROWS)).passed_over == ()


@pytest.mark.parametrize("separator", [";", "\t", "|", "^"])
def test_a_separator_line_says_the_separator(tmp_path: Path, separator: str) -> None:
    content = text("sep=" + separator, *(line.replace(",", separator) for line in (HEADER, "u1,2024-05-30,a,b")))
    assert rows(opened(tmp_path / "a.csv", content.replace(f"a{separator}b", "a,b"))) == [("u1", "2024-05-30", "a,b")]


def test_comments_among_the_rows_are_none_of_them_but_inside_a_quoted_field(tmp_path: Path) -> None:
    content = text("# one", HEADER, "# u0,2024,/x", 'u1,2024-05-30 10:00:00,"/a', '# b"', "#", ROWS[1])
    found = rows(opened(tmp_path / "a.csv", content, comment="#", multiline=True), schema.ROW)
    assert found == [("u1", "2024-05-30 10:00:00", "/a\n# b", 4), (*VALUES[1], 7)]


@pytest.mark.parametrize("name", ["a.ndjson", "a.log"])
def test_lines_are_skipped_and_comments_left_out_of_other_texts_too(tmp_path: Path, name: str) -> None:
    content = text("a title", "; remark", '{"id":1}', "; remark", '{"id":2}')
    log = opened(tmp_path / name, content, skip_lines=1, comment=";")
    assert rows(log, schema.ROW) == [("1", 3), ("2", 5)]
    zipped = opened(tmp_path / f"{name}.gz", gzip.compress(content.encode()), skip_lines=1, comment=";")
    assert rows(zipped, schema.ROW) == [("1", 3), ("2", 5)]


HEADERLESS = {
    "iso": (text(*ROWS), "user_id,timestamp,page"),
    "epoch": ("1,1357718725941,/inbox\n1,1357718871442,/a\n", "user_id,timestamp,page"),
    "epoch of one row": ("1,1357718725941,/inbox\n", "user_id,timestamp,page"),
    "number of the row first": (
        "1;u1;30.05.2024 10:00;x\n2;u1;30.05.2024 10:01;y\n",
        "column_1,user_id,timestamp,column_4",
    ),
    "date and time": ("u1\t2024-05-30\t10:00:00\nu2\t2024-05-30\t10:00:01\n", "user_id,date,time"),
    "an event called page": ("page,u1,1717063200\nclick,u1,1717063201\n", "user_id,column_2,timestamp"),
    "access log's time": ("203.0.113.5,[30/May/2024:10:00:00 +0000],/a\n", "user_id,timestamp,page"),
    "amounts beside an address": (
        "1717063200.5\t10.1.0.1\t0.002\t200\t/a\n1717063260.5\t10.1.0.2\t0.001\t200\t/b\n",
        "timestamp,ip,column_3,column_4,page",
    ),
    "an id beside an address": (
        "10.1.0.1,200,u17,1717063200,/a\n10.1.0.2,200,u18,1717063260,/b\n",
        "ip,column_2,user_id,timestamp,page",
    ),
    "a second date": ("2024-05-30,30.05.2024,7,/a\n2024-05-30,31.05.2024,7,/b\n", "timestamp,column_2,user_id,page"),
    "amounts before an id": ("0.5,7,1717063200\n1.5,7,1717063201\n", "column_1,user_id,timestamp"),
    "title": (text("Events of 2024", *ROWS, "u3,2024-05-30 10:06:00,/c"), "user_id,timestamp,page"),
}


@pytest.mark.parametrize("case", HEADERLESS)
def test_a_file_without_a_header_is_refused_and_the_command_that_is_named_reads_every_row(
    tmp_path: Path, case: str
) -> None:
    content, names = HEADERLESS[case]
    with pytest.raises(UsageError, match="no header line") as raised:
        opened(tmp_path / "a.csv", content)
    hint = shlex.split(raised.value.hint or "")
    assert hint[hint.index("--columns") + 1] == names
    skipped = int(hint[hint.index("--skip-lines") + 1]) if "--skip-lines" in hint else 0
    log = opened(tmp_path / "a.csv", content, csv_columns=tuple(names.split(",")), skip_lines=skipped)
    assert rows(log, schema.FAULT, schema.ROW) == [
        (*re.split("[,;\t]", line), None, number + 1)
        for number, line in enumerate(content.splitlines()) if number >= skipped
    ]  # fmt: skip


def test_no_row_is_taken_for_a_header_when_a_column_is_named_by_what_stands_there(tmp_path: Path) -> None:
    for columns in ({"timestamp": "2024-05-30 10:00:00"}, {"profile_id": "u1"}):
        with pytest.raises(UsageError, match="no header line"):
            opened(tmp_path / "a.csv", text(*ROWS), columns=columns)


@pytest.mark.parametrize(
    "content",
    ["user_id,ts,2024-05-30,2024-05-31\nu1,1717063200,5,6\n", "0,1,2\nu1,2024-05-30,7\n", "key,2023,2024\nu1,5,6\n",
     "user,at\n", "timestamp,1717063200\n5,7\n", "ip,time\n1.2.3.4,2024-05-30\n"],
)  # fmt: skip
def test_a_header_may_look_odd(tmp_path: Path, content: str) -> None:
    log = opened(tmp_path / "a.csv", content)
    assert list(log.schema) == content.partition("\n")[0].split(",")


@pytest.mark.parametrize("second", [text(*ROWS), text(ROWS[1]), "x\n", "a;b\n"])
@pytest.mark.parametrize("place", ["part-0.csv", "part-2.csv"])
def test_one_of_several_files_without_a_header_is_named_and_what_is_hinted_reads_all(
    tmp_path: Path, second: str, place: str
) -> None:
    (tmp_path / "part-1.csv").write_text(text(HEADER, *ROWS))
    (tmp_path / place).write_text(second)
    (tmp_path / "part-3.csv.gz").write_bytes(gzip.compress(text(HEADER, *ROWS).encode()))
    for given in ((str(tmp_path),), (str(tmp_path / "part-*"),), tuple(map(str, sorted(tmp_path.iterdir())))):
        with pytest.raises(InputError, match=re.escape(place)) as raised:
            open_log(Config(inputs=given))
        assert f"--columns {HEADER}" in (raised.value.hint or "") or second == "x\n"
    if second.startswith("u"):
        log = open_log(Config(inputs=(str(tmp_path),), csv_columns=tuple(HEADER.split(","))))
        assert len(rows(log)) == len(second.splitlines()) + 4
        assert log.scan().collect()["event_time"].str.starts_with("2024").all()


def test_stdin_without_a_header_is_refused() -> None:
    with pytest.raises(UsageError, match="no header line"):
        open_log(Config(inputs=("-",)), stdin=io.BytesIO(text(*ROWS).encode()))


def test_single_quotes_are_seen_around_texts_beside_numbers(tmp_path: Path) -> None:
    log = opened(tmp_path / "a.csv", "user_id,event_time,page\n'u1',1717063200,'/b, c'\n'u2',1717063500,'/d'\n")
    assert rows(log, schema.FAULT) == [("u1", "1717063200", "/b, c", None), ("u2", "1717063500", "/d", None)]


@pytest.mark.parametrize("multiline", [False, True])
@pytest.mark.parametrize(
    ("content", "quote"),
    [
        ("'user_id','event_time','page'\n'u1','2024-05-30','it''s \"a\", b'\n", None),
        ("user_id,event_time,page\nu1,'2024-05-30','it''s \"a\", b'\n", None),
        ("user_id,event_time,page\nu1,2024-05-30,'it''s \"a\", b'\n", "'"),
        ('user_id,event_time,page\nu1,2024-05-30,|it\'s "a", b|\n', "|"),
        ('user_id;event_time;page\nu1;2024-05-30;it\'s "a", b\n', ""),
        ('user_id;event_time;page\nu1;2024-05-30;"it\'s ""a"", b"\n', None),
    ],
)
def test_fields_may_be_quoted_otherwise_or_not_at_all(
    tmp_path: Path,
    content: str,
    quote: str | None,
    multiline: bool,  # noqa: FBT001
) -> None:
    log = opened(tmp_path / "a.csv", content + "bad\n", quote=quote, multiline=multiline)
    assert rows(log, schema.ROW, schema.FAULT) == [
        ("u1", "2024-05-30", 'it\'s "a", b', 2, None), (None, None, None, 3, "malformed_row"),
    ]  # fmt: skip
    assert log.raw(log.scan().filter(schema_fault()).collect())["raw"].to_list() == ["bad"]


def test_lines_of_a_field_in_single_quotes_are_one_record(tmp_path: Path) -> None:
    content = "'user_id','event_time','page'\n'u1','2024-05-30','a\"\nb'\n'u2','2024-05-30','c'\n"
    log = opened(tmp_path / "a.csv", content, multiline=True)
    assert rows(log, schema.ROW) == [("u1", "2024-05-30", 'a"\nb', 2), ("u2", "2024-05-30", "c", 4)]


@pytest.mark.parametrize("multiline", [False, True])
def test_backslashes_before_quotes_are_read_where_nothing_else_makes_a_whole_row(
    tmp_path: Path,
    multiline: bool,  # noqa: FBT001
) -> None:
    written = [r'u1,"say \"hi\", ok",C:\dir', r'u2,"{\"a\":\"b\\\"c\"}",x', r'u3,"C:\dir\",x', r'u4,"open \",x']
    log = opened(tmp_path / "a.csv", text("user_id,title,page", *written), multiline=multiline)
    assert rows(log, schema.FAULT) == [
        ("u1", 'say "hi", ok', r"C:\dir", None), ("u2", r'{"a":"b\"c"}', "x", None), ("u3", "C:\\dir\\", "x", None),
        ("u4", "open \\", "x", None),
    ]  # fmt: skip


@pytest.mark.parametrize("given", ["\\x01", "\\u0001", "^A", "^a", "\\001", "\\1", "\x01", None])
def test_a_control_character_may_be_the_delimiter(tmp_path: Path, given: str | None) -> None:
    content = text(HEADER, *ROWS).replace(",", "\x01")
    assert rows(opened(tmp_path / "a.txt", content, delimiter=character(given, "--delimiter", "';'"))) == VALUES


@pytest.mark.parametrize("given", ["\\x00", "\\x0a", "^J", "^M", "\\x22", '"', "ab", "", "\\u1234", "é", "\\x1"])
def test_what_is_no_delimiter_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="not one ASCII character, or ends a line or a text"):
        character(given, "--delimiter", "';'")


def test_a_mark_at_the_start_of_a_later_line_is_no_part_of_an_id(tmp_path: Path) -> None:
    content = text(*ROWS, "\ufeff" + ROWS[0], "a\ufeffb,2024-05-30,/c")
    for block in (1 << 20, 5):
        found = rows(opened(tmp_path / "a.csv", content, block, csv_columns=tuple(HEADER.split(","))))
        assert [row[0] for row in found] == ["u1", "u2", "u1", "a\ufeffb"]


ZEEK = text("#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\thttp",
            "#fields\tts\tuid\turi\tua", "#types\ttime\tstring\tstring\tstring", "1717063200.5\tC1\t/a\t-",
            '1717063201\tC2\t/\\x09b\t"x', "#close\t2024", "1717063202\tC3")  # fmt: skip


@pytest.mark.parametrize("name", ["http.log", "http.log.gz", "http.log.1"])
@pytest.mark.parametrize("again", ["", ZEEK])
def test_a_log_of_zeek_is_read_by_what_its_first_lines_say(tmp_path: Path, name: str, again: str) -> None:
    content = (ZEEK + again).encode()
    log = opened(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content)
    found = rows(log, schema.ROW, schema.FAULT)
    assert found[:3] == [
        ("1717063200.5", "C1", "/a", None, 8, None), ("1717063201", "C2", "/\tb", '"x', 9, None),
        (None, None, None, None, 11, "malformed_row"),
    ]  # fmt: skip
    assert len(found) == (6 if again else 3)


def test_a_log_of_zeek_whose_fields_change_is_refused(tmp_path: Path) -> None:
    log = opened(tmp_path / "a.log", ZEEK + "#fields\tts\turi\n1717063200\t/a\n")
    (batch,) = log.batches(Limits.of())
    with pytest.raises(InputError, match="line 12: other fields"):
        batch.frame.collect()


def test_a_w3c_log_is_no_csv_and_is_read_with_its_preset_in_any_case(tmp_path: Path) -> None:
    content = text("#Version: 1.0", "#fields: date time c-ip cs-uri-stem", "2024-05-30 10:00:00 203.0.113.4 /a")
    with pytest.raises(UsageError, match="W3C") as raised:
        opened(tmp_path / "a.log", content, recognise=False)
    assert "--preset iis" in (raised.value.hint or "")
    found = opened(tmp_path / "a.log", content, preset=load("cloudfront"), delimiter=" ")
    assert found.scan().select("c-ip").collect().rows() == [("203.0.113.4",)]


def test_nothing_but_what_is_left_out_is_an_empty_file(tmp_path: Path) -> None:
    for name, config in (("a.csv", {"comment": "#"}), ("a.csv", {"skip_lines": 9}), ("a.ndjson", {"skip_lines": 9})):
        with pytest.raises(InputError, match="blank"):
            opened(tmp_path / name, "# one\n# two\n", **config)


@pytest.mark.parametrize(
    ("content", "config"),
    [
        (text("x", "", "", HEADER), {"skip_lines": 3}),
        (text("a,b", *ROWS), {"comment": "u"}),
        (text("x", "y", "a,b", ROWS[0]), {"skip_lines": 2, "comment": "u1"}),
    ],
)
def test_a_header_below_which_all_is_left_out_is_a_log_without_rows(
    tmp_path: Path, content: str, config: dict[str, Any]
) -> None:
    assert rows(opened(tmp_path / "a.csv", content, **config)) == []
