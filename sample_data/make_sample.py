"""Makes the sample log: four days (27 to 30 May 2024) of a small shop for tea, coffee and cups.

Run it to write ``events.csv`` and ``events.parquet``, the same log twice, beside it; a larger one
of the same shape with ``--sessions 50000 --out DIR``. The same arguments and version of Polars
give the same bytes. Rows are in order of arrival, event ids in order of time. User agent, referrer
and campaign come with a visit's first page only, as many tags send them. The log has:

- Two sessions under one session id: 0000001, silent for 46 minutes; one id in twelve comes back.
- A gap of exactly 30 minutes, which does not split: 0000002.
- Ties: three events of 0000003 in one instant; each purchase and the page it happens on.
- A second campaign within a visit: 0000004 (``--split-on utm_campaign`` cuts there).
- Visitors crossing midnight: 0000005, from the 28th to the 29th (UTC); others by chance.
- An event sent twice (same id, same time) and one that arrives late: 0000006; others by chance.
- Rows without a session id, where the user id is the key: users 007 and 7, two people; members
  who refuse cookies. 007 is also a session id, of a third visitor. Leading zeros everywhere.
- A crawler: 0000099, never silent for 30 minutes, one session of four days (``--max-duration``).
- Campaigns, purchases with a ``value``, a column without a role (``country``), four UTC offsets.

Rows that cannot become events, by line of the CSV; only the first two can exist in Parquet:
250 has no timestamp, 500 no id; 750 is too short, 1000 has a field too many, 1250 has a timestamp
that is none, and 1500 a quote that never closes, which must not swallow the rows after it.
"""

import argparse
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain, cycle
from pathlib import Path

import polars as pl

