"""A month of days as an online shop logs them, and what may happen to one of them: 39 kinds of damage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.random import Generator

FIRST: Final = date(2024, 9, 1)
DAYS: Final = 30
LEARNT: Final = 14
DAMAGED: Final = (date(2024, 9, 18), date(2024, 9, 21))
"""A Wednesday and a Saturday."""
HOURS: Final = np.array([2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 10, 11, 10, 9, 9, 9, 10, 11, 12, 12, 10, 7, 4])
DEVICES: Final = ("phone", "desktop", "tablet")
BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
BOT: Final = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
COLUMNS: Final = (
    "timestamp", "session_id", "user_id", "event_id", "event_type", "page", "referrer", "device", "user_agent", "value",
    "build", "region",
)  # fmt: skip


class Kind(NamedTuple):
    """How much there is of a log.

    Attributes:
        sessions: Of a weekday.
        varies: Standard deviation of the logarithm of how many these are.
        plain: Whether it has no event types, ids and amounts.
    """

    sessions: int
    varies: float
    plain: bool = False


LARGE: Final = Kind(3000, 0.03)
MIDDLE: Final = Kind(600, 0.05)
SMALL: Final = Kind(30, 0.6, plain=True)
PLAIN: Final = ("timestamp", "user_id", "page", "referrer", "device")


def month(kind: Kind, seed: int = 5) -> dict[date, pl.DataFrame]:
    """Events by day, each day's in order of time."""
    dice = np.random.default_rng(seed)
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    whole = pl.concat([_sessions_of(day, kind, dice) for day in days]).sort("timestamp", "session_id")
    whole = whole.with_columns(
        event_id=pl.format("{}-{}", pl.lit("e"), pl.int_range(pl.len()) + 1_000_000),
        timestamp=pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
        day=pl.col("timestamp").dt.date(),
    )
    columns = PLAIN if kind.plain else COLUMNS
    return {day: whole.filter(pl.col("day") == day).select(columns) for day in days}


def _sessions_of(day: date, kind: Kind, dice: Generator) -> pl.DataFrame:
    weekly = 0.65 if day.weekday() >= 5 else 1.0
    number = int(dice.poisson(kind.sessions * weekly * np.exp(dice.normal(0, kind.varies)))) + 1
    bots = dice.random(number) < 0.01
    events = np.where(bots, 20, dice.geometric(0.175, number))
    start = dice.choice(24, number, p=HOURS / HOURS.sum()) * 3600 + dice.random(number) * 3600
    of = np.repeat(np.arange(number), events)
    gaps = dice.exponential(40, len(of)) * (dice.random(len(of)) < 0.98) + 0.05
    offset = pl.DataFrame({"of": of, "gap": gaps}).select(pl.col("gap").cum_sum().over("of"))["gap"].to_numpy()
    visitors = dice.integers(0, kind.sessions * 5, number)
    buyers = (dice.random(number) < 0.04)[of] & np.append(of[1:] != of[:-1], True)
    types = dice.choice(["page-view", "click", "search", "add-to-cart"], len(of), p=[0.75, 0.12, 0.08, 0.05])
    begin = np.datetime64(day, "us")
    return pl.DataFrame(
        {
            "timestamp": begin + ((start[of] + offset) * 1e6).astype("timedelta64[us]"),
            "session_id": np.array([f"{each:012x}" for each in dice.integers(0, 2**48, number)])[of],
            "user_id": np.array([f"user{each:06}" for each in visitors])[of],
            "device": dice.choice(DEVICES, number, p=[0.55, 0.35, 0.1])[of],
            "user_agent": np.where(bots, BOT, BROWSER)[of],
            "referrer": np.where(dice.random(number) < 0.4, "", "https://www.google.com/")[of],
            "event_type": np.where(buyers, "purchase", types),
            "page": np.array([f"/p/{each}" for each in np.minimum(dice.zipf(1.4, len(of)), 300)]),
            "value": np.where(buyers, np.round(np.exp(dice.normal(3.5, 0.6, len(of))), 2).astype(str), ""),
            "build": np.full(len(of), "7.1"),
            "region": dice.choice(["eu", "us"], number)[of],
        }
    )


