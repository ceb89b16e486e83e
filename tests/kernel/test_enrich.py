"""What rows progress: campaigns in URLs, channels, agents, private ids and addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import polars as pl
import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from sessionize import Config, schema
from sessionize import sessionize as frames
from sessionize.errors import UsageError
from sessionize.kernel import agents
from sessionize.kernel.agents import agents as told
from sessionize.kernel.agents import are_bots
from sessionize.kernel.enrich import campaigns
from sessionize.kernel.privacy import address, hashed, truncated

needs_ua = pytest.mark.skipif(not agents.installed(), reason="the extra [ua] is not installed")


def log(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of one visitor, a minute apart, where they do not say otherwise."""
    start = {"user_id": "ann"}
    return pl.DataFrame(
        [{**start, "time": f"2024-05-30 09:{minute:02}", **row} for minute, row in enumerate(rows)],
        infer_schema_length=None,
    )


@examples()
@given(
    st.dictionaries(
        st.sampled_from([*schema.UTM, "q", "utm_id"]), st.text(min_size=1).filter(lambda t: t.strip() == t)
    ),
    st.sampled_from(["", "https://shop.example", "//x.example/a/b"]),
    st.sampled_from(["", "#top", "#?utm_source=no"]),
)
def test_campaigns_in_a_url_are_what_pythons_parser_finds(query: dict[str, str], before: str, behind: str) -> None:
    page = f"{before}/?{urlencode(query)}{behind}"
    parsed = dict(parse_qsl(urlsplit(page).query))
    expected: dict[str, str] = {name: parsed[name] for name in schema.UTM if name in parsed}
    found = {column.name: column[0] for column in campaigns(pl.Series([page]))}
    if "utm_source=no" in behind:  # a fragment is no query string to Python; to the pattern it is one
        expected = {"utm_source": "no"} | expected
    assert found == expected


@pytest.mark.parametrize(
    "query", ["utm%5Fsource=a+b&utm%5fmedium=mail", "utm_source=&utm_medium=mail&UTM%5FSOURCE=a%20b&utm_medium=x"]
)
def test_the_name_of_a_utm_field_may_be_percent_encoded_and_an_empty_one_is_none(query: str) -> None:
    found = {column.name: column[0] for column in campaigns(pl.Series([f"/?{query}#utm_term="]))}
    assert found == {"utm_source": "a b", "utm_medium": "mail"}


def test_utm_fields_come_together_from_the_first_page_that_has_any() -> None:
    found = frames(
        log({"page": "/a"}, {"page": "/b?UTM_SOURCE=news+letter&utm_campaign=%C3%A9"}, {"page": "/c?utm_medium=cpc"})
    )
    row = found.metrics.select(schema.UTM).row(0)
    assert row == ("news letter", None, "é", None, None)
    assert found.metrics["entry_page"].item() == "/a"


def test_a_log_with_utm_columns_is_not_second_guessed() -> None:
    found = frames(log({"page": "/b?utm_source=url&utm_medium=email", "utm_source": "column"}))
    assert found.metrics.select("utm_source", "utm_medium").row(0) == ("column", None)


PATHS = {
    "https://x.example/a/b?q=1#top": "/a/b",
    "https://x.example": "/",
    "//x.example:8080/a": "/a",
    "/a?next=https://y.example/b": "/a",
    "/a#b?c": "/a",
    "page_1": "page_1",
    "app://home/tab?x": "/tab",
    "?q=1": "/",
}


@pytest.mark.parametrize(("page", "path"), PATHS.items(), ids=PATHS)
def test_a_page_is_cut_to_its_path_and_only_where_asked_for(page: str, path: str) -> None:
    events = log({"page": page})
    assert frames(events).metrics["entry_page"].item() == page
    cut = frames(events, Config(page_path=True))
    assert (cut.metrics["entry_page"].item(), cut.events["page"].item()) == (path, path)


def test_paths_that_are_one_count_as_one_and_campaigns_are_found_before_the_cut() -> None:
    found = frames(log({"page": "/a?utm_source=x"}, {"page": "/a?y"}, {"page": None}), Config(page_path=True))
    assert found.metrics.select("unique_pages", "utm_source").row(0) == (1, "x")


def channel(*, own_hosts: tuple[str, ...] = (), page_path: bool = False, **row: str | None) -> str:
    events = log({"page": "https://shop.example/"} | row)
    found = frames(events, Config(channels=True, own_hosts=own_hosts, page_path=page_path))
    name: str = found.metrics["channel"].item()
    return name


