"""The channel of a session by GA4's default channel group: its rules in its order, the first that holds.

Source, medium and campaign are the session's utm fields, else its referrer: a known search engine is ``organic``, any
other site ``referral``. A referrer of the site's own is no source. The lists of sites are the well-known ones of each
kind, not all of Google's 800.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.enrich import HOST, PAGE_HOST

SEARCH: Final = (
    "google", "bing", "yahoo", "duckduckgo", "baidu", "yandex", "ecosia", "qwant", "naver", "daum", "seznam", "sogou",
    "startpage", "ask", "aol", "kagi", r"search\.brave", "presearch", "rambler", "onet", "virgilio", "lycos", "dogpile",
)  # fmt: skip
SOCIAL: Final = (
    "facebook", "fb", "instagram", "ig", "twitter", "linkedin", "pinterest", "reddit", "tiktok", "snapchat", "whatsapp",
    "telegram", "tumblr", "vk", "vkontakte", "weibo", "wechat", "quora", "threads", "mastodon", "bluesky", "discord",
    "xing", "slack", "line", "ok", "meetup", "stackoverflow", r"news\.ycombinator",
)  # fmt: skip
SOCIAL_HOSTS: Final = ("t.co", "x.com", "lnkd.in", "t.me", "wa.me", "bsky.app", "fb.me", "l.messenger.com", "redd.it")
VIDEO: Final = ("youtube", "vimeo", "twitch", "dailymotion", "netflix", "hulu", "disneyplus", "iqiyi", "youku")
VIDEO_HOSTS: Final = ("youtu.be",)
SHOPPING: Final = (
    "amazon", "ebay", "etsy", "alibaba", "aliexpress", "walmart", "shopify", "mercadolibre", "rakuten", "shopping",
    "igshopping", "target", "bestbuy", "zalando", "idealo", "temu", "shein", r"shopping\.google",
)  # fmt: skip
NO_SEARCH: Final = r"^(mail|docs|drive|meet|calendar|classroom|sites|accounts|translate|groups|play)\."
"""Subdomains of search engines that are something else."""
PAID: Final = r"^(.*cp.*|ppc|retargeting|paid.*)$"
SHOP_CAMPAIGN: Final = r"^(.*(([^a-df-z]|^)shop|shopping).*)$"
DISPLAY: Final = ("display", "banner", "expandable", "interstitial", "cpm")
SOCIAL_MEDIA: Final = ("social", "social-network", "social-media", "sm", "social network", "social media")
EMAIL: Final = ("email", "e-mail", "e_mail", "e mail")
DEFAULT: Final = "Unassigned"
DIRECT: Final = "(direct)"
NONE: Final = "(none)"


def channels(sessions: pl.DataFrame, events: pl.DataFrame, plan: Plan) -> pl.Series:
    """The channel of each session.

    Args:
        sessions: Measured sessions with referrer and utm fields, ``row`` (of the first event), and ``at_referrer`` (of
            the first event that has one) where not every event has one.
        events: Canonical events that the rows count in; for the page that the referrer stands beside.
        plan: The site's own hosts.

    Returns:
        A String column, one channel a session.
    """
    fields = ("utm_source", "utm_medium", "utm_campaign", schema.REFERRER)
    there = sessions.select(
        *(
            pl.col(name).cast(pl.String) if name in sessions.columns else pl.lit(None, pl.String).alias(name)
            for name in fields
        ),
        _host_beside(sessions, events).alias("own"),
    )
    different = there.unique()
    told = different.with_columns(channel=_channel(_sources(different, plan)))
    return there.join(told, on=there.columns, how="left", maintain_order="left", nulls_equal=True)["channel"]


def channels_of_events(events: pl.DataFrame, plan: Plan) -> pl.Series:
    """The channel that each event's own row tells; null where it has neither utm fields nor a referrer of another site.

    Args:
        events: Canonical events with what their own rows tell.
        plan: The site's own hosts.

    Returns:
        A String column, one value a row.
    """
    names = ("utm_source", "utm_medium", "utm_campaign", schema.REFERRER)
    nobody = pl.repeat(None, events.height, dtype=pl.String, eager=True)
    told = {name: events[name].cast(pl.String) if name in events.columns else nobody for name in names}
    if PAGE_HOST in events.columns:
        own = events[PAGE_HOST].cast(pl.String)
    else:
        own = events[schema.PAGE].cast(pl.String).str.extract(HOST) if schema.PAGE in events.columns else nobody
    there = pl.DataFrame({**told, "own": own})
    different = there.unique()
    sources = _sources(different, plan)
    channel = pl.select(pl.when(sources["source"] != DIRECT).then(_channel(sources))).to_series()
    return there.join(
        different.with_columns(channel.alias("channel")),
        on=there.columns,
        how="left",
        maintain_order="left",
        nulls_equal=True,
    )["channel"]


def _host_beside(sessions: pl.DataFrame, events: pl.DataFrame) -> pl.Series:
    """The host of the page that the session's referrer led to; null where pages have none."""
    at = sessions["at_referrer"] if "at_referrer" in sessions.columns else sessions["row"]
    if PAGE_HOST in events.columns:
        return events[PAGE_HOST].gather(at).cast(pl.String)
    if schema.PAGE in events.columns:
        return events[schema.PAGE].gather(at).cast(pl.String).str.extract(HOST)
    return pl.repeat(None, sessions.height, dtype=pl.String, eager=True)


