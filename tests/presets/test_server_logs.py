"""Each layout that a server or a network of servers writes, its traps in it, and its sessions by hand."""

from __future__ import annotations

import gzip
import shlex
import subprocess
from pathlib import Path
from typing import Final

import polars as pl
import pytest
from console import sessionize
from preset_runs import VISITOR, ran, rows_of


def test_an_access_log_is_read_by_its_form_and_what_does_not_fit_is_told_by_its_number(tmp_path: Path) -> None:
    lines = [
        r'203.0.113.7 - - [30/May/2024:11:00:00 +0200] "GET /a?q=1 HTTP/1.1" 200 123 "https://x.example/" "Agent \"One\" 1.0"',
        r'203.0.113.7 - - [30/May/2024:09:10:00 +0000] "GET /b HTTP/1.1" 304 - "-" "Agent \"One\" 1.0" "extra" 0.003',
        r'203.0.113.7 - - [30/May/2024:09:11:00 +0000] "GET /caf\xc3\xa9 HTTP/2.0" 200 5 "-" "Agent Two"',
        r'203.0.113.8 - ann [30/May/2024:09:12:00 +0000] "\x16\x03\x01" 400 0 "-" "-"',
        r"203.0.113.9 - - [30/May/2024:09:13:00 +0000] GET /unquoted 200 1",
        r'203.0.113.9 - - [30/May/2024:09:13:00 +0000] "GET /common HTTP/1.0" 200 1',
        r'203.0.113.9 - - [31/Foo/2024:09:13:00 +0000] "GET /b HTTP/1.0" 200 1 "-" "-"',
        "",
        r'2001:db8::1 - - [30/May/2024:09:50:00 +0000] "POST /c d HTTP/1.1" 200 1 "-" "Agent Two"',
    ]
    (tmp_path / "access.log.1").write_text("\n".join(lines) + "\n")
    found = ran(tmp_path, tmp_path / "access.log.1", "--preset", "combined", "--property", "status")
    assert found.of("start", "events", "page_views", "entry_page", "exit_page", "referrer") == [
        ("09:00:00", 2, 2, "/a?q=1", "/b", "https://x.example/"),
        ("09:11:00", 1, 1, "/café", "/café", None),
        ("09:12:00", 1, 0, None, None, None),
        ("09:13:00", 1, 1, "/common", "/common", None),
        ("09:50:00", 1, 1, "/c d", "/c d", None),
    ]
    assert [(row["row"], row["reason"], row["raw"]) for row in found.rejected] == [
        (5, "malformed_row", lines[4]), (7, "bad_timestamp", lines[6]),
    ]  # fmt: skip
    assert len({row["profile_id"] for row in found.sessions}) == 5  # address and agent together


def test_escapes_in_an_access_log_are_what_they_stand_for(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(
        r'203.0.113.7 - - [30/May/2024:09:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "say \"\xe2\x9c\x93\" \\ \xff"'
    )
    ran(tmp_path, tmp_path / "access.log", "--preset", "combined", "--trait", "user_agent")
    (record,) = rows_of(tmp_path / "out" / "sessions.ndjson")
    assert record["traits"] == {"user_agent": 'say "✓" \\ �'}


CLOUDFRONT = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent)"
)


def test_cloudfront_names_its_fields_and_encodes_its_texts(tmp_path: Path) -> None:
    head = f"#Version: 1.0\n#Fields: {CLOUDFRONT}\n"

    def line(time: str, page: str, agent: str, referrer: str = "-") -> str:
        fields = [
            "2024-05-30",
            time,
            "FRA2-C1",
            "99",
            "203.0.113.7",
            "GET",
            "d1.cloudfront.net",
            page,
            "200",
            referrer,
            agent,
        ]
        return "\t".join(fields) + "\n"

    text = (
        head
        + line("09:00:00", "/a", "Mozilla/5.0%20(X11)", "https://x.example/%C3%A9")
        + line("09:10:00", "/b", "Mozilla/5.0%2520(X11)")  # encoded twice
        + line("09:10:00", "/c", "-")
        + "2024-05-30\t09:00\n"
        + head
        + line("09:41:00", "/d", "Mozilla/5.0%20(X11)")
    )
    (tmp_path / "E1.2024-05-30-09.abcd.gz").write_bytes(gzip.compress(text.encode()))
    found = ran(tmp_path, tmp_path / "E1.2024-05-30-09.abcd.gz", "--preset", "cloudfront", "--trait", "cs(User-Agent)")
    assert found.of("start", "events", "entry_page", "exit_page", "referrer") == [
        ("09:00:00", 2, "/a", "/b", "https://x.example/é"),
        ("09:10:00", 1, "/c", "/c", None),
        ("09:41:00", 1, "/d", "/d", None),
    ]
    assert [(row["row"], row["reason"]) for row in found.rejected] == [(6, "malformed_row")]
    records = rows_of(tmp_path / "out" / "sessions.ndjson")
    assert records[0]["traits"] == {"cs(User-Agent)": "Mozilla/5.0 (X11)"}


