"""The first section: how many, how long, which rates, and how these changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sessionize.readable import change, duration, number, points, share, short_number
from sessionize.report.parts import Card, Cards, Section, Table
from sessionize.report.words import MEANINGS, SESSION
from sessionize.values import NamedTuple

Data = Mapping[str, Any]
Shows = Callable[[Any], str]
KINDS: Final = {"mean": "mean", "median": "median", "p95": "p95", "max": "longest"}


class Figure(NamedTuple):
    """A figure of the summary.

    Attributes:
        name: Name of the figure in the data.
        title: What it is called.
        shows: Makes a text of it.
        meaning: What it means.
    """

    name: str
    title: str
    shows: Shows
    meaning: str


FIGURES: Final = (
    Figure("sessions", "Sessions", number, SESSION),
    Figure("profiles", "Profiles", number, MEANINGS["profile"]),
    Figure("events", "Events", number, MEANINGS["event"]),
    Figure("page_views", "Page views", number, MEANINGS["page view"]),
    Figure("events_per_session", "Events per session", short_number, "How many events a session has."),
    Figure("page_views_per_session", "Page views per session", short_number, "How many pages a session views."),
    Figure("duration_s", "Length", duration, MEANINGS["length"]),
    Figure("bounce_rate", "Bounce rate", share, MEANINGS["bounce rate"]),
    Figure("engagement_rate", "Engagement rate", share, MEANINGS["engagement rate"]),
    Figure("conversion_rate", "Conversion rate", share, MEANINGS["conversion rate"]),
    Figure("conversions", "Conversions", number, MEANINGS["conversion"]),
    Figure("value", "Value", short_number, MEANINGS["value"]),
    Figure("active_sessions", "Active sessions", number, MEANINGS["active session"]),
    Figure("bot_share", "Bots", share, MEANINGS["bot share"]),
)
OF_CARDS: Final = (
    "sessions", "profiles", "duration_s", "events_per_session", "bounce_rate", "engagement_rate", "conversion_rate", "value",
)  # fmt: skip
NEED_CONVERSIONS: Final = ("conversion_rate", "conversions", "value")


def totals(data: Data, _: Data) -> Section:
    """How many, how long, which rates.

    Args:
        data: The data of the answer.
    """
    compare = data["compare"]
    told = [figure for figure in FIGURES if _is_known(figure, data)]
    cards = [_card(figure, data) for figure in told if figure.name in OF_CARDS]
    head: tuple[str, ...] = ("figure", "meaning", "value")
    if compare is not None:
        head = (*head, *_spans(compare), "change")
    rows = [row for figure in told for row in _rows(figure, data)]
    table = Table(caption="All figures", head=head, rows=rows, texts=2)
    meaning = "How many sessions there are, how long they are, and what becomes of them."
    return Section(name="totals", title="Totals", meaning=meaning, parts=[Cards(cards=cards, table=table)])


def _is_known(figure: Figure, data: Data) -> bool:
    """Whether the log says it: a rate of 0 is none where nothing can be a conversion."""
    value = data[figure.name]
    if figure.name in NEED_CONVERSIONS:
        return bool(data["conversions"]) and value is not None
    return value is not None and not (figure.name in ("profiles", "bot_share", "active_sessions") and not value)


def _spans(compare: Data) -> tuple[str, ...]:
    return ("last 7 days", "7 days before") if compare["this"] is not None else (str(compare["name"]),)


def _card(figure: Figure, data: Data) -> Card:
    value = data[figure.name]
    more = ""
    if isinstance(value, Mapping):
        more = f"median; 95 % at most {figure.shows(value['p95'])}"
        value = value["median"]
    elif figure.name.endswith("_rate"):
        more = f"{number(value * data['sessions'])} of {number(data['sessions'])}"
    return Card(name=figure.title, value=figure.shows(value), more=more, change=_change(figure, data["compare"]),
                meaning=figure.meaning)  # fmt: skip


def _change(figure: Figure, compare: Data | None) -> str:
    if compare is None:
        return ""
    shown = compare["this"] or compare["that"]
    value, moved = _median(shown[figure.name]), _moved(figure, compare, "median")
    if compare["this"] is not None:
        return f"{figure.shows(value)} in the last 7 days, {moved} on the 7 before"
    return f"{moved} from {figure.shows(value)}"


def _median(value: Any) -> Any:
    return value["median"] if isinstance(value, Mapping) else value


def _moved(figure: Figure, compare: Data, kind: str) -> str:
    changes = compare["change"]
    if figure.name.endswith("_rate") or figure.name == "bot_share":
        return points(changes.get(f"{figure.name}_points"))
    moved = changes.get(figure.name)
    return change(moved.get(kind) if isinstance(moved, Mapping) else moved)


def _rows(figure: Figure, data: Data) -> list[tuple[str, ...]]:
    """A row of the table; of a figure that is spread, one for each measure of it."""
    value, compare = data[figure.name], data["compare"]
    kinds = [kind for kind in KINDS if kind in value] if isinstance(value, Mapping) else [""]
    found = []
    for kind in kinds:

        def one(whole: Data, kind: str = kind) -> str:
            there = whole[figure.name]
            return figure.shows(there[kind] if isinstance(there, Mapping) else there)

        title = f"{figure.title}, {KINDS[kind]}" if kind else figure.title
        others = [one(compare[each]) for each in ("this", "that") if compare[each] is not None] if compare else []
        moved = [_moved(figure, compare, kind)] if compare else []
        found.append((title, figure.meaning, one(data), *others, *moved))
    return found
