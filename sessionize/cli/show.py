"""`sessionize show`: one session as a timeline."""

from __future__ import annotations

from pathlib import Path

from sessionize.cli import answering as a
from sessionize.cli import options as o
from sessionize.cli import settings
from sessionize.patterns import pattern

SESSION_ID = pattern(r".*\.-?\d{13,}")
"""Ends in when the session began, in microseconds, as no glob or address does."""


@o.command(
    o.flag("longest", "Show the longest session.", panel=a.WHICH),
    o.flag("random", "Show a session drawn by lot.", panel=a.WHICH),
    o.number("seed", "Of the lot: the same one draws the same session. [default: another one each time]", panel=a.WHICH),
    o.text("profile", "Only sessions of this profile, or of the one that begins so. [default: of any]", "ID", panel=a.WHICH),
    *a.SELECTING,
    o.flag("all", "Show every event. [default: the first and last, where there are many]", panel=a.ANSWER),
    o.flag("raw", "Show the rows of the events as they stand in the log, with file and line.", panel=a.ANSWER),
    a.JSON,
    a.CSV,
    arguments=[o.argument("inputs", f"{a.LOG_OR_RUN} Last, the session's id, its own in the log, its profile's, or the beginning of one.",
                          "INPUT... [SESSION]", list[str])],
)  # fmt: skip
def show(typed: o.Typed) -> None:
    """Show one session as a timeline: its events, the silences between them, and its neighbours.

    \b
    sessionize show events.csv --longest
    sessionize show events.csv s_2705
    sessionize show events.csv --session-where "converted" --random
    """
    from sessionize.answers import ShowAsk
    from sessionize.answers import show as job
    from sessionize.cli.screens.show import lines

    typed = settings.with_file(typed)
    inputs, session = _inputs_and_session(list(typed["inputs"]))
    ask = ShowAsk(
        selection=a.selection(typed.but(inputs=inputs)), session=session, longest=typed["longest"], random=typed["random"],
        seed=typed["seed"], profile=typed["profile"], raw=typed["raw"],
    )  # fmt: skip
    a.answer(
        typed.but(inputs=inputs),
        lambda config, progress: job(config, ask, progress),
        lambda found, where: lines(found.data, found.facts, where, every=bool(typed["all"])),
        lambda data: data["events"],
    )


def _inputs_and_session(words: list[str]) -> tuple[list[str], str | None]:
    """The last word is a session where it is no file, and another one is named."""
    last = words[-1]
    looks_so = "://" in last or any(letter in last for letter in "*?[")
    is_input = last == "-" or Path(last).exists() or (looks_so and not SESSION_ID.fullmatch(last))
    return (words, None) if len(words) == 1 or is_input else (words[:-1], last)