UTM_CHANNELS = [
    ("google", "cpc", None, "Paid Search"),
    ("Bing", "PPC", None, "Paid Search"),
    ("google", "organic", None, "Organic Search"),
    ("google", None, None, "Organic Search"),
    ("google", "cpc", "spring cross-network", "Cross-network"),
    ("ebay", "cpc", None, "Paid Shopping"),
    ("any", "cpc", "shopping_feed", "Paid Shopping"),
    ("any", "referral", "workshop-2024", "Referral"),  # "shop" behind a letter of [a-df-z] is no shop
    ("facebook", "paid_social", None, "Paid Social"),
    ("facebook", None, None, "Organic Social"),
    ("any", "social", None, "Organic Social"),
    ("youtube", "cpv", None, "Paid Video"),
    ("youtube", "cpc", None, "Paid Video"),
    ("any", "video-ad", None, "Organic Video"),
    ("any", "display", None, "Display"),
    ("any", "cpm", None, "Display"),  # asked before the pattern of paid mediums, which it fits too
    ("google", "cpm", None, "Paid Search"),
    ("any", "cpa", None, "Paid Other"),
    ("newsletter", "email", None, "Email"),
    ("e-mail", None, None, "Email"),
    ("any", "affiliate", None, "Affiliates"),
    ("any", "app", None, "Referral"),
    ("any", "audio", None, "Audio"),
    ("sms", None, None, "SMS"),
    ("any", "web-push", None, "Mobile Push Notifications"),
    ("firebase", None, None, "Mobile Push Notifications"),
    ("(direct)", "(none)", None, "Direct"),
    ("any", "whatever", None, "Unassigned"),
    (None, None, "spring", "Unassigned"),
]
REFERRERS = {
    "https://www.google.co.uk/": "Organic Search",
    "https://duckduckgo.com/": "Organic Search",
    "https://mail.google.com/mail/u/0": "Referral",
    "https://t.co/abc": "Organic Social",
    "https://m.facebook.com/": "Organic Social",
    "https://www.youtube.com/watch?v=1": "Organic Video",
    "https://www.amazon.de/dp/1": "Organic Shopping",
    "https://ask.example.com/": "Referral",
    "https://blog.other.example/post": "Referral",
    "android-app://com.example.app/": "Referral",
    "https://shop.example/before": "Direct",
    "https://www.shop.example/before": "Direct",
    "https://help.shop.example/": "Direct",
    "https://notshop.example/": "Referral",
    "not a url": "Direct",
}


@pytest.mark.parametrize(("source", "medium", "campaign", "expected"), UTM_CHANNELS)
def test_channels_of_campaigns_are_ga4s(
    source: str | None, medium: str | None, campaign: str | None, expected: str
) -> None:
    assert channel(utm_source=source, utm_medium=medium, utm_campaign=campaign) == expected


@pytest.mark.parametrize(("referrer", "expected"), REFERRERS.items(), ids=REFERRERS)
@pytest.mark.parametrize("pages", ["whole", "paths"])
def test_channels_of_referrers_are_ga4s_and_an_own_host_is_no_source(referrer: str, expected: str, pages: str) -> None:
    assert channel(referrer=referrer, page_path=pages == "paths") == expected


def test_a_session_without_campaign_and_referrer_is_direct() -> None:
    assert channel(referrer=None) == "Direct"


def test_where_pages_have_no_host_the_own_one_is_said() -> None:
    assert channel(page="/", referrer="https://www.shop.example/a") == "Referral"
    assert channel(page="/", referrer="https://www.shop.example/a", own_hosts=("shop.example",)) == "Direct"


def test_a_channel_column_is_taken_as_it_is_and_without_being_asked_none_is_made_up() -> None:
    events = log({"referrer": "https://www.google.com/"})
    assert frames(events).metrics["channel"].item() is None
    assert (
        frames(events.with_columns(channel=pl.lit("mine")), Config(channels=True)).metrics["channel"].item() == "mine"
    )


IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/16.5 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
KINDS = {
    IPHONE: "mobile",
    CHROME: "desktop",
    GOOGLEBOT: "bot",
    "curl/8.5.0": "bot",
    "Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 Version/16.5 Mobile/15E148 Safari/604.1": "tablet",
    "Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36": "tablet",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 Version/6.0 TV Safari/537.36": "tv",
    "Mozilla/5.0 (PlayStation 5/6.00) AppleWebKit/605.1.15 (KHTML, like Gecko)": "console",
    "something": None,
}


@needs_ua
def test_agents_tell_device_system_app_and_bot() -> None:
    found = told(pl.Series([IPHONE, None, GOOGLEBOT, IPHONE]))
    phone = {
        "device_name": "iPhone", "device_brand": "Apple", "device_model": "iPhone", "device_type": "mobile", "os_name": "iOS",
        "os_version": "16.5", "app_type": "browser", "app_name": "Mobile Safari", "app_version": "16.5", "bot": False,
    }  # fmt: skip
    bot = dict.fromkeys(phone) | {
        "device_type": "bot",
        "app_type": "bot",
        "app_name": "Googlebot",
        "app_version": "2.1",
        "bot": True,
    }
    assert found.to_dicts() == [phone, dict.fromkeys(phone), bot, phone]


