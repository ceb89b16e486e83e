"""Text that is no CSV: every line is a row, or told by its number, whatever stands in it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import examples
from console import sessionize
from hypothesis import example, given
from hypothesis import strategies as st

from sessionize import schema
from sessionize import sessionize as frame
from sessionize.config import Config
from sessionize.errors import InputError, UsageError
from sessionize.preset import Layout, LayoutKind, Preset
from sessionize.read import open_log

NAMES = ("a", "b", "c")
GOOD = '192.0.2.1 - - [30/May/2024:09:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "x"'
PIECES = st.sampled_from(
    [
        "a",
        "\t",
        "\t\t",
        '"',
        '\\"',
        "\\x",
        "\\xff",
        "#",
        " ",
        "é",
        "\r",
        "\x01",
        "[",
        "]",
        "-",
        GOOD,
        "a\tb\tc",
        "\ufffd",
    ]
)
LINES = st.lists(st.lists(PIECES, max_size=6).map("".join), min_size=1, max_size=12)


def opened(path: Path, kind: LayoutKind, **config: Any) -> Any:
    layout = Layout(kind=kind, delimiter="\t", names=NAMES)
    return open_log(Config(inputs=(str(path),), preset=Preset(name="own", title="x", layout=layout), **config))


@pytest.mark.parametrize("kind", ["unquoted", "w3c", "combined"])
@examples(150)
@given(lines=LINES, bad=st.booleans(), end=st.sampled_from(["", "\n", "\r\n"]))
def test_every_line_that_is_not_blank_is_a_row_with_its_number(
    tmp_path_factory: pytest.TempPathFactory, kind: LayoutKind, lines: list[str], end: str, *, bad: bool
) -> None:
    path = tmp_path_factory.mktemp("x") / "log.txt"
    head = ["#Version: 1.0", "#Fields: a b c"] if kind == "w3c" else ["first\tline\tx"]
    text = "\n".join([*head, *lines])
    path.write_bytes((text + end).encode() + (b"\xff\xfe\tb\tc\n" if bad and end else b""))
    written = path.read_bytes().replace(b"\r\n", b"\n").split(b"\n")
    expected = [
        number
        for number, line in enumerate(written, 1)
        if line.decode("utf-8", "replace").strip() and not (kind == "w3c" and line.startswith(b"#"))
    ]
    rows = opened(path, kind).scan().collect()
    assert rows[schema.ROW].to_list() == expected


@examples(100)
@given(lines=LINES, rows=st.integers(1, 5), blanks=st.integers(0, 12))
@example(lines=["[]"], rows=1, blanks=0)  # no JSON array, as more comes behind it
def test_the_first_rows_are_those_of_the_whole_however_few_lines_are_parsed_for_them(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], rows: int, blanks: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.txt"
    path.write_text("".join(f"{line}\n" for line in [*lines[:1], *[""] * blanks, *lines[1:], *[GOOD] * 3]))
    log = opened(path, "combined")
    column = pl.struct(schema.ROW, "page", "user_agent")
    assert log.sample(column, rows).to_list() == log.scan().select(column).collect().to_series().to_list()[:rows]


def test_fields_are_cut_at_the_delimiter_alone_and_empty_ones_behind_the_last_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text('"x\ty"\t\n1\t2\t3\t\t\n1\t2\t3\t4\n1\t2\n\n""\t\'\t\\\n')
    rows = opened(tmp_path / "log.txt", "unquoted").scan().select(schema.ROW, schema.FAULT, *NAMES).collect()
    assert rows.with_columns(pl.col(schema.FAULT).cast(pl.String)).rows() == [
        (1, None, '"x', 'y"', None),
        (2, None, "1", "2", "3"),
        (3, "malformed_row", None, None, None),
        (4, "malformed_row", None, None, None),
        (6, None, '""', "'", "\\"),
    ]


def test_what_is_no_text_is_bad_encoding_and_its_raw_text_is_kept(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_bytes(b"a\tb\tc\n\xff\tb\tc\na\0\tb\tc\n")
    log = opened(tmp_path / "log.txt", "unquoted")
    rows = log.scan().select(schema.FILE, schema.ROW, schema.FAULT).collect()
    bad = rows.filter(pl.col(schema.FAULT).is_not_null())
    assert bad[schema.FAULT].cast(pl.String).to_list() == ["bad_encoding"] * 2
    assert log.raw(bad)["raw"].to_list() == ["\\xff\tb\tc", "a\0\tb\tc"]


def test_a_w3c_log_whose_fields_change_is_refused_by_line_and_one_without_fields_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("#Fields: a b\n1\t2\n#Fields: a c\n1\t2\n")
    with pytest.raises(InputError, match="line 3"):
        opened(tmp_path / "log.txt", "w3c").scan().collect()
    (tmp_path / "bare.txt").write_text("1\t2\n")
    with pytest.raises(UsageError, match="#Fields"):
        opened(tmp_path / "bare.txt", "w3c")
    assert opened(tmp_path / "bare.txt", "w3c", csv_columns=("x", "y")).scan().select("x", "y").collect().rows() == [
        ("1", "2")
    ]


def test_only_what_is_asked_for_is_split_off_and_rows_can_be_counted_alone(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("1\t2\t3\n4\t5\t6\n")
    log = opened(tmp_path / "log.txt", "unquoted")
    assert log.scan().select("b").collect().rows() == [("2",), ("5",)]
    assert log.scan().select(pl.len()).collect().item() == 2
    assert json.dumps(log.sample(pl.col("c")).to_list()) == '["3", "6"]'


W3C = {
    "iis, with the page in one field": ("date time c-ip cs-uri", " ", ["2024-05-30", "10:00:00", "192.0.2.1", "/a?b"]),
    "tabs, with the page in one field": (
        "date time c-ip cs-uri",
        "\t",
        ["2024-05-30", "10:00:00", "192.0.2.1", "/a?b"],
    ),
    "cloudfront's, few of them": ("date time cs-uri-stem", "\t", ["2024-05-30", "10:00:00", "/a"]),
    "a time of its own": ("timestamp c-ip cs-uri", " ", ["1717063200.5", "192.0.2.1", "/a"]),
    "commas": ("date,time,c-ip,cs-uri-stem", ",", ["2024-05-30", "10:00:00", "192.0.2.1", "/a"]),
}


@pytest.mark.parametrize("kind", W3C)
def test_a_w3c_log_that_no_preset_was_found_for_is_read_by_what_is_hinted(kind: str, tmp_path: Path) -> None:
    names, between, row = W3C[kind]
    (tmp_path / "u.log").write_text(f"#Version: 1.0\n#Fields: {names}\n{between.join(row)}\n")
    said = sessionize("run", "u.log", "-o", "out", cwd=tmp_path)
    assert (said.code, "a W3C extended log" in said.err) == (2, True), said.err
    options = shlex.split(said.err.partition("hint: ")[2].partition(" reads its fields")[0])
    options += [] if "c-ip" in names else ["--profile-id", "cs-uri-stem"]
    with pytest.raises(UsageError) as called:
        frame(tmp_path / "u.log")
    keywords = eval(f"dict({(called.value.hint or '').removesuffix(' reads its fields')})")  # noqa: S307
    assert frame(tmp_path / "u.log", **keywords, profile_id=options[-1] if "c-ip" not in names else None).metrics.height
    sessionize("run", "u.log", "-o", "out", *options, cwd=tmp_path)
    metrics = pl.read_parquet(tmp_path / "out/metrics.parquet")
    assert metrics["entry_page"].to_list() == [row[-1]]
