"""Logs of Segment and RudderStack, raw calls and tables alike: whose sessions they have, and what their values are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from preset_runs import ndjson, ran

TABLE: Final = "id,anonymous_id,user_id,event,timestamp,original_timestamp,received_at"


def test_segment_joins_tracks_and_pages_and_a_login_does_not_cut_the_session(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text(
        "id,received_at,sent_at,original_timestamp,timestamp,anonymous_id,user_id,event,context_campaign_name\n"
        "t1,2024-05-31 00:00:00,,,2024-05-30 09:05:00,a1,u1,order_completed,spring\n"
        "t2,2024-05-31 00:00:00,,,2024-05-30 09:06:00,,u2,refund,\n"
    )
    (tmp_path / "pages.csv").write_text(
        "id,received_at,timestamp,anonymous_id,user_id,url,referrer\n"
        "p1,2024-05-31 00:00:00,2024-05-30 09:00:00,a1,,https://x.example/,https://www.google.com/\n"
        "p2,2024-05-31 00:00:00,2024-05-30 09:45:00,a1,u1,https://x.example/b,\n"
    )
    found = ran(tmp_path, tmp_path / "tracks.csv", tmp_path / "pages.csv", "--preset", "segment")
    assert found.of("source_id", "profile_id", "start", "events", "page_views", "conversions", "utm_campaign") == [
        ("a1", "a1", "09:00:00", 2, 1, 1, "spring"),
        ("u2", "u2", "09:06:00", 1, 0, 0, None),
        ("a1", "u1", "09:45:00", 1, 1, 0, None),  # 40 minutes after 09:05
    ]


def test_rudderstack_sessions_are_device_and_number(tmp_path: Path) -> None:
    pl.DataFrame(
        {
            "id": ["1", "2", "3", "4"],
            "timestamp": ["2024-05-30 09:00:00", "2024-05-30 09:00:00", "2024-05-30 09:10:00", "2024-05-30 09:20:00"],
            "anonymous_id": ["a", "b", "a", "a"],
            "context_session_id": [1717059600000, 1717059600000, 1717059600000, None],  # two devices, one instant
            "event": [None, None, "order_completed", "from_server"],
            "url": ["https://x.example/", "https://x.example/", None, None],
        }
    ).write_parquet(tmp_path / "all.parquet")
    found = ran(tmp_path, tmp_path / "all.parquet", "--preset", "rudderstack")
    assert found.of("source_id", "events", "page_views", "conversions") == [
        ("a|1717059600000", 2, 1, 1), ("b|1717059600000", 1, 1, 0), (None, 1, 0, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("flat", [False, True])
def test_raw_calls_of_rudderstack_have_its_sessions_and_those_of_segment_none(flat: bool, tmp_path: Path) -> None:  # noqa: FBT001
    def call(number: int, device: str | None, session: int | None, **more: str) -> dict[str, Any]:
        context: dict[str, Any] = {"ip": "203.0.113.7"} | ({} if session is None else {"sessionId": session})
        inside = {f"context.{key}": value for key, value in context.items()} if flat else {"context": context}
        return {"messageId": f"m{number}", "type": "page", "anonymousId": device, "receivedAt": "x",
                "timestamp": f"2024-05-30T09:{number}0:00Z", **inside, **more}  # fmt: skip

    instant = 1717059600000
    rudder = [
        call(0, "a", instant),
        call(0, "b", instant),
        call(1, "a", instant, userId="u"),
        call(2, "a", instant + 1),
    ]
    rudder += [call(3, "a", None), call(4, None, instant)]  # by a server, and by nobody who is known
    found = ran(tmp_path, ndjson(tmp_path / "rudder.ndjson", *rudder))
    assert found.layout == "segment-json"
    assert sorted(found.of("source_id", "events")) == [
        ("1717059600000", 1), ("a", 1), ("a|1717059600000", 2), ("a|1717059600001", 1), ("b|1717059600000", 1),
    ]  # fmt: skip
    segment = [call(0, "a", None), call(1, "a", None, userId="u"), call(2, None, None, userId="v")]
    found = ran(tmp_path, ndjson(tmp_path / "segment.ndjson", *segment))
    assert found.of("source_id", "profile_id", "events") == [("a", "a", 2), ("v", "v", 1)]


@pytest.mark.parametrize("more", ["", ",context_request_ip"])
def test_the_value_of_a_table_does_not_depend_on_what_other_tables_call_theirs(more: str, tmp_path: Path) -> None:
    """Segment's tables, and with the address of a request RudderStack's; neither is cut by logging in."""
    times = "2024-05-30 10:0{0}:00,2024-05-30 10:0{0}:00,2024-05-30 10:0{0}:01"
    (tmp_path / "order.csv").write_text(
        f"{TABLE},total{more}\nt0,a1,,order_completed,{times.format(5)},30{',1.2.3.4' if more else ''}\n"
    )
    (tmp_path / "paid.csv").write_text(
        f"{TABLE},revenue{more}\nt1,a1,u1,subscription_paid,{times.format(6)},9{',1.2.3.4' if more else ''}\n"
    )
    alone = ran(tmp_path, tmp_path / "order.csv")
    assert (alone.layout, alone.of("events", "value")) == ("rudderstack" if more else "segment", [(1, 30.0)])
    assert ran(tmp_path, tmp_path / "order.csv", tmp_path / "paid.csv").of("events", "value") == [(2, 30.0)]