@pytest.mark.parametrize("ending", ["ndjson", "parquet", "csv"])
def test_cloudfront_delivers_other_formats_with_the_same_fields(ending: str, tmp_path: Path) -> None:
    values = "2024-05-30 09:00:00 FRA2-C1 99 203.0.113.7 GET d1.cloudfront.net /a 200 - Mozilla/5.0%20(X11)"
    rows = pl.DataFrame([values.split(" ")], schema=CLOUDFRONT.split(" "), orient="row")
    getattr(rows, f"write_{ending}")(tmp_path / f"log.{ending}")
    found = ran(tmp_path, tmp_path / f"log.{ending}", "--trait", "cs(User-Agent)")
    assert found.of("start", "entry_page", "referrer") == [("09:00:00", "/a", None)]
    (record,) = rows_of(tmp_path / "out" / "sessions.ndjson")
    assert record["traits"] == {"cs(User-Agent)": "Mozilla/5.0 (X11)"}


@pytest.mark.parametrize("between", [",", "\t"])
def test_a_log_of_zeek_may_be_a_csv_that_names_its_columns(between: str, tmp_path: Path) -> None:
    fields = ("ts", "uid", "id.orig_h", "uri", "user_agent")
    rows = [fields, ("1717059600.5", "C1", "203.0.113.7", "/a", "M"), ("1717059660.5", "C2", "203.0.113.7", "/b", "M")]
    (tmp_path / "http.csv").write_text("".join(f"{between.join(row)}\n" for row in rows))
    for options in ((), ("--preset", "zeek")):
        found = ran(tmp_path, tmp_path / "http.csv", *options)
        assert found.of("start", "events", "entry_page") == [("09:00:00", 2, "/a")]


def test_an_access_log_may_have_hosts_lists_of_addresses_and_other_times(tmp_path: Path) -> None:
    lines = [
        'shop.example:443 203.0.113.1 - - [30/May/2024:10:00:00 +0000] "GET /a HTTP/1.1" 200 1 "-" "A"',
        'shop.example client.example - - [30/May/2024:10:00:01 +0000] "GET /b HTTP/1.1" 200 1 "-" "A"',
        '203.0.113.2, 10.0.0.1 - - [30/May/2024:10:00:02.500 +0000] "GET /c HTTP/1.1" 200 1 "-" "A"',
        '203.0.113.3 - ann lee [30/May/2024:12:00:03 +0200] "GET /d HTTP/1.1" 200 1 "-" "A"',
        '127.0.0.1 - - [30/May/2024 10:00:04] "GET /e HTTP/1.1" 200 -',
        '2001:db8::1 - - [2024-05-30T10:00:05+00:00] "GET /f HTTP/1.1" 200 1 "-" "A"',
        '203.0.113.1 - - [30/May/2024:10:00:06 +0000] "" 400 0 "-" "A"',
    ]
    (tmp_path / "access.log").write_text("\n".join(lines) + "\n")
    found = ran(tmp_path, tmp_path / "access.log")
    assert (found.layout, found.counts["rejected"]) == ("combined", 0)
    assert [(row["start"][11:23], row["entry_page"]) for row in found.sessions] == [
        ("10:00:00.000", "/a"), ("10:00:01.000", "/b"), ("10:00:02.500", "/c"), ("10:00:03.000", "/d"),
        ("10:00:04.000", "/e"), ("10:00:05.000", "/f"),
    ]  # fmt: skip
    assert found.sessions[0]["events"] == 2  # a host in front makes no other visitor


S3_LINE: Final = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - "
    '3E57427F3EXAMPLE REST.GET.OBJECT a.html "GET /bucket/a.html?x=1 HTTP/1.1" 200 - 113 - 7 - "-" "S3 \\"C\\"/0.4" -'
)


