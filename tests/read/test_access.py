"""Lines of access logs are read alike, whether they look as most do or not: Python's own regular expressions say so, too."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
from budget import examples
from console import sessionize
from hypothesis import given
from hypothesis import strategies as st

from sessionize import schema
from sessionize.read.access import ACCESS, ADDRESS, FAULTS, access

ADDRESSES = (
    "1.2.3.4", "::1", "host.example", "-", "1.2.3.4,", "1.2.3.4, 5.6.7.8", "h,10.0.0.1", "www.example.org", "1.2.3.4:80",
    "access.log:1.2.3.4", "17:1.2.3.4", '"x"', "fe80::1%eth0", "[::1]:80", "unix:",
)  # fmt: skip
USERS = ("-", "ann", "ann lee", "- -", "[x]", "a [b]")
TIMES = ("[30/May/2024:10:00:00 +0200]", "[x]", "[]", "30/May/2024:10:00:00")
REQUESTS = ('"GET /a HTTP/1.1"', '"-"', '""', r'"GET /a\"b HTTP/1.1"', '"GET /a', "GET /a")
ENDS = (
    '"-" "-"',
    '"http://a.example/" "Mozilla/5.0 (X11; Linux)"',
    r'"-" "say \"hi\""',
    '"-"',
    "0.012",
    '"-" "-" 0.012 -',
    '"-" "a "b" c"',
    '"-" "cut',
    '9 "-" "x"',
    "",
)
FIELDS = ("vhost", "user", "status", "bytes")

line = st.builds(
    lambda *fields: " ".join(field for field in fields if field is not None),
    st.sampled_from((None, None, "www.example.org", "www.example.org:80")),
    st.sampled_from(ADDRESSES),
    st.sampled_from(("-", "-", "ident", "5.6.7.8", None)),
    st.sampled_from(USERS),
    st.sampled_from(TIMES[:1] * 6 + TIMES),
    st.sampled_from(REQUESTS[:1] * 6 + REQUESTS),
    st.sampled_from(("200", "200", "200", "-", "x")),
    st.sampled_from(("17", "17", "17", "-", None)),
    st.sampled_from(ENDS),
)


def by_python(text: str) -> tuple[str | None, ...]:
    """The fields of a line that no server escapes, and the whole client; all None where it is none of an access log."""
    match = re.match(ACCESS, text)
    if match is None:
        return (None,) * (len(FIELDS) + 1)
    found = {re.sub(r"\d$", "", name): value for name, value in match.groupdict().items() if value is not None}
    if re.fullmatch(ADDRESS, found["ident"]) and not re.match(ADDRESS, found["ip"]):
        found |= {"vhost": found["ip"], "ip": found["ident"]}
    found["user"] = re.sub(r"\\(.)", r"\1", found["user"])
    clients = [each.strip() for each in found["ip"].split(",")]
    bare = [re.sub(r"^(\d[\d.]+):\d+$", r"\1", re.sub(r"^\[(.+)\](:\d+)?$", r"\1", each)) for each in clients]
    first = next((each for each in bare if re.fullmatch(ADDRESS, each)), clients[0])
    return (*(None if found.get(name) == "-" else found.get(name) for name in FIELDS), None if first == "-" else first)


@given(st.lists(line, min_size=1, max_size=8))
@examples(400)
def test_a_line_has_the_fields_that_the_whole_expression_finds_in_it(lines: list[str]) -> None:
    rows = pl.DataFrame(
        {schema.ROW: range(len(lines)), schema.FAULT: pl.Series([None] * len(lines), dtype=FAULTS), "line": lines}
    )
    assert access(rows, [*FIELDS, "ip"]).select(*FIELDS, "ip").rows() == [by_python(each) for each in lines]


ONE = '1.1.1.1 - - [30/May/2024:10:00:01 +0000] "GET /one HTTP/1.1" 200 1 "-" "Mozilla"'
OTHER = '9.9.9.9 - - [30/May/2024:10:00:02 +0000] "GET /other HTTP/1.1" 200 1 "-" "M"'


@pytest.mark.parametrize("between", ["", " ", "\t", "\r"])
def test_no_request_is_another_visitors_wherever_a_line_was_cut_before_the_next_one(
    between: str, tmp_path: Path
) -> None:
    torn = [f"{ONE[:size]}{between}{OTHER}" for size in range(len("1.1.1.1 - "), len(ONE) + 1)]
    (tmp_path / "access.log").write_text("\n".join([ONE, *torn, OTHER, ""]), newline="")
    said = sessionize("run", "access.log", "-o", "out", "--preset", "combined", "--events", "-q", cwd=tmp_path)
    assert said.code == 0, said.err
    events = pl.read_parquet(tmp_path / "out/events.parquet").select("ip", "page").unique(maintain_order=True)
    assert set(events.iter_rows()) == {("1.1.1.1", "/one"), ("9.9.9.9", "/other")}
    counts = json.loads((tmp_path / "out/manifest.json").read_text())["counts"]
    assert counts["rejected"] >= len(torn) - len("- ")


REQUEST = '[30/May/2024:10:00:00 +0000] "GET /a HTTP/1.1" 200 12 "-" "Mozilla"'
CLIENTS = {
    "203.0.113.4:5000, 10.0.0.1 - -": (None, "203.0.113.4"),
    "[2001:db8::1]:5000, 10.0.0.1 - -": (None, "2001:db8::1"),
    "[2001:db8::1], 10.0.0.1 - -": (None, "2001:db8::1"),
    "2001:db8::1, 10.0.0.1 - -": (None, "2001:db8::1"),
    "203.0.113.4:5000 - -": (None, "203.0.113.4"),
    "[2001:db8::1]:5000 - -": (None, "2001:db8::1"),
    "unknown, 10.0.0.1:80 - -": (None, "10.0.0.1"),
    "www.example.com 203.0.113.4 -": ("www.example.com", "203.0.113.4"),
    "www.example.com 2001:db8::1 ann": ("www.example.com", "2001:db8::1"),
    "www.example.com 203.0.113.4 - -": ("www.example.com", "203.0.113.4"),
    "10.0.0.1 203.0.113.4 -": (None, "10.0.0.1"),
    "client.example.com ident -": (None, "client.example.com"),
}


@pytest.mark.parametrize(("who", "found"), CLIENTS.items())
def test_the_client_is_the_first_address_of_a_list_and_a_name_before_it_the_host(
    who: str, found: tuple[str | None, str]
) -> None:
    lines = pl.DataFrame({schema.ROW: [1], schema.FAULT: pl.Series([None], dtype=FAULTS), "line": [f"{who} {REQUEST}"]})
    assert access(lines, ["vhost", "ip"]).select("vhost", "ip").row(0) == found