@needs_ua
@pytest.mark.parametrize(("agent", "kind"), KINDS.items(), ids=[str(kind) for kind in KINDS.values()])
def test_the_kind_of_device(agent: str, kind: str | None) -> None:
    assert told(pl.Series([agent]))["device_type"].item() == kind


@needs_ua
def test_bots_are_those_that_crawlerdetect_itself_finds() -> None:
    data = import_module("crawlerdetect.providers.crawlers").data
    # Each of its patterns as a user agent of its own, and inside one of a browser.
    some = [each.replace("\\", "").strip("^$") for each in data[::7]] + ["Yandex/1.0", "YandexSearch/2.0", "", "  "]
    texts = [*KINDS, *some, *(f"{CHROME} {each}" for each in some)]
    whole = import_module("crawlerdetect").CrawlerDetect()
    expected = [whole.is_crawler(text) for text in texts]
    assert are_bots(pl.Series(texts)).to_list() == expected


SILK = "Mozilla/5.0 ({}) AppleWebKit/535.19 (KHTML, like Gecko) Silk/{}.13 Safari/535.19"
"""A browser's, that the last of the rules for spiders fits to, too."""


@needs_ua
def test_spiders_are_those_of_ua_parser_though_few_of_its_rules_are_asked_first() -> None:
    phone = "Mozilla/5.0 (Linux; Android 9; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80 Mobile Safari/537.36{}"
    texts = [
        *KINDS, f"{CHROME} PTST/230.1", "Mozilla/5.0 (X11; Datanyze; Linux x86_64)", "SonyEricssonT68/R201A oegp v. 1.3",
        phone.format("CUBOT_X19", ""), phone.format("SM-G960F", " (compatible; AspiegelBot)"), "Opera Mobi/ADR-1 zeal", "Xenu Link",
        *(SILK.format(*each) for each in (("Linux; U; en-us; KFAPWI Build/JDQ39", 3), ("X11; Linux x86_64", 44), ("Linux", "x"))),
    ]  # fmt: skip
    parse, whole = import_module("ua_parser").parse, import_module("crawlerdetect").CrawlerDetect()
    spiders = [(device := parse(text).device) is not None and device.family == "Spider" for text in texts]
    expected = [spider or whole.is_crawler(text) for text, spider in zip(texts, spiders, strict=True)]
    assert are_bots(pl.Series(texts)).to_list() == expected
    assert any(spider and not whole.is_crawler(text) for text, spider in zip(texts, spiders, strict=True))


@needs_ua
@pytest.mark.parametrize("many", [1, 40])
def test_a_browser_that_a_spiders_rule_fits_to_is_none_be_there_few_of_them_or_many(many: int) -> None:
    browsers = [SILK.format("X11; Linux x86_64", version) for version in range(100, 100 + many)]
    lone = "Dalvik silk"
    assert are_bots(pl.Series([*browsers, lone])).to_list() == [*[False] * many, True]


@needs_ua
def test_a_sessions_agent_is_its_first_and_the_metric_is_null_where_there_is_none() -> None:
    rows: list[dict[str, Any]] = [{"user_agent": None}, {"user_agent": IPHONE}, {"user_agent": CHROME}, {"user_id": "bob", "user_agent": None},
            {"user_id": "eve", "user_agent": "curl/8"}]  # fmt: skip
    found = frames(log(*rows))
    assert found.metrics.sort("profile_id")["bot"].to_list() == [False, None, True]
    record = found.sessions.filter(pl.col("profile").struct.field("id") == "ann").to_dicts()[0]
    assert (record["device"]["name"], record["os"]["name"], record["app"]["bot"]) == ("iPhone", "iOS", False)


@needs_ua
def test_bots_left_out_are_not_among_the_rows_read_but_counted_beside() -> None:
    rows: list[dict[str, Any]] = [
        {"user_agent": CHROME},
        {"user_agent": GOOGLEBOT},
        {"user_agent": None},
        {"user_id": None, "user_agent": "curl"},
    ]
    found = frames(log(*rows), Config(exclude_bots=True))
    counts = found.counts
    assert (counts.rows_read, counts.events, counts.rejected, counts.bots) == (3, 2, 1, 1)
    assert found.events["user_agent"].to_list() == [CHROME, None]


def test_without_the_extra_bots_are_unknown_and_cannot_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "find_spec", lambda _: None)
    assert frames(log({"user_agent": "curl/8"})).metrics["bot"].to_list() == [None]
    with pytest.raises(UsageError) as told_so:
        frames(log({"user_agent": "curl/8"}), Config(exclude_bots=True))
    assert "pip install" in str(told_so.value.hint)