def test_s3_logs_have_times_in_brackets_and_grew_over_the_years(tmp_path: Path) -> None:
    old, new = (
        S3_LINE,
        f"{S3_LINE} abc= SigV4 ECDHE AuthHeader b.s3.amazonaws.com TLSV1.2 - - us-east-1".replace("38 +", "39 +"),
    )
    (tmp_path / "2019-02-06-00").write_text(f"{old}\n{new}\n{old[:80]}\n".replace("3E57427F3", "3E5", 1))
    found = ran(tmp_path, tmp_path / "2019-02-06-00", "--input-format", "csv", "--preset", "s3-access")
    assert (found.totals[1:], found.counts["rejected_by_reason"]) == (
        (1, 2, 2, 0, 0, "/bucket/a.html?x=1"), {"malformed_row": 1},
    )  # fmt: skip
    assert len(found.sessions[0]["profile_id"]) == VISITOR


def test_w3c_logs_may_have_tabs_quotes_and_fields_in_any_case(tmp_path: Path) -> None:
    head = "#software: x\n#fields: date time c-ip cs-uri-stem cs-uri-query cs(User-Agent)\n"
    (tmp_path / "a.log").write_text(
        head + '2024-05-30 10:00:00 203.0.113.4 /a q=1 "Mozilla 5"\n2024-05-30 10:01:00 203.0.113.4 /b - "Mozilla 5"\n'
    )
    found = ran(tmp_path, tmp_path / "a.log", "--trait", "unplus(cs(User-Agent))")
    assert found.totals == ("iis", 1, 2, 2, 0, 0, "/a?q=1")
    (tmp_path / "b.log").write_text((head + "2024-05-30 10:00:00 203.0.113.4 /a - x+y\n").replace(" ", "\t"))
    assert ran(tmp_path, tmp_path / "b.log").totals == ("iis", 1, 1, 1, 0, 0, "/a")


REST: Final = '[30/May/2024:10:00:00 +0000] "GET /a HTTP/1.1" 200 12'
IN_FRONT: Final = (
    "May 30 10:00:00 web1 nginx: 203.0.113.5 - - ", "shop.example.org 443 203.0.113.5 - - ", "0.003 0.002 203.0.113.5 - - ",
    "2024-05-30T10:00:00.1Z stdout F 203.0.113.5 - - ", "web_1  | 203.0.113.5 - - ",
)  # fmt: skip
GLUED: Final = ("access.log:203.0.113.5 - - ", "17:203.0.113.5 - - ", '"203.0.113.5" 10.0.0.1 - - ')


@pytest.mark.parametrize("start", [*IN_FRONT, *GLUED])
def test_what_stands_before_the_address_of_an_access_log_is_nobody(start: str, tmp_path: Path) -> None:
    """The line is refused; where the address stands apart from the text, typing what is said reads it."""
    (tmp_path / "access.log").write_text(f'{start}{REST} "-" "M"\n')
    said = sessionize("run", "access.log", "-o", "out", cwd=tmp_path)
    assert (said.code, "no line is of the layout combined" in said.err) == (2, True)
    assert sessionize("run", "access.log", "--preset", "combined", "-o", "out", cwd=tmp_path) == said
    hint = said.err.partition("address: ")[2].strip()
    assert bool(hint) is (start in IN_FRONT)
    if hint:
        cut = subprocess.run(["bash", "-c", hint.partition(" | ")[0]], cwd=tmp_path, capture_output=True, check=True)
        (tmp_path / "cut.log").write_bytes(cut.stdout)
        assert ran(tmp_path, tmp_path / "cut.log", "--events").counts["events"] == 1
        assert rows_of(tmp_path / "out" / "events.ndjson")[0]["ip"] == "203.0.113.5"


CLIENTS: Final = {
    "203.0.113.5:4711 - - ": "203.0.113.5", "[2001:db8::1]:443 - - ": "2001:db8::1", "unix: - - ": "unix:",
    "fe80::1%eth0 - - ": "fe80::1%eth0", "crawl.example.net ident frank ": "crawl.example.net",
    "shop.example.org crawl.example.net - frank ": "crawl.example.net", "203.0.113.5 - frank smith ": "203.0.113.5",
}  # fmt: skip


