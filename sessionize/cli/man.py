"""The page for `man sessionize`, made from the commands and their options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from sessionize.cli import app
from sessionize.cli.options import Option
from sessionize.cli.reference import exit_codes, options_and_commands
from sessionize.manual import TOPICS
from sessionize.version import __version__


def page() -> str:
    """The page in roff, by the macros that every ``man`` knows."""
    app.load_all()
    return "\n".join((*_head(), *_commands(), *_foot())) + "\n"


def _head() -> Iterator[str]:
    yield f'.TH SESSIONIZE 1 "" "sessionize {__version__}" "User commands"'
    yield ".SH NAME\nsessionize \\- turn an event log into sessions, and ask it questions"
    yield ".SH SYNOPSIS\n.B sessionize\n.I FILE\n.br\n.B sessionize\n.I COMMAND\n[OPTION]... INPUT..."
    yield ".SH DESCRIPTION\n" + _plain(app.HELP.split("\n\n")[0])
    yield "A file alone is the command summary."


def _commands() -> Iterator[str]:
    options = list(options_and_commands())
    yield ".SH COMMANDS"
    for name in app.COMMANDS:
        told = inspect.cleandoc(app.load(name).__doc__ or "").split("\n\n")[0]
        yield f".TP\n\\fB{name}\\fR\n{_plain(' '.join(told.split()))}"
    for commands in dict.fromkeys(commands for _, commands in options):
        yield f".SH OPTIONS OF {commands.upper()}"
        for option in (option for option, taking in options if taking == commands):
            yield f".TP\n{_usage(option)}\n{_plain(option.help)}"


def _usage(option: Option) -> str:
    names = ", ".join(_plain(name) for name in option.typed)
    return f"\\fB{names}\\fR" + (f" \\fI{_plain(option.metavar)}\\fR" if option.metavar else "")


def _foot() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for code, when in exit_codes().items():
        yield f".TP\n{code}\n{_plain(when.replace('`', ''))}"
    yield ".SH SEE ALSO"
    yield _plain(f"sessionize docs TOPIC, of: {', '.join(TOPICS)}, reference.")


def _plain(text: str) -> str:
    """Text in which nothing is taken for a command of roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