Row = dict[str, str]  # by column; keys that are no column are for this script only
Event = tuple[datetime, Row]
START = datetime(2024, 5, 27, tzinfo=UTC)
END = START + timedelta(days=4)
COLUMNS = (
    "event_id", "session_id", "user_id", "timestamp", "event_type", "page_url", "referrer",
    "user_agent", "ip", "utm_source", "utm_medium", "utm_campaign", "value", "country",
)  # fmt: skip
PRICES = {
    "/tea/assam": 7.9, "/tea/sencha": 11.5, "/tea/oolong": 14.0, "/tea/rooibos": 6.4,
    "/coffee/sumatra": 12.9, "/coffee/decaf": 10.8, "/cups/mug": 9.0, "/cups/teapot": 32.5,
}  # fmt: skip
HOUR_WEIGHTS = (2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 9, 8, 8, 8, 9, 9, 9, 12, 14, 12, 8, 4)
ZONES = {  # offset as written: hours, share of visitors, network, countries
    "Z": (0.0, 50, "192.0.2", ("GB", "DE", "FR")),
    "+00:00": (0.0, 20, "198.51.100", ("IS", "GH")),
    "-05:00": (-5.0, 20, "203.0.113", ("US",)),
    "+05:30": (5.5, 10, "203.0.113", ("IN",)),
}
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:126.0) Gecko/20100101 Firefox/126.0",
    "Mozilla/5.0 (Android 14; Mobile; rv:126.0) Gecko/126.0 Firefox/126.0",
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
     "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"),
)  # fmt: skip
SEARCH = {"referrer": "https://search.example.org/"}
NEWSLETTER = {"utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "may-sale"}
ADVERT = SEARCH | {"utm_source": "search", "utm_medium": "cpc", "utm_campaign": "spring-tea"}
PLANTED = (  # who, start, minutes: ! first page, % by newsletter, @ advert, * sent twice, ~ late
    ({"session_id": "0000001"}, "2024-05-27T10:00Z", "0! 4 50! 52"),
    ({"session_id": "0000002"}, "2024-05-27T11:00Z", "0! 30 31"),
    ({"session_id": "0000003"}, "2024-05-27T12:00Z", "0! 1 1 1 2"),
    ({"session_id": "0000004"}, "2024-05-27T13:00Z", "0!% 3 10@ 14"),
    ({"session_id": "0000005"}, "2024-05-28T23:50Z", "0! 8 15 21"),
    ({"session_id": "0000006"}, "2024-05-29T09:00Z", "0! 2* 5 6~ 9"),
    ({"user_id": "007"}, "2024-05-29T18:00Z", "0! 5 9"),
    ({"user_id": "7"}, "2024-05-29T18:02Z", "0! 5"),
    ({"session_id": "007"}, "2024-05-29T18:04Z", "0! 6 7 8"),
)
CSV_ONLY = {
    750: "x0750,0000750,,2024-05-28T08:30:00Z,page-view,https://example.com/tea",
    1000: "x1000,0001000,,2024-05-28T14:00:00Z,page-view,https://example.com/,,,,,,,,GB,extra",
    1250: "x1250,0001250,,28 May at tea time,page-view,https://example.com/cups,,,,,,,,GB",
    1500: 'x1500,0001500,,2024-05-29T00:30:00Z,page-view,https://example.com/,,"Mozilla,,,,,,GB',
}


class Dice(random.Random):
    """Chance that falls the same way in every run."""

    def falls(self, chance: float) -> bool:
        """Whether something this likely happens now."""
        return self.random() < chance


def event(who: Row, moment: datetime, page: str, more: Row) -> Event:
    """A page view of this visitor, or what `more` makes of it."""
    local = moment.astimezone(timezone(timedelta(hours=ZONES[who["zone"]][0])))
    view = {"event_type": "page-view", "page_url": f"https://example.com{page}"}
    return moment, who | {"timestamp": f"{local:%Y-%m-%dT%H:%M:%S}{who['zone']}"} | view | more


def walk(dice: Dice, agent: str) -> Iterator[tuple[str, Row]]:
    """One visit's way to the till, or part of it: pages, and what is more than a view of them."""
    source = dice.choices(({}, SEARCH, NEWSLETTER, ADVERT), (40, 35, 13, 12))[0]
    yield dice.choice(("/", "/", "/", "/tea", "/coffee", "/cups")), source | {"user_agent": agent}
    basket, looks = 0.0, 0 if dice.falls(0.42) else dice.randint(1, 5)
    for page, price in dice.sample(list(PRICES.items()), looks):
        yield page.rpartition("/")[0], {}
        if dice.falls(0.6):
            yield page, {}
            if dice.falls(0.1):
                yield page, {"event_type": "add-to-cart"}
                basket += price
    for page, chance in (("/cart", 1.0), ("/checkout", 0.6), ("/order-completed", 0.6)):
        if not (basket and dice.falls(chance)):
            return
        yield page, {}
    yield "/order-completed", {"event_type": "purchase", "value": f"{basket:.2f}"}


def visit(dice: Dice, who: Row, moment: datetime) -> Iterator[Event]:
    """The events of one visit; its pauses are too short to split it."""
    for page, more in walk(dice, who["agent"]):
        yield event(who, moment, page, more)
        if page != "/order-completed":
            moment += timedelta(seconds=int(min(3 + dice.lognormvariate(3.5, 1.2), 1200)))


def stranger(dice: Dice) -> Row:
    """Somebody somewhere, without ids."""
    zone = dice.choices(list(ZONES), [share for _, share, _, _ in ZONES.values()])[0]
    _, _, network, countries = ZONES[zone]
    ip, country = f"{network}.{dice.randint(1, 250)}", dice.choice(countries)
    return {"zone": zone, "agent": dice.choice(AGENTS), "ip": ip, "country": country}


def crowd(dice: Dice, visits: int) -> Iterator[Event]:
    """Ordinary visitors; three in ten are members, one in twelve comes back under the same id."""
    members = [stranger(dice) | {"user_id": f"{n:03}"} for n in range(10, 11 + visits // 6)]
    for number in dice.sample(range(10_000, 10_000_000), visits):
        who = dice.choice(members) if dice.falls(0.3) else stranger(dice)
        if "user_id" not in who or dice.falls(0.85):
            who = who | {"session_id": f"{number:07}"}
        hour = dice.choices(range(24), HOUR_WEIGHTS)[0] - ZONES[who["zone"]][0]
        since = timedelta(days=dice.randrange(4), hours=hour, seconds=dice.randrange(3600))
        events = list(visit(dice, who, START + since % (END - START)))
        yield from events
        if dice.falls(1 / 12):
            yield from visit(dice, who, events[-1][0] + timedelta(minutes=dice.randint(31, 300)))


def crawler(dice: Dice) -> Iterator[Event]:
    """One robot that reads the whole shop, over and over."""
    who = {"session_id": "0000099", "zone": "Z", "ip": "203.0.113.253", "country": "US"}
    who["user_agent"] = "ExampleBot/2.1 (+https://example.org/bot)"
    moment, pages = START, cycle(PRICES)
    while (moment := moment + timedelta(seconds=dice.randint(500, 1750))) < END:
        yield event(who, moment, next(pages), {})


def planted() -> Iterator[Event]:
    """The visits that the docstring of this module names."""
    marks = {"!": {"user_agent": AGENTS[0]}, "%": NEWSLETTER, "@": ADVERT}
    for ids, start, steps in PLANTED:
        who = ids | {"zone": "Z", "ip": "192.0.2.254", "country": "GB"}
        for step, page in zip(steps.split(), cycle(("/", *PRICES)), strict=False):
            moment = datetime.fromisoformat(start) + timedelta(minutes=int(step.rstrip("!%@*~")))
            more = {k: v for mark, pairs in marks.items() if mark in step for k, v in pairs.items()}
            yield event(who, moment, page, more | {"step": step})


def delivered(dice: Dice, events: Iterable[Event]) -> list[Row]:
    """The events in order of arrival, some late and some twice."""
    arrivals: list[Event] = []
    for number, (moment, row) in enumerate(sorted(events, key=lambda event: event[0]), 1):
        step = row.get("step") or dice.choices(("", "*", "~"), (965, 2, 33))[0]
        arrival = moment + timedelta(minutes=dice.randint(5, 15) if "~" in step else 0)
        arrivals.append((arrival, row | {"event_id": f"e{number:05}"}))
        if "*" in step:
            arrivals.append((arrival + timedelta(seconds=40), arrivals[-1][1]))
    return [row for _, row in sorted(arrivals, key=lambda arrival: arrival[0])]


def main() -> None:
    """Write the log as CSV and as Parquet."""
    parser = argparse.ArgumentParser(description="Make the sample log, or a larger one like it.")
    parser.add_argument("--sessions", type=int, default=600, metavar="N", help="ordinary visits")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="DIR")
    options = parser.parse_args()
    dice = Dice(20240527)
    visits = chain(planted(), crawler(dice), crowd(dice, options.sessions))
    log = delivered(dice, (event for event in visits if event[0] < END))
    log.insert(250 - 2, {"event_id": "x0250", "session_id": "0000250", "event_type": "page-view"})
    log.insert(500 - 2, {"event_id": "x0500", "timestamp": "2024-05-27T19:30:00Z"})
    frame = pl.DataFrame(log, schema=dict.fromkeys(COLUMNS, pl.String))
    lines = frame.write_csv().splitlines()
    for line, text in CSV_ONLY.items():
        lines.insert(line - 1, text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "events.csv").write_text("\n".join(lines) + "\n", "utf-8", newline="\n")
    instant = pl.col("timestamp").str.to_datetime("%+", time_unit="us", time_zone="UTC")
    typed = frame.with_columns(instant, pl.col("value").cast(pl.Float64))
    typed.write_parquet(options.out / "events.parquet")


if __name__ == "__main__":
    main()