def test_clients_of_an_access_log_are_addresses_or_names(tmp_path: Path) -> None:
    lines = (start + f'{REST} "-" "M"\n' for start in CLIENTS)
    (tmp_path / "access.log").write_text("".join(lines))
    ran(tmp_path, tmp_path / "access.log", "--events")
    assert sorted(row["ip"] for row in rows_of(tmp_path / "out" / "events.ndjson")) == sorted(CLIENTS.values())


def test_a_user_agent_is_there_as_far_as_the_line_goes_or_its_line_is_refused(tmp_path: Path) -> None:
    ends = [
        ' "-" "Mozilla/5.0 "one" agent"', ' 345 "-" "UA"', ' "-" "Mozilla (X', ' "0.003"', "", ' "-" "UA" rt=0.1 "x" "y',
    ]  # fmt: skip
    (tmp_path / "access.log").write_text("".join(f"203.0.113.5 - - {REST}{end}\n" for end in ends))
    found = ran(tmp_path, tmp_path / "access.log", "--events")
    assert [row["row"] for row in found.rejected] == [1]
    events = rows_of(tmp_path / "out" / "events.ndjson")
    assert sorted(str(row.get("user_agent")) for row in events) == ["Mozilla (X", "None", "None", "UA", "UA"]


def test_a_load_balancers_port_is_no_part_of_an_address_without_brackets_either(tmp_path: Path) -> None:
    line = (
        "https 2024-05-30T10:00:00.1Z app/lb/50 {} 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "
        '"GET https://e.com:443/a HTTP/1.1" "M" - - arn:x "Root=1" "-" "-" 0 2024-05-30T10:00:00.3Z "forward" "-" "-"\n'
    )
    clients = ["2001:db8::7:2817", "2001:db8::7:2818", "[2001:db8::7]:2819", "203.0.113.5:2817", "203.0.113.5:2818"]
    (tmp_path / "alb.log").write_text("".join(map(line.format, clients)))
    ran(tmp_path, tmp_path / "alb.log", "--events")
    events = rows_of(tmp_path / "out" / "events.ndjson")
    assert sorted(row["ip"] for row in events) == ["2001:db8::7"] * 3 + ["203.0.113.5"] * 2
    assert len({row["profile_id"] for row in events}) == 2


def test_a_visitor_is_the_same_one_in_a_night_whose_log_lacks_the_user_agent(tmp_path: Path) -> None:
    nights = {
        "2024-05-30": "cs-uri-stem cs(User-Agent)\r\n2024-05-30 23:50:00 203.0.113.5 /a -",
        "2024-05-31": "cs-uri-stem\r\n2024-05-31 00:05:00 203.0.113.5 /c",
    }
    for day, rest in nights.items():
        (tmp_path / f"{day}.log").write_bytes(f"#Fields: date time c-ip {rest}\r\n".encode())
        sessionize("run", f"{day}.log", "-o", "out", "--state", "st", "--batch", day, cwd=tmp_path)
    sessionize("run", "-o", "out", "--state", "st", "--batch", "end", "--flush", cwd=tmp_path)
    whole = ran(tmp_path / "one", *(tmp_path / f"{day}.log" for day in nights))
    assert whole.of("events") == [(2,)]
    last = pl.read_parquet(tmp_path / "out" / "batch=*" / "metrics.parquet")
    assert last.select("session_id", "events").rows() == whole.of("session_id", "events")


@pytest.mark.parametrize("command", ["run -o out", "summary", "check"])
@pytest.mark.parametrize("names", [["access.log"], ["access.log", "access.log.1"], ["a b.log", "access.log-20240529"]])
def test_a_servers_errors_beside_its_log_are_not_of_its_layout_and_naming_what_is_said_reads_the_log(
    names: list[str], command: str, tmp_path: Path
) -> None:
    (tmp_path / "nginx").mkdir()
    for number, name in enumerate(names):
        (tmp_path / "nginx" / name).write_text(f'203.0.113.{number} - - {REST} "-" "M"\n')
    (tmp_path / "nginx" / "error.log").write_text(
        '2024/05/30 10:00:00 [error] 7#7: *1 open() "/x", client: 203.0.113.5\n'
    )
    first, *options = command.split()
    said = sessionize(first, "nginx", *options, cwd=tmp_path)
    assert (said.code, "nginx/error.log: no line is of the layout combined" in said.err) == (2, True)
    named = shlex.split(said.err.partition("name those that are: ")[2])
    assert named[-1] == "nginx/access.log*"
    done = sessionize("run", *named, "-o", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    assert f"{len(names)} rows" in done.err
