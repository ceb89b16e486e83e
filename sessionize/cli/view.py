"""What a person sees on the terminal. Everything goes to stderr; nothing from the data can steer the terminal."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final

from sessionize.readable import visible

if TYPE_CHECKING:
    from rich.console import Console


MANY_REJECTED: Final = 0.05
"""A larger share of the rows that is rejected is said even of a quiet run."""


def plain(text: object) -> str:
    """Text from the data, safe to print in one line: control and formatting characters as escapes."""
    return visible(str(text))


def wrapped(text: str, indent: int) -> str:
    """Text broken between words where a terminal shows it, its further lines indented; else as it is."""
    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns - indent
    except (OSError, ValueError):
        return text
    if width < 20:
        return text
    return f"\n{' ' * indent}".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))


def say(label: str, text: str, *, style: str = "dim", color: bool) -> None:
    """One line on stderr: a label, on a terminal in its style, and what there is to say."""
    if not sys.stderr.isatty() and "FORCE_COLOR" not in os.environ:  # rich would print the same, but must be loaded
        print(f"{label:>10}  {text}", file=sys.stderr)
        return
    out = console(color=color)
    out.print(f"{label:>10}", style=style, end="  ")
    out.print(text, soft_wrap=True)


def print_whole(text: str) -> None:
    """Print what is data or a page, in UTF-8 whatever the locale: all of it is there, and whoever reads it knows."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.encoding.lower().replace("-", "") != "utf8":
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(text)


def console(*, color: bool) -> Console:
    """A console on stderr that interprets no markup."""
    from rich.console import Console

    width = NARROW if os.environ.get("COLUMNS") == "0" else None  # in which nothing would be printed
    return Console(
        stderr=True, markup=False, highlight=False, emoji=False, width=width, no_color=None if color else True
    )


NARROW: Final = 80
NAMED: Final = 10
"""Files that are named on the terminal."""
_SPINNING: Final[list[Console]] = []
"""The console on which something turns, its cursor hidden."""


def leave_terminal() -> None:
    """Give the terminal its cursor back, when a signal ends the run."""
    if _SPINNING:
        with suppress(OSError):
            os.write(sys.stderr.fileno(), b"\r\x1b[K\x1b[?25h")


@contextmanager
def progress(typed: Mapping[str, Any]) -> Iterator[Callable[[str], None]]:
    """What is told each stage: on a terminal how far it is, with ``--verbose`` what each one took, else nothing."""
    from sessionize.cli.progress import Stages, is_watched

    def silent(_: str) -> None:
        """Say nothing."""

    say = (lambda line: print(plain(line), file=sys.stderr)) if typed["verbose"] else silent
    if not is_watched() or typed["quiet"] or typed["no_progress"]:
        stages = Stages(silent, say)
        yield stages
        stages.done()
        return
    terminal = console(color=not typed["no_color"])
    _SPINNING.append(terminal)
    try:
        with terminal.status("starting") as status:
            stages = Stages(status.update, say)
            yield stages
        stages.done()
    finally:
        _SPINNING.clear()


def notes(texts: Iterable[str], *, color: bool) -> None:
    """What the one who runs it should know, whether asked to be quiet or not."""
    for text in texts:
        say("note", wrapped(plain(text), 12), style="bold yellow", color=color)


def rejected(counts: Mapping[str, Any], *, quiet: bool, color: bool) -> None:
    """How many rows were rejected, and why; of a quiet run only where more than a few are no events.

    Args:
        counts: Those of the manifest.
        quiet: Whether little is to be said.
        color: Whether it may be in colours.
    """
    text = rejected_text(counts, quiet=quiet)
    if text:
        say("rejected", wrapped(text, 12), style="bold yellow", color=color)


def rejected_text(counts: Mapping[str, Any], *, quiet: bool) -> str:
    """What to say of rejected rows; empty where nothing is to be said.

    Passive events in no session may be of the night before, and are none of its rows.
    """
    alone = counts["rejected_by_reason"].get("passive_alone", 0)
    rows = counts["rows_read"] + (counts["carried_in"] if alone else 0)
    if not counts["rejected"] or (quiet and counts["rejected"] - alone <= MANY_REJECTED * rows):
        return ""
    share = counts["rejected"] / max(1, rows)
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in counts["rejected_by_reason"].items())
    return f"{counts['rejected']:,} rows ({share:.2%}): {reasons}"


def passed_over(manifest: Mapping[str, Any], *, quiet: bool, color: bool) -> None:
    """What was found and not read; where little is to be said, only what may hold events.

    Args:
        manifest: Manifest of the run.
        quiet: Whether little is to be said.
        color: Whether it may be in colours.
    """
    from sessionize.read.passed_over import is_harmless

    found = not_read(manifest, quiet=quiet)
    if not found:
        return
    names = [f"{each['path']} ({each['why']})" for each in found[:NAMED]]
    more = [f"{len(found) - NAMED:,} more: manifest.json has all"] if len(found) > NAMED else []
    text = plain(f"{len(found):,} passed over: {', '.join(names + more)}")
    alarming = any(not is_harmless(each["why"]) for each in found)
    say("not read", wrapped(text, 12), style="bold yellow" if alarming else "dim", color=color)


def not_read(manifest: Mapping[str, Any], *, quiet: bool) -> list[Mapping[str, str]]:
    """What was found and not read, as the manifest has it; where little is to be said, only what may hold events."""
    from sessionize.read.passed_over import is_harmless

    return [each for each in manifest.get("passed_over", ()) if not (quiet and is_harmless(each["why"]))]


def bytes_text(size: float) -> str:
    """A size as a person reads it."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def time(seconds: float) -> str:
    """A length of time as a person reads it."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.3g} s"
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (second, "s")]
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2])
