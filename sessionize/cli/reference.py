"""The reference: every metric, option, check, reason, exit code, definition and preset, made from the program's tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sessionize import definitions, errors, presets, schema
from sessionize.checks.table import CHECKS, Check
from sessionize.cli import app
from sessionize.cli.options import READS_NO_LOG, Option, taken_by
from sessionize.kernel.metrics import METRICS, Metric

ALL_THAT_READ: Final = "all that read a log"


def reference() -> str:
    """The whole reference as Markdown."""
    app.load_all()
    parts = ("# Reference", *_metrics(), *_options(), *_checks(), *_reasons(), *_exit_codes(), *_others())
    return "\n".join(parts) + "\n"


def _metrics() -> Iterator[str]:
    yield "\n## Metrics\n\nColumns of `metrics`, a row a session, in their order.\n"
    yield from _table(("metric", "type", "unit", "meaning"), map(_metric, METRICS))


def _metric(metric: Metric) -> Sequence[str]:
    dtype = re.sub(r"Datetime\(.*", "UTC time", str(metric.dtype))
    return f"`{metric.name}`", dtype.lower() if dtype != "UTC time" else dtype, metric.unit, metric.meaning


def _options() -> Iterator[str]:
    yield "\n## Options\n\nEach with the commands that take it; `-h` of a command lists its commonest."
    by_panel: dict[str, list[tuple[Option, str]]] = {}
    for option, commands in options_and_commands():
        by_panel.setdefault(option.panel, []).append((option, commands))
    for panel, options in by_panel.items():
        yield f"\n### {panel}\n"
        yield from _table(
            ("option", "meaning", "commands"),
            ((_usage(option), option.help, commands) for option, commands in options),
        )


def options_and_commands() -> Iterator[tuple[Option, str]]:
    """Each option that differs from the others in name or meaning, with the commands that take it."""
    readers = [name for name in app.COMMANDS if name not in READS_NO_LOG]
    taking: dict[Option, list[str]] = {}
    for name in app.COMMANDS:
        for option in taken_by(name):
            taking.setdefault(option, []).append(name)
    for option, names in taking.items():
        yield option, ALL_THAT_READ if set(names) >= set(readers) else ", ".join(names)


def _usage(option: Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.typed)
    return names + (f" {option.metavar}" if option.metavar else "")


def _checks() -> Iterator[str]:
    yield "\n## Checks\n\nWhat `sessionize check` measures, and what it allows where nothing else is configured."
    yield "A share of few says little: of fewer than stands under `of few` it is judged only by bounds that you give.\n"
    heads = ("check", "what it measures", "warns beyond", "fails beyond", "of few", "options")
    yield from _table(heads, map(_check, CHECKS))


def _check(check: Check) -> Sequence[str]:
    options = ", ".join(f"{name} = {value}" for name, value in check.options.items())
    return f"`{check.name}`", check.meaning, check.warn, check.error, _of_few(check), options


def _of_few(check: Check) -> str:
    """What is said of a log, or of sessions, that are few."""
    if not check.few:
        return f"under {check.least:,}: not measured" if check.least else ""
    return f"under {check.least:,}: warns beyond {check.error}, never fails; under {check.few:,}: not measured"


def _reasons() -> Iterator[str]:
    yield "\n## Reasons why a row is rejected\n\nIn `rejected.ndjson`, with the row's file, line and text.\n"
    yield from _table(("reason", "meaning"), ((f"`{name}`", meaning) for name, meaning in schema.WHY_REJECTED.items()))


def _exit_codes() -> Iterator[str]:
    yield "\n## Exit codes\n"
    yield from _table(("code", "when"), ((str(code), when) for code, when in exit_codes().items()))


def exit_codes() -> dict[int, str]:
    """Each exit code with when it comes, in their order."""
    kinds = errors.SessionizeError.__subclasses__()
    said = {each.exit_code: str(each.__doc__).split("\n", maxsplit=1)[0] for each in kinds}
    said |= {0: "Done.", 130: "Ctrl-C.", 141: "The pipe behind it was closed (`| head`).", 143: "SIGTERM."}
    return dict(sorted(said.items()))


def _others() -> Iterator[str]:
    yield "\n## Definitions\n\nFor `--rules NAME` and `compare --as NAME`.\n"
    yield from _table(("name", "system"), ((f"`{name}`", definitions.load(name).title) for name in definitions.names()))
    yield "\n## Presets\n\nFor `--preset NAME`; `sessionize presets NAME` explains one.\n"
    yield from _table(("name", "layout"), ((f"`{name}`", presets.load(name).title) for name in presets.names()))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(heads)
    yield _row(["---"] * len(heads))
    yield from map(_row, rows)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
