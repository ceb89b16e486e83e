"""Device, operating system, app and bot from user agents, worked out once for each different one.

Needs the extra ``[ua]``: ua-parser for names, crawlerdetect for bots that ua-parser takes for a program like any other
(curl, python-requests). Its 1,500 patterns are nearly all plain words: looked for as such, all at once, they are found
a thousand times faster than as one regular expression.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from heapq import nsmallest
from importlib.util import find_spec
from itertools import chain, count, takewhile
from operator import attrgetter
from typing import Any, Final

import polars as pl

from sessionize.patterns import pattern
from sessionize.values import NamedTuple

MODULES: Final = ("ua_parser", "ua_parser_rs", "crawlerdetect")
SPIDER: Final = "Spider"
FIRST_RULES: Final = "first"
KINDS: Final = (FIRST_RULES, SPIDER, None)
UNSURE: Final = count()
FEW_UNSURE: Final = 8
"""User agents to which one of a spider's rules fits, for which likely rules are tried before all are made."""
MOST_LIKELY: Final = 32
WORD: Final = pattern(r"[A-Za-z0-9]{3,}")
TABLET: Final = pattern(r"(?i)ipad|tablet|kindle|silk/|playbook")
TELEVISION: Final = pattern(r"(?i)smart-?tv|\btv\b|appletv|googletv|hbbtv|roku|netcast|bravia|aft[a-z]+ build")
CONSOLE: Final = pattern(r"(?i)playstation|xbox|nintendo")
MOBILE: Final = pattern(r"(?i)mobi|iphone|ipod|windows phone|blackberry|opera mini|android")
DESKTOPS: Final = frozenset(
    ["Windows", "Mac OS X", "Linux", "Ubuntu", "Debian", "Fedora", "Chrome OS", "FreeBSD", "OpenBSD", "NetBSD"]
)
PLAIN_WORD: Final = pattern(r"[\^$.|?*+()\[\]{}\\]")
ESCAPED: Final = pattern(r"\\([^A-Za-z0-9\\])")
AGENT_TYPES: Final = {
    "device_name": pl.String, "device_brand": pl.String, "device_model": pl.String, "device_type": pl.String,
    "os_name": pl.String, "os_version": pl.String,
    "app_type": pl.String, "app_name": pl.String, "app_version": pl.String, "bot": pl.Boolean,
}  # fmt: skip


class _Bots(NamedTuple):
    """What to look for: words, patterns, patterns that only Python knows; and what is to be passed over."""

    words: list[str]
    patterns: str
    odd: re.Pattern[str] | None
    passed_over: str


def installed() -> bool:
    """Whether the extra is there."""
    return all(find_spec(name) is not None for name in MODULES)


def agents(user_agents: pl.Series) -> pl.DataFrame:
    """A row for each user agent, the columns of AGENT_TYPES; all null where it is null.

    Args:
        user_agents: A text for each row; many may be alike.
    """
    different = user_agents.unique().drop_nulls()
    rows = [_described(text) for text in different]
    table = pl.DataFrame(rows, schema=AGENT_TYPES, orient="row")
    bots = are_bots(different)
    crawler = pl.when(bots).then(pl.lit("bot"))
    table = table.with_columns(
        bots.alias("bot"),
        device_type=pl.coalesce(crawler, "device_type"),
        app_type=pl.coalesce(crawler, pl.when(pl.col("app_name").is_not_null()).then(pl.lit("browser"))),
    )
    keyed = table.with_columns(different.alias("agent"))
    return pl.DataFrame({"agent": user_agents}).join(keyed, on="agent", how="left", maintain_order="left").drop("agent")


def are_bots(user_agents: pl.Series) -> pl.Series:
    """Whether each user agent is a known crawler or program; null where it is null.

    Returns:
        A Boolean column, one value for each user agent.
    """
    different = user_agents.unique().drop_nulls()
    looked_for = _bots()
    texts = different.str.strip_chars().str.replace_all(looked_for.passed_over, "")
    found = texts.str.contains_any(looked_for.words, ascii_case_insensitive=True)
    found |= texts.str.contains(looked_for.patterns)
    if looked_for.odd is not None:
        odd = looked_for.odd
        found |= pl.Series([odd.search(text) is not None for text in texts], dtype=pl.Boolean)
    spiders = [not known and _is_spider(text) for text, known in zip(different, found, strict=True)]
    found |= pl.Series(spiders, dtype=pl.Boolean)
    return user_agents.replace_strict(different, found, default=None, return_dtype=pl.Boolean)