def test_bots_cannot_be_left_out_of_a_log_without_user_agents() -> None:
    with pytest.raises(UsageError, match="no user agent"):
        frames(log({}), Config(exclude_bots=True))


KEY = b"0123456789abcdef0123456789abcdef"


@examples()
@given(st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=20), st.binary(min_size=16, max_size=100))
def test_a_hashed_id_is_blake2b_with_the_key(ids: list[str | None], key: bytes) -> None:
    short = key if len(key) <= 64 else hashlib.blake2b(key).digest()
    expected = [
        None if each is None else hashlib.blake2b(each.encode(), key=short, digest_size=16).hexdigest() for each in ids
    ]
    assert hashed(pl.Series(ids, dtype=pl.String), key).to_list() == expected


def test_hashing_changes_the_ids_and_nothing_else() -> None:
    rows = [
        {"session_id": session, "user_id": user, "event_id": event, "page": "/a"}
        for session, user, event in [
            ("s1", "ann", "1"),
            ("s1", "ann", "2"),
            ("s2", "bob", "3"),
            (None, "bob", "4"),
            ("bob", None, None),
        ]
    ]
    events = log(*rows, *rows[:1]).with_columns(time=pl.lit("2024-05-30 09:00"))
    plain, private = frames(events), frames(events, Config(hash_key=KEY))
    ids = ("session_id", "source_id", "profile_id")
    key = ("source_id", "profile_id")
    assert private.counts == plain.counts
    assert plain.counts.duplicates == 1
    both = plain.metrics.with_columns(hashed(plain.metrics[name], KEY) for name in key).sort(key)
    assert private.metrics.sort(key).drop("session_id").equals(both.drop("session_id"))
    texts = {
        text
        for name in (*ids, "event_id")
        if name in private.events.columns
        for text in private.events[name].drop_nulls()
    }
    assert not any(
        secret in text.split(".")[0].removeprefix("p:") for text in texts for secret in ("s1", "s2", "ann", "bob")
    )
    assert private.events["event_id"].drop_nulls().to_list() == hashed(private_ids(plain, private), KEY).to_list()


def private_ids(plain: Any, private: Any) -> pl.Series:
    """Event ids of the plain run in the order of the private one: sessions of one start are ordered by their ids."""
    known = dict(zip(hashed(plain.events["event_id"], KEY), plain.events["event_id"], strict=True))
    return pl.Series([known[text] for text in private.events["event_id"].drop_nulls()], dtype=pl.String)


ADDRESSES = {
    "203.0.113.7": "203.0.113.0",
    " 203.0.113.7:8080": "203.0.113.0",
    "203.0.113.7, 10.0.0.1": "203.0.113.0",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1::",
    "[2001:db8:1:2::1]:443": "2001:db8:1::",
    "fe80::1%eth0": "fe80::",
    "::ffff:203.0.113.7": "203.0.113.0",
    "host.example": None,
    "203.0.113.777": None,
    "unknown": None,
}


@pytest.mark.parametrize(("written", "network"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_is_cut_to_its_network_and_what_is_none_is_not_passed_on(written: str, network: str | None) -> None:
    assert truncated(pl.Series([written])).to_list() == [network]
    assert (address(written) is None) == (network is None)


@pytest.mark.parametrize(("ip", "expected"), [("full", "203.0.113.7"), ("truncate", "203.0.113.0"), ("drop", None)])
def test_addresses_are_cut_or_gone_in_every_output(ip: Any, expected: str | None) -> None:
    found = frames(log({"ip": "203.0.113.7"}), Config(ip=ip))
    (record,) = found.sessions.to_dicts()
    assert record["device"]["ip"] == expected
    assert ("203.0.113.7" in str(record)) == (ip == "full")
    assert (found.events["ip"].item() if "ip" in found.events.columns else None) == expected


def test_an_address_that_is_an_id_is_refused_unless_ids_are_hashed() -> None:
    events = log({"ip": "203.0.113.7"})
    columns = {"profile_id": "ip", "ip": "ip"}
    with pytest.raises(UsageError, match="address is an id"):
        frames(events, Config(columns=columns, ip="truncate"))
    found = frames(events, Config(columns=columns, ip="truncate", hash_key=KEY))
    assert "203.0.113.7" not in str(found.metrics.to_dicts()) + str(found.sessions.to_dicts()) + str(
        found.events.to_dicts()
    )


def test_the_host_above_the_pages_own_is_no_source_either() -> None:
    assert channel(page="https://blog.shop.example/a", referrer="https://shop.example/") == "Direct"
