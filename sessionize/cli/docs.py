"""`sessionize docs`: the manual, which lies in the package."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Final

import typer

from sessionize.cli.settings import one_of
from sessionize.cli.view import print_whole
from sessionize.manual import TOPICS

REFERENCE: Final = "reference"
MAN: Final = "man"
MADE: Final = {
    REFERENCE: "every metric, option, check, reason and exit code, from the program's own tables",
    MAN: "the page for man: sessionize docs man > sessionize.1",
}
"""Topics that are made when they are asked for."""
ALL: Final = (*TOPICS, *MADE)


def docs(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOPIC]",
            help="What to read. [default: the list of topics]",
            autocompletion=lambda incomplete: [name for name in ALL if name.startswith(incomplete)],
        ),
    ] = None,
) -> None:
    """Read the manual: how logs are read, where sessions end, nights, checks, Python.

    \b
    sessionize docs
    sessionize docs formats
    sessionize docs reference | less
    """
    if topic is None:
        width = max(map(len, ALL))
        for name, about in {**TOPICS, **MADE}.items():
            print(f"{name:<{width}}  {about}")
        return
    topic = one_of(topic, ALL, "docs")
    if topic == MAN:
        from sessionize.cli.man import page

        print_whole(page())
        return
    _show(_text(topic))


def _text(topic: str) -> str:
    if topic == REFERENCE:
        from sessionize.cli.reference import reference

        return reference()
    from sessionize.manual import topic as text_of

    return text_of(topic)


def _show(text: str) -> None:
    """Print Markdown: laid out on a terminal, as it stands to a pipe or a file."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        print_whole(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