def _sources(there: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Source, medium and campaign, in lower case."""
    referrer = pl.col(schema.REFERRER)
    host = pl.coalesce(
        referrer.str.extract(HOST), pl.when(referrer.str.contains(r"^[\w.-]+\.[a-z]{2,}$")).then(referrer)
    )
    bare = [each.str.to_lowercase().str.replace(r"^www\.", "") for each in (host, pl.col("own"))]
    there = there.with_columns(host=bare[0], own=bare[1])
    own = _within("host", "own") | _within("own", "host")
    for name in plan.own_hosts:
        known = name.lower().removeprefix("www.")
        own |= (pl.col("host") == known) | pl.col("host").str.ends_with(f".{known}")
    there = there.with_columns(host=pl.when(~own.fill_null(value=False)).then("host"))
    tagged = pl.any_horizontal(pl.col("utm_source", "utm_medium", "utm_campaign").is_not_null())
    from_site = pl.when(_is_search(pl.col("host"))).then(pl.lit("organic")).otherwise(pl.lit("referral"))
    known_host = pl.col("host").is_not_null()
    return there.select(
        source=pl.when(tagged).then("utm_source").when(known_host).then("host").otherwise(pl.lit(DIRECT)),
        medium=pl.when(tagged).then("utm_medium").when(known_host).then(from_site).otherwise(pl.lit(NONE)),
        campaign=pl.col("utm_campaign"),
    ).with_columns(pl.all().str.to_lowercase().str.strip_chars().fill_null("(not set)"))


def _within(inner: str, outer: str) -> pl.Expr:
    """Whether a host is another or a part of it."""
    return (pl.col(inner) == pl.col(outer)) | pl.col(inner).str.ends_with(pl.concat_str(pl.lit("."), outer))


def _sites(source: pl.Expr, names: tuple[str, ...], hosts: tuple[str, ...] = ()) -> pl.Expr:
    known = source.str.contains(rf"(^|\.)({'|'.join(names)})(\.[a-z]{{2,3}}){{0,2}}$")
    return known | source.is_in([*hosts, *(f"www.{host}" for host in hosts)]) if hosts else known


def _is_search(source: pl.Expr) -> pl.Expr:
    return _sites(source, SEARCH) & ~source.str.contains(NO_SEARCH)


def _channel(of: pl.DataFrame) -> pl.Series:
    """GA4's default channel group, in the order of its rules."""
    source, medium, campaign = pl.col("source"), pl.col("medium"), pl.col("campaign")
    paid = medium.str.contains(PAID)
    shopping, search = _sites(source, SHOPPING), _is_search(source)
    social, video = _sites(source, SOCIAL, SOCIAL_HOSTS), _sites(source, VIDEO, VIDEO_HOSTS)
    shop_campaign = campaign.str.contains(SHOP_CAMPAIGN)
    rules = (
        ("Direct", (source == DIRECT) & medium.is_in([NONE, "(not set)"])),
        ("Cross-network", campaign.str.contains("cross-network", literal=True)),
        ("Paid Shopping", (shopping | shop_campaign) & paid),
        ("Paid Search", search & paid),
        ("Paid Social", social & paid),
        ("Paid Video", video & paid),
        ("Display", medium.is_in(DISPLAY)),
        ("Paid Other", paid),
        ("Organic Shopping", shopping | shop_campaign),
        ("Organic Social", social | medium.is_in(SOCIAL_MEDIA)),
        ("Organic Video", video | medium.str.contains("video", literal=True)),
        ("Organic Search", search | (medium == "organic")),
        ("Email", source.is_in(EMAIL) | medium.is_in(EMAIL)),
        ("Affiliates", medium == "affiliate"),
        ("Referral", medium.is_in(["referral", "app", "link"])),
        ("Audio", medium == "audio"),
        ("SMS", (source == "sms") | (medium == "sms")),
        (
            "Mobile Push Notifications",
            medium.str.ends_with("push") | medium.str.contains("mobile|notification") | (source == "firebase"),
        ),
    )
    named = [pl.when(holds).then(pl.lit(name)) for name, holds in rules]
    return of.select(pl.coalesce(*named, pl.lit(DEFAULT))).to_series()