@lru_cache(maxsize=1)
def _bots() -> _Bots:
    from crawlerdetect.providers.crawlers import data as crawlers
    from crawlerdetect.providers.exclusions import data as exclusions

    words = [ESCAPED.sub(r"\1", each) for each in crawlers if not PLAIN_WORD.search(ESCAPED.sub("", each))]
    others = [each for each in crawlers if PLAIN_WORD.search(ESCAPED.sub("", each))]
    odd = [each for each in others if "(?" in each]
    return _Bots(
        words,
        f"(?i)(?:{'|'.join(each for each in others if each not in odd)})",
        re.compile("|".join(odd), re.IGNORECASE) if odd else None,
        f"(?i)(?:{'|'.join(exclusions)})",
    )


@lru_cache(maxsize=1 << 16)
def _is_spider(text: str) -> bool:
    """Whether ua-parser says so: the first of its rules that fits decides."""
    if _rules(FIRST_RULES).extract(text) is not None:
        return True
    if _rules(SPIDER).extract(text) is None:
        return False
    seldom = _rules.cache_info().currsize < len(KINDS) and next(UNSURE) < FEW_UNSURE
    if seldom and _extractor(_likely(text)).extract(text) is not None:  # one of a device, which comes before
        return False
    return bool(_rules(None).extract(text).family == SPIDER)


@lru_cache
def _rules(which: str | None) -> Any:
    """Those of ua-parser's 633 rules for devices: for spiders, of these the ones before any other, or all.

    All of them take a tenth of a second to make, those for spiders, which are seven, a hundredth of it.
    """
    rules: Iterable[Any] = _all_rules()
    if which == FIRST_RULES:
        rules = takewhile(_is_for_spiders, rules)
    elif which == SPIDER:
        rules = filter(_is_for_spiders, rules)
    return _extractor(rules)


def _likely(text: str) -> list[Any]:
    """Of the rules that come before the last for spiders those that share the rarest words with a text."""
    rules = _all_rules()
    last = max(place for place, rule in enumerate(rules) if _is_for_spiders(rule))
    devices = [rule for rule in rules[:last] if not _is_for_spiders(rule)]
    shared = [{*WORD.findall(rule.regex)} & {*WORD.findall(text)} for rule in devices]
    rules_with = Counter(chain.from_iterable(shared))
    rarity = [min((rules_with[word] for word in words), default=len(rules)) for words in shared]
    return [devices[place] for place in nsmallest(MOST_LIKELY, range(len(devices)), rarity.__getitem__)]


def _all_rules() -> list[Any]:
    from ua_parser import load_lazy_builtins

    return load_lazy_builtins()[2]


def _is_for_spiders(rule: Any) -> bool:
    return bool(rule.family == SPIDER)


def _extractor(rules: Iterable[Any]) -> Any:
    from ua_parser_rs import DeviceExtractor

    return DeviceExtractor(map(attrgetter("regex", "regex_flag", "family", "brand", "model"), rules))


class _Parsed(NamedTuple):
    device: str | None
    brand: str | None
    model: str | None
    os: str | None
    os_version: str | None
    app: str | None
    app_version: str | None


@lru_cache(maxsize=1 << 18)
def _parsed(text: str) -> _Parsed:
    from ua_parser import parse

    found = parse(text)
    device, family, brand, model = found.device, None, None, None
    if device is not None:
        is_spider = device.family == SPIDER
        family = _known(device.family)
        brand, model = (None, None) if is_spider else (_known(device.brand), _known(device.model))
    return _Parsed(family, brand, model, *_named(found.os), *_named(found.user_agent))


def _known(name: str | None) -> str | None:
    return None if name == "Other" else name


def _named(part: Any) -> tuple[str | None, str | None]:
    """Family and version of an operating system or app."""
    if part is None or part.family == "Other":
        return None, None
    version = ".".join(number for number in (part.major, part.minor, part.patch) if number is not None)
    return part.family, version or None


def _described(text: str) -> tuple[str | bool | None, ...]:
    """The columns of AGENT_TYPES for one user agent; what bots change is set later."""
    found = _parsed(text)
    is_spider = found.device == SPIDER
    name = None if is_spider else found.device
    return (
        name, found.brand, found.model, _type(text, found), found.os, found.os_version, None, found.app,
        found.app_version, None,
    )  # fmt: skip


def _type(text: str, found: _Parsed) -> str | None:
    """What kind of device: by the words of the user agent, which device databases come to as well."""
    android_tablet = found.os == "Android" and "mobile" not in text.lower()
    if TELEVISION.search(text):
        return "tv"
    if CONSOLE.search(text):
        return "console"
    if TABLET.search(text) or android_tablet:
        return "tablet"
    if MOBILE.search(text):
        return "mobile"
    return "desktop" if found.os in DESKTOPS else None
