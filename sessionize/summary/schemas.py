"""The answers' forms as JSON Schema: what scripts may rely on. A later version may add keys, and takes none away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
Form = dict[str, Any]


def _kind(name: str, meaning: str = "", *, null: bool = False) -> Form:
    kind: Form = {"type": [name, "null"] if null else name}
    return {**kind, "description": meaning} if meaning else kind


def _one(meaning: str, **keys: Form) -> Form:
    return {"type": "object", "description": meaning, "properties": keys, "required": list(keys)}


def _many(meaning: str, of: Form) -> Form:
    return {"type": "array", "description": meaning, "items": of}


def _maybe(form: Form) -> Form:
    return {**form, "type": [form["type"], "null"]}


COUNT: Final = {"type": "integer", "minimum": 0}
RATE: Final = {"type": ["number", "null"], "minimum": 0, "maximum": 1, "description": "a share; null of no sessions"}
SECONDS: Final = _kind("number", "seconds", null=True)
NUMBER: Final = _kind("number", null=True)
TEXT: Final = _kind("string")
NAME: Final = _kind("string", null=True)
MOMENT: Final = _kind("string", "ISO 8601, UTC", null=True)


def _counted(meaning: str) -> Form:
    return {**COUNT, "description": meaning}


DURATION: Final = _one("length of sessions, seconds", median=SECONDS, mean=SECONDS, p95=SECONDS, max=SECONDS)
SPREAD: Final = _one("over sessions", mean=NUMBER, median=NUMBER, p95=NUMBER)
FIGURES: Final[Mapping[str, Form]] = {
    "sessions": COUNT, "profiles": COUNT, "events": COUNT, "page_views": COUNT, "events_per_session": SPREAD,
    "page_views_per_session": SPREAD, "duration_s": DURATION, "bounce_rate": RATE, "engagement_rate": RATE,
    "conversion_rate": RATE, "conversions": COUNT, "value": NUMBER, "active_sessions": COUNT, "bot_share": RATE,
    "first": MOMENT, "last": MOMENT,
}  # fmt: skip
END: Final = _one(
    "a page, or an event type", name=TEXT, sessions=COUNT, share=RATE, bounce_rate=RATE, conversion_rate=RATE
)
GROUP: Final = _one(
    "one group", name=NAME, sessions=COUNT, share=RATE, profiles=COUNT, events=COUNT, page_views=COUNT, bounce_rate=RATE,
    engagement_rate=RATE, conversion_rate=RATE, conversions=COUNT, value=NUMBER, duration_s=DURATION,
)  # fmt: skip
SUMMARY: Final = _one(
    "what sessionize summary --json prints",
    **FIGURES,
    per_day=_many("in the time zone", _one("a day", day=TEXT, sessions=COUNT)),
    per_hour=_many("of the day, in the time zone", _one("an hour", hour=TEXT, sessions=COUNT)),
    lengths=_many("sessions by length", _one("from and before", from_s=SECONDS, to_s=SECONDS, sessions=COUNT)),
    entry_pages=_many("the commonest", END),
    exit_pages=_many("the commonest", END),
    goals=_many("with --goal", _one("a goal", name=TEXT, sessions=COUNT, rate=RATE)),
    groups=_many("with --by; the largest first, parts of time in their order, with days, weeks and months of no session", GROUP),
    rows_read=COUNT, rejected=COUNT, duplicates=COUNT, late=COUNT,
    compare=_maybe(_one(
        "rates change in points, numbers by a share",
        name=TEXT, this=_kind("object", null=True), that=_kind("object"), change=_kind("object"),
    )),
)  # fmt: skip
NEIGHBOUR: Final = _maybe(
    _one(
        "the key's session beside it",
        session_id=TEXT,
        start=MOMENT,
        end=MOMENT,
        gap_s=_kind("number", "silence between"),
    )
)
SHOW: Final = _one(
    "what sessionize show --json prints",
    session=_kind("object", "its metrics: sessionize schema metrics"),
    events=_many(
        "in order; beside these what the log has of each: event_type, page, …",
        _one(
            "an event",
            offset_s=_kind("number", "since the start"),
            gap_s=_kind("number", "since the event before"),
            time=MOMENT,
        ),
    ),
    previous=NEIGHBOUR,
    next=NEIGHBOUR,
    number=_counted("place among the sessions of its key, from 1"),
    of=_counted("sessions of its key"),
    matching=_counted("sessions that the choice matches"),
    tied=_counted("with --longest: sessions of this length, itself among them; else 1"),
    others=_many("ids of some more of these", TEXT),
    rows=_many("with --raw", _one("a row of the log", file=TEXT, row=COUNT, raw=TEXT)),
)
LEFT: Final = _one("what came next instead", name=TEXT, sessions=COUNT, share=RATE)
STEP: Final[Mapping[str, Form]] = {"step": TEXT, "sessions": COUNT, "of_start": RATE, "of_step": RATE}
ALL_STEPS: Final[Mapping[str, Form]] = {
    "never_began": _counted("sessions without the first step"),
    "converted": _counted("sessions with a conversion event (--conversion), whatever their steps; those that took all steps "
                          "are the sessions of the last step"),
    "converted_this_way": _counted("of these, those that took all steps"),
    "converted_otherwise": _counted("of these, the others"),
}  # fmt: skip
FUNNEL: Final = _one(
    "what sessionize funnel --json prints",
    sessions=COUNT,
    steps=_many(
        "in order",
        _one("a step", **STEP, median_s_to_next=SECONDS, left_for=_many("of those who came no further", LEFT)),
    ),
    **ALL_STEPS,
    within_s=SECONDS,
    strict=_kind("boolean"),
    groups=_many(
        "with --by",
        _one("one group", name=NAME, sessions=COUNT, steps=_many("in order", _one("a step", **STEP)), **ALL_STEPS),
    ),
)
PATHS: Final = _one(
    "what sessionize paths --json prints",
    paths=_many(
        "the commonest first",
        _one("a path; . is the end, ^ the start", path=TEXT, steps=_many("one by one", TEXT), sessions=COUNT, share=RATE,
             converted=_counted("sessions with a conversion"), conversion_rate=RATE),
    ),
    other=_counted("sessions of all other paths"),
    other_paths=COUNT, other_converted=COUNT,
    total=_counted("sessions of all paths"),
    total_converted=COUNT,
    without=_counted("sessions without an event as asked for"),
    nodes=_many("for a Sankey diagram", _one("a name at a place", name=TEXT, step=COUNT)),
    links=_many("between nodes, by number from 0", _one("a link", source=COUNT, target=COUNT, sessions=COUNT)),
    steps=COUNT,
    folded=_kind("boolean", "whether numbers and ids stand as *"),
)  # fmt: skip
PART: Final = _one("over log2 of seconds", weight=_kind("number"), mean=_kind("number"), sd=_kind("number"))
TIMEOUT: Final = _one(
    "what sessionize timeout --json prints",
    table=_many(
        "one row a timeout",
        _one("as the run with it", timeout_s=SECONDS, in_force=_kind("boolean"), sessions=COUNT,
             change=_kind("number", "of the sessions, from the row above", null=True), bounce_rate=RATE,
             duration_s=_one("length of sessions", mean=SECONDS, median=SECONDS)),
    ),
    plateau=_maybe(_one("the sessions change by under 1 %", from_s=SECONDS, to_s=SECONDS)),
    fit=_maybe(_one(
        "two normals in log2 of the silences (Halfaker et al. 2015)", cut_s=SECONDS, within=PART, between=PART,
        ks=_kind("number", "largest distance between fitted and empirical distribution"),
        costs=_many("of the cut and the timeout in force",
                    _one("a timeout", timeout_s=SECONDS, within_cut=RATE, between_kept=RATE)),
    )),
    why_no_fit=_kind("string", "null where there is a fit", null=True),
    share_15m_2h=RATE,
    silences=_one("between events of one key", all=COUNT, zero=COUNT,
                  octaves=_many("by doublings", _one("from and before", from_s=SECONDS, to_s=SECONDS, silences=COUNT))),
    in_force_s=SECONDS,
    one_minute=_kind("integer", "the minute of the hour at which every event is, as of a clock that was cut; else null", null=True),
)  # fmt: skip
ANSWERS: Final[Mapping[str, Form]] = {
    "summary": SUMMARY, "show": SHOW, "funnel": FUNNEL, "paths": PATHS, "timeout": TIMEOUT,
}  # fmt: skip


def answer_schema(command: str) -> Form:
    """Schema of what a command prints with ``--json``."""
    return {"$schema": DRAFT, "title": f"sessionize {command}", **ANSWERS[command]}
