"""References: a small language, read to the letter, and what it finds in structs, lists and JSON text."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from sessionize.errors import UsageError
from sessionize.kernel.references import field_type, resolved, roots, text
from sessionize.reference import parse

NESTED = {
    "attributes": [
        [{"key": "session.id", "value": {"stringValue": "s1", "intValue": None}},
         {"key": "n", "value": {"stringValue": None, "intValue": "12345678901234567890"}}],
        [{"key": "session.id", "value": {"stringValue": "s2", "intValue": None}}],
    ],
    "session": [{"id": "a", "Name.X": 1.5}, {"id": None, "Name.X": 2.5}],
    "a.b": ["exact", None],
    "ID": [7, 8],
    "cs(User-Agent)": ["Mozilla/5.0+(X11)", "-"],
    "request": ["GET /a?x=1 HTTP/1.1", "nonsense"],
    "client": ["203.0.113.4:2817", "[::1]:53708"],
    "hops": ["-, 203.0.113.4, 10.0.0.1", "203.0.113.5"],
    "stem": ["/a", "/b"],
    "query": ["x=1", ""],
    "kind": ["view", "buy"],
    "at": ["30/May/2024:10:00:00.5 +0200", "2024-05-30T10:00:00Z"],
    "map": [[{"key": "k", "value": "v"}], []],
    "steps": [[{"id": "x"}, {"id": "y"}], []],
}  # fmt: skip
FOUND: dict[str, list[Any]] = {
    "attributes['session.id']": ["s1", "s2"],
    "attributes[session.id]": ["s1", "s2"],
    "attributes[n]": ["12345678901234567890", None],
    "attributes['none']": [None, None],
    "session.id": ["a", None],
    "session['Name.X']": ["1.5", "2.5"],
    "SESSION.ID": ["a", None],
    "a.b": ["exact", None],
    '"a.b"': ["exact", None],
    "A.B": ["exact", None],
    "id": ["7", "8"],
    "session.id ?? ID": ["a", "8"],
    "session.id??'nobody'": ["a", "nobody"],
    "none ?? ID": ["7", "8"],
    "unplus(cs(User-Agent))": ["Mozilla/5.0 (X11)", "-"],
    "target(request)": ["/a?x=1", None],
    "host(client)": ["203.0.113.4", "::1"],
    "first(hops)": ["203.0.113.4", "203.0.113.5"],
    "url(stem, query)": ["/a?x=1", "/b"],
    "url(stem, none)": ["/a", "/b"],
    "both(kind, query)": ["view|x=1", "buy"],
    "both(session.id, ID)": ["a|7", None],
    "both(kind, none)": ["view", "buy"],
    "if(session.id, 'yes')": ["yes", None],
    "when(kind, 'buy', stem)": [None, "/b"],
    "nullif(kind, 'view', 'x')": [None, "buy"],
    "match(request, 'x=([0-9]+)')": ["1", None],
    "match(request, 'non[a-z]+')": [None, "nonsense"],
    "clf(at)": ["2024-05-30T10:00:00.5+0200", "2024-05-30T10:00:00Z"],
    "map[k]": ["v", None],
    "steps[1].id": ["y", None],
    "nullif(first(hops), '203.0.113.5') ?? host(client)": ["203.0.113.4", "::1"],
}


@pytest.mark.parametrize("name", FOUND)
def test_what_a_reference_finds_in_typed_columns(name: str) -> None:
    frame = pl.DataFrame(NESTED)
    assert frame.select(found=text(name, frame.schema))["found"].to_list() == FOUND[name]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("whole['1']", ["one", None]),
        ("whole['2']", [None, None]),
        ("dated['2024-05-30']", ["5", None]),
        ("real['1']", ["5", None]),
        ("pair[1]", ["b", "d"]),
        ("pair[2]", [None, None]),
        ("grid[1][0]", ["3", None]),
        ("keyed['b']", ["w", None]),
        ("keyed[0].key", ["a", None]),
        ("pair[2] ?? pair[0]", ["a", "c"]),
    ],
)
def test_maps_have_keys_of_any_type_and_lists_may_be_of_one_size(name: str, found: list[str | None]) -> None:
    keyed = pl.Struct({"key": pl.String, "value": pl.String})
    frame = pl.DataFrame(
        {
            "whole": [[{"key": 1, "value": "one"}], []],
            "dated": [[{"key": date(2024, 5, 30), "value": 5}], None],
            "real": [[{"key": 1.0, "value": 5}], None],
            "pair": [["a", "b"], ["c", "d"]],
            "grid": [[[1, 2], [3, 4]], None],
            "keyed": [[{"key": "a", "value": "v"}, {"key": "b", "value": "w"}], None],
        },
        schema_overrides={
            "pair": pl.Array(pl.String, 2), "grid": pl.Array(pl.Int64, (2, 2)), "keyed": pl.Array(keyed, 2),
        },
    )  # fmt: skip
    assert frame.select(found=text(name, frame.schema))["found"].to_list() == found


@pytest.mark.parametrize("name", FOUND)
def test_a_reference_finds_the_same_in_json_text(name: str) -> None:
    nested = ("attributes", "session", "map", "steps")
    frame = pl.DataFrame(NESTED)
    texts = frame.with_columns(text(each, frame.schema).alias(each) for each in frame.columns)
    assert {texts.schema[each] for each in nested} == {pl.String}
    expected = FOUND[name]
    if name in ("SESSION.ID", "steps[1].id"):  # keys of JSON keep their case, and text of a list its places
        expected = [None, None] if name == "SESSION.ID" else expected
    assert texts.select(found=text(name, texts.schema))["found"].to_list() == expected


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_is_written_so_that_it_finds_the_same_again(name: str) -> None:
    frame = pl.DataFrame(NESTED)
    there = resolved(name, frame.schema)
    assert there is not None
    assert frame.select(found=text(there.written, frame.schema))["found"].to_list() == FOUND[name]


def test_json_numbers_keep_their_digits_and_keys_may_hold_anything() -> None:
    frame = pl.DataFrame({"j": ['{"a": {"b.c": 1.10, "it\'s": [12345678901234567890]}}', "no json", '{"a": null}']})
    assert frame.select(found=text("j.a['b.c']", frame.schema))["found"].to_list() == ["1.10", None, None]
    assert frame.select(found=text("j.a['it''s'][0]", frame.schema))["found"].to_list() == [
        "12345678901234567890", None, None,
    ]  # fmt: skip
    assert frame.select(found=text('j["a"]["b.c"]', frame.schema))["found"].to_list() == ["1.10", None, None]
    quoted = pl.DataFrame({"j": ['{"\\"t\\"": 7}']})
    assert quoted.select(found=text("j['\"t\"']", quoted.schema))["found"].to_list() == ["7"]


def test_a_fixed_text_alone_makes_no_column_and_names_that_differ_in_case_alone_are_not_guessed() -> None:
    types: dict[str, pl.DataType] = {"Id": pl.String(), "ID": pl.String()}
    assert field_type("none ?? 'page'", types) is None
    assert field_type("if(none, 'page')", types) is None
    assert field_type("'page'", types) == pl.String
    assert field_type("id", types) is None
    assert field_type("ID", types) == pl.String


def test_roots_are_every_column_that_a_reference_may_read() -> None:
    assert roots("url(a.b, c) ?? d[0].e") == ["a.b", "a", "c", "d[0].e", "d[0]", "d"]


WRONG = {
    "a[b": (2, "bracket is never closed"),
    "a ?? ": (6, "a name is missing"),
    "a['b": (3, "' is never closed"),
    "url(a": (4, "parenthesis is never closed"),
    "url(a)": (1, "url(stem, query)"),
    "if(a, b)": (1, "if(column, 'text')"),
    "a[b]c": (5, "nothing more can follow"),
    "a..b": (2, "a name is missing"),
    "": (1, "a name is missing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_reference_that_is_none_is_refused_where_it_goes_wrong(name: str) -> None:
    place, what = WRONG[name]
    with pytest.raises(UsageError) as told:
        parse(name)
    assert f"at character {place} " in told.value.message
    assert what in told.value.message


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="no regular expression"):
        resolved("match(a, '(')", {"a": pl.String()})
