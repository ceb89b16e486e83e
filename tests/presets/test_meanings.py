"""What a vendor's numbers, names and traits mean: which count, which convert, and which are of another visit."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest
from console import sessionize
from preset_runs import ran

from sessionize.presets import load

MATOMO_TABLES = """
CREATE TABLE matomo_log_visit (idvisit, user_id, referer_url, referer_type, referer_name, referer_keyword, location_ip);
CREATE TABLE matomo_log_action (idaction, name, type, url_prefix);
CREATE TABLE matomo_log_link_visit_action
    (idlink_va, idvisit, idvisitor, server_time, idaction_url, idaction_name, idaction_event_category);
INSERT INTO matomo_log_visit VALUES (7, NULL, NULL, 1, NULL, NULL, NULL);
INSERT INTO matomo_log_action VALUES
    (1, 'x.example/', 1, 2), (2, 'Home', 4, NULL), (3, 'Video', 10, NULL), (4, 'intro.mp4', 12, NULL), (5, 'shoes', 8, NULL),
    (6, 'x.example/a.pdf', 3, 2);
INSERT INTO matomo_log_link_visit_action VALUES
    (1, 7, 'v', '2024-05-30 09:00:00', 1, 2, NULL), (2, 7, 'v', '2024-05-30 09:01:00', 1, 4, 3),
    (3, 7, 'v', '2024-05-30 09:02:00', 1, NULL, 3), (4, 7, 'v', '2024-05-30 09:03:00', NULL, 5, NULL),
    (5, 7, 'v', '2024-05-30 09:04:00', 6, NULL, NULL);