TIME: Final = "%Y-%m-%dT%H:%M:%S%.fZ"
Frame = pl.DataFrame
Damage = Callable[[Frame, Generator], Frame]


def _chosen(log: Frame, dice: Generator, share: float) -> pl.Series:
    """So large a share of the rows, by chance."""
    number = -int(-log.height * share // 1)
    return pl.Series(dice.permutation(log.height) < number)


def shifted(by: timedelta, share: float = 1.0) -> Damage:
    """Some of the times are others."""

    def damage(log: Frame, dice: Generator) -> Frame:
        times = log["timestamp"].str.to_datetime(TIME)
        chosen = _chosen(log, dice, share)
        moved = pl.select(pl.when(chosen).then(times + by).otherwise(times)).to_series()
        return log.with_columns(timestamp=moved.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))

    return damage


def cut_to(unit: str) -> Damage:
    """The clock is cut."""
    return lambda log, _: log.with_columns(
        timestamp=pl.col("timestamp").str.to_datetime(TIME).dt.truncate(unit).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    )


def some(column: str, to: str, share: float) -> Damage:
    """Some of a column's values are another one."""
    return lambda log, dice: log.with_columns(
        pl.when(pl.Series(dice.random(log.height) < share)).then(pl.lit(to)).otherwise(pl.col(column)).alias(column)
    )


def replaced(column: str, old: str, new: str) -> Damage:
    """One value is called something else."""
    return lambda log, _: log.with_columns(pl.col(column).str.replace(f"^{old}$", new))


def kept(which: Callable[[Frame, Generator], pl.Expr | pl.Series]) -> Damage:
    """Only some rows are there."""
    return lambda log, dice: log.filter(which(log, dice))


def hour() -> pl.Expr:
    return pl.col("timestamp").str.slice(11, 2).cast(pl.Int32)


def again(share: float, *, as_new: bool = False) -> Damage:
    """Some rows are there twice, right after themselves or at the end."""

    def damage(log: Frame, dice: Generator) -> Frame:
        copies = log.filter(_chosen(log, dice, share))
        if as_new and "event_id" in log.columns:
            copies = copies.with_columns(event_id=pl.format("r-{}", pl.int_range(pl.len()) + 7_000_000))
        return pl.concat([log, copies])

    return damage


def bots(*, new_ids: bool) -> Damage:
    """A fifth of the events more, of a crawler."""

    def damage(log: Frame, dice: Generator) -> Frame:
        number = log.height // 4
        rows = log[np.sort(dice.integers(0, log.height, number))]
        ids = np.array([f"b{each:011x}" for each in range(number)]) if new_ids else np.full(number, "b00000000001")
        keys = [name for name in ("session_id", "user_id") if name in log.columns]
        changed = [pl.Series(name, ids) for name in keys]
        if "event_id" in log.columns:
            changed.append(pl.Series("event_id", [f"b-{each}" for each in range(number)]))
        return pl.concat([log, rows.with_columns(changed)])

    return damage


def rotating(log: Frame, _: Generator) -> Frame:
    """The client's timeout has changed: a new id each five minutes."""
    key = "session_id" if "session_id" in log.columns else "user_id"
    five = pl.col("timestamp").str.to_datetime(TIME).dt.truncate("5m").dt.epoch("s").cast(pl.String)
    return log.with_columns(pl.concat_str(pl.col(key), pl.lit("-"), five.str.slice(6)).alias(key))


def halved(log: Frame, dice: Generator) -> pl.Series:
    few = pl.Series(dice.random(log.height) < 0.5)
    return (log["event_type"] != "purchase") | few


def half_of_phones(log: Frame, dice: Generator) -> pl.Series:
    return (log["device"] != "phone") | pl.Series(dice.random(log.height) < 0.5)


