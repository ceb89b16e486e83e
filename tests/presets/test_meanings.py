"""What a vendor's numbers, names and traits mean: which count, which convert, and which are of another visit."""

from __future__ import annotations

import json
from pathlib import Path

from console import sessionize
from preset_runs import ran


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