"""


def test_matomos_query_tells_events_on_a_page_and_searches_without_one_from_page_views(tmp_path: Path) -> None:
    (query,) = re.findall(r'matomo -e "(.*?)" > actions.tsv', load("matomo").about, re.DOTALL)
    tables = sqlite3.connect(":memory:")
    tables.executescript(MATOMO_TABLES)
    tables.create_function("CONCAT", -1, lambda *parts: None if None in parts else "".join(parts))
    tables.create_function("ELT", -1, lambda place, *parts: None if place is None else parts[place - 1])
    tables.create_function("INET6_NTOA", 1, lambda address: address)
    found = tables.execute(query)
    lines = [[name for name, *_ in found.description], *([str(each or "NULL") for each in row] for row in found)]
    tables.close()
    assert [line[5] for line in lines[1:]] == ["page", "event", "event", "search", "download"]
    (tmp_path / "actions.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    assert ran(tmp_path, tmp_path / "actions.tsv").of("events", "page_views", "exit_event") == [(5, 1, "download")]


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_umamis_links_pixels_and_measures_are_no_page_views(form: str, tmp_path: Path) -> None:
    names = ("website_id", "visit_id", "session_id", "url_path", "created_at", "event_type", "event_name")
    kinds = {1: None, 5: None, 3: None, 4: None, 2: "buy"}
    rows = [("w", "v", "s", "/", f"2024-05-30 10:00:0{kind}", kind, name) for kind, name in kinds.items()]
    rows += [
        ("w", "v2", "s", "/", "2024-05-30 12:00:00", 1, None),
        ("w", "v2", "s", "/", "2024-05-30 12:00:01", 5, None),
    ]
    log = tmp_path / f"website_event.{form}"
    if form == "csv":
        log.write_text("".join(",".join(str(each or "") for each in row) + "\n" for row in (names, *rows)))
    else:
        log.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
    found = ran(tmp_path, log)
    assert found.of("events", "page_views", "bounced", "exit_event") == [(4, 1, False, "pixel"), (1, 1, True, "page")]


def test_umamis_rows_without_a_type_stay(tmp_path: Path) -> None:
    (tmp_path / "website_event.csv").write_text(
        "website_id,visit_id,session_id,url_path,created_at\nw,v,s,/,2024-05-30 10:00:00\nw,v,s,/a,2024-05-30 10:00:01\n"
    )
    assert ran(tmp_path, tmp_path / "website_event.csv").of("events", "page_views") == [(2, 2)]


def test_matomos_own_campaign_is_the_referrers_name_of_visits_that_came_by_one(tmp_path: Path) -> None:
    def visit(number: int, kind: str, name: str) -> dict[str, object]:
        actions = [{"type": "action", "url": "https://x.example/", "timestamp": 1717063200 + number}]
        return {"idVisit": f"{number}", "visitorId": f"8d{number}", "actionDetails": actions, "referrerType": kind,
                "referrerName": name, "referrerKeyword": "shoes", "referrerUrl": ""}  # fmt: skip

    visits = [visit(1, "campaign", "spring"), visit(2, "search", "Google")]
    (tmp_path / "visits.ndjson").write_text("".join(json.dumps(each) + "\n" for each in visits))
    found = ran(tmp_path, tmp_path / "visits.ndjson", "--channels")
    assert found.of("utm_campaign", "utm_term", "channel") == [
        ("spring", "shoes", "Unassigned"),
        (None, None, "Direct"),
    ]
    head = "idvisit\tidvisitor\tserver_time\taction\turl\treferer_type\treferer_name\treferer_keyword\n"
    rows = ["1\tAB\t2024-05-30 10:00:00\tpage\tx.example/\t6\tspring\tNULL\n",
            "2\tCD\t2024-05-30 10:00:01\tpage\tx.example/\t2\tGoogle\tshoes\n"]  # fmt: skip
    (tmp_path / "joined.tsv").write_text(head + "".join(rows))
    assert ran(tmp_path, tmp_path / "joined.tsv").of("utm_campaign", "utm_term") == [("spring", None), (None, None)]


def test_goals_and_orders_convert_in_piwik_pro_and_abandoned_carts_do_not(tmp_path: Path) -> None:
    head = "session_id,visitor_id,event_id,timestamp,event_index,event_type,event_url,goal_revenue,revenue\n"
    kinds = {1: ",", 8: "5,", 9: ",25.5", 10: ",99"}
    rows = [
        f"{kind},v{kind},{kind},2024-05-30T10:00:{kind:02}Z,1,{kind},/,{amounts}\n" for kind, amounts in kinds.items()
    ]
    (tmp_path / "events.csv").write_text(head + "".join(rows))
    found = ran(tmp_path, tmp_path / "events.csv")
    assert found.of("conversions", "value") == [(0, 0.0), (1, 5.0), (1, 25.5), (0, 0.0)]


def test_the_first_referrer_ever_is_none_of_a_later_visit_of_mixpanel(tmp_path: Path) -> None:
    line = {
        "event": "Page View",
        "properties": {"time": 1719063320, "distinct_id": "u1", "$initial_referrer": "https://b.example/"},
    }
    (tmp_path / "export.ndjson").write_text(json.dumps(line) + "\n")
    assert ran(tmp_path, tmp_path / "export.ndjson", "--channels").of("referrer", "channel") == [(None, "Direct")]


def test_a_title_is_a_trait_of_those_who_identify_themselves(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    head = "id,anonymous_id,original_timestamp,received_at,timestamp,title"
    time = "2024-05-30 10:0{0}:00,,2024-05-30 10:0{0}:00"
    (tmp_path / "log" / "pages.csv").write_text(f"{head},url\np1,a1,{time.format(0)},Home,https://x.example/\n")
    (tmp_path / "log" / "identifies.csv").write_text(f"{head},email\ni1,a1,{time.format(2)},CEO,j@x.example\n")
    assert ran(tmp_path, tmp_path / "log").of("page_views", "exit_event") == [(1, "identify")]


def test_names_that_a_found_preset_brings_are_not_missed(tmp_path: Path) -> None:
    line = {"event": "$mp_web_page_view", "properties": {"time": 1719063320, "distinct_id": "u1"}}
    (tmp_path / "export.ndjson").write_text(json.dumps(line) + "\n")
    said = sessionize("run", "export.ndjson", "-o", "out", cwd=tmp_path)
    assert (said.code, "no event has this type" in said.err) == (0, False)
    said = sessionize("run", "export.ndjson", "-o", "out", "--page-view", "pageview", cwd=tmp_path)
    assert "--page-view pageview: no event has this type" in said.err


def test_lines_of_claude_code_that_are_no_events_are_left_out(tmp_path: Path) -> None:
    told = {"parentUuid": None, "isSidechain": False, "cwd": "/w", "sessionId": "s1", "type": "user", "uuid": "u1",
            "timestamp": "2025-07-01T10:43:40.323Z"}  # fmt: skip
    others = [
        {"type": "mode", "sessionId": "s1"},
        {"type": "queue-operation", "timestamp": told["timestamp"], "sessionId": "s1"},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(each) + "\n" for each in (told, *others)))
    found = ran(tmp_path, tmp_path / "a.jsonl", "--preset", "claude-code")
    assert (found.of("events", "exit_event"), found.rejected) == ([(1, "user")], [])