def few_sessions(log: Frame, dice: Generator) -> pl.Series:
    ids = log["session_id" if "session_id" in log.columns else "user_id"]
    different = ids.unique().sort()
    return ids.is_in(different.filter(pl.Series(dice.random(len(different)) < 0.1)).implode())


def upper(log: Frame, _: Generator) -> Frame:
    return log.with_columns(pl.col(name).str.to_uppercase() for name in log.columns if name.endswith("_id"))


DAMAGES: Final[dict[str, Damage]] = {
    "busiest hour missing": kept(lambda _, __: hour() != 19),
    "3 hours missing": kept(lambda _, __: ~hour().is_between(12, 14)),
    "cut at 60 %": lambda log, _: log.head(log.height * 6 // 10),
    "40 % of rows gone": kept(lambda log, dice: pl.Series(dice.random(log.height) < 0.6)),
    "90 % of sessions gone": kept(few_sessions),
    "header alone": lambda log, _: log.clear(),
    "times +8 h": shifted(timedelta(hours=8)),
    "times -8 h": shifted(timedelta(hours=-8)),
    "yesterday's date": shifted(timedelta(days=-1)),
    "appended to itself": again(1.0),
    "5 % of rows twice": again(0.05),
    "30 % sent again under new event ids": again(0.3, as_new=True),
    "session id constant for 30 %": some("session_id", "0", 0.3),
    "session id constant for 10 %": some("session_id", "0", 0.1),
    "session id null for 40 %": lambda log, dice: log.with_columns(
        pl.when(pl.Series(dice.random(log.height) < 0.4)).then(pl.lit("")).otherwise(pl.col(name)).alias(name)
        for name in ("session_id", "user_id")
        if name in log.columns
    ),
    "profile id null for 40 %": some("user_id", "", 0.4),
    "event ids empty": some("event_id", "", 1.0),
    "an event type renamed": replaced("event_type", "add-to-cart", "add_2_cart"),
    "page views renamed": replaced("event_type", "page-view", "view"),
    "purchases missing": kept(lambda _, __: pl.col("event_type") != "purchase"),
    "purchases halved": kept(halved),
    "amounts x 100": lambda log, _: log.with_columns(
        value=pl.when(pl.col("value") != "").then((pl.col("value").cast(pl.Float64, strict=False) * 100).cast(pl.String)).otherwise(pl.col("value"))
    ),
    "amounts empty": some("value", "", 1.0),
    "pages empty": some("page", "", 1.0),
    "referrers empty": some("referrer", "", 1.0),
    "one device: half of its events gone": kept(half_of_phones),
    "one device gone": kept(lambda _, __: pl.col("device") != "phone"),
    "times cut to days": cut_to("1d"),
    "times cut to minutes": cut_to("1m"),
    "a crawler under one id": bots(new_ids=False),
    "a crawler with a new id each hit": bots(new_ids=True),
    "order shuffled": lambda log, dice: log[dice.permutation(log.height)],
    "clock +3 years for 2 %": shifted(timedelta(days=1096), 0.02),
    "clock +2 days for 2 %": shifted(timedelta(days=2), 0.02),
    "ids in upper case": upper,
    "a column renamed": lambda log, _: log.rename({log.columns[-1]: "renamed"}),
    "a column added": lambda log, _: log.with_columns(added=pl.lit("x")),
    "a column dropped": lambda log, _: log.drop(log.columns[-1]),
    "ids rotate each 5 min": rotating,
}  # fmt: skip


def fits(name: str, kind: Kind) -> bool:
    """Whether a log has what a damage is to."""
    plain = ("session id constant", "event ids", "event type", "page views", "purchases", "amounts", "under new event")
    return not (kind.plain and any(each in name for each in plain))


def write(log: pl.DataFrame, folder: Path, day: date) -> Path:
    """A day's file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day}.csv"
    log.write_csv(path, quote_style="never")
    return path
